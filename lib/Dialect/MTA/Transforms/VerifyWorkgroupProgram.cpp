//===- VerifyWorkgroupProgram.cpp - The contract of level 2G ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace mta {
#define GEN_PASS_DEF_VERIFYWORKGROUPPROGRAMPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

// The labels V1... are those of the pass's description.

static bool isWorkgroup(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  return buffer && gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(buffer);
}

/// V1.
static LogicalResult verifyShape(gpu::LaunchOp launch) {
  auto heads = launch->getAttrOfType<IntegerAttr>("mta.heads");
  auto rows = launch->getAttrOfType<IntegerAttr>("mta.rows");
  APInt size;
  if (!heads || !rows ||
      !matchPattern(launch.getBlockSizeX(), m_ConstantInt(&size)))
    return launch.emitOpError("expects constant threads and the attributes "
                              "'mta.heads' and 'mta.rows'");
  int64_t threads = size.getSExtValue(), warps = threads / 32;
  if (warps < 1 || threads % 32 != 0 || heads.getInt() < 1 ||
      rows.getInt() < 16 || rows.getInt() % 16 != 0 ||
      warps % heads.getInt() != 0 ||
      heads.getInt() * (rows.getInt() / 16) % warps != 0)
    return launch.emitOpError("expects whole strips of 16 rows for every warp "
                              "and whole warps for every head, but got ")
           << rows.getInt() << " rows and " << heads.getInt() << " heads for "
           << threads << " threads";
  return success();
}

/// V2.
static LogicalResult verifyKind(Operation *op) {
  bool isKnown =
      isa_and_present<MTADialect, arith::ArithDialect, math::MathDialect,
                      vector::VectorDialect>(op->getDialect()) ||
      isa<scf::ForOp, scf::IfOp, scf::YieldOp, memref::AllocaOp, memref::DimOp,
          memref::LoadOp, linalg::FillOp, gpu::TerminatorOp,
          ViewLikeOpInterface>(op);
  // Bodies of linalg.fill.
  if (isa<linalg::FillOp>(op->getParentOp()))
    return success();
  if (!isKnown)
    return op->emitOpError("expects vectors, loops, branches and copies in the "
                           "program of a workgroup");
  for (Type type :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                llvm::to_vector(op->getResultTypes())))
    if (isa<TensorType>(type))
      return op->emitOpError("expects buffers and vectors in the program of a "
                             "workgroup, but got ")
             << type;
  return success();
}

/// V3.
static LogicalResult verifyBuffer(memref::AllocaOp alloc, Block &body) {
  MemRefType type = alloc.getType();
  if (isWorkgroup(type) && type.hasStaticShape() && alloc->getBlock() == &body)
    return success();
  return alloc.emitOpError("expects a buffer of static size in workgroup "
                           "memory, in the body of the launch, but got ")
         << type;
}

/// V5: of a whole tile only what is in workgroup memory can be read, by
/// anyone, and what a workgroup's buffers hold is in bounds. A row of weights
/// is no tile, nor is a number for every row of `heads` heads.
static LogicalResult verifyAccess(Operation *op, int64_t heads) {
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    if ((!isWorkgroup(read.getBase().getType()) &&
         read.getVectorType().getRank() > (heads > 1 ? 2 : 1)) ||
        (isWorkgroup(read.getBase().getType()) && read.getMask()) ||
        read.hasOutOfBoundsDim())
      return read.emitOpError("expects to read a vector that lies inside of "
                              "workgroup memory, but got a part of ")
             << read.getBase().getType();
  if (auto write = dyn_cast<vector::TransferWriteOp>(op))
    if (write.hasOutOfBoundsDim())
      return write.emitOpError("expects to write a vector, or rows of it, that "
                               "lie inside of a buffer, but got a part of ")
             << write.getBase().getType();
  return success();
}

/// The first operation after `op` in its block that is one of `OpsT`.
template <typename... OpsT> static Operation *findAfter(Operation *op) {
  for (op = op->getNextNode(); op && !isa<OpsT...>(op); op = op->getNextNode())
    ;
  return op;
}

/// V6.
static LogicalResult verifyCopies(Operation *op) {
  if (auto copy = dyn_cast<CopyTileOp>(op)) {
    if (!isWorkgroup(copy.getDest().getType()))
      return copy.emitOpError("expects a copy to workgroup memory, but got ")
             << copy.getDest().getType();
    if (!findAfter<CommitCopiesOp>(op))
      return copy.emitOpError("expects mta.commit_copies after it in its "
                              "block");
  }
  if (isa<WaitCopiesOp>(op) &&
      !isa_and_present<BarrierOp>(
          findAfter<BarrierOp, vector::TransferReadOp, ContractTileOp,
                    scf::ForOp, scf::IfOp>(op)))
    return op->emitOpError("expects a barrier before what was copied is read");
  return success();
}

static LogicalResult verifyProgram(gpu::LaunchOp launch) {
  if (failed(verifyShape(launch)))
    return failure();
  Block &body = launch.getBody().front();
  int64_t heads = launch->getAttrOfType<IntegerAttr>("mta.heads").getInt();
  // V4.
  gpu::KernelDim3 threads = launch.getThreadIds();
  for (Value id : {threads.x, threads.y, threads.z})
    if (!id.use_empty())
      return id.user_begin()->emitOpError(
          "expects the program of a workgroup, not that of a thread, but got "
          "a use of its number");
  auto result = launch.getBody().walk([&](Operation *op) -> WalkResult {
    if (failed(verifyKind(op)) || failed(verifyAccess(op, heads)) ||
        failed(verifyCopies(op)))
      return WalkResult::interrupt();
    auto alloc = dyn_cast<memref::AllocaOp>(op);
    return alloc ? verifyBuffer(alloc, body) : success();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct VerifyWorkgroupProgramPass
    : mta::impl::VerifyWorkgroupProgramPassBase<VerifyWorkgroupProgramPass> {
  void runOnOperation() override {
    auto result = getOperation()->walk([](gpu::LaunchOp launch) {
      return launch->hasAttr("mta.heads") && failed(verifyProgram(launch))
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

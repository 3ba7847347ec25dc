//===- VerifyThreadProgram.cpp - The contract of level 3G ------ -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mta {
#define GEN_PASS_DEF_VERIFYTHREADPROGRAMPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

// The labels V1... are those of the pass's description.

/// Four registers: what ldmatrix loads, and the widest access of memory.
static constexpr int64_t kWidestVector = 128;

static int64_t bitsOf(VectorType type) {
  Type element = type.getElementType();
  return type.getNumElements() *
         (element.isIndex() ? 64 : element.getIntOrFloatBitWidth());
}

/// V1 and V2.
static LogicalResult verifyOperation(Operation *op) {
  if (isa_and_present<MTADialect, linalg::LinalgDialect>(op->getDialect()))
    return op->emitOpError("expects what one thread does");
  for (Type type :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                llvm::to_vector(op->getResultTypes()))) {
    if (isa<TensorType>(type))
      return op->emitOpError("expects buffers and registers in the program of "
                             "a thread, but got ")
             << type;
    auto vector = dyn_cast<VectorType>(type);
    if (vector && bitsOf(vector) > kWidestVector)
      return op->emitOpError("expects vectors of at most ")
             << kWidestVector << " bits in the program of a thread, but got "
             << vector;
  }
  return success();
}

/// Whether `isMatch` holds for an operation after `op`, in its block or in the
/// blocks around it, up to the body of the launch or of the next loop. With
/// `aroundLoops` it goes on from there: a body also comes after itself.
static bool isFollowed(Operation *op, bool aroundLoops,
                       function_ref<bool(Operation *)> isMatch) {
  for (; !isa<gpu::LaunchOp>(op); op = op->getParentOp()) {
    for (Operation *next = op->getNextNode(); next; next = next->getNextNode())
      if (isMatch(next))
        return true;
    if (!isa<scf::ForOp>(op->getParentOp()))
      continue;
    if (!aroundLoops)
      return false;
    if (llvm::any_of(*op->getBlock(),
                     [&](Operation &first) { return isMatch(&first); }))
      return true;
  }
  return false;
}

/// Whether `op` waits for copies, or a loop or a branch in it: what is not
/// waited for there has not been begun.
static bool waits(Operation *op) {
  return op
      ->walk([](NVVM::CpAsyncWaitGroupOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// V3.
static LogicalResult verifyCopies(Operation *op) {
  auto commits = [](Operation *other) {
    return isa<NVVM::CpAsyncCommitGroupOp>(other);
  };
  if (isa<nvgpu::DeviceAsyncCopyOp>(op) &&
      !isFollowed(op, /*aroundLoops=*/false, commits))
    return op->emitOpError("expects its group to be committed after it");
  if (commits(op) && !isFollowed(op, /*aroundLoops=*/true, waits))
    return op->emitOpError("expects a wait for its group after it");
  if (!isa<NVVM::CpAsyncWaitGroupOp>(op))
    return success();
  // Other threads' copies are there after a barrier only.
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    if (isa<gpu::BarrierOp>(next))
      return success();
    // wgmma is inline assembly.
    if (isa<nvgpu::LdMatrixOp, LLVM::InlineAsmOp, scf::ForOp, scf::IfOp>(next))
      break;
  }
  return op->emitOpError("expects a barrier before what was copied is read");
}

//===----------------------------------------------------------------------===//
// V4: which branches and loops threads may take differently
//===----------------------------------------------------------------------===//

namespace {
/// Follows what depends on the number of the thread.
class Divergence {
public:
  explicit Divergence(gpu::LaunchOp launch);

  bool isDivergent(Operation *op) const { return divergent.contains(op); }

private:
  void add(Value value) {
    if (values.insert(value).second)
      worklist.push_back(value);
  }
  void addResults(Operation *op) {
    for (Value result : op->getResults())
      add(result);
  }
  void addUse(OpOperand &use);
  void addLoopUse(scf::ForOp loop, OpOperand &use);
  void addYieldUse(scf::YieldOp yield, OpOperand &use);

  llvm::DenseSet<Value> values;
  llvm::DenseSet<Operation *> divergent;
  SmallVector<Value> worklist;
};
} // namespace

Divergence::Divergence(gpu::LaunchOp launch) {
  gpu::KernelDim3 threads = launch.getThreadIds();
  for (Value id : {threads.x, threads.y, threads.z})
    add(id);
  launch.getBody().walk([&](Operation *op) {
    if (isa<gpu::ThreadIdOp, gpu::LaneIdOp>(op))
      addResults(op);
  });
  while (!worklist.empty())
    for (OpOperand &use : worklist.pop_back_val().getUses())
      addUse(use);
}

void Divergence::addLoopUse(scf::ForOp loop, OpOperand &use) {
  if (BlockArgument argument = loop.getTiedLoopRegionIterArg(&use)) {
    add(argument);
    return add(loop.getTiedLoopResult(&use));
  }
  divergent.insert(loop);
  add(loop.getInductionVar());
  addResults(loop);
}

void Divergence::addYieldUse(scf::YieldOp yield, OpOperand &use) {
  Operation *parent = yield->getParentOp();
  unsigned number = use.getOperandNumber();
  add(parent->getResult(number));
  if (auto loop = dyn_cast<scf::ForOp>(parent))
    add(loop.getRegionIterArg(number));
}

void Divergence::addUse(OpOperand &use) {
  Operation *op = use.getOwner();
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return addLoopUse(loop, use);
  if (auto yield = dyn_cast<scf::YieldOp>(op))
    return addYieldUse(yield, use);
  if (isa<scf::IfOp>(op))
    divergent.insert(op);
  addResults(op);
}

static LogicalResult verifyBarrier(gpu::BarrierOp barrier,
                                   const Divergence &divergence) {
  for (Operation *parent = barrier->getParentOp(); !isa<gpu::LaunchOp>(parent);
       parent = parent->getParentOp())
    if (divergence.isDivergent(parent)) {
      InFlightDiagnostic diagnostic = barrier.emitOpError(
          "expects to be reached by all threads of the workgroup");
      diagnostic.attachNote(parent->getLoc())
          << "threads may do this differently";
      return diagnostic;
    }
  return success();
}

static LogicalResult verifyProgram(gpu::LaunchOp launch) {
  Divergence divergence(launch);
  auto result = launch.getBody().walk<WalkOrder::PreOrder>(
      [&](Operation *op) -> WalkResult {
        if (failed(verifyOperation(op)) || failed(verifyCopies(op)))
          return WalkResult::interrupt();
        auto barrier = dyn_cast<gpu::BarrierOp>(op);
        return barrier ? verifyBarrier(barrier, divergence) : success();
      });
  return failure(result.wasInterrupted());
}

namespace {
struct VerifyThreadProgramPass
    : mta::impl::VerifyThreadProgramPassBase<VerifyThreadProgramPass> {
  void runOnOperation() override {
    auto result = getOperation()->walk([](gpu::LaunchOp launch) {
      return failed(verifyProgram(launch)) ? WalkResult::interrupt()
                                           : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

//===- VerifyTileProgram.cpp - The contract of level 2 -------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mta {
#define GEN_PASS_DEF_VERIFYTILEPROGRAMPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

/// The narrowest elements that tiles hold: f16 and bf16.
static constexpr int64_t kNarrowestBits = 16;

// The labels V1... are those of the pass's description.

static bool isContiguous(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  return !buffer || buffer.getRank() == 0 || buffer.isLastDimUnitStride();
}

/// V2: copies of the rows that exist have a dynamic size, vectors are loaded
/// from contiguous elements, and a sum over a part of a vector has no lanes to
/// go over.
static bool mayStayLinalg(linalg::LinalgOp op, int64_t vectorBits) {
  if (!llvm::all_of(op->getOperandTypes(), isContiguous))
    return true;
  if (op.hasDynamicShape())
    return op.getNumReductionLoops() == 0;
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInputs() != 1 ||
      !element.isIntOrFloat())
    return false;
  int64_t lanes = vectorBits / element.getIntOrFloatBitWidth();
  return lanes > 0 && op.getStaticLoopRanges().back() % lanes != 0;
}

static LogicalResult verifyInTile(Operation *op, int64_t vectorBits) {
  // V1.
  for (Type type :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()),
                                llvm::to_vector(op->getResultTypes())))
    if (isa<TensorType>(type))
      return op->emitOpError("expects buffers and vectors inside of a loop "
                             "over tiles, but got ")
             << type;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (linalgOp && !mayStayLinalg(linalgOp, vectorBits))
    return op->emitOpError("expects vectors instead of linalg on a tile");
  // V3.
  for (Type type : op->getResultTypes()) {
    auto vector = dyn_cast<VectorType>(type);
    if (!vector)
      continue;
    if (vector.getRank() > 1 ||
        vector.getNumElements() * kNarrowestBits > vectorBits)
      return op->emitOpError("expects vectors of one dimension and at most ")
             << vectorBits / kNarrowestBits << " elements, but got " << vector;
  }
  return success();
}

namespace {
struct VerifyTileProgramPass
    : mta::impl::VerifyTileProgramPassBase<VerifyTileProgramPass> {
  using VerifyTileProgramPassBase::VerifyTileProgramPassBase;

  void runOnOperation() override {
    auto result = getOperation()->walk([&](scf::ForallOp forall) {
      if (!forall->hasAttr(MTADialect::getScheduleAttrName()))
        return WalkResult::advance();
      return forall.getBody()->walk([&](Operation *op) {
        return failed(verifyInTile(op, vectorBits)) ? WalkResult::interrupt()
                                                    : WalkResult::advance();
      });
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

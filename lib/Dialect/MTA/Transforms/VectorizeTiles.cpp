//===- VectorizeTiles.cpp - Linalg on tiles as vectors ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterBlocks.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

namespace mta {
#define GEN_PASS_DEF_VECTORIZETILESPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

namespace {
struct VectorizeTilesPass
    : mta::impl::VectorizeTilesPassBase<VectorizeTilesPass> {
  using VectorizeTilesPassBase::VectorizeTilesPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    // Backward, so that a fill is still one when what it starts is reached.
    llvm::SmallPtrSet<Operation *, 8> erased;
    for (linalg::LinalgOp op : llvm::reverse(ops))
      if (!erased.contains(op))
        vectorize(rewriter, op, erased);
  }

private:
  /// The fill of the buffer that `op` accumulates into, if nothing else touches
  /// memory in between.
  static linalg::FillOp findFill(linalg::GenericOp op) {
    if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
      return nullptr;
    for (Operation *before = op->getPrevNode(); before;
         before = before->getPrevNode()) {
      auto fill = dyn_cast<linalg::FillOp>(before);
      if (fill && fill.getOutputs()[0] == op.getDpsInitsMutable()[0].get())
        return fill;
      if (!isMemoryEffectFree(before))
        return nullptr;
    }
    return nullptr;
  }

  void vectorize(IRRewriter &rewriter, linalg::LinalgOp op,
                 llvm::SmallPtrSetImpl<Operation *> &erased) {
    auto generic = dyn_cast<linalg::GenericOp>(*op);
    rewriter.setInsertionPoint(op);
    if (!generic) {
      if (!op.hasPureBufferSemantics())
        return;
      FailureOr<linalg::GenericOp> made =
          linalg::generalizeNamedOp(rewriter, op);
      if (failed(made))
        return;
      generic = *made;
      rewriter.setInsertionPoint(generic);
    }
    FailureOr<BlockPlan> plan = planBlock(generic, vectorBits, pairProducts);
    if (failed(plan))
      return;
    ImplicitLocOpBuilder builder(generic.getLoc(), rewriter);
    linalg::FillOp fill = plan->reducesVectors ? nullptr : findFill(generic);
    emitBlocks(builder, generic, *plan, fill ? fill.value() : Value());
    rewriter.eraseOp(generic);
    if (fill) {
      erased.insert(fill);
      rewriter.eraseOp(fill);
    }
  }
};
} // namespace

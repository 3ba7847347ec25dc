//===- ApproximateMath.cpp - Functions of the GPU's own ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mta {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

namespace {
/// A unary function of f32 numbers or vectors of one dimension as calls of an
/// intrinsic.
template <typename OpTy> struct CallIntrinsic : public OpRewritePattern<OpTy> {
  CallIntrinsic(MLIRContext *context, StringRef intrinsic)
      : OpRewritePattern<OpTy>(context), intrinsic(intrinsic) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Value operand = op.getOperand();
    auto vectorType = dyn_cast<VectorType>(operand.getType());
    if (!getElementTypeOrSelf(operand.getType()).isF32() ||
        (vectorType && vectorType.getRank() != 1))
      return rewriter.notifyMatchFailure(
          op, "not an f32 number or vector of one dimension");
    auto call = [&](Value value) -> Value {
      return LLVM::CallIntrinsicOp::create(
                 rewriter, op.getLoc(), value.getType(),
                 rewriter.getStringAttr(intrinsic), ValueRange{value})
          .getResult(0);
    };
    if (!vectorType) {
      rewriter.replaceOp(op, call(operand));
      return success();
    }
    SmallVector<Value> elements;
    for (int64_t index = 0; index < vectorType.getDimSize(0); ++index)
      elements.push_back(call(
          vector::ExtractOp::create(rewriter, op.getLoc(), operand, index)));
    rewriter.replaceOpWithNewOp<vector::FromElementsOp>(op, vectorType,
                                                        elements);
    return success();
  }

  StringRef intrinsic;
};

struct ApproximateMathPass
    : mta::impl::ApproximateMathPassBase<ApproximateMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<CallIntrinsic<math::Exp2Op>>(&getContext(),
                                              "llvm.nvvm.ex2.approx.ftz.f");
    patterns.add<CallIntrinsic<math::Log2Op>>(&getContext(),
                                              "llvm.nvvm.lg2.approx.ftz.f");
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace

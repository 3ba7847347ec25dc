//===- ShapeInference.cpp - Static shapes flow into an attention *- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mta;

/// The static one of two sizes that are the same; dynamic if neither is.
static int64_t known(int64_t first, int64_t second) {
  return ShapedType::isDynamic(first) ? second : first;
}

namespace {
/// Everything the types of an attention say about its sizes.
struct Sizes {
  int64_t batch, heads, queries, keys, valueDimension;

  explicit Sizes(AttentionOp op) {
    auto query = cast<RankedTensorType>(op.getQuery().getType());
    auto key = cast<RankedTensorType>(op.getKey().getType());
    auto value = cast<RankedTensorType>(op.getValue().getType());
    RankedTensorType scores = op.getScoreType();
    auto output = cast<RankedTensorType>(op.getOutput().getType());
    batch = known(known(query.getDimSize(0), key.getDimSize(0)),
                  known(value.getDimSize(0), scores.getDimSize(0)));
    heads = known(query.getDimSize(1), scores.getDimSize(1));
    queries = known(query.getDimSize(2), scores.getDimSize(2));
    keys = known(known(key.getDimSize(2), value.getDimSize(2)),
                 scores.getDimSize(3));
    valueDimension = known(value.getDimSize(3), output.getDimSize(3));
  }

  int64_t outputQueries(AttentionOp op) const {
    return ShapedType::isDynamic(queries)
               ? queries
               : queries - static_cast<int64_t>(op.getQueryHalo());
  }
};

/// An attention reads through casts that only forget sizes.
struct AbsorbOperandCasts : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    bool changed = false;
    for (OpOperand &operand : op->getOpOperands()) {
      auto cast = operand.get().getDefiningOp<tensor::CastOp>();
      if (!cast || !tensor::canFoldIntoConsumerOp(cast))
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand.set(cast.getSource()); });
      changed = true;
    }
    return changed ? success()
                   : rewriter.notifyMatchFailure(op, "no operand is a cast");
  }
};

/// Sizes known from the operands reach the score program and the results.
struct InferShapes : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    Sizes sizes(op);
    int64_t rows = sizes.outputQueries(op);
    auto scores = op.getScoreType().clone(
        ArrayRef<int64_t>{sizes.batch, sizes.heads, sizes.queries, sizes.keys});
    SmallVector<Type> results = {
        cast<RankedTensorType>(op.getOutput().getType())
            .clone(ArrayRef<int64_t>{sizes.batch, sizes.heads, rows,
                                     sizes.valueDimension})};
    if (op.getLogSumExp())
      results.push_back(
          cast<RankedTensorType>(op.getLogSumExp().getType())
              .clone(ArrayRef<int64_t>{sizes.batch, sizes.heads, rows}));
    if (scores == op.getScoreType() &&
        llvm::equal(results, op->getResultTypes()))
      return rewriter.notifyMatchFailure(op, "all known sizes are in place");
    if (!weightsFit(op, sizes.heads))
      return rewriter.notifyMatchFailure(op, "the weights are of other heads");
    setScoreType(rewriter, op, scores);
    replaceWithResultTypes(rewriter, op, results);
    return success();
  }

private:
  /// Weights of a wrong number of heads can hide behind dynamic sizes; they
  /// stay the caller's error instead of becoming one of the verifier.
  static bool weightsFit(AttentionOp op, int64_t heads) {
    if (ShapedType::isDynamic(heads))
      return true;
    return llvm::all_of(op.getScoreOps(), [&](ScoreOpInterface scoreOp) {
      Value weights = scoreOp.getWeightsOrNull();
      if (!weights)
        return true;
      auto type = cast<RankedTensorType>(weights.getType());
      int64_t covered = type.getDimSize(0);
      if (isa<HeadMixOp>(scoreOp)) {
        int64_t groupSize = known(type.getDimSize(1), type.getDimSize(2));
        if (ShapedType::isDynamic(groupSize) || ShapedType::isDynamic(covered))
          return true;
        covered *= groupSize;
      }
      return ShapedType::isDynamic(covered) || covered == heads;
    });
  }

  static void setScoreType(PatternRewriter &rewriter, AttentionOp op,
                           RankedTensorType type) {
    rewriter.modifyOpInPlace(op, [&] { op.getScores().setType(type); });
    for (ScoreOpInterface scoreOp : op.getScoreOps())
      rewriter.modifyOpInPlace(scoreOp,
                               [&] { scoreOp->getResult(0).setType(type); });
  }

  static void replaceWithResultTypes(PatternRewriter &rewriter, AttentionOp op,
                                     TypeRange types) {
    OperationState state(op.getLoc(), op->getName());
    state.addOperands(op->getOperands());
    state.addTypes(types);
    state.addRegion();
    state.propertiesAttr = op->getPropertiesAsAttribute();
    state.addAttributes(op->getDiscardableAttrDictionary().getValue());
    Operation *replacement = rewriter.create(state);
    rewriter.inlineRegionBefore(op.getProgram(), replacement->getRegion(0),
                                replacement->getRegion(0).end());
    SmallVector<Value> values;
    for (auto [oldResult, newResult] :
         llvm::zip_equal(op->getResults(), replacement->getResults())) {
      Value value = newResult;
      if (oldResult.getType() != newResult.getType())
        value = tensor::CastOp::create(rewriter, op.getLoc(),
                                       oldResult.getType(), newResult);
      values.push_back(value);
    }
    rewriter.replaceOp(op, values);
  }
};
} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                              MLIRContext *context) {
  results.add<AbsorbOperandCasts, InferShapes>(context);
}

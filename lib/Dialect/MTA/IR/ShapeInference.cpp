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
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

static RankedTensorType rankedType(Type type) {
  return cast<RankedTensorType>(type);
}

namespace {
/// Everything that types say about the sizes of an attention: those of its
/// operands, which may be other ones than it has now, of its results and of its
/// weights. Types that pass the verifier one by one, because sizes are dynamic,
/// can contradict each other; that stays the caller's error at run time instead
/// of becoming one of the verifier in the middle of a pass.
struct Sizes {
  int64_t batch, heads, keyHeads, queries, keys, dimension, valueDimension;
  /// The queries without the halo.
  int64_t rows;
  int64_t boundaries = ShapedType::kDynamic;
  bool consistent = true;

  Sizes(AttentionOp op, ArrayRef<Type> operands) {
    RankedTensorType query = rankedType(operands[0]);
    batch = query.getDimSize(0);
    heads = query.getDimSize(1);
    queries = query.getDimSize(2);
    dimension = query.getDimSize(3);
    RankedTensorType key = rankedType(operands[1]);
    unify(batch, key.getDimSize(0));
    keyHeads = key.getDimSize(1);
    keys = key.getDimSize(2);
    unify(dimension, key.getDimSize(3));
    RankedTensorType value = rankedType(operands[2]);
    unify(batch, value.getDimSize(0));
    unify(keyHeads, value.getDimSize(1));
    unify(keys, value.getDimSize(2));
    valueDimension = value.getDimSize(3);
    for (Type type : operands.drop_front(3))
      unify(boundaries, rankedType(type).getDimSize(0));
    unifyProgram(op);
    unifyResults(op);
    unifyRows(op.getQueryHalo());
    require(boundaries >= 2, {boundaries});
    require(heads > 0, {heads});
    require(keyHeads > 0, {keyHeads});
    require(heads % std::max<int64_t>(keyHeads, 1) == 0, {heads, keyHeads});
  }

private:
  void require(bool condition, ArrayRef<int64_t> sizes) {
    consistent &= condition || ShapedType::isDynamicShape(sizes);
  }

  void unify(int64_t &size, int64_t other) {
    require(size == other, {size, other});
    if (ShapedType::isDynamic(size))
      size = other;
  }

  void unifyProgram(AttentionOp op) {
    RankedTensorType scores = op.getScoreType();
    unify(batch, scores.getDimSize(0));
    unify(heads, scores.getDimSize(1));
    unify(queries, scores.getDimSize(2));
    unify(keys, scores.getDimSize(3));
    for (ScoreOpInterface scoreOp : op.getScoreOps()) {
      if (auto conv = dyn_cast<KeyQueryConvOp>(*scoreOp)) {
        unify(heads, conv.getWeightsType().getDimSize(0));
        int64_t groupSize = conv.getGroupSize();
        require(heads % std::max<int64_t>(groupSize, 1) == 0,
                {heads, groupSize});
      } else if (auto mix = dyn_cast<HeadMixOp>(*scoreOp)) {
        unifyMix(mix.getWeightsType());
      }
    }
  }

  void unifyMix(RankedTensorType weights) {
    int64_t groupSize = weights.getDimSize(1);
    unify(groupSize, weights.getDimSize(2));
    int64_t groups = weights.getDimSize(0);
    int64_t covered;
    if (ShapedType::isDynamic(groups) || ShapedType::isDynamic(groupSize))
      return;
    if (llvm::MulOverflow(groups, groupSize, covered))
      consistent = false;
    else
      unify(heads, covered);
  }

  void unifyResults(AttentionOp op) {
    RankedTensorType output = rankedType(op.getOutput().getType());
    rows = output.getDimSize(2);
    unify(batch, output.getDimSize(0));
    unify(heads, output.getDimSize(1));
    unify(valueDimension, output.getDimSize(3));
    if (!op.getLogSumExp())
      return;
    RankedTensorType logSumExp = rankedType(op.getLogSumExp().getType());
    unify(batch, logSumExp.getDimSize(0));
    unify(heads, logSumExp.getDimSize(1));
    unify(rows, logSumExp.getDimSize(2));
  }

  void unifyRows(int64_t halo) {
    if (ShapedType::isStatic(queries)) {
      require(halo <= queries, {queries});
      unify(rows, queries - halo);
    } else if (ShapedType::isStatic(rows) &&
               llvm::AddOverflow(rows, halo, queries)) {
      consistent = false;
    }
  }
};

/// An attention reads through casts that only forget sizes.
struct AbsorbOperandCasts : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> operands(op->getOperands());
    for (Value &operand : operands)
      if (auto cast = operand.getDefiningOp<tensor::CastOp>();
          cast && tensor::canFoldIntoConsumerOp(cast))
        operand = cast.getSource();
    if (llvm::equal(operands, op->getOperands()))
      return rewriter.notifyMatchFailure(op, "no operand is a cast");
    if (!Sizes(op, llvm::to_vector(TypeRange(operands))).consistent)
      return rewriter.notifyMatchFailure(op, "the sizes contradict each other");
    rewriter.modifyOpInPlace(op, [&] { op->setOperands(operands); });
    return success();
  }
};

/// Sizes known from anywhere reach the score program and the results.
struct InferShapes : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    Sizes sizes(op, llvm::to_vector(op->getOperandTypes()));
    if (!sizes.consistent)
      return rewriter.notifyMatchFailure(op, "the sizes contradict each other");
    auto scores = op.getScoreType().clone(
        ArrayRef<int64_t>{sizes.batch, sizes.heads, sizes.queries, sizes.keys});
    SmallVector<Type> results = {
        rankedType(op.getOutput().getType())
            .clone(ArrayRef<int64_t>{sizes.batch, sizes.heads, sizes.rows,
                                     sizes.valueDimension})};
    if (op.getLogSumExp())
      results.push_back(
          rankedType(op.getLogSumExp().getType())
              .clone(ArrayRef<int64_t>{sizes.batch, sizes.heads, sizes.rows}));
    if (scores == op.getScoreType() &&
        llvm::equal(results, op->getResultTypes()))
      return rewriter.notifyMatchFailure(op, "all known sizes are in place");
    setScoreType(rewriter, op, scores);
    replaceWithResultTypes(rewriter, op, results);
    return success();
  }

private:
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

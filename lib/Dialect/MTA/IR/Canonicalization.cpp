//===- Canonicalization.cpp - Folds of score programs -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Constant weights
//===----------------------------------------------------------------------===//

namespace {
/// Constant weights as doubles in row-major order. Products of weights are
/// formed in double and stored in the element type of the scores, so that
/// merging 16-bit weights does not round them again.
struct ConstantWeights {
  SmallVector<int64_t> shape;
  SmallVector<double> values;

  int64_t size(unsigned dim) const { return shape[dim]; }
};
} // namespace

/// A splat of a few characters can stand for any number of elements. The
/// weights of 64 heads mixed in windows of 6 x 11 are within the limit.
static constexpr int64_t kMaxFoldedElements = int64_t(1) << 19;

/// Whether there are few enough elements to fold; their number can be too large
/// for an integer.
static bool isFoldable(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    if (llvm::MulOverflow(count, size, count) || count > kMaxFoldedElements)
      return false;
  return true;
}

static std::optional<ConstantWeights> matchConstant(Value weights) {
  DenseFPElementsAttr attribute;
  if (!matchPattern(weights, m_Constant(&attribute)) ||
      !isFoldable(attribute.getType().getShape()))
    return std::nullopt;
  ConstantWeights result;
  result.shape = llvm::to_vector(attribute.getType().getShape());
  for (APFloat value : attribute.getValues<APFloat>()) {
    bool losesInfo;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    result.values.push_back(value.convertToDouble());
  }
  return result;
}

/// A constant before `attention` with the element type of its scores, or null
/// if a weight is not finite there: factors in a row can be where their product
/// is not.
static Value createConstant(PatternRewriter &rewriter, AttentionOp attention,
                            Location loc, const ConstantWeights &weights) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(attention);
  auto type = RankedTensorType::get(weights.shape,
                                    attention.getScoreType().getElementType());
  SmallVector<Attribute> values;
  for (double value : weights.values) {
    FloatAttr element = rewriter.getFloatAttr(type.getElementType(), value);
    if (!element.getValue().isFinite())
      return Value();
    values.push_back(element);
  }
  return arith::ConstantOp::create(rewriter, loc,
                                   DenseElementsAttr::get(type, values));
}

static AttentionOp attentionOf(Operation *op) {
  return cast<AttentionOp>(op->getParentOp());
}

//===----------------------------------------------------------------------===//
// Identities
//===----------------------------------------------------------------------===//

/// A convolution that weighs the current pair with 1 and all others with 0. It
/// also clears the pairs that are not allowed, which no consumer can see.
OpFoldResult KeyQueryConvOp::fold(FoldAdaptor) {
  std::optional<ConstantWeights> weights = matchConstant(getWeights());
  if (!weights)
    return {};
  int64_t groupSize = mixesHeads() ? weights->size(1) : 1;
  int64_t window = getQueryWindow() * getKeyWindow();
  int64_t current = (getQueryWindow() - 1) * getKeyWindow() + getLeftKeys();
  for (auto [index, value] : llvm::enumerate(weights->values)) {
    int64_t tap = index % window;
    int64_t input = index / window % groupSize;
    int64_t output = index / window / groupSize % groupSize;
    if (value != (tap == current && input == output ? 1.0 : 0.0))
      return {};
  }
  return getScores();
}

/// A mix whose groups are all identity matrices.
OpFoldResult HeadMixOp::fold(FoldAdaptor) {
  std::optional<ConstantWeights> weights = matchConstant(getWeights());
  if (!weights)
    return {};
  int64_t groupSize = weights->size(1);
  for (auto [index, value] : llvm::enumerate(weights->values)) {
    int64_t input = index % groupSize;
    int64_t output = index / groupSize % groupSize;
    if (value != (input == output ? 1.0 : 0.0))
      return {};
  }
  return getScores();
}

//===----------------------------------------------------------------------===//
// Merging linear operations
//===----------------------------------------------------------------------===//

namespace {

/// A convolution over a window of one pair is a head mix.
struct UnitConvToHeadMix : OpRewritePattern<KeyQueryConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KeyQueryConvOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getQueryWindow() != 1 || op.getKeyWindow() != 1)
      return rewriter.notifyMatchFailure(op, "the window has several pairs");
    Value weights = op.getWeights();
    // H x 1 x 1 reads as H groups of one head.
    if (op.mixesHeads()) {
      std::optional<ConstantWeights> constant = matchConstant(weights);
      if (!constant)
        return rewriter.notifyMatchFailure(op, "the weights are not constant");
      int64_t groupSize = constant->size(1);
      constant->shape = {constant->size(0) / groupSize, groupSize, groupSize};
      weights =
          createConstant(rewriter, attentionOf(op), op.getLoc(), *constant);
      if (!weights)
        return rewriter.notifyMatchFailure(op, "a weight is not finite");
    }
    rewriter.replaceOpWithNewOp<HeadMixOp>(op, op.getScores(), weights);
    return success();
  }
};

/// Two head mixes with constant weights are one, if their groups have the same
/// size or one of the two only scales heads.
struct MergeHeadMixes : OpRewritePattern<HeadMixOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(HeadMixOp second,
                                PatternRewriter &rewriter) const override {
    auto first = second.getScores().getDefiningOp<HeadMixOp>();
    if (!first)
      return rewriter.notifyMatchFailure(second, "no head mix stands before");
    std::optional<ConstantWeights> a = matchConstant(first.getWeights());
    std::optional<ConstantWeights> b = matchConstant(second.getWeights());
    if (!a || !b)
      return rewriter.notifyMatchFailure(second, "weights are not constant");
    if (a->size(1) != b->size(1) && a->size(1) != 1 && b->size(1) != 1)
      return rewriter.notifyMatchFailure(second, "the groups differ");
    int64_t groupSize = std::max(a->size(1), b->size(1));
    Value merged = createConstant(rewriter, attentionOf(second),
                                  second.getLoc(), multiply(*b, *a, groupSize));
    if (!merged)
      return rewriter.notifyMatchFailure(second, "a product is not finite");
    rewriter.replaceOpWithNewOp<HeadMixOp>(second, first.getScores(), merged);
    return success();
  }

private:
  /// Element (row, column) of `weights` read as blocks of `groupSize` heads,
  /// where blocks of one head are diagonal.
  static double at(const ConstantWeights &weights, int64_t groupSize,
                   int64_t group, int64_t row, int64_t column) {
    if (weights.size(1) == groupSize)
      return weights.values[(group * groupSize + row) * groupSize + column];
    return row == column ? weights.values[group * groupSize + row] : 0.0;
  }

  static ConstantWeights multiply(const ConstantWeights &left,
                                  const ConstantWeights &right,
                                  int64_t groupSize) {
    int64_t groups = left.size(0) * left.size(1) / groupSize;
    ConstantWeights result;
    result.shape = {groups, groupSize, groupSize};
    for (int64_t group = 0; group < groups; ++group)
      for (int64_t row = 0; row < groupSize; ++row)
        for (int64_t column = 0; column < groupSize; ++column) {
          double sum = 0.0;
          for (int64_t inner = 0; inner < groupSize; ++inner)
            sum += at(left, groupSize, group, row, inner) *
                   at(right, groupSize, group, inner, column);
          result.values.push_back(sum);
        }
    return result;
  }
};

/// Constant weights of a convolution with the constant scale of every output
/// head, or of every input head, multiplied in.
ConstantWeights scaleHeads(const ConstantWeights &conv, ArrayRef<double> scales,
                           bool scaleInputs) {
  bool mixes = conv.shape.size() == 4;
  int64_t groupSize = mixes ? conv.size(1) : 1;
  int64_t window = conv.shape.back() * conv.shape[conv.shape.size() - 2];
  ConstantWeights result = conv;
  for (auto [index, value] : llvm::enumerate(result.values)) {
    int64_t input = index / window % groupSize;
    int64_t output = index / window / groupSize;
    value *= scaleInputs ? scales[output / groupSize * groupSize + input]
                         : scales[output];
  }
  return result;
}

/// The scale of every head if `op` only scales heads by constants.
std::optional<ConstantWeights> matchHeadScales(HeadMixOp op) {
  if (!op || op.getGroupSize() != 1)
    return std::nullopt;
  return matchConstant(op.getWeights());
}

/// A scale of every head merges into a constant convolution before it.
struct MergeScaleAfterConv : OpRewritePattern<HeadMixOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(HeadMixOp op,
                                PatternRewriter &rewriter) const override {
    auto conv = op.getScores().getDefiningOp<KeyQueryConvOp>();
    std::optional<ConstantWeights> scales = matchHeadScales(op);
    if (!conv || !scales)
      return rewriter.notifyMatchFailure(op, "not a scale of a convolution");
    std::optional<ConstantWeights> weights = matchConstant(conv.getWeights());
    if (!weights)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    Value merged = createConstant(rewriter, attentionOf(op), op.getLoc(),
                                  scaleHeads(*weights, scales->values, false));
    if (!merged)
      return rewriter.notifyMatchFailure(op, "a product is not finite");
    rewriter.replaceOpWithNewOp<KeyQueryConvOp>(op, conv.getScores(), merged,
                                                conv.getPadding());
    return success();
  }
};

/// A scale of every head merges into a constant convolution after it.
struct MergeScaleBeforeConv : OpRewritePattern<KeyQueryConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KeyQueryConvOp op,
                                PatternRewriter &rewriter) const override {
    auto mix = op.getScores().getDefiningOp<HeadMixOp>();
    std::optional<ConstantWeights> scales = matchHeadScales(mix);
    if (!scales)
      return rewriter.notifyMatchFailure(op, "no constant scale stands before");
    std::optional<ConstantWeights> weights = matchConstant(op.getWeights());
    if (!weights)
      return rewriter.notifyMatchFailure(op, "weights are not constant");
    Value merged = createConstant(rewriter, attentionOf(op), op.getLoc(),
                                  scaleHeads(*weights, scales->values, true));
    if (!merged)
      return rewriter.notifyMatchFailure(op, "a product is not finite");
    rewriter.replaceOpWithNewOp<KeyQueryConvOp>(op, mix.getScores(), merged,
                                                op.getPadding());
    return success();
  }
};

/// Before the softmax everything is linear, so one constant scale of all heads
/// joins the scale of the attention.
struct FoldConstantScale : OpRewritePattern<HeadMixOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(HeadMixOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<ConstantWeights> scales = matchHeadScales(op);
    if (!scales || scales->values.empty() || !llvm::all_equal(scales->values))
      return rewriter.notifyMatchFailure(op, "not one scale of all heads");
    AttentionOp attention = attentionOf(op);
    if (!op->isBeforeInBlock(attention.getSoftmax()))
      return rewriter.notifyMatchFailure(op, "stands after the softmax");
    std::optional<double> scale = getConstantScale(attention);
    if (!scale)
      return rewriter.notifyMatchFailure(op, "the scale is not a constant");
    double product = *scale * scales->values.front();
    FloatAttr rounded = rewriter.getFloatAttr(
        attention.getScoreType().getElementType(), product);
    if (!rounded.getValue().isFinite())
      return rewriter.notifyMatchFailure(op, "the scale is not finite");
    rewriter.modifyOpInPlace(attention,
                             [&] { attention.setScale(APFloat(product)); });
    rewriter.replaceOp(op, op.getScores());
    return success();
  }

private:
  static std::optional<double> getConstantScale(AttentionOp attention) {
    if (std::optional<APFloat> scale = attention.getScale())
      return scale->convertToDouble();
    int64_t dimension =
        cast<RankedTensorType>(attention.getQuery().getType()).getDimSize(3);
    if (ShapedType::isDynamic(dimension) || dimension == 0)
      return std::nullopt;
    return 1.0 / std::sqrt(static_cast<double>(dimension));
  }
};

} // namespace

void KeyQueryConvOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                                 MLIRContext *context) {
  results.add<UnitConvToHeadMix, MergeScaleBeforeConv>(context);
}

void HeadMixOp::getCanonicalizationPatterns(RewritePatternSet &results,
                                            MLIRContext *context) {
  results.add<MergeHeadMixes, MergeScaleAfterConv, FoldConstantScale>(context);
}

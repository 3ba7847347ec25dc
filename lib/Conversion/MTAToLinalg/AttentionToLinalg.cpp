//===- AttentionToLinalg.cpp - Lowering of mta.attention --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     query, key -> scores -> masked -> score program -> weights
//     weights without the halo rows, value -> output
//     maximum and sum of the softmax -> log-sum-exp
//
// Query heads that share a key head are a dimension of their own, `g`, so that
// key and value are read in place: B x H x .. is B x Hk x (H/Hk) x ..
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "ScoreOpsToLinalg.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mta;
using namespace mta::builders;
using namespace mta::reference;

/// H / Hk, the query heads that share a key head.
static OpFoldResult headsPerKeyHead(ImplicitLocOpBuilder &builder,
                                    AttentionOp op) {
  Location loc = builder.getLoc();
  OpFoldResult heads = tensor::getMixedSize(builder, loc, op.getQuery(), 1);
  OpFoldResult keyHeads = tensor::getMixedSize(builder, loc, op.getKey(), 1);
  return atLeastOne(builder, divideSizes(builder, heads, keyHeads));
}

/// `out[b,h,i,x] = sum_y left[b,h,i,y] * right[b,h/g,...]` with the right
/// operand indexed by `rightIndices` over b, k (key head), x and y.
static Value contractHeads(ImplicitLocOpBuilder &builder, Value left,
                           Value right, StringRef rightIndices,
                           OpFoldResult group, OpFoldResult columns,
                           Type element) {
  Value grouped = splitDim(builder, left, 1, group);
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), grouped);
  sizes.back() = columns;
  Value result =
      Generic(builder, "bkgix", "y")
          .input(grouped, "b k g i y")
          .input(right, rightIndices)
          .output(filledTensor(builder, sizes, element, 0.0), "b k g i x")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value a = convertFloat(inner, elements[0], element);
            Value b = convertFloat(inner, elements[1], element);
            Value product = arith::MulFOp::create(inner, a, b);
            return SmallVector<Value>{
                arith::AddFOp::create(inner, elements[2], product)};
          })[0];
  return mergeDims(builder, result, 1);
}

/// The scale as a scalar of the scores' type: the attribute or 1/sqrt(D).
static Value computeScale(ImplicitLocOpBuilder &builder, AttentionOp op,
                          Type element) {
  if (std::optional<APFloat> scale = op.getScale())
    return floatConstant(builder, element, scale->convertToDouble());
  int64_t dimension =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(3);
  if (ShapedType::isStatic(dimension))
    return floatConstant(builder, element,
                         1.0 / std::sqrt(static_cast<double>(dimension)));
  Value size = tensor::DimOp::create(builder, op.getQuery(), 3);
  Value integer =
      arith::IndexCastOp::create(builder, builder.getI64Type(), size);
  Value real = arith::SIToFPOp::create(builder, element, integer);
  Value one = floatConstant(builder, element, 1.0);
  return arith::DivFOp::create(builder, one,
                               math::SqrtOp::create(builder, real));
}

/// `tensor` without its first `halo` rows in dimension 2.
static Value dropHaloRows(ImplicitLocOpBuilder &builder, Value tensor,
                          int64_t halo) {
  if (halo == 0)
    return tensor;
  Location loc = builder.getLoc();
  Sizes sizes = tensor::getMixedSizes(builder, loc, tensor);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  offsets[2] = builder.getIndexAttr(halo);
  AffineExpr size = builder.getAffineSymbolExpr(0);
  sizes[2] = affine::makeComposedFoldedAffineApply(builder, loc, size - halo,
                                                   {sizes[2]});
  return tensor::ExtractSliceOp::create(builder, tensor, offsets, sizes,
                                        strides);
}

static Value computeLogSumExp(ImplicitLocOpBuilder &builder,
                              const SoftmaxStatistics &statistics, int64_t halo,
                              Type element) {
  Value maximum = dropHaloRows(builder, statistics.maximum, halo);
  Value sum = dropHaloRows(builder, statistics.sum, halo);
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), sum);
  return Generic(builder, "bhi")
      .input(maximum, "b h i")
      .input(sum, "b h i")
      .output(emptyTensor(builder, sizes, element), "b h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Type type = elements[0].getType();
        Value zero = floatConstant(inner, type, 0.0);
        Value empty = arith::CmpFOp::create(inner, arith::CmpFPredicate::OEQ,
                                            elements[1], zero);
        Value logarithm = math::LogOp::create(inner, elements[1]);
        Value result = arith::AddFOp::create(inner, elements[0], logarithm);
        Value nothing = floatConstant(inner, type,
                                      -std::numeric_limits<double>::infinity());
        result = arith::SelectOp::create(inner, empty, nothing, result);
        return SmallVector<Value>{convertFloat(inner, result, element)};
      })[0];
}

LogicalResult
AttentionToLinalg::matchAndRewrite(AttentionOp op,
                                   PatternRewriter &rewriter) const {
  Location loc = op.getLoc();
  ImplicitLocOpBuilder builder(loc, rewriter);
  Type element = op.getScoreType().getElementType();
  OpFoldResult group = headsPerKeyHead(builder, op);
  RowBounds bounds = computeRowBounds(builder, op);
  ScoreLowering lowering(builder, bounds);

  Value scores = contractHeads(
      builder, op.getQuery(), op.getKey(), "b k x y", group,
      tensor::getMixedSize(builder, loc, op.getKey(), 2), element);
  scores = lowering.mask(scores, computeScale(builder, op, element));
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    builder.setLoc(scoreOp.getLoc());
    scores = lowering.lower(scoreOp, scores);
    if (!scores)
      return scoreOp.emitOpError("has no reference lowering");
  }

  builder.setLoc(loc);
  int64_t halo = op.getQueryHalo();
  Value output = contractHeads(
      builder, dropHaloRows(builder, scores, halo), op.getValue(), "b k y x",
      group, tensor::getMixedSize(builder, loc, op.getValue(), 3), element);
  SmallVector<Value> results = {convertTensor(
      builder, output, getElementTypeOrSelf(op.getOutput().getType()))};
  if (op.getLogSumExp())
    results.push_back(
        computeLogSumExp(builder, lowering.getStatistics(), halo,
                         getElementTypeOrSelf(op.getLogSumExp().getType())));
  // A value computed from dynamic sizes may know more or less than the type it
  // stands for.
  for (auto [value, type] : llvm::zip_equal(results, op->getResultTypes()))
    if (value.getType() != type)
      value = tensor::CastOp::create(builder, type, value);
  rewriter.replaceOp(op, results);
  return success();
}

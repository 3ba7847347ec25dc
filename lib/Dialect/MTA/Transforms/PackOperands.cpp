//===- PackOperands.cpp - What all tiles of an attention read ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackOperands.h"

#include "mta/Dialect/MTA/Builders/RowBounds.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace mta;
using namespace mta::builders;

Value mta::padDim(ImplicitLocOpBuilder &builder, Value source, int64_t dim,
                  int64_t low, OpFoldResult total) {
  Location loc = builder.getLoc();
  auto type = cast<RankedTensorType>(source.getType());
  OpFoldResult size = tensor::getMixedSize(builder, loc, source, dim);
  AffineExpr all = builder.getAffineSymbolExpr(0);
  AffineExpr own = builder.getAffineSymbolExpr(1);
  OpFoldResult high = affine::makeComposedFoldedAffineApply(
      builder, loc, all - own - low, {total, size});
  SmallVector<OpFoldResult> lows(type.getRank(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> highs(lows);
  lows[dim] = builder.getIndexAttr(low);
  highs[dim] = high;
  Value zero = arith::ConstantOp::create(
      builder, builder.getZeroAttr(type.getElementType()));
  return tensor::PadOp::create(builder, Type(), source, lows, highs, zero);
}

/// scale·log2(e): the softmax of the tiles is in base 2, and everything before
/// it is linear.
static Value queryFactor(ImplicitLocOpBuilder &builder, AttentionOp op,
                         Type element) {
  int64_t dimension =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(3);
  std::optional<APFloat> scale = op.getScale();
  double factor = scale ? scale->convertToDouble()
                        : 1.0 / std::sqrt(static_cast<double>(dimension));
  return floatConstant(builder, element, factor / std::log(2.0));
}

static Value scaleQuery(ImplicitLocOpBuilder &builder, AttentionOp op,
                        Type element) {
  Value factor = queryFactor(builder, op, element);
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), op.getQuery());
  return Generic(builder, "bhid")
      .input(op.getQuery(), "b h i d")
      .output(emptyTensor(builder, sizes, element), "b h i d")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value x = convertFloat(inner, elements[0], element);
        return SmallVector<Value>{arith::MulFOp::create(inner, x, factor)};
      })[0];
}

/// `operand` with a zero at the end of head dimensions that are odd, so that
/// they are pairs.
static Value padToPairs(ImplicitLocOpBuilder &builder, Value operand) {
  int64_t dimension = cast<RankedTensorType>(operand.getType()).getDimSize(3);
  if (dimension % 2 == 0)
    return operand;
  return padDim(builder, operand, 3, 0, builder.getIndexAttr(dimension + 1));
}

static Value packKey(ImplicitLocOpBuilder &builder, Value key, int64_t low,
                     OpFoldResult columns, Type element) {
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), key);
  std::swap(sizes[2], sizes[3]);
  Value transposed =
      Generic(builder, "bhdj")
          .input(key, "b h j d")
          .output(emptyTensor(builder, sizes, element), "b h d j")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            return SmallVector<Value>{
                convertFloat(inner, elements[0], element)};
          })[0];
  return padDim(builder, transposed, 3, low, columns);
}

static Value packValue(ImplicitLocOpBuilder &builder, AttentionOp op,
                       OpFoldResult rows, int64_t lanes, Type element) {
  auto type = cast<RankedTensorType>(op.getValue().getType());
  Value value = convertTensor(builder, op.getValue(), element);
  int64_t columns = llvm::alignTo(type.getDimSize(3), lanes);
  value = padDim(builder, value, 2, 0, rows);
  return padDim(builder, value, 3, 0, builder.getIndexAttr(columns));
}

/// `weights`, of rank 3 or 4, times `factor`.
static Value scaleWeights(ImplicitLocOpBuilder &builder, Value weights,
                          Value factor) {
  auto type = cast<RankedTensorType>(weights.getType());
  bool hasGroups = type.getRank() == 4;
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), weights);
  StringRef indices = hasGroups ? "a b c d" : "a b c";
  return Generic(builder, hasGroups ? "abcd" : "abc")
      .input(weights, indices)
      .output(emptyTensor(builder, sizes, type.getElementType()), indices)
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::MulFOp::create(inner, elements[0], factor)};
      })[0];
}

static void packMatrices(ImplicitLocOpBuilder &builder, AttentionOp op,
                         const TilePlan &plan, OpFoldResult rows,
                         OpFoldResult columns, PackedOperands &operands) {
  Type element = op.getScoreType().getElementType();
  const TileExtent &extent = plan.padding();
  Value query = op.getQuery(), key = op.getKey();
  Type keyElement = element;
  if (plan.schedule.getStaging() == Staging::Narrow) {
    query = padToPairs(builder, query);
    key = padToPairs(builder, key);
    keyElement = getElementTypeOrSelf(key);
  } else {
    query = scaleQuery(builder, op, element);
  }
  operands.query = padDim(builder, query, 2, extent.rowsBefore, rows);
  operands.key = packKey(builder, key, extent.keysLeft, columns, keyElement);
}

/// Scaled before it is multiplied, a query of a narrow type would be rounded
/// once more. What comes before the softmax is linear in its scores and in its
/// weights, so that the factor goes there if it can.
static void scaleAfterProduct(ImplicitLocOpBuilder &builder, AttentionOp op,
                              const TilePlan &plan, PackedOperands &operands) {
  Value factor = queryFactor(builder, op, op.getScoreType().getElementType());
  if (plan.before.empty()) {
    operands.scoreFactor = factor;
    return;
  }
  Value &weights = operands.weights[plan.before[0]];
  weights = scaleWeights(builder, weights, factor);
}

/// Cuts every sequence into tiles:
///
///     for s: for row in [%b[s], %b[s+1]) step queryTile
///       tile <- tile + 1, tileBegin[tile] = row, tileEnd[tile] = ...
///
/// Every sequence but one may add one tile to those of all rows together.
static void computeSequenceTiles(ImplicitLocOpBuilder &builder, AttentionOp op,
                                 const TilePlan &plan,
                                 PackedOperands &operands) {
  Location loc = builder.getLoc();
  Type index = builder.getIndexType();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, value);
  };
  Value boundaries = op.getQueryBoundaries();
  AffineExpr queries = builder.getAffineSymbolExpr(0);
  AffineExpr offsets = builder.getAffineSymbolExpr(1);
  OpFoldResult count = affine::makeComposedFoldedAffineApply(
      builder, loc, queries.ceilDiv(plan.queryTile) + (offsets - 2),
      {tensor::getMixedSize(builder, loc, op.getQuery(), 2),
       tensor::getMixedSize(builder, loc, boundaries, 0)});
  Value none = linalg::FillOp::create(builder, constant(0),
                                      emptyTensor(builder, {count}, index))
                   .getResult(0);
  Value sequences = arith::SubIOp::create(
      builder, tensor::DimOp::create(builder, boundaries, 0), constant(1));
  auto boundary = [&](Value sequence) -> Value {
    Value value = tensor::ExtractOp::create(builder, boundaries, sequence);
    return arith::IndexCastOp::create(builder, index, value);
  };
  auto outer = scf::ForOp::create(builder, constant(0), sequences, constant(1),
                                  ValueRange{constant(0), none, none});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(outer.getBody());
  Value sequence = outer.getInductionVar();
  Value end = boundary(arith::AddIOp::create(builder, sequence, constant(1)));
  auto inner =
      scf::ForOp::create(builder, boundary(sequence), end,
                         constant(plan.queryTile), outer.getRegionIterArgs());
  builder.setInsertionPointToStart(inner.getBody());
  Value row = inner.getInductionVar();
  Value tile = inner.getRegionIterArg(0);
  Value rowEnd = arith::MinSIOp::create(
      builder, end,
      arith::AddIOp::create(builder, row, constant(plan.queryTile)));
  Value begins =
      tensor::InsertOp::create(builder, row, inner.getRegionIterArg(1), tile);
  Value ends = tensor::InsertOp::create(builder, rowEnd,
                                        inner.getRegionIterArg(2), tile);
  Value next = arith::AddIOp::create(builder, tile, constant(1));
  scf::YieldOp::create(builder, ValueRange{next, begins, ends});
  builder.setInsertionPointToEnd(outer.getBody());
  scf::YieldOp::create(builder, inner.getResults());
  operands.tileBegin = outer.getResult(1);
  operands.tileEnd = outer.getResult(2);
}

PackedOperands mta::packOperands(ImplicitLocOpBuilder &builder, AttentionOp op,
                                 const TilePlan &plan) {
  Location loc = builder.getLoc();
  Type element = op.getScoreType().getElementType();
  const TileExtent &extent = plan.padding();
  AffineExpr size = builder.getAffineSymbolExpr(0);
  // Rows: a tile may begin at any query and covers rows before it.
  OpFoldResult rows = affine::makeComposedFoldedAffineApply(
      builder, loc, size + (plan.queryTile + extent.rowsBefore),
      {tensor::getMixedSize(builder, loc, op.getQuery(), 2)});
  // Columns: a sweep may begin at any key, so that its last tile ends less than
  // a tile after the last key.
  OpFoldResult keys = tensor::getMixedSize(builder, loc, op.getKey(), 2);
  OpFoldResult columns = affine::makeComposedFoldedAffineApply(
      builder, loc, size + (extent.columns + extent.keysLeft), {keys});
  OpFoldResult valueRows = affine::makeComposedFoldedAffineApply(
      builder, loc, size + plan.schedule.getKeyTile(), {keys});

  PackedOperands operands;
  packMatrices(builder, op, plan, rows, columns, operands);
  operands.value = packValue(builder, op, valueRows, plan.lanes, element);
  RowBounds bounds = computeRowBounds(builder, op);
  auto padRows = [&](Value tensor) {
    return padDim(builder, tensor, 0, extent.rowsBefore, rows);
  };
  operands.keyBegin = padRows(bounds.keyBegin);
  operands.keyEnd = padRows(bounds.keyEnd);
  if (bounds.queryBegin) {
    operands.queryBegin = padRows(bounds.queryBegin);
    computeSequenceTiles(builder, op, plan, operands);
  }
  for (ScoreOpInterface scoreOp : op.getScoreOps())
    if (Value weights = scoreOp.getWeightsOrNull())
      operands.weights[scoreOp] = convertTensor(builder, weights, element);
  if (plan.schedule.getStaging() == Staging::Narrow)
    scaleAfterProduct(builder, op, plan, operands);
  return operands;
}

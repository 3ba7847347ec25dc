//===- TileKernelOperands.cpp - Operands of contractions --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tensor cores read f32 as tf32: a sign, 8 bits of exponent and 11 of mantissa,
// the first one implied, in the upper 19 bits of a word. An f32 number is
//
//     x = high + low + rest,   |low| <= 2⁻¹¹ |high|,   |rest| <= 2⁻²³ |x|
//
// with `high` and `low` in tf32. Of the products of two such numbers low · low
// is left out, of the size of 2⁻²² of the whole.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

using namespace mlir;
using namespace mta;

/// Bits of an f32 number that tf32 does not have, and that bf16 does not have.
static constexpr int64_t kMissingBits = 13, kMissingBitsBF16 = 16;

/// `numbers` with the last `missing` bits cleared, after `added` in units of
/// the last place was added to the magnitude.
static Value clearMissingBits(TileBuilder &b, Value numbers, int64_t added,
                              int64_t missing = kMissingBits) {
  auto type = cast<VectorType>(numbers.getType());
  auto bitsType = VectorType::get(type.getShape(), b.getI32Type());
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               bitsType,
               b.getI32IntegerAttr(static_cast<int32_t>(value)).getValue()));
  };
  Value bits = arith::BitcastOp::create(b, bitsType, numbers);
  if (added != 0)
    bits = arith::AddIOp::create(b, bits, constant(added));
  bits = arith::AndIOp::create(b, bits, constant(-(int64_t(1) << missing)));
  return arith::BitcastOp::create(b, type, bits);
}

TileKernel::Operand TileKernel::toOperand(Value numbers) {
  if (!getElementTypeOrSelf(numbers.getType()).isF32())
    return {numbers};
  // To the nearest, ties away from zero, as cvt.rna.tf32 does.
  Value high = clearMissingBits(b, numbers, int64_t(1) << (kMissingBits - 1));
  if (plan.f32Precision == F32Precision::TF32)
    return {high};
  // The difference is exact. It has at most 12 bits.
  Value low = arith::SubFOp::create(b, numbers, high);
  return {high, clearMissingBits(b, low, 0)};
}

/// The larger part has the first bits, 8 of bf16 or 11 of f16, and the
/// difference is exact. It has as many of the others.
TileKernel::Operand TileKernel::splitNumbers(Value numbers, Type type) {
  int64_t missing = type.isBF16() ? kMissingBitsBF16 : kMissingBits;
  Value high = clearMissingBits(b, numbers, 0, missing);
  Value low = arith::SubFOp::create(b, numbers, high);
  return {b.convert(high, type), b.convert(low, type)};
}

/// An f16 number has 11 bits, and two of bf16 hold all.
TileKernel::Operand TileKernel::splitWeights(Value weights) {
  if (getElementTypeOrSelf(weights.getType()) == element)
    return {weights};
  return splitNumbers(b.convert(weights, b.getF32Type()), element);
}

TileKernel::Operand TileKernel::extractColumns(const Operand &operand,
                                               int64_t first, int64_t size) {
  return llvm::map_to_vector<2>(operand, [&](Value part) -> Value {
    auto type = cast<VectorType>(part.getType());
    return size == type.getShape().back() ? part
                                          : b.extractColumns(part, first, size);
  });
}

Value TileKernel::contract(const Operand &lhs, const Operand &rhs,
                           Value accumulator, bool rhsTransposed) {
  auto multiply = [&](Value left, Value right) {
    accumulator = b.contract(left, right, accumulator, rhsTransposed);
    if (getElementTypeOrSelf(left.getType()).isF32())
      accumulator.getDefiningOp()->setAttr("mta.tf32", b.getUnitAttr());
  };
  // Small products first, so that the sum loses less of them.
  if (lhs.size() > 1)
    multiply(lhs[1], rhs[0]);
  if (rhs.size() > 1)
    multiply(lhs[0], rhs[1]);
  multiply(lhs[0], rhs[0]);
  return accumulator;
}

int64_t TileKernel::columnsOfOperand(int64_t columns) {
  return isF32() ? kF32Columns : columns;
}

SmallVector<Value> TileKernel::stageOf(Value tile) {
  if (plan.stages == 1)
    return {};
  return {slotOf(tile)};
}

Value TileKernel::contractTile(Value lhs, Value buffer, Value tile,
                               Value accumulator, bool transposed) {
  SmallVector<Value> leading = stageOf(tile);
  if (plan.heads > 1)
    leading.push_back(zero());
  return ContractTileOp::create(b, accumulator.getType(), lhs, accumulator,
                                buffer, leading, transposed, plan.isAhead);
}

/// Adds the products of the queries and the keys of a tile.
Value TileKernel::multiplyKeys(Value tile, Value scores) {
  if (plan.readsTiles) {
    Operand rows = query.empty() ? readQuery(0, plan.headDim) : query;
    return contractTile(rows[0], keyBuffer, tile, scores, /*transposed=*/true);
  }
  SmallVector<Value> leading = stageOf(tile);
  for (int64_t column = 0, step = columnsOfOperand(plan.headDim);
       column < plan.headDim; column += step) {
    int64_t size = std::min(step, plan.headDim - column);
    Operand rows = query.empty() ? readQuery(column, size)
                                 : extractColumns(query, column, size);
    int64_t place = column % plan.columnsOfStage(plan.headDim);
    if (column > 0 && place == 0)
      replaceStage([&] { copyKeys(tile, column); });
    Value key = b.read(keyBuffer, at(leading, zero(), b.index(place)),
                       b.type({plan.keyTile, size}, element));
    scores = contract(rows, toOperand(key), scores, /*rhsTransposed=*/true);
  }
  return scores;
}

/// Adds the weights times the values of a tile. With 1 stage these are on the
/// way.
Value TileKernel::multiplyValues(Value weights, Value tile, Value accumulator) {
  if (plan.hasManyHeads)
    return multiplyValuesByHead(weightsByHead(weights), tile, accumulator);
  if (plan.stages == 1)
    waitForCopies();
  Operand lhs = toOperand(b.convert(weights, element));
  if (plan.readsTiles)
    return contractTile(lhs[0], valueBuffer, tile, accumulator,
                        /*transposed=*/false);
  SmallVector<Value> leading = stageOf(tile);
  for (int64_t column = 0, step = columnsOfOperand(plan.valueDim);
       column < plan.valueDim; column += step) {
    VectorType type =
        b.type({plan.keyTile, std::min(step, plan.valueDim - column)}, element);
    int64_t place = column % plan.columnsOfStage(plan.valueDim);
    if (column > 0 && place == 0)
      replaceStage([&] { copyValues(tile, plan.trailing(), column); });
    Value value =
        b.read(valueBuffer, at(leading, zero(), b.index(place)), type);
    accumulator = addToColumns(lhs, toOperand(value), accumulator, column);
  }
  return accumulator;
}

/// Tensor cores cut the sums of products off instead of rounding them (Ootomo
/// and Yokota, arXiv 2203.03341). Over a few hundred keys this is more than the
/// error of f32, so that tiles have sums of their own, which are added to the
/// accumulator by ordinary arithmetic.
Value TileKernel::addToColumns(const Operand &weights, const Operand &rhs,
                               Value accumulator, int64_t first) {
  int64_t columns = cast<VectorType>(rhs[0].getType()).getShape().back();
  bool isWhole = columns == plan.valueDim;
  Value sum =
      isWhole ? accumulator : b.extractColumns(accumulator, first, columns);
  if (isF32()) {
    VectorType type = b.type({plan.accumulatorRows, columns}, b.getF32Type());
    Value product = contract(weights, rhs, b.splat(type, 0.0),
                             /*rhsTransposed=*/false);
    sum = arith::AddFOp::create(b, sum, product);
  } else {
    sum = contract(weights, rhs, sum, /*rhsTransposed=*/false);
  }
  return isWhole ? sum : b.insertColumns(sum, accumulator, first);
}

//===- OnlineSoftmax.cpp - A softmax over tiles of keys ------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnlineSoftmax.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mta;
using namespace mta::builders;

static double lowest(Type element) {
  return element.isF64() ? std::numeric_limits<double>::lowest()
                         : std::numeric_limits<float>::lowest();
}

/// Element by element over heads x rows.
static Value mapRows(ImplicitLocOpBuilder &builder, ValueRange inputs,
                     Value init, Body body) {
  Generic generic(builder, "hi");
  for (Value input : inputs)
    generic.input(input, "h i");
  return generic.output(init, "h i").build(body)[0];
}

/// A copy, for what would else overwrite what is read again.
static Value copyOf(ImplicitLocOpBuilder &builder, Value rows) {
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), rows);
  Value init = emptyTensor(builder, sizes, getElementTypeOrSelf(rows));
  return linalg::CopyOp::create(builder, rows, init).getResult(0);
}

RowStatistics mta::initialStatistics(TileProgram &tile, Type element,
                                     int64_t rows) {
  int64_t heads = tile.getPlan().heads;
  return {tile.filled({heads, rows}, lowest(element)),
          tile.filled({heads, rows}, 0.0)};
}

/// The larger of `maximum` and the scores of the row.
static Value rowMaximum(ImplicitLocOpBuilder &builder, Value scores,
                        Value maximum) {
  return Generic(builder, "hi", "j")
      .input(scores, "h i j")
      .output(maximum, "h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::MaximumFOp::create(inner, elements[1], elements[0])};
      })[0];
}

/// sum + the row sums of `tile`.
static Value addRowSums(ImplicitLocOpBuilder &builder, Value tile, Value sum) {
  return Generic(builder, "hi", "j")
      .input(tile, "h i j")
      .output(sum, "h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::AddFOp::create(inner, elements[1], elements[0])};
      })[0];
}

/// The maximum, and 0 where no key was seen.
static Value finiteMaximum(ImplicitLocOpBuilder &builder, TileProgram &tile,
                           Value maximum) {
  auto type = cast<RankedTensorType>(maximum.getType());
  Type element = type.getElementType();
  return mapRows(builder, {maximum}, tile.empty(type.getShape()),
                 [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
                   Value none = floatConstant(inner, element, lowest(element));
                   Value isNone = arith::CmpFOp::create(
                       inner, arith::CmpFPredicate::OEQ, elements[0], none);
                   Value zero = floatConstant(inner, element, 0.0);
                   return SmallVector<Value>{arith::SelectOp::create(
                       inner, isNone, zero, elements[0])};
                 });
}

StatisticsStep mta::addToStatistics(ImplicitLocOpBuilder &builder,
                                    TileProgram &tile, const TileStep &step,
                                    Value scores, RowStatistics old) {
  Type element = getElementTypeOrSelf(scores);
  scores = tile.mask(step, scores, tile.getPlan().softmax(step.sweep),
                     lowest(element));
  Value previous = copyOf(builder, old.maximum);
  StatisticsStep result;
  result.statistics.maximum = rowMaximum(builder, scores, old.maximum);
  result.correction = mapRows(
      builder, {result.statistics.maximum}, previous,
      [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value difference =
            arith::SubFOp::create(inner, elements[1], elements[0]);
        return SmallVector<Value>{math::Exp2Op::create(inner, difference)};
      });
  Value sum = mapRows(builder, {result.correction}, old.sum,
                      [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
                        return SmallVector<Value>{arith::MulFOp::create(
                            inner, elements[1], elements[0])};
                      });
  // Masked scores have exponentials of zero, if not relative to themselves: the
  // maximum of a row without a key so far.
  Value maximum = finiteMaximum(builder, tile, result.statistics.maximum);
  result.exponentials = tile.exponentiate(scores, maximum);
  result.statistics.sum = addRowSums(builder, result.exponentials, sum);
  return result;
}

Value mta::exponentials(TileProgram &tile, const TileStep &step, Value scores,
                        Value maximum) {
  return tile.mask(step, tile.exponentiate(scores, maximum),
                   tile.getPlan().softmax(step.sweep), 0.0);
}

Value mta::reciprocal(ImplicitLocOpBuilder &builder, Value sum) {
  Type element = getElementTypeOrSelf(sum);
  return mapRows(
      builder, {}, sum, [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value zero = floatConstant(inner, element, 0.0);
        Value one = floatConstant(inner, element, 1.0);
        Value nothing = arith::CmpFOp::create(inner, arith::CmpFPredicate::OEQ,
                                              elements[0], zero);
        Value inverse = arith::DivFOp::create(inner, one, elements[0]);
        return SmallVector<Value>{
            arith::SelectOp::create(inner, nothing, zero, inverse)};
      });
}

Value mta::logSumExp(ImplicitLocOpBuilder &builder,
                     const RowStatistics &statistics) {
  Type element = getElementTypeOrSelf(statistics.sum);
  return mapRows(builder, {statistics.sum}, copyOf(builder, statistics.maximum),
                 [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
                   Value zero = floatConstant(inner, element, 0.0);
                   Value nothing = arith::CmpFOp::create(
                       inner, arith::CmpFPredicate::OEQ, elements[0], zero);
                   Value ln2 = floatConstant(inner, element, std::log(2.0));
                   Value value = arith::AddFOp::create(
                       inner, arith::MulFOp::create(inner, elements[1], ln2),
                       math::LogOp::create(inner, elements[0]));
                   Value infinity =
                       floatConstant(inner, element,
                                     -std::numeric_limits<double>::infinity());
                   return SmallVector<Value>{arith::SelectOp::create(
                       inner, nothing, infinity, value)};
                 });
}

//===- TileKernelSoftmax.cpp - Softmax and output of a tile -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mta;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value TileKernel::exp2(Value vector) { return math::Exp2Op::create(b, vector); }

/// `maximum`, or 0 in rows that have not seen an allowed key: minus infinity
/// less that is minus infinity, of which exp2 is 0.
Value TileKernel::finiteMaximum(Value maximum) {
  VectorType type = rowsType();
  Value nothing = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maximum,
                                        b.splat(type, -kInfinity));
  return arith::SelectOp::create(b, nothing, b.splat(type, 0.0), maximum);
}

Value TileKernel::updateStatistics(Value scores, Statistics &statistics,
                                   Value *accumulator) {
  Value maximum = b.reduceColumns(vector::CombiningKind::MAXIMUMF, scores,
                                  statistics.maximum);
  Value offset = finiteMaximum(maximum);
  Value correction = exp2(arith::SubFOp::create(b, statistics.maximum, offset));
  Value weights = exp2(arith::SubFOp::create(
      b, scores, b.broadcastRows(offset, tileType(plan.softmaxRows))));
  Value sum = arith::MulFOp::create(b, statistics.sum, correction);
  sum = b.reduceColumns(vector::CombiningKind::ADD, weights, sum);
  if (accumulator)
    *accumulator = arith::MulFOp::create(
        b, *accumulator,
        b.broadcastRows(statisticByHead(correction), accumulatorType()));
  statistics = {maximum, sum};
  return weights;
}

/// Whether the tile stores a row, for each of its last `rows` rows and, where
/// only some of the heads exist, for every head.
Value TileKernel::isOwnRow(int64_t rows) {
  VectorType type = VectorType::get({rows}, b.getIndexType());
  Value offset = b.sub(firstOf(rows), row0);
  Value row =
      b.add(b.step(rows, 0, 1), vector::BroadcastOp::create(b, type, offset));
  // Rows of the halo are large numbers.
  Value isOwn =
      b.compare(arith::CmpIPredicate::ult, row,
                vector::BroadcastOp::create(b, type, b.sub(rowEnd, row0)));
  if (plan.groupHeads == plan.heads)
    return isOwn;
  VectorType full = b.type({rows}, b.getIndexType());
  Value exists = b.compare(
      arith::CmpIPredicate::ult, b.broadcast(b.step(plan.heads, 0, 2), full),
      vector::BroadcastOp::create(b, full, b.index(plan.groupHeads)));
  return arith::AndIOp::create(
      b, b.broadcast(isOwn, b.type({rows}, b.getI1Type())), exists);
}

void TileKernel::storeOwnRows(Value vector, Value buffer, Value first,
                              int64_t column) {
  auto type = cast<VectorType>(vector.getType());
  bool hasColumns = type.getRank() > rowsType().getRank();
  int64_t rows = type.getDimSize(type.getRank() - (hasColumns ? 2 : 1));
  Value row = b.add(firstOf(rows), -static_cast<int64_t>(op.getQueryHalo()));
  SmallVector<Value> indices = {first, head0, row};
  Value mask = isOwnRow(rows);
  if (hasColumns) {
    SmallVector<int64_t> shape(cast<VectorType>(mask.getType()).getShape());
    shape.push_back(type.getShape().back());
    indices.push_back(b.index(column));
    mask = b.broadcastRows(mask, VectorType::get(shape, b.getI1Type()));
  }
  mask = b.broadcast(mask, VectorType::get(type.getShape(), b.getI1Type()));
  b.write(vector, buffer, indices, mask);
}

void TileKernel::storeOutput(Value accumulator) {
  Value result = applyEpilogue(accumulator);
  if (GateOp gate = gateByHead())
    return storeGatedByHead(gate, result);
  result = b.convert(result, getElementTypeOrSelf(buffers.output.getType()));
  storeOwnRows(result, buffers.output, batch);
}

/// (maximum + log2(sum)) ln 2, minus infinity in a row without allowed keys.
void TileKernel::storeLogSumExp(const Statistics &statistics) {
  Value sum = arith::AddFOp::create(b, finiteMaximum(statistics.maximum),
                                    math::Log2Op::create(b, statistics.sum));
  sum = arith::MulFOp::create(b, sum, b.splat(rowsType(), std::log(2.0)));
  storeOwnRows(sum, buffers.logSumExp, batch);
}

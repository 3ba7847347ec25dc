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
      b, scores, b.broadcastRows(offset, tileType(b.getF32Type()))));
  Value sum = arith::MulFOp::create(b, statistics.sum, correction);
  sum = b.reduceColumns(vector::CombiningKind::ADD, weights, sum);
  if (accumulator)
    *accumulator = arith::MulFOp::create(
        b, *accumulator, b.broadcastRows(correction, accumulatorType()));
  statistics = {maximum, sum};
  return weights;
}

/// Whether the tile stores a row, for every row.
Value TileKernel::isOwnRow() {
  VectorType type = VectorType::get({plan.rows}, b.getIndexType());
  Value offset = b.sub(firstRow, row0);
  Value row = b.add(b.step(plan.rows, 0, 1),
                    vector::BroadcastOp::create(b, type, offset));
  // Rows of the halo are large numbers.
  return b.compare(arith::CmpIPredicate::ult, row,
                   vector::BroadcastOp::create(b, type, b.sub(rowEnd, row0)));
}

void TileKernel::storeOutput(Value accumulator) {
  Value result = b.convert(applyEpilogue(accumulator),
                           getElementTypeOrSelf(buffers.output.getType()));
  Value row = b.add(firstRow, -static_cast<int64_t>(op.getQueryHalo()));
  VectorType maskType =
      VectorType::get({plan.rows, plan.valueDim}, b.getI1Type());
  Value mask = b.broadcastRows(isOwnRow(), maskType);
  mask = b.broadcast(mask, b.type({plan.rows, plan.valueDim}, b.getI1Type()));
  b.write(result, buffers.output, {batch, head0, row, zero()}, mask);
}

/// (maximum + log2(sum)) ln 2, minus infinity in a row without allowed keys.
void TileKernel::storeLogSumExp(const Statistics &statistics) {
  Value sum = arith::AddFOp::create(b, finiteMaximum(statistics.maximum),
                                    math::Log2Op::create(b, statistics.sum));
  sum = arith::MulFOp::create(b, sum, b.splat(rowsType(), std::log(2.0)));
  Value row = b.add(firstRow, -static_cast<int64_t>(op.getQueryHalo()));
  Value mask = b.broadcast(isOwnRow(), b.type({plan.rows}, b.getI1Type()));
  b.write(sum, buffers.logSumExp, {batch, head0, row}, mask);
}

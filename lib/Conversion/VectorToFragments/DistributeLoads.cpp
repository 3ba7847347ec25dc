//===- DistributeLoads.cpp - Fragments straight from memory -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With lane = 4 g + t, in the longest runs:
//
//     operand A, and B with the reduction along the rows of memory:
//         row g | t = 0: 8 elements | t = 1: 8 | t = 2: 8 | t = 3: 8 |
//     operand B with columns along them, of which two rows make pairs:
//         row 2t, 2t + 1 | g = 0: 4 elements | ... | g = 7: 4 |
//
//     operand B of a product with a result of that, the reduction along the
//     rows of memory:
//         row 4g + piece | t = 0: 8 elements | t = 1: 8 | t = 2: 8 | t = 3: 8 |
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mta;

/// Row `base` + `row`, or the nearest one from `first` on and before `limit`.
/// What differs between lanes is small: a number of 32 bits, and one of 64 for
/// all.
static Value nearestRow(ImplicitLocOpBuilder &b, Value base, Value row,
                        Value first, Value limit) {
  Type i32 = b.getI32Type();
  auto bound = [&](Value row, int64_t added) -> Value {
    constexpr int64_t most = int64_t(1) << 30;
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    row = arith::SubIOp::create(b, row, base);
    row = arith::AddIOp::create(b, row, constant(added));
    row = arith::MaxSIOp::create(b, row, constant(-most));
    row = arith::MinSIOp::create(b, row, constant(most));
    return arith::IndexCastOp::create(b, i32, row);
  };
  Value offset = arith::IndexCastOp::create(b, i32, row);
  offset = arith::MaxSIOp::create(b, offset, bound(first, 0));
  offset = arith::MinSIOp::create(b, offset, bound(limit, -1));
  offset = arith::IndexCastOp::create(b, b.getIndexType(), offset);
  return arith::AddIOp::create(b, base, offset);
}

Value Distributor::loadRun(LoadTileOp op, Value row, Value column,
                           int64_t size) {
  SmallVector<Value> indices(op.getIndices());
  size_t last = indices.size() - 1;
  auto nearest = [&](Value index, Value first, Value end) -> Value {
    index = arith::MaxSIOp::create(b, index, first);
    return arith::MinSIOp::create(b, index, add(end, -1));
  };
  indices[last - 2] =
      arith::DivUIOp::create(b, add(indices[last - 2], head), op.getShared());
  // The workgroup has room for each of its heads, whether it exists or not.
  if (!isWorkgroup(op.getSource()))
    indices[last - 2] =
        nearest(indices[last - 2], constant(0),
                memref::DimOp::create(b, op.getSource(), last - 2));
  indices[last - 1] =
      nearestRow(b, indices[last - 1], row, op.getFirst(), op.getLimit());
  indices[last] = add(indices[last], column);
  Type element = op.getResult().getType().getElementType();
  return vector::LoadOp::create(b, VectorType::get({size}, element),
                                op.getSource(), indices, false,
                                llvm::MaybeAlign(2 * size));
}

/// Elements 2 * pair and the next of a run.
static Value pairOf(ImplicitLocOpBuilder &b, Value run, int64_t pair) {
  return vector::ShuffleOp::create(b, run, run, {2 * pair, 2 * pair + 1});
}

/// Rows g and g + 8 of every strip.
void Distributor::loadAccumulator(LoadTileOp op, const FragmentShape &shape,
                                  Pieces &result) {
  for (int64_t row = 0; row < shape.rowPieces; ++row)
    for (auto [first, count] : shape.reductionRuns()) {
      Value column = add(mul(position, 2 * count), 8 * first);
      Value run = loadRun(op, rowOf(shape, row), column, 2 * count);
      for (int64_t pair = 0; pair < count; ++pair)
        result[shape.at(0, row, first + pair)] = pairOf(b, run, pair);
    }
}

/// The same with the reduction and the columns in the order of an accumulator
/// that is in runs of columns: lane 4 g + t holds rows 2 t and 2 t + 1 of
/// column g of a piece, which are one of the first and of the last `count`
/// elements of its run there, and the element `piece` of run g.
void Distributor::loadLikeColumns(LoadTileOp op, const FragmentShape &shape,
                                  Pieces &result) {
  for (auto [firstColumn, columns] : shape.columnRuns())
    for (int64_t column = 0; column < columns; ++column)
      for (auto [first, count] : splitRuns(shape.rowPieces, 4)) {
        Value start = add(mul(position, 2 * count), 8 * first);
        Value row = add(mul(group, columns), 8 * firstColumn + column);
        Value run = loadRun(op, row, start, 2 * count);
        for (int64_t piece = 0; piece < count; ++piece)
          result[shape.at(0, first + piece, firstColumn + column)] =
              vector::ShuffleOp::create(b, run, run, {piece, count + piece});
      }
}

/// An operand B that memory holds as columns x reduction.
void Distributor::loadReduction(LoadTileOp op, const FragmentShape &shape,
                                Pieces &result) {
  int64_t longest = shape.layout.getRuns() == Runs::Reduction ? 4 : 1;
  for (int64_t column = 0; column < shape.columnPieces; ++column)
    for (auto [first, count] : splitRuns(shape.rowPieces, longest)) {
      Value start = add(mul(position, 2 * count), 8 * first);
      Value run = loadRun(op, add(group, 8 * column), start, 2 * count);
      for (int64_t pair = 0; pair < count; ++pair)
        result[shape.at(0, first + pair, column)] = pairOf(b, run, pair);
    }
}

/// An operand B that memory holds as reduction x columns.
void Distributor::loadColumns(LoadTileOp op, const FragmentShape &shape,
                              Pieces &result) {
  int64_t longest = shape.layout.getRuns() == Runs::Column ? 4 : 1;
  for (int64_t row = 0; row < shape.rowPieces; ++row)
    for (auto [first, count] : splitRuns(shape.columnPieces, longest)) {
      Value start = add(mul(group, count), 8 * first);
      Value even = loadRun(op, columnOf(row), start, count);
      Value odd = loadRun(op, add(columnOf(row), 1), start, count);
      for (int64_t column = 0; column < count; ++column)
        result[shape.at(0, row, first + column)] =
            makePair(pairAt(even, column), pairAt(odd, column));
    }
}

LogicalResult Distributor::distributeLoadTile(LoadTileOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  if (!shape.hasRows || !shape.hasColumns || shape.headPieces > 1 ||
      shape.layout.getDims().front() != DimRole::Head)
    return op.emitOpError("expects a fragment of the warp's head to be loaded "
                          "by threads, but got ")
           << shape.layout;
  bool isTransposed = shape.layout.getDims().back() == DimRole::Row;
  Pieces result(shape.size());
  if (!shape.layout.isRhs())
    loadAccumulator(op, shape, result);
  else if (isTransposed && shape.layout.getRuns() == Runs::Column)
    loadLikeColumns(op, shape, result);
  else if (isTransposed)
    loadReduction(op, shape, result);
  else
    loadColumns(op, shape, result);
  pieces[op.getResult()] = std::move(result);
  return success();
}

/// Rows 2t and 2t + 1 of column g are diagonals 7 + 2t - g and the next.
LogicalResult Distributor::distributeLoadBand(LoadBandOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  if (!shape.layout.isRhs() || !shape.hasRows || shape.headPieces > 1 ||
      shape.layout.getDims().back() != DimRole::Column)
    return op.emitOpError("expects an operand B of the warp's head to be "
                          "loaded by threads, but got ")
           << shape.layout;
  keepLoadsBehind();
  Value diagonal =
      arith::SubIOp::create(b, add(mul(position, 2), 7), group).getResult();
  SmallVector<Value> indices(op.getIndices());
  indices[0] = add(indices[0], head);
  auto pair = VectorType::get({2}, shape.element);
  int64_t first = op.getFirst(), last = op.getLast();
  Pieces result;
  for (int64_t row = 0; row < shape.rowPieces; ++row) {
    // Of 8 rows and columns, 15 from 8 * row on.
    Value stored = add(diagonal, 8 * row - first);
    if (8 * row < first)
      stored = arith::MaxSIOp::create(b, stored, constant(0));
    if (8 * row + 14 > last)
      stored = arith::MinSIOp::create(b, stored, constant(last - first));
    SmallVector<Value> place = indices;
    place[1] = add(place[1], mul(stored, 2));
    result.push_back(vector::LoadOp::create(b, pair, op.getSource(), place,
                                            false, llvm::MaybeAlign(4)));
  }
  pieces[op.getResult()] = std::move(result);
  return success();
}

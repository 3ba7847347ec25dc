//===- TileKernelSequences.cpp - Tiles of several sequences -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile's own rows may be of several sequences, each with keys of its own:
//
//              keys    keyBegin                     lastKeyBegin   tileKeyEnd
//     rows             |                            |              |
//     queryBegin ...   |   A: first row's sequence  |              |
//     row0 ...         |###############|            |              |
//                      |               |  B  #######|              |
//     ... rowEnd - 1   |                            |  C  #########|
//
// Boundaries do not decrease, so that the rows' keys begin and end in order.
// Rows of the halo before `queryBegin` are of other sequences than all others.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mta;

/// Elements of boundaries: one, or those at a vector of indices.
static Value boundaryAt(TileBuilder &b, Value boundaries, Value index) {
  auto type = dyn_cast<VectorType>(index.getType());
  if (!type)
    return arith::IndexCastOp::create(
        b, b.getIndexType(),
        memref::LoadOp::create(b, boundaries, ValueRange{index}));
  auto constant = [&](Type element, APInt value) -> Value {
    auto shape = VectorType::get(type.getShape(), element);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(shape, value));
  };
  VectorType loaded = VectorType::get(type.getShape(), b.getI32Type());
  Value values =
      vector::GatherOp::create(b, loaded, boundaries, ValueRange{b.index(0)},
                               index, constant(b.getI1Type(), APInt(1, 1)),
                               constant(b.getI32Type(), APInt(32, 0)));
  return arith::IndexCastOp::create(b, type, values);
}

/// `value` for every element of `type`, if that is a vector.
static Value broadcastTo(TileBuilder &b, Value value, Type type) {
  return value.getType() == type
             ? value
             : vector::BroadcastOp::create(b, type, value).getResult();
}

static Value addTo(TileBuilder &b, Value values, int64_t other) {
  return b.add(values, broadcastTo(b, b.index(other), values.getType()));
}

/// The last sequence that begins at or before a query, for every one of
/// `queries`, by bisection of all at once: what is left of n sequences after a
/// step is half of them, rounded up.
static SmallVector<Value> findSequences(TileBuilder &b, Value boundaries,
                                        ValueRange queries) {
  constexpr int64_t kMostSteps = 31;
  Value count = b.add(memref::DimOp::create(b, boundaries, 0), -1);
  Value steps = b.min(b.add(count, -1), b.index(kMostSteps));
  SmallVector<Value> init = {count};
  for (Value query : queries)
    init.push_back(broadcastTo(b, b.index(0), query.getType()));
  auto loop = scf::ForOp::create(b, b.index(0), steps, b.index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  ValueRange carried = loop.getRegionIterArgs();
  Value isOpen = b.compare(arith::CmpIPredicate::ugt, carried[0], b.index(1));
  auto branch = scf::IfOp::create(b, carried.getTypes(), isOpen,
                                  /*withElseRegion=*/true);
  scf::YieldOp::create(b, branch.getResults());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, carried);
  b.setInsertionPointToStart(branch.thenBlock());
  Value half = arith::DivUIOp::create(b, carried[0], b.index(2));
  SmallVector<Value> next = {b.sub(carried[0], half)};
  for (auto [query, first] : llvm::zip_equal(queries, carried.drop_front())) {
    Value middle = b.add(first, broadcastTo(b, half, first.getType()));
    Value begins = b.compare(arith::CmpIPredicate::sle,
                             boundaryAt(b, boundaries, middle), query);
    next.push_back(arith::SelectOp::create(b, begins, middle, first));
  }
  scf::YieldOp::create(b, next);
  return llvm::to_vector_of<Value>(loop.getResults().drop_front());
}

/// Only some tiles of keys need the bounds, for which they would hold registers
/// in all others.
void TileKernel::storeRowBounds(ValueRange bounds) {
  int64_t count = bounds.size();
  rowBounds =
      b.workgroupBuffer(ArrayRef<int64_t>{count, plan.rows}, b.getI32Type());
  for (auto [number, values] : llvm::enumerate(bounds)) {
    Value narrow = arith::IndexCastOp::create(
        b, VectorType::get({plan.rows}, b.getI32Type()), values);
    b.write(narrow, rowBounds, {b.index(number), zero()});
  }
}

Value TileKernel::readRowBound(RowBound bound, int64_t last, int64_t count) {
  return b.read(
      rowBounds,
      {b.index(static_cast<int64_t>(bound)), b.index(plan.rows - last)},
      VectorType::get({count}, b.getI32Type()));
}

void TileKernel::locateSequences() {
  VectorType type = VectorType::get({plan.rows}, b.getIndexType());
  Value row = b.add(b.step(plan.rows, 0, 1),
                    vector::BroadcastOp::create(b, type, firstRow));
  Value ends[] = {row, row0, b.add(rowEnd, -1)};
  SmallVector<Value> sequences =
      findSequences(b, buffers.queryBoundaries, ends);
  struct Bounds {
    Value queryBegin, keyBegin, keyEnd, shift;
  };
  auto boundsOf = [&](Value sequence) {
    Value next = addTo(b, sequence, 1);
    Value keyEnd = boundaryAt(b, buffers.keyBoundaries, next);
    Value queryEnd = boundaryAt(b, buffers.queryBoundaries, next);
    return Bounds{boundaryAt(b, buffers.queryBoundaries, sequence),
                  boundaryAt(b, buffers.keyBoundaries, sequence), keyEnd,
                  b.sub(keyEnd, queryEnd)};
  };
  // Fewer keys than queries: the first rows of a causal sequence have none.
  auto allowedEnd = [&](const Bounds &bounds, Value query) {
    Value end = bounds.keyEnd;
    if (isCausal())
      end = b.min(end, addTo(b, b.add(query, bounds.shift), 1));
    return b.max(end, bounds.keyBegin);
  };
  Bounds rows = boundsOf(sequences[0]), first = boundsOf(sequences[1]),
         last = boundsOf(sequences[2]);
  // Rows before the first own sequence are none of its rows' business.
  Value count = b.sub(allowedEnd(rows, row), rows.keyBegin);
  Value begin = vector::BroadcastOp::create(b, type, first.queryBegin);
  count = arith::SelectOp::create(
      b, b.compare(arith::CmpIPredicate::slt, row, begin),
      vector::BroadcastOp::create(b, type, zero()), count);
  storeRowBounds({rows.keyBegin, count, b.sub(row, rows.queryBegin)});
  queryBegin = first.queryBegin;
  keyBegin = first.keyBegin;
  keyEnd = first.keyEnd;
  shift = first.shift;
  lastKeyBegin = last.keyBegin;
  tileKeyEnd = allowedEnd(last, b.add(rowEnd, -1));
}

/// Whether a step's scores of a tile, which trail by `trailing` columns, and
/// what it reads before them, are of keys of more than one sequence of the
/// tile's rows.
Value TileKernel::crossesSequences(const StepPlan &step, Value tile,
                                   int64_t trailing) {
  Value column0 = b.add(b.mul(tile, plan.keyTile), -trailing);
  Value begin = b.add(column0, -8 * step.haloPieces);
  Value isBefore = b.compare(arith::CmpIPredicate::slt, begin, lastKeyBegin);
  Value isAfter = b.compare(arith::CmpIPredicate::sgt,
                            b.add(column0, plan.keyTile), keyEnd);
  return arith::AndIOp::create(b, isBefore, isAfter);
}

/// `scores`, of rows `distance` above the first of the tile's last `last` rows,
/// where that row is of the tile row's sequence, and zero where it is not.
/// Their keys are then those of that sequence only, as others are masked.
Value TileKernel::cutRows(Value scores, int64_t distance, int64_t last) {
  auto type = cast<VectorType>(scores.getType());
  Value least = arith::ConstantOp::create(b, b.getI32IntegerAttr(distance));
  Value rows = readRowBound(RowBound::SequenceRow, last,
                            type.getDimSize(type.getRank() - 2));
  Value exists =
      b.compare(arith::CmpIPredicate::sge, rows,
                vector::BroadcastOp::create(b, rows.getType(), least));
  Value mask = b.broadcastRows(
      exists, VectorType::get(type.getShape().take_back(2), b.getI1Type()));
  mask = b.broadcast(mask, VectorType::get(type.getShape(), b.getI1Type()));
  return arith::SelectOp::create(b, mask, scores, b.splat(type, 0.0));
}

/// Whether the last `rows` rows of the tile may read the keys `columns`.
Value TileKernel::isInSequence(Value columns, int64_t rows) {
  int64_t size = cast<VectorType>(columns.getType()).getDimSize(0);
  VectorType type = VectorType::get({rows, size}, b.getI32Type());
  auto bound = [&](RowBound which) {
    return b.broadcastRows(readRowBound(which, rows, rows), type);
  };
  Value narrow = arith::IndexCastOp::create(
      b, VectorType::get({size}, b.getI32Type()), columns);
  Value offset = b.sub(b.broadcast(narrow, type), bound(RowBound::KeyBegin));
  // Columns before the first key are large numbers.
  return b.compare(arith::CmpIPredicate::ult, offset,
                   bound(RowBound::KeyCount));
}

//===- TileKernelHeads.cpp - Tile programs of many heads --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mix is a product of its weights with the scores of all heads at a row of
// the tile, heads x columns. It finds them in workgroup memory as operand B,
// and leaves them with the heads as rows of fragments and the rows of the tile
// dealt out to the warps. What wants them by heads again, a convolution or the
// product with the values, finds them in workgroup memory in turn.
//
// A head and a row begin in other banks each, so that neither the eight rows of
// a head nor the eight heads of a row that move at once meet in one.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Workgroup memory
//===----------------------------------------------------------------------===//

void TileKernel::barrier() {
  BarrierOp::create(b);
  readSinceBarrier.clear();
  hasBarrier = true;
}

/// What others still read has to stay.
void TileKernel::willWrite(Value buffer) {
  if (llvm::is_contained(readSinceBarrier, buffer))
    barrier();
  if (!hasBarrier)
    writtenFirst.push_back(buffer);
}

/// The next iteration of a loop over tiles writes again.
void TileKernel::finishTile() {
  bool isRead = llvm::any_of(writtenFirst, [&](Value buffer) {
    return llvm::is_contained(readSinceBarrier, buffer);
  });
  if (isRead)
    barrier();
  readSinceBarrier.clear();
  writtenFirst.clear();
  hasBarrier = false;
}

/// A buffer for `rows` rows of `columns` columns of every head, and `before`
/// more above them that nobody writes: for all but the first head they are the
/// last ones of the head before. Returns the buffer and its view, heads x rows
/// x columns.
std::pair<Value, Value> TileKernel::allocateHeads(int64_t rows, int64_t before,
                                                  int64_t columns,
                                                  Type element) {
  int64_t row = paddedRow(columns), head = headStride(rows, columns);
  Value buffer = b.workgroupBuffer({plan.heads * head + before * row}, element);
  auto type = cast<MemRefType>(buffer.getType());
  int64_t sizes[] = {plan.heads, before + rows, row};
  int64_t strides[] = {head, row, 1};
  auto view = MemRefType::get(
      sizes, element, StridedLayoutAttr::get(b.getContext(), 0, strides),
      type.getMemorySpace());
  return {buffer, memref::ReinterpretCastOp::create(b, view, buffer, 0, sizes,
                                                    strides)};
}

void TileKernel::allocateManyHeads() {
  int64_t needed = 0, copies = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps)
      if (!isa<KeyQueryConvOp>(*step.op)) {
        mixRows = std::max(mixRows, step.rows);
        needed = std::max(needed, step.neededRows);
        copies = std::max(copies, step.copies);
      }
  for (int64_t copy = 0; copy < copies; ++copy) {
    auto [buffer, view] =
        allocateHeads(needed, mixRows - needed, plan.keyTile, b.getF16Type());
    mixBuffers.push_back(view);
    // Rows that nobody needs are mixed too.
    if (needed < mixRows)
      fillZero(buffer);
  }
  bool endsInRows = plan.endsInRows(
      plan.hasTwoSweeps() ? ArrayRef(plan.after) : ArrayRef(plan.before));
  if (plan.usesStatisticsBuffer())
    statisticsBuffer =
        b.workgroupBuffer({plan.heads, plan.statisticsRow()}, b.getF32Type());
  if (endsInRows)
    weightsBuffer =
        plan.sharesWeightsBuffer()
            ? mixBuffers.back()
            : allocateHeads(plan.accumulatorRows, 0, plan.keyTile, element)
                  .second;
}

void TileKernel::fillZero(Value buffer) {
  Type type = cast<MemRefType>(buffer.getType()).getElementType();
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(type));
  linalg::FillOp::create(b, none, buffer);
}

/// Which rows of a vector heads x rows x columns an operation reads for the
/// sake of a result that is needed; null if it is all.
Value TileKernel::neededRows(const StepPlan &step, VectorType type) {
  if (step.neededRows == step.rows)
    return Value();
  VectorType rows = VectorType::get({step.rows}, b.getIndexType());
  Value first = b.index(step.rows - step.neededRows);
  Value isNeeded = b.compare(arith::CmpIPredicate::sge, b.step(step.rows, 0, 1),
                             vector::BroadcastOp::create(b, rows, first));
  Value flat = b.broadcastRows(
      isNeeded, VectorType::get(type.getShape().drop_front(), b.getI1Type()));
  return b.broadcast(flat, VectorType::get(type.getShape(), b.getI1Type()));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value TileKernel::loadTile(Value source, Value row, Value first, Value limit,
                           int64_t rows, int64_t column, int64_t columns) {
  Value heads = memref::DimOp::create(b, buffers.query, 1);
  Value sourceHeads = memref::DimOp::create(b, source, 1);
  Value shared = arith::DivUIOp::create(b, heads, sourceHeads);
  return LoadTileOp::create(b, b.type({rows, columns}, element), source,
                            ValueRange{batch, head0, row, b.index(column)},
                            first, limit, shared);
}

/// `rows` x `columns` of the queries from row `row` of the tile on. Rows that
/// no result depends on are those of another one.
Value TileKernel::loadQueries(int64_t row, int64_t rows, int64_t column,
                              int64_t columns) {
  Value first = b.max(b.add(row0, -plan.rowsBefore), zero());
  return loadTile(buffers.query, b.add(firstRow, row), first, queries, rows,
                  column, columns);
}

/// q·kᵀ, some of the reduction at a time: what is loaded waits for its use in
/// registers. For the same reason queries that are loaded are those of one
/// strip.
Value TileKernel::multiplyKeysByHead(Value tile) {
  bool isHere = !query.empty();
  int64_t most = plan.columnsAtOnce(), rows = isHere ? plan.rows : 16;
  SmallVector<Value> strips(plan.rows / rows, b.splat(tileType(rows), 0.0));
  Value row = b.mul(tile, plan.keyTile);
  for (int64_t column = 0; column < plan.headDim; column += most) {
    int64_t columns = std::min(most, plan.headDim - column);
    Value right =
        loadTile(buffers.key, row, zero(), keys, plan.keyTile, column, columns);
    for (auto [index, strip] : llvm::enumerate(strips)) {
      Value left = isHere ? b.extractColumns(query[0], column, columns)
                          : loadQueries(index * rows, rows, column, columns);
      strip = b.contract(left, right, strip, /*rhsTransposed=*/true);
    }
  }
  Value scores = b.splat(tileType(plan.rows), 0.0);
  for (auto [index, strip] : llvm::enumerate(strips))
    scores = b.insertPart(strip, scores, index * rows, 0);
  return scores;
}

/// p·v, as many columns at a time as come in one run, and as many keys as one
/// product takes.
Value TileKernel::multiplyValuesByHead(Value weights, Value tile,
                                       Value accumulator) {
  constexpr int64_t most = 32, keysAtOnce = 16;
  Value row = b.add(b.mul(tile, plan.keyTile), -plan.trailing());
  for (int64_t key = 0; key < plan.keyTile; key += keysAtOnce) {
    Value left = b.extractColumns(weights, key, keysAtOnce);
    for (int64_t column = 0; column < plan.valueDim; column += most) {
      int64_t columns = std::min(most, plan.valueDim - column);
      Value right = loadTile(buffers.value, b.add(row, key), zero(), keys,
                             keysAtOnce, column, columns);
      Value part = b.extractColumns(accumulator, column, columns);
      part = b.contract(left, right, part, /*rhsTransposed=*/false);
      accumulator = b.insertColumns(part, accumulator, column);
    }
  }
  return accumulator;
}

/// The same as `isAllowed` for the last `rows` rows of the tile. What bounds
/// them depends on the tile of keys and is small: as indices, the same in every
/// tile, they would take registers all the time.
Value TileKernel::isAllowedByRow(Value column0, int64_t rows) {
  using arith::CmpIPredicate;
  Type i32 = b.getI32Type();
  VectorType rowType = VectorType::get({rows}, i32);
  VectorType columnType = VectorType::get({plan.keyTile}, i32);
  VectorType flat = VectorType::get({rows, plan.keyTile}, i32);
  auto count = [&](VectorType type) -> Value {
    return arith::IndexCastOp::create(b, type,
                                      b.step(type.getDimSize(0), 0, 1));
  };
  // A bound beyond the tile is as good as one at its edge.
  int64_t edge = rows + plan.keyTile;
  auto repeat = [&](Value value, VectorType type) -> Value {
    value = b.max(b.min(value, b.index(edge)), b.index(-edge));
    return vector::BroadcastOp::create(
        b, type, arith::IndexCastOp::create(b, i32, value).getResult());
  };
  Value row = count(rowType), column = count(columnType);
  Value first = firstOf(rows);
  Value ends = repeat(b.sub(keys, column0), rowType);
  if (isCausal()) {
    Value end = b.sub(b.add(b.add(first, shift), 1), column0);
    ends = b.min(ends, b.add(row, repeat(end, rowType)));
  }
  // Queries before the first one, which are loaded as that one, read nothing.
  if (mayBeBefore(rows)) {
    Value isBefore =
        b.compare(CmpIPredicate::slt, b.add(row, repeat(first, rowType)),
                  repeat(zero(), rowType));
    Value none = repeat(b.sub(zero(), column0), rowType);
    ends = arith::SelectOp::create(b, isBefore, none, ends);
  }
  Value allowed = b.compare(CmpIPredicate::slt, b.broadcast(column, flat),
                            b.broadcastRows(ends, flat));
  Value isKey = b.compare(CmpIPredicate::sge, column,
                          repeat(b.sub(zero(), column0), columnType));
  return arith::AndIOp::create(
      b, allowed,
      b.broadcast(isKey, VectorType::get(flat.getShape(), b.getI1Type())));
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Pairs of neighbouring diagonals of the bands of every window query, in
/// workgroup memory, heads x elements.
Value TileKernel::buildDiagonals(const StepPlan &step) {
  auto conv = cast<KeyQueryConvOp>(*step.op);
  int64_t columns = step.bandElements / 16;
  VectorType type = b.type({16, columns}, b.getIndexType());
  auto constant = [&](int64_t value) -> Value {
    return vector::BroadcastOp::create(b, type, b.index(value));
  };
  auto along = [&](int64_t dim) {
    return b.broadcast(b.step(type.getDimSize(dim), dim, 3), type);
  };
  Value place = b.add(b.mul(along(1), constant(columns)), along(2));
  Value a = arith::DivUIOp::create(b, place, constant(step.bandOfQuery));
  Value within = arith::RemUIOp::create(b, place, constant(step.bandOfQuery));
  Value two = constant(2);
  Value diagonal = b.add(arith::DivUIOp::create(b, within, two),
                         arith::RemUIOp::create(b, within, two));
  // Diagonal 7 goes through row 0, which is `left` columns before its tap.
  int64_t left = 8 * llvm::divideCeil(conv.getLeftKeys(), 8);
  Value tap = b.add(diagonal, constant(conv.getLeftKeys() - left - 7));
  int64_t keyWindow = conv.getKeyWindow();
  int64_t window = conv.getQueryWindow() * keyWindow;
  // Negative taps are large numbers.
  using arith::CmpIPredicate;
  Value mask = b.compare(CmpIPredicate::ult, tap, constant(keyWindow));
  for (auto [index, end] : {std::pair(a, conv.getQueryWindow()),
                            std::pair(along(0), plan.groupHeads)})
    mask = arith::AndIOp::create(
        b, mask, b.compare(CmpIPredicate::ult, index, constant(end)));
  Value index = b.add(b.mul(along(0), constant(window)),
                      b.add(b.mul(a, constant(keyWindow)), tap));
  Value first = vector::BroadcastOp::create(b, type, b.mul(head0, window));
  StepState state;
  state.plan = &step;
  Value diagonals =
      gatherWeights(state, b.add(index, first), mask, b.getF16Type());
  Value buffer = b.workgroupBuffer({plan.heads, 16, columns}, b.getF16Type());
  b.write(diagonals, buffer, {zero(), zero(), zero()});
  ReassociationIndices groups[] = {{0}, {1, 2}};
  return memref::CollapseShapeOp::create(
      b, buffer, ArrayRef<ReassociationIndices>(groups));
}

Value TileKernel::loadBand(const StepState &state, int64_t a) {
  int64_t rows = 8 * (state.plan->haloPieces + 1);
  return LoadBandOp::create(
      b, b.type({rows, 8}, b.getF16Type()), state.diagonals,
      ValueRange{zero(), b.index(a * state.plan->bandOfQuery)});
}

//===----------------------------------------------------------------------===//
// Mixes
//===----------------------------------------------------------------------===//

/// The weights as a matrix of the heads that are written and those that are
/// read, zero where they are of different groups, in workgroup memory. The warp
/// of a head brings its row, as the first of 64 elements.
Value TileKernel::buildMixMatrix(const StepState &state) {
  int64_t size = state.plan->groupSize;
  VectorType type = b.type({8, 8}, b.getIndexType());
  auto constant = [&](Value value) -> Value {
    return vector::BroadcastOp::create(b, type, value);
  };
  Value out = b.broadcast(b.step(plan.heads, 0, 3), type);
  Value in =
      b.add(b.mul(b.broadcast(b.step(8, 1, 3), type), constant(b.index(8))),
            b.broadcast(b.step(8, 2, 3), type));
  Value sizes = constant(b.index(size));
  auto group = [&](Value head) -> Value {
    return arith::DivUIOp::create(b, head, sizes);
  };
  Value mask = b.compare(arith::CmpIPredicate::eq, group(out), group(in));
  for (Value head : {out, in})
    mask = arith::AndIOp::create(b, mask,
                                 b.compare(arith::CmpIPredicate::ult, head,
                                           constant(b.index(plan.groupHeads))));
  // W is groups x out x in in memory, and head h of all is row h of it.
  Value row = b.add(out, constant(head0));
  Value index = b.add(b.mul(row, sizes),
                      arith::RemUIOp::create(b, in, sizes).getResult());
  Value weights = gatherWeights(state, index, mask, b.getF16Type());
  // Rows of an odd multiple of 16 bytes.
  Value buffer = b.workgroupBuffer({plan.heads, 9, 8}, b.getF16Type());
  b.write(weights, buffer, {zero(), zero(), zero()});
  ReassociationIndices groups[] = {{0}, {1, 2}};
  return memref::CollapseShapeOp::create(
      b, buffer, ArrayRef<ReassociationIndices>(groups));
}

Value TileKernel::mixHeads(StepState &state, Value scores) {
  auto type = cast<VectorType>(scores.getType());
  Value row = b.index(mixRows - state.plan->rows);
  for (Value view : state.views)
    willWrite(view);
  writeScores(state, scores, row, zero());
  sharing = Sharing::Rows;
  // out, row, column, in.
  AffineExpr dims[4];
  bindDims(b.getContext(), dims[0], dims[1], dims[2], dims[3]);
  auto map = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(4, 0, results, b.getContext());
  };
  AffineMap maps[] = {map({dims[0], dims[3]}), map({dims[3], dims[1], dims[2]}),
                      map({dims[0], dims[1], dims[2]})};
  using vector::IteratorType;
  SmallVector<Attribute> iterators(
      3, vector::IteratorTypeAttr::get(b.getContext(), IteratorType::parallel));
  iterators.push_back(
      vector::IteratorTypeAttr::get(b.getContext(), IteratorType::reduction));
  Value weights =
      b.read(state.weights[0], {zero(), zero()},
             VectorType::get({plan.heads, plan.heads}, b.getF16Type()));
  barrier();
  Value result = b.splat(type, 0.0);
  auto f16 = VectorType::get(type.getShape(), b.getF16Type());
  for (Value view : state.views)
    result = vector::ContractionOp::create(
        b, weights, b.read(view, {zero(), row, zero()}, f16), result,
        b.getAffineMapArrayAttr(maps), b.getArrayAttr(iterators));
  llvm::append_range(readSinceBarrier, state.views);
  return result;
}

//===----------------------------------------------------------------------===//
// Back to a warp for every head
//===----------------------------------------------------------------------===//

Value TileKernel::weightsByHead(Value weights) {
  weights = b.convert(weights, element);
  if (sharing == Sharing::Heads)
    return weights;
  auto type = cast<MemRefType>(weightsBuffer.getType());
  SmallVector<Value> place = {
      zero(), b.index(type.getDimSize(1) - plan.accumulatorRows), zero()};
  willWrite(weightsBuffer);
  b.write(weights, weightsBuffer, place);
  barrier();
  sharing = Sharing::Heads;
  readSinceBarrier.push_back(weightsBuffer);
  return b.read(weightsBuffer, place, cast<VectorType>(weights.getType()));
}

/// A statistic of every row where the accumulator is.
Value TileKernel::statisticByHead(Value rows) {
  if (sharing == Sharing::Heads)
    return rows;
  willWrite(statisticsBuffer);
  b.write(rows, statisticsBuffer, {zero(), zero()});
  barrier();
  readSinceBarrier.push_back(statisticsBuffer);
  return b.read(statisticsBuffer, {zero(), zero()},
                cast<VectorType>(rows.getType()));
}

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
  if (plan.usesStatisticsBuffer())
    statisticsBuffer =
        b.workgroupBuffer({plan.heads, plan.statisticsRow()}, b.getF32Type());
  if (plan.scorePlaces().count > 0)
    return allocateScores();
  int64_t needed = 0, copies = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps) {
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
  if (plan.leavesRows())
    weightsBuffer = plan.sharesWeightsBuffer()
                        ? mixBuffers.back()
                        : allocateHeads(plan.accumulatorRows, 0, plan.keyTile,
                                        weightsType())
                              .second;
}

void TileKernel::fillZero(Value buffer) {
  Type type = cast<MemRefType>(buffer.getType()).getElementType();
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(type));
  linalg::FillOp::create(b, none, buffer);
}

/// The last `needed` of the rows of a vector heads x `rows` x columns: those
/// that a stored result depends on; null if it is all.
Value TileKernel::lastRows(int64_t rows, int64_t needed, VectorType type) {
  if (needed == rows)
    return Value();
  VectorType flatRows = VectorType::get({rows}, b.getIndexType());
  Value first = b.index(rows - needed);
  Value isNeeded = b.compare(arith::CmpIPredicate::sge, b.step(rows, 0, 1),
                             vector::BroadcastOp::create(b, flatRows, first));
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

/// Queries in workgroup memory from column `column` on, heads x rows of the
/// tile x columns. Rows of what a lane reads at once are next to each other, so
/// that eight of them lie in different banks. Those above the needed ones are
/// in front of the buffer's, or the last ones of the panel before.
Value TileKernel::queryPanel(int64_t column) {
  int64_t rows = plan.queryRows(), columns = plan.columnsFrom(column);
  int64_t above = (plan.rows - rows) * (plan.columnsFrom(0) - columns);
  int64_t offset = above + rows * column;
  int64_t sizes[] = {plan.heads, plan.rows, columns};
  int64_t strides[] = {rows * plan.stagedColumns(), columns, 1};
  auto type = cast<MemRefType>(queryBuffer.getType());
  auto layout = StridedLayoutAttr::get(b.getContext(), offset, strides);
  return memref::ReinterpretCastOp::create(
      b, MemRefType::get(sizes, element, layout, type.getMemorySpace()),
      queryBuffer, offset, sizes, strides);
}

/// Brings the queries to workgroup memory. Before the first barrier of a sweep
/// none is read.
void TileKernel::stageQueries() {
  queryBuffer = b.workgroupBuffer({plan.queryElements()}, element);
  // Rows that nobody needs are multiplied too.
  if (plan.queryRows() < plan.rows) {
    fillZero(queryBuffer);
    BarrierOp::create(b);
  }
  int64_t staged = plan.stagedColumns();
  for (int64_t column = 0, columns; column < staged; column += columns) {
    columns = plan.columnsFrom(column);
    Value part = loadQueries(0, plan.rows, column, columns);
    Value mask =
        lastRows(plan.rows, plan.queryRows(), cast<VectorType>(part.getType()));
    b.write(part, queryPanel(column), {zero(), zero(), zero()}, mask);
  }
  for (int64_t row = 0; plan.heldColumns > 0 && row < plan.rows; row += 16)
    heldQueries.push_back(loadQueries(row, 16, staged, plan.heldColumns));
}

/// `rows` of the queries in workgroup memory from row `row` of the tile on.
Value TileKernel::readQueries(int64_t row, int64_t rows, int64_t column) {
  VectorType type = b.type({rows, plan.columnsFrom(column)}, element);
  return LoadTileOp::create(b, type, queryPanel(column),
                            ValueRange{zero(), b.index(row), zero()}, zero(),
                            b.index(plan.rows), b.index(1));
}

/// q·kᵀ, some of the reduction at a time: what is loaded waits for its use in
/// registers. For the same reason queries that are loaded are those of one
/// strip.
Value TileKernel::multiplyKeysByHead(Value tile) {
  int64_t rows = query.empty() ? 16 : plan.rows;
  SmallVector<Value> strips(plan.rows / rows, b.splat(tileType(rows), 0.0));
  Value keyRow = b.mul(tile, plan.keyTile);
  auto queriesOf = [&](int64_t row, int64_t column, int64_t columns) {
    if (!query.empty())
      return b.extractColumns(query[0], column, columns);
    if (queryBuffer && column >= plan.stagedColumns())
      return heldQueries[row / rows];
    return queryBuffer ? readQueries(row, rows, column)
                       : loadQueries(row, rows, column, columns);
  };
  for (int64_t column = 0, columns; column < plan.headDim; column += columns) {
    columns = plan.columnsFrom(column);
    Value right = loadTile(buffers.key, keyRow, zero(), keys, plan.keyTile,
                           column, columns);
    for (auto [index, strip] : llvm::enumerate(strips))
      strip = b.contract(queriesOf(index * rows, column, columns), right, strip,
                         /*rhsTransposed=*/true);
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
    Operand left = splitWeights(b.extractColumns(weights, key, keysAtOnce));
    for (int64_t column = 0; column < plan.valueDim; column += most) {
      int64_t columns = std::min(most, plan.valueDim - column);
      Value right = loadTile(buffers.value, b.add(row, key), zero(), keys,
                             keysAtOnce, column, columns);
      Value part = b.extractColumns(accumulator, column, columns);
      part = contract(left, {right}, part, /*rhsTransposed=*/false);
      accumulator = b.insertColumns(part, accumulator, column);
    }
  }
  return accumulator;
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Pairs of neighbouring diagonals of the bands of every window query, in
/// workgroup memory, heads x elements.
Value TileKernel::buildDiagonals(const StepPlan &step) {
  auto conv = cast<KeyQueryConvOp>(*step.op);
  constexpr int64_t rows = kBandRows;
  int64_t columns = step.bandElements / rows;
  VectorType type = b.type({rows, columns}, b.getIndexType());
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
  Value number = b.add(arith::DivUIOp::create(b, within, two),
                       arith::RemUIOp::create(b, within, two));
  Value tap = b.add(number, constant(-step.firstTap));
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
  Value buffer = b.workgroupBuffer({plan.heads, rows, columns}, b.getF16Type());
  b.write(diagonals, buffer, {zero(), zero(), zero()});
  ReassociationIndices groups[] = {{0}, {1, 2}};
  return memref::CollapseShapeOp::create(
      b, buffer, ArrayRef<ReassociationIndices>(groups));
}

Value TileKernel::loadBand(const StepState &state, int64_t a) {
  const StepPlan &step = *state.plan;
  int64_t rows = 8 * (step.haloPieces + 1);
  return LoadBandOp::create(b, b.type({rows, 8}, b.getF16Type()),
                            state.diagonals,
                            ValueRange{zero(), b.index(a * step.bandOfQuery)},
                            step.firstDiagonal, step.lastDiagonal);
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
  bool hasPlaces = !scoreBuffers.empty();
  Value row = b.index(hasPlaces ? 0 : mixRows - state.plan->rows);
  Value column = hasPlaces ? columnOfScores(convsDone) : zero();
  for (Value buffer : state.buffers)
    willWrite(buffer);
  writeScores(state, scores, row, column);
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
        b, weights, b.read(view, {zero(), row, column}, f16), result,
        b.getAffineMapArrayAttr(maps), b.getArrayAttr(iterators));
  llvm::append_range(readSinceBarrier, state.buffers);
  return result;
}

//===----------------------------------------------------------------------===//
// Back to a warp for every head
//===----------------------------------------------------------------------===//

Type TileKernel::weightsType() {
  return plan.splitsWeights() ? b.getF16Type() : element;
}

Value TileKernel::weightsByHead(Value weights) {
  weights = b.convert(weights, weightsType());
  if (sharing == Sharing::Heads)
    return weights;
  if (!scoreBuffers.empty())
    return weightsThroughScores(weights);
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

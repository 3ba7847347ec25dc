//===- TileKernel.cpp - The tile program of an attention --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     for tile of keys:
//       wait for its keys and values, start the copies of the next tile
//       scores = q·kᵀ, score operations, mask
//       maximum, sum and accumulator of the online softmax
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mta;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Where the workgroup works
//===----------------------------------------------------------------------===//

void TileKernel::locate(Value tile, Value tiles, Value group, Value batch) {
  this->batch = batch;
  head0 = b.mul(group, plan.groupHeads);
  queries = memref::DimOp::create(b, buffers.query, 2);
  keys = memref::DimOp::create(b, buffers.key, 2);
  shift = b.sub(keys, queries);
  // Tiles with many keys come first, so that the last ones to run are short.
  if (isCausal())
    tile = b.sub(b.add(tiles, -1), tile);
  row0 = b.add(b.mul(tile, plan.queryTile()),
               static_cast<int64_t>(op.getQueryHalo()));
  rowEnd = b.min(b.add(row0, plan.queryTile()), queries);
  firstRow = b.add(row0, plan.queryTile() - plan.rows);
  if (plan.hasSequences)
    return locateSequences();
  queryBegin = keyBegin = lastKeyBegin = zero();
  keyEnd = tileKeyEnd = keys;
  if (isCausal())
    tileKeyEnd = b.max(b.min(b.add(rowEnd, shift), keys), zero());
}

SmallVector<Value> TileKernel::at(ValueRange leading, Value row, Value column) {
  SmallVector<Value> indices(leading);
  if (plan.heads > 1)
    indices.push_back(zero());
  indices.append({row, column});
  return indices;
}

Value TileKernel::slotOf(Value tile) {
  return arith::RemUIOp::create(b, tile, b.index(plan.stages));
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// All copies of all threads are there.
void TileKernel::waitForCopies() {
  WaitCopiesOp::create(b);
  if (plan.readsTiles)
    FenceTilesOp::create(b);
  BarrierOp::create(b);
}

/// `plan.keyTile` rows from `row` of the keys or values of every head, and of
/// their `columns` columns those from `first` on.
void TileKernel::copyHeads(Value source, Value dest, Value slot, Value row,
                           int64_t first, int64_t columns) {
  int64_t count = std::min(plan.columnsOfStage(columns), columns - first);
  Value heads = memref::DimOp::create(b, buffers.query, 1);
  Value keyHeads = memref::DimOp::create(b, source, 1);
  Value shared = arith::DivUIOp::create(b, heads, keyHeads);
  for (int64_t head = 0; head < plan.heads; ++head) {
    Value keyHead = arith::DivUIOp::create(b, b.add(head0, head), shared);
    SmallVector<Value> to;
    if (plan.stages > 1)
      to.push_back(slot);
    if (plan.heads > 1)
      to.push_back(b.index(head));
    to.append(plan.readsTiles ? 3 : 2, zero());
    CopyTileOp::create(
        b, source, ValueRange{batch, keyHead, row, b.index(first)}, dest, to,
        keys, ArrayRef<int64_t>{plan.keyTile, count}, plan.readsTiles);
  }
}

void TileKernel::copyKeys(Value tile, int64_t first) {
  copyHeads(buffers.key, keyBuffer, slotOf(tile), b.mul(tile, plan.keyTile),
            first, plan.headDim);
}

void TileKernel::copyValues(Value tile, int64_t trailing, int64_t first) {
  copyHeads(buffers.value, valueBuffer, slotOf(tile),
            b.add(b.mul(tile, plan.keyTile), -trailing), first, plan.valueDim);
}

void TileKernel::replaceStage(function_ref<void()> copy) {
  BarrierOp::create(b);
  copy();
  CommitCopiesOp::create(b);
  waitForCopies();
}

/// What a tile needs, as one group of copies, if there is such a tile.
void TileKernel::copyTilesIf(Value exists, const Sweep &sweep, Value tile) {
  auto branch = scf::IfOp::create(b, exists, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  copyKeys(tile);
  if (sweep.needsValues)
    copyOwnValues(tile, sweep.trailing);
  CommitCopiesOp::create(b);
}

TileKernel::Operand TileKernel::readQuery(int64_t first, int64_t columns) {
  return toOperand(b.read(queryBuffer, at({}, zero(), b.index(first)),
                          b.type({plan.rows, columns}, element)));
}

/// The queries from `queryBegin` on: those before read as zero, so that all
/// that is computed of them is zero or not read.
static Value skipQueries(TileBuilder &b, Value query, Value queryBegin,
                         Value count) {
  auto type = cast<MemRefType>(query.getType());
  SmallVector<OpFoldResult> offsets(4, b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(4, b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, b.getLoc(), query);
  offsets[2] = queryBegin;
  sizes[2] = count;
  auto view = memref::SubViewOp::inferResultType(type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, cast<MemRefType>(view), query, offsets,
                                   sizes, strides);
}

void TileKernel::loadQuery() {
  if (plan.hasManyHeads) {
    if (plan.queryPlacement == QueryPlacement::Registers)
      query = {loadQueries(0, plan.rows, 0, plan.headDim)};
    if (plan.queryPlacement == QueryPlacement::Workgroup)
      stageQueries();
    return;
  }
  queryBuffer =
      b.workgroupBuffer(1, {plan.rows, paddedRow(plan.headDim)}, element);
  Value source = buffers.query, row = firstRow, count = queries;
  if (plan.hasSequences) {
    count = b.sub(queries, queryBegin);
    row = b.sub(firstRow, queryBegin);
    source = skipQueries(b, source, queryBegin, count);
  }
  for (int64_t head = 0; head < plan.heads; ++head) {
    SmallVector<Value> to;
    if (plan.heads > 1)
      to.push_back(b.index(head));
    to.append({zero(), zero()});
    CopyTileOp::create(
        b, source, ValueRange{batch, b.add(head0, head), row, zero()},
        queryBuffer, to, count, ArrayRef<int64_t>{plan.rows, plan.headDim},
        /*panels=*/false);
  }
  CommitCopiesOp::create(b);
  waitForCopies();
  if (plan.queryPlacement == QueryPlacement::Workgroup)
    return;
  query = readQuery(0, plan.headDim);
  // The memory is used for something else from here on.
  BarrierOp::create(b);
}

//===----------------------------------------------------------------------===//
// Sweeps over the keys
//===----------------------------------------------------------------------===//

SmallVector<Value> TileKernel::emitSweep(const Sweep &sweep, ValueRange init,
                                         SweepBody body) {
  // Keys before the first one read as zero.
  if (plan.hasManyHeads)
    beginScores(sweep);
  for (StepState *state : sweep.steps)
    if (isa<KeyQueryConvOp>(state->plan->op) && !plan.hasManyHeads)
      for (Value buffer : state->buffers)
        fillZero(buffer);
  // Without copies no tile begins with a barrier.
  if (plan.hasManyHeads)
    BarrierOp::create(b);
  Value first = zero();
  if (plan.hasSequences)
    first = arith::DivUIOp::create(b, keyBegin, b.index(plan.keyTile));
  // The last results trail, so that more tiles may follow the last keys.
  Value end = b.add(tileKeyEnd, sweep.trailing);
  Value isEmpty = b.compare(arith::CmpIPredicate::eq, tileKeyEnd, keyBegin);
  Value tiles =
      arith::SelectOp::create(b, isEmpty, first, b.ceilDiv(end, plan.keyTile));
  takeSplit(sweep, first, tiles);
  if (plan.isAhead)
    return emitAhead(sweep, first, tiles, init, body);
  if (plan.hasManyHeads && !plan.hasSequences)
    findBoundary();
  bool hasCopies = !plan.hasManyHeads, overlaps = plan.stages > 1;
  // A copy that no tile waits for would be under way in the next sweep.
  if (overlaps)
    copyTilesIf(b.compare(arith::CmpIPredicate::ne, tiles, first), sweep,
                first);
  auto loop = scf::ForOp::create(b, first, tiles, b.index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value tile = loop.getInductionVar();
  if (overlaps) {
    waitForCopies();
    Value next = b.add(tile, 1);
    copyTilesIf(b.compare(arith::CmpIPredicate::slt, next, tiles), sweep, next);
  } else if (hasCopies) {
    replaceStage([&] { copyKeys(tile); });
  }
  Value scores = beginProduct(tile);
  if (plan.stages == 1 && sweep.needsValues && hasCopies) {
    // The values take the place of the keys.
    BarrierOp::create(b);
    copyOwnValues(tile, sweep.trailing);
    CommitCopiesOp::create(b);
  }
  int64_t trailing = 0;
  scores = finishSteps(beginSteps(scaleScores(scores), tile), tile, trailing);
  SmallVector<Value> results =
      body(scores, tile, trailing, loop.getRegionIterArgs());
  if (!hasCopies)
    finishTile();
  scf::YieldOp::create(b, results);
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// The products of the queries and the keys of a tile.
Value TileKernel::beginProduct(Value tile) {
  sharing = Sharing::Heads;
  findPlaces(tile);
  return plan.hasManyHeads
             ? multiplyKeysByHead(tile)
             : multiplyKeys(tile, b.splat(tileType(plan.rows), 0.0));
}

Value TileKernel::scaleScores(Value scores) {
  // The softmax is in base 2, and everything before it is linear.
  std::optional<APFloat> scale = op.getScale();
  double factor = scale ? scale->convertToDouble()
                        : 1.0 / std::sqrt(static_cast<double>(plan.headDim));
  return arith::MulFOp::create(
      b, scores, b.splat(tileType(plan.rows), factor / std::log(2.0)));
}

void TileKernel::emitOneSweep() {
  Sweep sweep{true, plan.trailing(), {}};
  for (StepState &state : before)
    sweep.steps.push_back(&state);
  Value init[] = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0),
                  b.splat(accumulatorType(), 0.0)};
  SmallVector<Value> results = emitSweep(
      sweep, init,
      [&](Value scores, Value tile, int64_t trailing, ValueRange carried) {
        return ifOwnTile(tile, carried, [&] {
          Value own = mask(scores, tile, trailing, true, -kInfinity);
          Statistics statistics{carried[0], carried[1]};
          Value accumulator = carried[2];
          Value weights = updateStatistics(own, statistics, &accumulator);
          accumulator = multiplyValues(weights, tile, accumulator);
          return SmallVector<Value>{statistics.maximum, statistics.sum,
                                    accumulator};
        });
      });
  if (plan.keySplits > 1)
    return storePartials({results[0], results[1]}, results[2]);
  storeNormalized({results[0], results[1]}, results[2]);
}

void TileKernel::storeNormalized(const Statistics &statistics,
                                 Value accumulator) {
  VectorType type = rowsType();
  Value sum = statistics.sum;
  Value nothing = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum,
                                        b.splat(type, 0.0));
  Value inverse = arith::DivFOp::create(b, b.splat(type, 1.0), sum);
  inverse = arith::SelectOp::create(b, nothing, b.splat(type, 0.0), inverse);
  if (plan.endsInRows(plan.before)) {
    sharing = Sharing::Rows;
    inverse = statisticByHead(inverse);
  }
  storeOutput(arith::MulFOp::create(
      b, accumulator, b.broadcastRows(inverse, accumulatorType())));
  if (buffers.logSumExp)
    storeLogSumExp(statistics);
}

TileKernel::Statistics TileKernel::emitStatisticsSweep() {
  Sweep sweep{false, plan.trailingBefore(), {}};
  for (StepState &state : before)
    sweep.steps.push_back(&state);
  Value init[] = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0)};
  SmallVector<Value> results = emitSweep(
      sweep, init,
      [&](Value scores, Value tile, int64_t trailing, ValueRange carried) {
        return ifOwnTile(tile, carried, [&] {
          Value own = mask(scores, tile, trailing, false, -kInfinity);
          Statistics statistics{carried[0], carried[1]};
          updateStatistics(own, statistics, nullptr);
          return SmallVector<Value>{statistics.maximum, statistics.sum};
        });
      });
  // The next sweep writes what others may still read.
  BarrierOp::create(b);
  return {results[0], results[1]};
}

/// exp2(score - offset) is the weight. A row without keys has none, and neither
/// has one before the first query of its sequence, which a convolution reads as
/// zero.
Value TileKernel::weightsOffset(const Statistics &statistics) {
  Value logSum = math::Log2Op::create(b, statistics.sum);
  Value offset =
      arith::AddFOp::create(b, finiteMaximum(statistics.maximum), logSum);
  Value nothing = arith::CmpFOp::create(
      b, arith::CmpFPredicate::OEQ, statistics.sum, b.splat(rowsType(), 0.0));
  int64_t rows = plan.softmaxRows;
  if (mayBeBefore(rows)) {
    VectorType type = VectorType::get({rows}, b.getIndexType());
    Value row = b.add(b.step(rows, 0, 1),
                      vector::BroadcastOp::create(b, type, firstOf(rows)));
    Value begin = vector::BroadcastOp::create(b, type, queryBegin);
    Value isBefore = b.compare(arith::CmpIPredicate::slt, row, begin);
    nothing = arith::OrIOp::create(
        b, nothing, b.broadcast(isBefore, b.type({rows}, b.getI1Type())));
  }
  return arith::SelectOp::create(b, nothing, b.splat(rowsType(), kInfinity),
                                 offset);
}

void TileKernel::emitWeightsSweep(const Statistics &statistics) {
  Sweep sweep{true, plan.trailing(), {}};
  for (StepState &state : before)
    sweep.steps.push_back(&state);
  for (StepState &state : after)
    sweep.steps.push_back(&state);
  Value offset = weightsOffset(statistics);
  // Registers are for what every tile needs more often than once.
  if (plan.hasManyHeads)
    b.write(offset, statisticsBuffer, {zero(), zero()});
  Value init = b.splat(accumulatorType(), 0.0);
  Value accumulator = emitSweep(
      sweep, init,
      [&](Value scores, Value tile, int64_t trailing, ValueRange carried) {
        scores = mask(scores, tile, trailing, false, -kInfinity);
        Value own = offset;
        if (plan.hasManyHeads)
          own = b.read(statisticsBuffer, {zero(), zero()}, rowsType());
        Value difference = arith::SubFOp::create(
            b, scores, b.broadcastRows(own, tileType(plan.softmaxRows)));
        Value weights =
            applySteps(after, exp2(difference), tile, trailing, true);
        bool spread = llvm::any_of(after, [](const StepState &state) {
          return isa<KeyQueryConvOp>(state.plan->op);
        });
        if (spread)
          weights = mask(weights, tile, trailing, true, 0.0);
        return ifOwnTile(tile, carried, [&] {
          return SmallVector<Value>{multiplyValues(weights, tile, carried[0])};
        });
      })[0];
  if (plan.keySplits > 1)
    storePartialOutput(accumulator);
  else
    storeOutput(accumulator);
}

/// Buffers of keys and values. With 1 stage they are one, whose rows may have
/// another distance for keys than for values.
void TileKernel::allocateTiles() {
  auto tile = [&](int64_t columns, int64_t row) {
    return plan.readsTiles
               ? b.workgroupBuffer(plan.stages,
                                   {columns / 8, paddedPanel(plan.keyTile), 8},
                                   element)
               : b.workgroupBuffer(plan.stages, {plan.keyTile, row}, element);
  };
  int64_t keyRow = plan.keyRow(), valueRow = plan.valueRow();
  if (plan.stages > 1) {
    keyBuffer = tile(plan.headDim, keyRow);
    valueBuffer = tile(plan.valueDim, valueRow);
    return;
  }
  int64_t longer = std::max(keyRow, valueRow);
  Value buffer = tile(std::max(plan.headDim, plan.valueDim), longer);
  auto withRows = [&](int64_t row) -> Value {
    // Any distance is good for rows that ldmatrix reads.
    if (row == longer || !isF32())
      return buffer;
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<int64_t> sizes(type.getShape());
    sizes.back() = row;
    SmallVector<int64_t> strides = {row, 1};
    if (plan.heads > 1)
      strides.insert(strides.begin(), plan.keyTile * longer);
    auto view = MemRefType::get(
        sizes, element, StridedLayoutAttr::get(b.getContext(), 0, strides),
        type.getMemorySpace());
    return memref::ReinterpretCastOp::create(b, view, buffer, 0, sizes,
                                             strides);
  };
  keyBuffer = withRows(keyRow);
  valueBuffer = withRows(valueRow);
}

void TileKernel::prepare(Value tile, Value tiles, Value group, Value batch,
                         ArrayRef<StepPlan> after) {
  locateSplit(tile, tiles);
  locate(tile, tiles, group, batch);
  loadQuery();
  prepareSteps(after);
  if (!plan.hasManyHeads)
    allocateTiles();
}

void TileKernel::build(Value tile, Value tiles, Value group, Value batch) {
  prepare(tile, tiles, group, batch, plan.after);
  if (!plan.hasTwoSweeps())
    return emitOneSweep();
  Statistics statistics =
      plan.keySplits > 1 ? readPartialStatistics() : emitStatisticsSweep();
  if (buffers.logSumExp)
    storeLogSumExpOnce(statistics);
  emitWeightsSweep(statistics);
}

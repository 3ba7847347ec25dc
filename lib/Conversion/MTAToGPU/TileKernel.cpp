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

#include "mlir/Dialect/Linalg/IR/Linalg.h"
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
  tileKeyEnd = keys;
  Value rows = vector::BroadcastOp::create(
      b, VectorType::get({plan.rows}, b.getIndexType()), keys);
  if (isCausal()) {
    tileKeyEnd = b.max(b.min(b.add(rowEnd, shift), keys), zero());
    Value step = b.step(plan.rows, 0, 1);
    Value first = vector::BroadcastOp::create(b, rows.getType(),
                                              b.add(b.add(firstRow, shift), 1));
    Value none = vector::BroadcastOp::create(b, rows.getType(), zero());
    rows = b.max(b.min(b.add(step, first), rows), none);
  }
  keyEnds = rows;
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
static void waitForCopies(TileBuilder &b) {
  WaitCopiesOp::create(b);
  BarrierOp::create(b);
}

/// `plan.keyTile` rows from `row` of the keys or values of every head.
void TileKernel::copyHeads(Value source, Value dest, Value slot, Value row,
                           int64_t columns) {
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
    to.append({zero(), zero()});
    CopyTileOp::create(b, source, ValueRange{batch, keyHead, row, zero()}, dest,
                       to, keys, ArrayRef<int64_t>{plan.keyTile, columns});
  }
}

void TileKernel::copyKeys(Value tile) {
  copyHeads(buffers.key, keyBuffer, slotOf(tile), b.mul(tile, plan.keyTile),
            plan.headDim);
}

void TileKernel::copyValues(Value tile, int64_t trailing) {
  copyHeads(buffers.value, valueBuffer, slotOf(tile),
            b.add(b.mul(tile, plan.keyTile), -trailing), plan.valueDim);
}

/// What a tile needs, as one group of copies, if there is such a tile.
void TileKernel::copyTilesIf(Value exists, const Sweep &sweep, Value tile) {
  auto branch = scf::IfOp::create(b, exists, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  copyKeys(tile);
  if (sweep.needsValues)
    copyValues(tile, sweep.trailing);
  CommitCopiesOp::create(b);
}

Value TileKernel::readQuery() {
  return b.read(queryBuffer, at({}, zero(), zero()),
                b.type({plan.rows, plan.headDim}, element));
}

void TileKernel::loadQuery() {
  if (plan.hasManyHeads) {
    if (plan.queryPlacement == QueryPlacement::Registers)
      query = loadQueries(0, plan.rows, 0, plan.headDim);
    return;
  }
  queryBuffer =
      b.workgroupBuffer(1, {plan.rows, paddedRow(plan.headDim)}, element);
  for (int64_t head = 0; head < plan.heads; ++head) {
    SmallVector<Value> to;
    if (plan.heads > 1)
      to.push_back(b.index(head));
    to.append({zero(), zero()});
    CopyTileOp::create(b, buffers.query,
                       ValueRange{batch, b.add(head0, head), firstRow, zero()},
                       queryBuffer, to, queries,
                       ArrayRef<int64_t>{plan.rows, plan.headDim});
  }
  CommitCopiesOp::create(b);
  waitForCopies(b);
  if (plan.queryPlacement == QueryPlacement::Workgroup)
    return;
  query = readQuery();
  // The memory is used for something else from here on.
  BarrierOp::create(b);
}

//===----------------------------------------------------------------------===//
// Sweeps over the keys
//===----------------------------------------------------------------------===//

SmallVector<Value> TileKernel::emitSweep(
    const Sweep &sweep, ValueRange init,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  // Keys before the first one read as zero.
  for (StepState *state : sweep.steps)
    if (isa<KeyQueryConvOp>(state->plan->op))
      for (Value buffer : state->buffers) {
        Value none =
            arith::ConstantOp::create(b, b.getZeroAttr(b.getF16Type()));
        linalg::FillOp::create(b, none, buffer);
      }
  if (plan.hasManyHeads)
    BarrierOp::create(b);
  // The last results trail, so that more tiles may follow the last keys.
  Value end = b.add(tileKeyEnd, sweep.trailing);
  Value isEmpty = b.compare(arith::CmpIPredicate::eq, tileKeyEnd, zero());
  Value tiles =
      arith::SelectOp::create(b, isEmpty, zero(), b.ceilDiv(end, plan.keyTile));
  bool overlaps = plan.stages > 1;
  // A copy that no tile waits for would be under way in the next sweep.
  if (overlaps)
    copyTilesIf(b.compare(arith::CmpIPredicate::ne, tiles, zero()), sweep,
                zero());
  auto loop = scf::ForOp::create(b, zero(), tiles, b.index(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value tile = loop.getInductionVar();
  if (plan.hasManyHeads) {
    SmallVector<Value> results = body(tile, loop.getRegionIterArgs());
    finishTile();
    scf::YieldOp::create(b, results);
    return llvm::to_vector_of<Value>(loop.getResults());
  }
  if (overlaps) {
    waitForCopies(b);
    Value next = b.add(tile, 1);
    copyTilesIf(b.compare(arith::CmpIPredicate::slt, next, tiles), sweep, next);
  } else {
    BarrierOp::create(b);
    copyKeys(tile);
    CommitCopiesOp::create(b);
    waitForCopies(b);
  }
  scf::YieldOp::create(b, body(tile, loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

Value TileKernel::multiplyKeys(Value tile) {
  SmallVector<Value> leading;
  if (plan.stages > 1)
    leading.push_back(slotOf(tile));
  Value key = b.read(keyBuffer, at(leading, zero(), zero()),
                     b.type({plan.keyTile, plan.headDim}, element));
  return b.contract(query ? query : readQuery(), key,
                    b.splat(tileType(plan.rows), 0.0), /*rhsTransposed=*/true);
}

/// The scores of a tile. With `valueTrailing`, its values, which trail by as
/// much, are needed later.
Value TileKernel::computeScores(Value tile,
                                std::optional<int64_t> valueTrailing) {
  split = Split::Heads;
  VectorType type = tileType(plan.rows);
  Value scores =
      plan.hasManyHeads ? multiplyKeysByHead(tile) : multiplyKeys(tile);
  if (plan.stages == 1 && valueTrailing && !plan.hasManyHeads) {
    // The values take the place of the keys.
    BarrierOp::create(b);
    copyValues(tile, *valueTrailing);
    CommitCopiesOp::create(b);
  }
  // The softmax is in base 2, and everything before it is linear.
  std::optional<APFloat> scale = op.getScale();
  double factor = scale ? scale->convertToDouble()
                        : 1.0 / std::sqrt(static_cast<double>(plan.headDim));
  return arith::MulFOp::create(b, scores,
                               b.splat(type, factor / std::log(2.0)));
}

Value TileKernel::multiplyValues(Value weights, Value tile, Value accumulator) {
  if (plan.hasManyHeads)
    return multiplyValuesByHead(weightsByHead(weights), tile, accumulator);
  SmallVector<Value> leading;
  if (plan.stages > 1)
    leading.push_back(slotOf(tile));
  else
    waitForCopies(b);
  Value value = b.read(valueBuffer, at(leading, zero(), zero()),
                       b.type({plan.keyTile, plan.valueDim}, element));
  return b.contract(b.convert(weights, element), value, accumulator,
                    /*rhsTransposed=*/false);
}

void TileKernel::emitOneSweep() {
  Sweep sweep{true, plan.trailing(), {}};
  for (StepState &state : before)
    sweep.steps.push_back(&state);
  Value init[] = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0),
                  b.splat(accumulatorType(), 0.0)};
  SmallVector<Value> results =
      emitSweep(sweep, init, [&](Value tile, ValueRange carried) {
        int64_t trailing = 0;
        Value scores = computeScores(tile, sweep.trailing);
        scores = applySteps(before, scores, tile, trailing, false);
        scores = mask(scores, tile, trailing, true, -kInfinity);
        Statistics statistics{carried[0], carried[1]};
        Value accumulator = carried[2];
        Value weights = updateStatistics(scores, statistics, &accumulator);
        accumulator = multiplyValues(weights, tile, accumulator);
        return SmallVector<Value>{statistics.maximum, statistics.sum,
                                  accumulator};
      });
  VectorType type = rowsType();
  Value sum = results[1];
  Value nothing = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum,
                                        b.splat(type, 0.0));
  Value inverse = arith::DivFOp::create(b, b.splat(type, 1.0), sum);
  inverse = arith::SelectOp::create(b, nothing, b.splat(type, 0.0), inverse);
  if (plan.endsInRows(plan.before)) {
    split = Split::Rows;
    inverse = statisticByHead(inverse);
  }
  storeOutput(arith::MulFOp::create(
      b, results[2], b.broadcastRows(inverse, accumulatorType())));
  if (buffers.logSumExp)
    storeLogSumExp({results[0], sum});
}

TileKernel::Statistics TileKernel::emitStatisticsSweep() {
  Sweep sweep{false, plan.trailingBefore(), {}};
  for (StepState &state : before)
    sweep.steps.push_back(&state);
  Value init[] = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0)};
  SmallVector<Value> results =
      emitSweep(sweep, init, [&](Value tile, ValueRange carried) {
        int64_t trailing = 0;
        Value scores = computeScores(tile, std::nullopt);
        scores = applySteps(before, scores, tile, trailing, false);
        scores = mask(scores, tile, trailing, false, -kInfinity);
        Statistics statistics{carried[0], carried[1]};
        updateStatistics(scores, statistics, nullptr);
        return SmallVector<Value>{statistics.maximum, statistics.sum};
      });
  // The next sweep writes what others may still read.
  BarrierOp::create(b);
  return {results[0], results[1]};
}

/// exp2(score - offset) is the weight. A row without keys has none, and neither
/// has one before the first query, which a convolution reads as zero.
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
    Value none = vector::BroadcastOp::create(b, type, zero());
    Value isBefore = b.compare(arith::CmpIPredicate::slt, row, none);
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
  if (plan.hasManyHeads)
    b.write(offset, statisticsBuffer, {zero(), zero()});
  Value init = b.splat(accumulatorType(), 0.0);
  Value accumulator =
      emitSweep(sweep, init, [&](Value tile, ValueRange carried) {
        int64_t trailing = 0;
        Value scores = computeScores(tile, sweep.trailing);
        scores = applySteps(before, scores, tile, trailing, false);
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
        return SmallVector<Value>{multiplyValues(weights, tile, carried[0])};
      })[0];
  storeOutput(accumulator);
}

void TileKernel::build(Value tile, Value tiles, Value group, Value batch) {
  locate(tile, tiles, group, batch);
  loadQuery();
  prepareSteps();
  if (!plan.hasManyHeads)
    allocateKeysAndValues();
  if (!plan.hasTwoSweeps())
    return emitOneSweep();
  Statistics statistics = emitStatisticsSweep();
  if (buffers.logSumExp)
    storeLogSumExp(statistics);
  emitWeightsSweep(statistics);
}

void TileKernel::allocateKeysAndValues() {
  int64_t keyRow = paddedRow(plan.headDim);
  int64_t valueRow = paddedRow(plan.valueDim);
  if (plan.stages == 1)
    keyRow = valueRow = std::max(keyRow, valueRow);
  keyBuffer = b.workgroupBuffer(plan.stages, {plan.keyTile, keyRow}, element);
  valueBuffer =
      plan.stages == 1
          ? keyBuffer
          : b.workgroupBuffer(plan.stages, {plan.keyTile, valueRow}, element);
}

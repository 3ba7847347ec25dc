//===- TileAttention.cpp - Attention as loops over tiles --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     pack q, k, v
//     forall (batch, group of heads, tile of queries)
//       for tile of keys: scores, running maximum, sum and accumulator
//     or, in two sweeps,
//       for tile of keys: scores, running maximum and sum
//       for tile of keys: scores, probabilities, weights, accumulator
//     output tile = epilogues of accumulator / sum
//
// A sweep is one loop, in which tiles branch around the mask, or two:
//
//     for whole tiles of keys that all rows may read: no mask
//     for narrower tiles at both ends of the keys: masked
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"
#include "OnlineSoftmax.h"
#include "PackOperands.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mta {
#define GEN_PASS_DEF_TILEATTENTIONPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;
using namespace mta::builders;

namespace {

/// Emits the loops of one attention.
class TiledAttention {
public:
  TiledAttention(ImplicitLocOpBuilder &builder, AttentionOp op,
                 const TilePlan &plan, Epilogue &epilogue)
      : builder(builder), op(op), plan(plan),
        element(op.getScoreType().getElementType()), epilogue(epilogue),
        operands(packOperands(builder, op, plan)) {}

  /// The output and, if asked for, the log-sum-exp.
  SmallVector<Value> build();

private:
  void buildTile(ValueRange induction, ValueRange outputs);
  TilePosition locate(ValueRange induction);

  std::pair<RowStatistics, Value> buildOneSweep(TileProgram &tile);
  RowStatistics buildStatisticsSweep(TileProgram &tile);
  Value buildWeightsSweep(TileProgram &tile, const RowStatistics &statistics);
  Value rowsOfTile(Value rows);
  void insertTile(Value tile, Value output, const TilePosition &position);

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }
  int64_t valueColumns() {
    return cast<RankedTensorType>(operands.value.getType()).getDimSize(3);
  }

  ImplicitLocOpBuilder &builder;
  AttentionOp op;
  const TilePlan &plan;
  Type element;
  Epilogue &epilogue;
  PackedOperands operands;
};

} // namespace

//===----------------------------------------------------------------------===//
// Sweeps over the keys
//===----------------------------------------------------------------------===//

/// Updates the values a loop over the keys carries.
using StepBody =
    function_ref<SmallVector<Value>(const TileStep &step, ValueRange carried)>;

/// for key in [begin, end) step `width`: carried <- body(key, carried).
static SmallVector<Value>
forKeys(ImplicitLocOpBuilder &builder, Value begin, Value end, int64_t width,
        ValueRange init,
        function_ref<SmallVector<Value>(Value key, ValueRange carried)> body) {
  Value step = arith::ConstantIndexOp::create(builder, width);
  auto loop = scf::ForOp::create(builder, begin, end, step, init);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(builder,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// The loop over the keys at both ends: [begin, inner) and [innerEnd, end), in
/// one, which leaps over the keys in between.
static SmallVector<Value> forEdges(ImplicitLocOpBuilder &builder,
                                   const KeyRange &range,
                                   const SweepPlan &sweep, ValueRange init,
                                   StepBody body) {
  if (range.begin == range.inner)
    return forKeys(builder, range.innerEnd, range.end, sweep.keyTile, init,
                   [&](Value key, ValueRange carried) {
                     return body({sweep, key, Masking::Always}, carried);
                   });
  Value leap = arith::SubIOp::create(builder, range.innerEnd, range.inner);
  Value end = arith::SubIOp::create(builder, range.end, leap);
  return forKeys(builder, range.begin, end, sweep.keyTile, init,
                 [&](Value key, ValueRange carried) {
                   Value isBeyond = arith::CmpIOp::create(
                       builder, arith::CmpIPredicate::sge, key, range.inner);
                   Value beyond = arith::AddIOp::create(builder, key, leap);
                   Value column0 =
                       arith::SelectOp::create(builder, isBeyond, beyond, key);
                   return body({sweep, column0, Masking::Always}, carried);
                 });
}

/// One sweep over the keys that the rows of a tile may read.
static SmallVector<Value> sweepKeys(ImplicitLocOpBuilder &builder,
                                    TileProgram &tile, const SweepPlans &sweeps,
                                    ValueRange init, StepBody body) {
  const SweepPlan &main = sweeps.main;
  KeyRange range = tile.keyRange(main);
  if (!tile.getPlan().schedule.hasEdgeLoop())
    return forKeys(builder, range.begin, range.end, main.keyTile, init,
                   [&](Value column0, ValueRange carried) {
                     return body({main, column0, Masking::AtBoundaries},
                                 carried);
                   });
  SmallVector<Value> carried =
      forKeys(builder, range.inner, range.innerEnd, main.keyTile, init,
              [&](Value column0, ValueRange carried) {
                return body({main, column0, Masking::Never}, carried);
              });
  return forEdges(builder, range, sweeps.edge, carried, body);
}

std::pair<RowStatistics, Value>
TiledAttention::buildOneSweep(TileProgram &tile) {
  RowStatistics start = initialStatistics(tile, element, plan.queryTile);
  Value accumulator =
      tile.filled({plan.heads, plan.queryTile, valueColumns()}, 0.0);
  SmallVector<Value> results = sweepKeys(
      builder, tile, plan.statistics, {start.maximum, start.sum, accumulator},
      [&](const TileStep &step, ValueRange carried) {
        Value scores = tile.computeScores(step);
        StatisticsStep update = addToStatistics(builder, tile, step, scores,
                                                {carried[0], carried[1]});
        Value sums = tile.scaleRows(carried[2], update.correction);
        sums = tile.accumulate(step, sums, update.exponentials);
        return SmallVector<Value>{update.statistics.maximum,
                                  update.statistics.sum, sums};
      });
  return {{results[0], results[1]}, results[2]};
}

RowStatistics TiledAttention::buildStatisticsSweep(TileProgram &tile) {
  int64_t rows = plan.statistics.main.result().rows;
  RowStatistics start = initialStatistics(tile, element, rows);
  SmallVector<Value> results =
      sweepKeys(builder, tile, plan.statistics, {start.maximum, start.sum},
                [&](const TileStep &step, ValueRange carried) {
                  Value scores = tile.computeScores(step);
                  RowStatistics statistics =
                      addToStatistics(builder, tile, step, scores,
                                      {carried[0], carried[1]})
                          .statistics;
                  return SmallVector<Value>{statistics.maximum, statistics.sum};
                });
  return {results[0], results[1]};
}

Value TiledAttention::buildWeightsSweep(TileProgram &tile,
                                        const RowStatistics &statistics) {
  Value init = tile.filled({plan.heads, plan.queryTile, valueColumns()}, 0.0);
  Value inverse = reciprocal(builder, statistics.sum);
  return sweepKeys(
      builder, tile, plan.weights, init,
      [&](const TileStep &step, ValueRange carried) {
        Value scores = tile.computeScores(step);
        Value weights = exponentials(tile, step, scores, statistics.maximum);
        weights = tile.scaleRows(weights, inverse);
        weights = tile.computeWeights(step, weights);
        return SmallVector<Value>{tile.accumulate(step, carried[0], weights)};
      })[0];
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// The rows of `tile` that exist go to their place in `output`, converted to
/// its element type.
void TiledAttention::insertTile(Value tile, Value output,
                                const TilePosition &position) {
  auto outputType = cast<RankedTensorType>(output.getType());
  int64_t rank = outputType.getRank();
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  Value valid = arith::SubIOp::create(builder, position.rowEnd, position.row0);
  SmallVector<OpFoldResult> sizes = {builder.getIndexAttr(plan.heads), valid};
  if (rank == 4)
    sizes.push_back(tensor::getMixedSize(builder, builder.getLoc(), output, 3));
  SmallVector<OpFoldResult> offsets(sizes.size(), zero);
  SmallVector<OpFoldResult> strides(sizes.size(), one);
  // Converted first: every loop inside of a tile has static bounds.
  tile = convertTensor(builder, tile, outputType.getElementType());
  Value rows =
      tensor::ExtractSliceOp::create(builder, tile, offsets, sizes, strides);

  Value head =
      arith::MulIOp::create(builder, position.group, constant(plan.heads));
  Value row =
      arith::SubIOp::create(builder, position.row0,
                            constant(static_cast<int64_t>(op.getQueryHalo())));
  SmallVector<OpFoldResult> outputOffsets = {position.batch, head, row};
  outputOffsets.resize(rank, zero);
  sizes.insert(sizes.begin(), one);
  SmallVector<OpFoldResult> outputStrides(rank, one);
  auto parallel = cast<scf::ForallOp>(builder.getBlock()->getParentOp());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(parallel.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(builder, rows, output, outputOffsets,
                                        sizes, outputStrides);
}

TilePosition TiledAttention::locate(ValueRange induction) {
  TilePosition position;
  position.batch = induction[0];
  position.group = induction[1];
  if (operands.tileBegin) {
    auto at = [&](Value tensor, Value index) -> Value {
      return tensor::ExtractOp::create(builder, tensor, index);
    };
    position.row0 = at(operands.tileBegin, induction[2]);
    position.rowEnd = at(operands.tileEnd, induction[2]);
    int64_t padding = plan.padding().rowsBefore;
    Value row =
        arith::AddIOp::create(builder, position.row0, constant(padding));
    position.queryBegin = at(operands.queryBegin, row);
    return position;
  }
  Value tileRow =
      arith::MulIOp::create(builder, induction[2], constant(plan.queryTile));
  position.row0 = arith::AddIOp::create(
      builder, tileRow, constant(static_cast<int64_t>(op.getQueryHalo())));
  Value end =
      arith::AddIOp::create(builder, position.row0, constant(plan.queryTile));
  Value queries = tensor::DimOp::create(builder, op.getQuery(), 2);
  position.rowEnd = arith::MinSIOp::create(builder, end, queries);
  position.queryBegin = constant(0);
  return position;
}

/// The rows of the tile itself, of heads x rows with rows above it.
Value TiledAttention::rowsOfTile(Value rows) {
  int64_t above = plan.statistics.main.result().rowsBefore;
  OpFoldResult offsets[] = {builder.getIndexAttr(0),
                            builder.getIndexAttr(above)};
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(
      builder.getContext(), {plan.heads, plan.queryTile});
  SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(builder, rows, offsets, sizes, strides);
}

void TiledAttention::buildTile(ValueRange induction, ValueRange outputs) {
  TilePosition position = locate(induction);
  TileProgram tile(builder, op, plan, operands, position);
  RowStatistics statistics;
  Value accumulator;
  if (plan.hasTwoSweeps()) {
    statistics = buildStatisticsSweep(tile);
    accumulator = buildWeightsSweep(tile, statistics);
  } else {
    std::tie(statistics, accumulator) = buildOneSweep(tile);
  }
  Value logSum;
  if (op.getLogSumExp())
    logSum = rowsOfTile(logSumExp(builder, statistics));
  if (!plan.hasTwoSweeps())
    accumulator =
        tile.scaleRows(accumulator, reciprocal(builder, statistics.sum));
  insertTile(epilogue.apply(builder, accumulator), outputs[0], position);
  if (logSum)
    insertTile(logSum, outputs[1], position);
}

SmallVector<Value> TiledAttention::build() {
  Location loc = builder.getLoc();
  epilogue.pack(builder, valueColumns());
  ReifiedRankedShapedTypeDims shapes;
  (void)op.reifyResultShapes(builder, shapes);
  SmallVector<Value> init = {
      emptyTensor(builder, shapes[0],
                  getElementTypeOrSelf(epilogue.getResult().getType()))};
  if (op.getLogSumExp())
    init.push_back(emptyTensor(
        builder, shapes[1], getElementTypeOrSelf(op.getLogSumExp().getType())));

  AffineExpr size = builder.getAffineSymbolExpr(0);
  auto count = [&](OpFoldResult total, int64_t tile) {
    return affine::makeComposedFoldedAffineApply(builder, loc,
                                                 size.ceilDiv(tile), {total});
  };
  SmallVector<OpFoldResult> bounds = {shapes[0][0],
                                      count(shapes[0][1], plan.heads),
                                      count(shapes[0][2], plan.queryTile)};
  if (operands.tileBegin)
    bounds[2] = tensor::getMixedSize(builder, loc, operands.tileBegin, 0);
  auto forall = scf::ForallOp::create(builder, bounds, init,
                                      /*mapping=*/std::nullopt);
  forall->setDiscardableAttr(MTADialect::getScheduleAttrName(), plan.schedule);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forall.getBody());
  builder.setInsertionPoint(forall.getTerminator());
  buildTile(forall.getInductionVars(), forall.getRegionIterArgs());
  return llvm::to_vector_of<Value>(forall.getResults());
}

namespace {
struct TileAttentionPass : mta::impl::TileAttentionPassBase<TileAttentionPass> {
  using TileAttentionPassBase::TileAttentionPassBase;

  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation()->walk([&](AttentionOp op) { attentions.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : attentions)
      if (failed(tile(rewriter, op)))
        return signalPassFailure();
  }

private:
  static LogicalResult tile(IRRewriter &rewriter, AttentionOp op) {
    ScheduleAttr schedule = op.getScheduleAttr();
    if (!schedule)
      return op.emitOpError("expects a schedule; run mta-choose-schedule");
    FailureOr<TilePlan> plan = planTiles(op, schedule);
    if (failed(plan))
      return failure();
    Epilogue epilogue(op);
    rewriter.setInsertionPoint(op);
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    SmallVector<Value> tiled =
        TiledAttention(builder, op, *plan, epilogue).build();
    SmallVector<Value> results = {epilogue.getResult()};
    if (op.getLogSumExp())
      results.push_back(op.getLogSumExp());
    for (auto [value, result] : llvm::zip_equal(tiled, results)) {
      if (value.getType() != result.getType())
        value = tensor::CastOp::create(builder, result.getType(), value);
      rewriter.replaceAllUsesWith(result, value);
    }
    for (Operation *fused : llvm::reverse(epilogue.getOps()))
      rewriter.eraseOp(fused);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

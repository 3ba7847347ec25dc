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
//     or, where something follows the softmax,
//       for tile of keys: scores, running maximum and sum
//       for tile of keys: scores, probabilities, weights, accumulator
//     output tile = accumulator / sum
//
//===----------------------------------------------------------------------===//

#include "PackOperands.h"
#include "TileProgram.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

namespace mta {
#define GEN_PASS_DEF_TILEATTENTIONPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;
using namespace mta::builders;

namespace {

/// The running statistics of a softmax in base 2: rows of heads x rows.
struct RowStatistics {
  Value maximum;
  Value sum;
};

/// Emits the loops of one attention.
class TiledAttention {
public:
  TiledAttention(ImplicitLocOpBuilder &builder, AttentionOp op,
                 const TilePlan &plan)
      : builder(builder), op(op), plan(plan),
        element(op.getScoreType().getElementType()),
        operands(packOperands(builder, op, plan)) {}

  /// The output and, if asked for, the log-sum-exp.
  SmallVector<Value> build();

private:
  void buildTile(ValueRange induction, ValueRange outputs);
  TilePosition locate(ValueRange induction);
  RowStatistics updateStatistics(TileProgram &tile, Value scores,
                                 RowStatistics old, Value &correction);
  Value probabilities(TileProgram &tile, Value scores, const TileExtent &extent,
                      Value maximum, Value column0);

  std::pair<RowStatistics, Value> buildOneSweep(TileProgram &tile);
  RowStatistics buildStatisticsSweep(TileProgram &tile);
  Value buildWeightsSweep(TileProgram &tile, const RowStatistics &statistics);
  Value reciprocal(Value sum);
  Value logSumExp(const RowStatistics &statistics);
  void insertTile(Value tile, Value output, const TilePosition &position);

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }
  int64_t valueColumns() {
    return cast<RankedTensorType>(operands.value.getType()).getDimSize(3);
  }
  double lowest() const {
    return element.isF64() ? std::numeric_limits<double>::lowest()
                           : std::numeric_limits<float>::lowest();
  }

  ImplicitLocOpBuilder &builder;
  AttentionOp op;
  const TilePlan &plan;
  Type element;
  PackedOperands operands;
};

} // namespace

//===----------------------------------------------------------------------===//
// Row statistics
//===----------------------------------------------------------------------===//

/// Element by element over heads x rows.
static Value mapRows(ImplicitLocOpBuilder &builder, ValueRange inputs,
                     Value init, Body body) {
  Generic generic(builder, "hi");
  for (Value input : inputs)
    generic.input(input, "h i");
  return generic.output(init, "h i").build(body)[0];
}

/// maximum <- max(maximum, scores); the sum is brought to the new maximum, and
/// so is everything else by `correction`.
RowStatistics TiledAttention::updateStatistics(TileProgram &tile, Value scores,
                                               RowStatistics old,
                                               Value &correction) {
  auto type = cast<RankedTensorType>(old.maximum.getType());
  Value previous =
      linalg::CopyOp::create(builder, old.maximum, tile.empty(type.getShape()))
          .getResult(0);
  Value maximum =
      Generic(builder, "hi", "j")
          .input(scores, "h i j")
          .output(old.maximum, "h i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            return SmallVector<Value>{
                arith::MaximumFOp::create(inner, elements[1], elements[0])};
          })[0];
  correction = mapRows(
      builder, {maximum}, previous,
      [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value difference =
            arith::SubFOp::create(inner, elements[1], elements[0]);
        return SmallVector<Value>{math::Exp2Op::create(inner, difference)};
      });
  Value sum = mapRows(builder, {correction}, old.sum,
                      [&](ImplicitLocOpBuilder &inner, ValueRange elements) {
                        return SmallVector<Value>{arith::MulFOp::create(
                            inner, elements[1], elements[0])};
                      });
  return {maximum, sum};
}

/// sum + the row sums of `probabilities`.
static Value addRowSums(ImplicitLocOpBuilder &builder, Value probabilities,
                        Value sum) {
  return Generic(builder, "hi", "j")
      .input(probabilities, "h i j")
      .output(sum, "h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::AddFOp::create(inner, elements[1], elements[0])};
      })[0];
}

/// exp2(scores - maximum), zero where a pair is not allowed.
Value TiledAttention::probabilities(TileProgram &tile, Value scores,
                                    const TileExtent &extent, Value maximum,
                                    Value column0) {
  return tile.mask(tile.exponentiate(scores, maximum), extent, column0, 0.0);
}

/// 1 / sum, and 0 in a row without an allowed key.
Value TiledAttention::reciprocal(Value sum) {
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

/// (maximum + log2(sum)) ln 2, minus infinity in a row without an allowed key.
Value TiledAttention::logSumExp(const RowStatistics &statistics) {
  Value init = linalg::CopyOp::create(
                   builder, statistics.maximum,
                   emptyTensor(builder,
                               tensor::getMixedSizes(builder, builder.getLoc(),
                                                     statistics.maximum),
                               element))
                   .getResult(0);
  return mapRows(builder, {statistics.sum}, init,
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

//===----------------------------------------------------------------------===//
// Sweeps over the keys
//===----------------------------------------------------------------------===//

/// for column0 over the keys of the tile: init <- body(column0, init).
static SmallVector<Value>
sweep(ImplicitLocOpBuilder &builder, std::pair<Value, Value> keys,
      int64_t keyTile, ValueRange init,
      function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value step = arith::ConstantIndexOp::create(builder, keyTile);
  auto loop = scf::ForOp::create(builder, keys.first, keys.second, step, init);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(builder,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

std::pair<RowStatistics, Value>
TiledAttention::buildOneSweep(TileProgram &tile) {
  const SweepPlan &plan1 = plan.statistics;
  int64_t rows = plan1.result().rows;
  Value init[] = {tile.filled({plan.heads, rows}, lowest()),
                  tile.filled({plan.heads, rows}, 0.0),
                  tile.filled({plan.heads, rows, valueColumns()}, 0.0)};
  SmallVector<Value> results =
      sweep(builder, tile.keyRange(plan1.scores()), plan.keyTile, init,
            [&](Value column0, ValueRange carried) {
              Value scores = tile.computeScores(plan1, column0);
              scores = tile.mask(scores, plan1.result(), column0, lowest());
              Value correction;
              RowStatistics statistics = updateStatistics(
                  tile, scores, {carried[0], carried[1]}, correction);
              Value accumulator = tile.scaleRows(carried[2], correction);
              Value weights = probabilities(tile, scores, plan1.result(),
                                            statistics.maximum, column0);
              statistics.sum = addRowSums(builder, weights, statistics.sum);
              accumulator = tile.accumulate(accumulator, weights, column0);
              return SmallVector<Value>{statistics.maximum, statistics.sum,
                                        accumulator};
            });
  return {{results[0], results[1]}, results[2]};
}

RowStatistics TiledAttention::buildStatisticsSweep(TileProgram &tile) {
  const SweepPlan &plan1 = plan.statistics;
  int64_t rows = plan1.result().rows;
  Value init[] = {tile.filled({plan.heads, rows}, lowest()),
                  tile.filled({plan.heads, rows}, 0.0)};
  SmallVector<Value> results =
      sweep(builder, tile.keyRange(plan1.scores()), plan.keyTile, init,
            [&](Value column0, ValueRange carried) {
              Value scores = tile.computeScores(plan1, column0);
              scores = tile.mask(scores, plan1.result(), column0, lowest());
              Value correction;
              RowStatistics statistics = updateStatistics(
                  tile, scores, {carried[0], carried[1]}, correction);
              Value weights = probabilities(tile, scores, plan1.result(),
                                            statistics.maximum, column0);
              statistics.sum = addRowSums(builder, weights, statistics.sum);
              return SmallVector<Value>{statistics.maximum, statistics.sum};
            });
  return {results[0], results[1]};
}

Value TiledAttention::buildWeightsSweep(TileProgram &tile,
                                        const RowStatistics &statistics) {
  const SweepPlan &plan2 = plan.weights;
  const TileExtent &softmax = plan2.extents[plan.before.size() + 1];
  Value init = tile.filled({plan.heads, plan.queryTile, valueColumns()}, 0.0);
  Value inverse = reciprocal(statistics.sum);
  return sweep(builder, tile.keyRange(plan2.scores()), plan.keyTile, init,
               [&](Value column0, ValueRange carried) {
                 Value scores = tile.computeScores(plan2, column0);
                 Value weights = probabilities(tile, scores, softmax,
                                               statistics.maximum, column0);
                 weights = tile.scaleRows(weights, inverse);
                 weights = tile.computeWeights(plan2, weights, column0);
                 return SmallVector<Value>{
                     tile.accumulate(carried[0], weights, column0)};
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
  Value rows =
      tensor::ExtractSliceOp::create(builder, tile, offsets, sizes, strides);
  rows = convertTensor(builder, rows, outputType.getElementType());

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
    int64_t padding = plan.outputSweep().scores().rowsBefore;
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
  if (op.getLogSumExp()) {
    int64_t before = plan.statistics.result().rowsBefore;
    logSum = logSumExp(statistics);
    OpFoldResult offsets[] = {builder.getIndexAttr(0),
                              builder.getIndexAttr(before)};
    SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(
        builder.getContext(), {plan.heads, plan.queryTile});
    SmallVector<OpFoldResult> strides(2, builder.getIndexAttr(1));
    logSum = tensor::ExtractSliceOp::create(builder, logSum, offsets, sizes,
                                            strides);
  }
  if (!plan.hasTwoSweeps())
    accumulator = tile.scaleRows(accumulator, reciprocal(statistics.sum));
  insertTile(accumulator, outputs[0], position);
  if (logSum)
    insertTile(logSum, outputs[1], position);
}

SmallVector<Value> TiledAttention::build() {
  Location loc = builder.getLoc();
  SmallVector<Value> init;
  ReifiedRankedShapedTypeDims shapes;
  (void)op.reifyResultShapes(builder, shapes);
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), shapes))
    init.push_back(
        emptyTensor(builder, shape, getElementTypeOrSelf(result.getType())));

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
  LogicalResult tile(IRRewriter &rewriter, AttentionOp op) {
    int64_t lanes = vectorBits / op.getScoreType().getElementTypeBitWidth();
    if (lanes < 1 || queryTile < 1 || keyTile < 1 || keyTile % lanes != 0)
      return op.emitOpError("expects tiles of at least 1 query and of whole "
                            "vectors of keys, but got ")
             << queryTile.getValue() << " queries and " << keyTile.getValue()
             << " keys for vectors "
             << "of " << lanes << " scores";
    FailureOr<TilePlan> plan = planTiles(op, queryTile, keyTile, lanes);
    if (failed(plan))
      return failure();
    rewriter.setInsertionPoint(op);
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    SmallVector<Value> results = TiledAttention(builder, op, *plan).build();
    for (auto [value, type] : llvm::zip_equal(results, op->getResultTypes()))
      if (value.getType() != type)
        value = tensor::CastOp::create(builder, type, value);
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

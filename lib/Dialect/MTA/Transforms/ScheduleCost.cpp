//===- ScheduleCost.cpp - What a schedule costs --------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScheduleCost.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

namespace {
/// A maximum, the polynomial of exp2 and a sum.
constexpr double kSoftmax = 12;
constexpr double kRow = 32;
constexpr double kPass = 2;
constexpr double kFarPass = 12;
constexpr double kRescale = 2;
/// The length of sequences that is assumed where it is not known, that of the
/// published models.
constexpr int64_t kUsualLength = 2048;

struct Sizes {
  int64_t queries, keys, dimension, valueDimension, bytes;
  ProcessorCosts processor;
};
} // namespace

static Sizes sizesOf(AttentionOp op, const TilePlan &plan,
                     const ProcessorCosts &processor) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  auto known = [](int64_t size) {
    return ShapedType::isDynamic(size) ? kUsualLength
                                       : std::max<int64_t>(size, 1);
  };
  return {known(query.getDimSize(2)),
          known(value.getDimSize(2)),
          query.getDimSize(3),
          static_cast<int64_t>(llvm::alignTo(value.getDimSize(3), plan.lanes)),
          op.getScoreType().getElementTypeBitWidth() / 8,
          processor};
}

/// Multiply-adds of a score operation for one of its results.
static double taps(ScoreOpInterface scoreOp) {
  return TypeSwitch<Operation *, double>(scoreOp)
      .Case([](KeyQueryConvOp conv) {
        return double(conv.getQueryWindow()) * conv.getKeyWindow() *
               conv.getGroupSize();
      })
      .Case([](HeadMixOp mix) { return double(mix.getGroupSize()); })
      .Default([](Operation *) { return kSoftmax; });
}

static double area(const TileExtent &extent) {
  return double(extent.rows) * extent.columns;
}

/// Writing and reading one value, for one head.
static double passCost(const TilePlan &plan, const Sizes &sizes,
                       const TileExtent &extent) {
  bool isNear =
      area(extent) * plan.heads * sizes.bytes <= sizes.processor.nearBytes;
  return (isNear ? kPass : kFarPass) * area(extent);
}

/// The scores of q·kᵀ and reading the keys, for one head.
static double productCost(const TilePlan &plan, const Sizes &sizes,
                          const TileExtent &scores) {
  if (plan.schedule.getStaging() == Staging::Packed)
    return sizes.dimension * (area(scores) + kFarPass * scores.columns);
  double dimension = llvm::alignTo(sizes.dimension, 2);
  // Without dot products pairs are two multiply-adds.
  double pairCost = sizes.processor.pairCost ? sizes.processor.pairCost : 2;
  double cost =
      dimension * (pairCost / 2 * area(scores) + kFarPass * scores.columns);
  return plan.before.empty() ? cost + passCost(plan, sizes, scores) : cost;
}

/// One step over the keys, for one head.
static double stepCost(AttentionOp op, const TilePlan &plan, const Sizes &sizes,
                       const SweepPlan &sweep, bool isOutput) {
  ArrayRef<TileExtent> extents = sweep.extents;
  double cost = productCost(plan, sizes, extents.front());
  for (const TileExtent &extent : extents)
    cost += passCost(plan, sizes, extent);
  SmallVector<ScoreOpInterface> ops = op.getScoreOps();
  for (size_t index = 1; index < extents.size(); ++index)
    cost += taps(ops[index - 1]) * area(extents[index]);
  // In the plan, a sweep with statistics ends before the softmax.
  bool hasStatistics = extents.size() <= plan.before.size() + 1;
  if (hasStatistics) {
    const TileExtent &softmax = plan.softmax(sweep);
    cost += kSoftmax * area(softmax) + kRow * plan.lanes * softmax.rows;
  }
  if (isOutput)
    cost += sizes.valueDimension * (plan.queryTile + kFarPass) * sweep.keyTile;
  if (!plan.hasTwoSweeps())
    cost += kRescale * sizes.valueDimension * plan.queryTile;
  return cost;
}

/// One sweep of a tile of queries over its keys, for one head.
static double sweepCost(AttentionOp op, const TilePlan &plan,
                        const Sizes &sizes, const SweepPlans &sweeps,
                        bool isOutput) {
  double mainTile = sweeps.main.keyTile, edgeTile = sweeps.edge.keyTile;
  double keys = op.isCausal() ? sizes.keys / 2.0 : sizes.keys;
  double diagonal = op.isCausal() ? plan.queryTile : 0;
  double columns = keys + diagonal / 2 + edgeTile / 2;
  // Not less than the one tile that there is at least.
  columns = std::max(columns, edgeTile);
  double main = stepCost(op, plan, sizes, sweeps.main, isOutput) / mainTile;
  if (!plan.schedule.hasEdgeLoop())
    return columns * main;
  double edges = mainTile / 2 + edgeTile / 2;
  if (op.isCausal())
    edges += diagonal + sweeps.main.scores().rowsBefore;
  edges = std::min(edges, columns);
  double edge = stepCost(op, plan, sizes, sweeps.edge, isOutput) / edgeTile;
  return (columns - edges) * main + edges * edge;
}

/// The largest sum of the areas of a value and the one computed from it.
static double largestPair(const SweepPlan &sweep) {
  double largest = area(sweep.scores());
  for (size_t index = 1; index < sweep.extents.size(); ++index)
    largest = std::max(largest, area(sweep.extents[index - 1]) +
                                    area(sweep.extents[index]));
  return largest;
}

ScheduleCost mta::computeCost(AttentionOp op, const TilePlan &plan,
                              const ProcessorCosts &processor) {
  Sizes sizes = sizesOf(op, plan, processor);
  double tile = 0;
  if (plan.hasTwoSweeps())
    tile += sweepCost(op, plan, sizes, plan.statistics, /*isOutput=*/false);
  tile += sweepCost(op, plan, sizes, plan.outputSweep(), /*isOutput=*/true);
  double tiles = llvm::divideCeil(sizes.queries, plan.queryTile);
  double keys = op.isCausal() ? sizes.keys / 2.0 : sizes.keys;
  double packing =
      kFarPass * (sizes.dimension * (sizes.queries + plan.queryTile) +
                  (sizes.dimension + sizes.valueDimension) *
                      (sizes.keys + plan.schedule.getKeyTile()));
  double pair = largestPair(plan.outputSweep().main);
  return {(tiles * tile + packing) / (sizes.queries * keys),
          static_cast<int64_t>(pair * plan.heads * sizes.bytes)};
}

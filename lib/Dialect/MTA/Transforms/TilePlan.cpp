//===- TilePlan.cpp - Extents of the tiles of a program ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TilePlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

/// The extents of the operand of `ops.front()`, then of the results of `ops`,
/// if the last result is needed for rows from `rowsBefore` above a tile.
static SweepPlan planSweep(ArrayRef<ScoreOpInterface> ops, int64_t rowsBefore,
                           const TilePlan &plan, int64_t keyTile) {
  SweepPlan sweep;
  sweep.keyTile = keyTile;
  TileExtent extent;
  extent.rowsBefore = rowsBefore;
  extent.rows = plan.queryTile + rowsBefore;
  extent.columns = llvm::alignTo(keyTile, plan.lanes);
  sweep.extents.push_back(extent);
  for (ScoreOpInterface op : llvm::reverse(ops)) {
    // The keys a softmax reads are those of its statistics, known by now.
    Neighborhood reads = op.getNeighborhood();
    if (reads.readsAllKeys())
      reads.keysLeft = reads.keysRight = 0;
    extent.rowsBefore += reads.queriesBefore;
    extent.rows += reads.queriesBefore;
    extent.keysLeft += reads.keysLeft;
    extent.keysRight += reads.keysRight;
    extent.columns = llvm::alignTo(
        extent.columns + reads.keysLeft + reads.keysRight, plan.lanes);
    sweep.extents.push_back(extent);
  }
  std::reverse(sweep.extents.begin(), sweep.extents.end());
  return sweep;
}

static SweepPlans planSweeps(ArrayRef<ScoreOpInterface> ops, int64_t rowsBefore,
                             const TilePlan &plan) {
  return {planSweep(ops, rowsBefore, plan, plan.schedule.getKeyTile()),
          planSweep(ops, rowsBefore, plan, plan.schedule.getEdgeKeyTile())};
}

/// Tiles hold windows whole; sizes are added up and multiplied.
static LogicalResult checkWindows(AttentionOp op) {
  constexpr int64_t largest = 65536;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    auto conv = dyn_cast<KeyQueryConvOp>(scoreOp.getOperation());
    if (conv && std::max(conv.getQueryWindow(), conv.getKeyWindow()) > largest)
      return conv.emitOpError("expects a window of at most ")
             << largest << " queries and keys to be tiled, but got "
             << conv.getQueryWindow() << " and " << conv.getKeyWindow();
  }
  return success();
}

FailureOr<TilePlan> mta::planTiles(AttentionOp op, ScheduleAttr schedule) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  if (query.isDynamicDim(3) || value.isDynamicDim(3))
    return op.emitOpError("expects static head dimensions to be tiled, but got "
                          "query and value of type ")
           << query << " and " << value;
  if (op.getNeighborhood().heads == Neighborhood::kUnbounded)
    return op.emitOpError("expects head groups of static size to be tiled");
  if (failed(checkWindows(op)))
    return failure();
  TilePlan plan;
  plan.schedule = schedule;
  plan.queryTile = schedule.getQueryTile();
  plan.lanes = schedule.getLanes();
  plan.heads = schedule.getHeads();
  bool isAfter = false;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    if (isa<SoftmaxOp>(scoreOp))
      isAfter = true;
    else
      (isAfter ? plan.after : plan.before).push_back(scoreOp);
  }
  int64_t rowsBefore = 0;
  for (ScoreOpInterface scoreOp : plan.after)
    rowsBefore += scoreOp.getNeighborhood().queriesBefore;
  plan.statistics = planSweeps(plan.before, rowsBefore, plan);
  if (plan.hasTwoSweeps())
    plan.weights = planSweeps(op.getScoreOps(), 0, plan);
  return plan;
}

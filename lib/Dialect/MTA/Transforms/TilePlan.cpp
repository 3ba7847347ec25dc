//===- TilePlan.cpp - The extents of the tiles of a score program *- C++
//-*-===//
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
                           const TilePlan &plan) {
  SweepPlan sweep;
  TileExtent extent;
  extent.rowsBefore = rowsBefore;
  extent.rows = plan.queryTile + rowsBefore;
  extent.columns = llvm::alignTo(plan.keyTile, plan.lanes);
  sweep.extents.push_back(extent);
  for (ScoreOpInterface op : llvm::reverse(ops)) {
    // The keys a softmax reads are those of its statistics, known by now.
    Neighborhood reads = op.getNeighborhood();
    if (reads.readsAllKeys())
      reads.keysLeft = reads.keysRight = 0;
    extent.rowsBefore += reads.queriesBefore;
    extent.rows += reads.queriesBefore;
    extent.keysLeft += reads.keysLeft;
    extent.columns = llvm::alignTo(
        extent.columns + reads.keysLeft + reads.keysRight, plan.lanes);
    sweep.extents.push_back(extent);
  }
  std::reverse(sweep.extents.begin(), sweep.extents.end());
  return sweep;
}

FailureOr<TilePlan> mta::planTiles(AttentionOp op, int64_t queryTile,
                                   int64_t keyTile, int64_t lanes) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  if (query.isDynamicDim(3) || value.isDynamicDim(3))
    return op.emitOpError("expects static head dimensions to be tiled, but got "
                          "query and value of type ")
           << query << " and " << value;
  TilePlan plan;
  plan.queryTile = queryTile;
  plan.keyTile = keyTile;
  plan.lanes = lanes;
  plan.heads = op.getNeighborhood().heads;
  if (plan.heads == Neighborhood::kUnbounded)
    return op.emitOpError("expects head groups of static size to be tiled");
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
  plan.statistics = planSweep(plan.before, rowsBefore, plan);
  if (plan.hasTwoSweeps())
    plan.weights = planSweep(op.getScoreOps(), 0, plan);
  return plan;
}

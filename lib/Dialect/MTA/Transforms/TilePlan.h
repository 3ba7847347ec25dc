//===- TilePlan.h - The extents of the tiles of a score program -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bounds inference for one tile: going backward from the weights, every score
// operation adds its neighbourhood to what its operand has to cover.
//
//     rowsBefore + queryTile rows
//     keysLeft + keyTile + keysRight columns, rounded up to whole vectors
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPLAN_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPLAN_H

#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta {

/// The part of a score matrix around a tile that one value covers. Columns
/// beyond keysLeft + keyTile + keysRight only fill the last vector; nothing
/// that counts reads them.
struct TileExtent {
  int64_t rowsBefore = 0;
  int64_t keysLeft = 0;
  int64_t keysRight = 0;
  int64_t rows = 0;
  int64_t columns = 0;
};

/// The plan of one sweep over the keys in tiles of one width: the extent of the
/// scores of q·kᵀ and of the result of every score operation up to the last one
/// that the sweep computes.
struct SweepPlan {
  int64_t keyTile = 0;
  mlir::SmallVector<TileExtent> extents;

  /// What the sweep computes from q·kᵀ.
  const TileExtent &scores() const { return extents.front(); }
  const TileExtent &result() const { return extents.back(); }
};

/// A sweep in tiles of `key_tile` keys, and of `edge_key_tile` keys.
struct SweepPlans {
  SweepPlan main, edge;
};

struct TilePlan {
  ScheduleAttr schedule;
  int64_t queryTile = 0;
  /// Lanes of a vector: columns come in multiples of it.
  int64_t lanes = 0;
  /// Heads that share a tile.
  int64_t heads = 1;
  /// The score operations before the softmax, and those after it.
  mlir::SmallVector<ScoreOpInterface> before, after;
  /// The sweep for the statistics of the softmax. If there is one sweep, it is
  /// this one.
  SweepPlans statistics;
  /// The second sweep, from q·kᵀ to the weights; its extents are those of the
  /// operations of `before`, the softmax and the ones of `after`.
  SweepPlans weights;

  bool hasTwoSweeps() const { return schedule.getSweeps() == 2; }
  const SweepPlans &outputSweep() const {
    return hasTwoSweeps() ? weights : statistics;
  }
  int64_t edgeKeyTile() const { return schedule.getEdgeKeyTile(); }
  /// What all tiles read of the scores of q·kᵀ.
  const TileExtent &padding() const { return outputSweep().main.scores(); }
  /// What the softmax computes in `sweep`, of either kind.
  const TileExtent &softmax(const SweepPlan &sweep) const {
    return sweep.extents[std::min(before.size() + 1, sweep.extents.size() - 1)];
  }
};

/// Plans the tiles of an attention under a schedule that fits it. Fails with a
/// diagnostic if sizes that have to be static are not.
mlir::FailureOr<TilePlan> planTiles(AttentionOp op, ScheduleAttr schedule);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPLAN_H

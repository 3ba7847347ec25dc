//===- KernelCandidates.h - Kernel schedules to choose from -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The constraints, in the order in which they are looked at:
//
//     rows       more than the rows above its own that a result reads
//     key_tile   at least what a window reads beside a result's own place
//     warps      whole strips of 16 rows of one head for every warp
//     memory     keys, values, staged scores and queries fit into a workgroup's
//     registers  what does not fit is spilled: a candidate, but the last one
//     ahead      with two stages, one split
//     key_splits while there are fewer workgroups than can be resident, and
//                tiles of keys for them
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOGPU_KERNELCANDIDATES_H
#define MTA_LIB_CONVERSION_MTATOGPU_KERNELCANDIDATES_H

#include "KernelCost.h"

#include <limits>
#include <optional>

namespace mta {

/// What is asked for; 0 or nothing leaves the choice free.
struct KernelRequest {
  int64_t rows = 0, keyTile = 0, warps = 0, stages = 0, keySplits = 0;
  /// Nothing if negative.
  int64_t ahead = -1;
  std::optional<QueryPlacement> query;
  std::optional<ScoreStorage> scores;
  std::optional<Products> products;
};

struct KernelCandidate {
  KernelScheduleAttr schedule;
  KernelCost cost;
  /// The place in the order of enumeration, which decides between equals.
  size_t number = 0;

  /// What spills comes last, and the more the later: it costs more than the
  /// model knows.
  bool isBetterThan(const KernelCandidate &other) const {
    auto order = [](const KernelCandidate &one) {
      return std::tuple(one.cost.spilled, one.cost.microseconds, one.cost.busy,
                        -one.cost.useful, one.number);
    };
    return order(*this) < order(other);
  }
};

/// The schedules of one attention that are as asked for and fit a chip.
class KernelCandidates {
public:
  KernelCandidates(AttentionOp op, const KernelPlan &program,
                   const KernelTarget &target, const KernelRequest &request)
      : op(op), plan(program), target(target), request(request) {
    // LLVM declares an array of one byte.
    plan.workgroupLimit = target.architecture.blockBytes - 1;
  }

  /// Fails, with an error that names the constraint, if there are none.
  mlir::LogicalResult enumerate();
  /// The choice and the others from fast to slow, all of the precision that is
  /// worth its time.
  mlir::ArrayRef<KernelCandidate> get() const { return candidates; }

private:
  mlir::LogicalResult verifyRequest();
  mlir::LogicalResult fixManyHeads();
  void addShape(int64_t rows, int64_t warps);
  void add(int64_t rows, int64_t keyTile, int64_t warps, int64_t stages,
           QueryPlacement query);
  void addSplits(const KernelCandidate &whole);
  mlir::LogicalResult emitRefusal();
  void keepPrecision();
  void preferUsual();
  mlir::SmallVector<int64_t> warpsFor(int64_t rows) const;
  mlir::SmallVector<ScoreStorage> storages();
  mlir::SmallVector<Products> productsFor(int64_t warps) const;
  mlir::SmallVector<std::pair<Products, int64_t>>
  productsFor(int64_t warps, int64_t stages) const;
  bool stagesScores() const;
  int64_t widestHalo() const;

  AttentionOp op;
  KernelPlan plan;
  const KernelTarget &target;
  KernelRequest request;
  mlir::SmallVector<KernelCandidate> candidates;
  /// How far combinations came, and what would have to be enough.
  int64_t mostRows = 0, widestTile = 0;
  bool hasWarps = false;
  int64_t leastBytes = std::numeric_limits<int64_t>::max();
};

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_KERNELCANDIDATES_H

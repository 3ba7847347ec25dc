//===- ChooseSchedule.cpp - The cheapest schedule ------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScheduleCost.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "llvm/Support/MathExtras.h"

#include "llvm/Support/Format.h"

namespace mta {
#define GEN_PASS_DEF_CHOOSESCHEDULEPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

namespace {

/// Larger first: of candidates that cost the same the first is taken.
constexpr int64_t kQueryTiles[] = {128, 96, 64, 48, 32, 16, 8};
constexpr int64_t kKeyTiles[] = {256, 128, 64, 32};

/// The operations of the largest program that is emitted twice.
constexpr size_t kLargestTwice = 2;

struct Candidate {
  ScheduleAttr schedule;
  ScheduleCost cost;
};

struct ChooseSchedulePass
    : mta::impl::ChooseSchedulePassBase<ChooseSchedulePass> {
  using ChooseSchedulePassBase::ChooseSchedulePassBase;

  void runOnOperation() override {
    auto result = getOperation()->walk([&](AttentionOp op) {
      if (op.getScheduleAttr())
        return WalkResult::advance();
      return succeeded(choose(op)) ? WalkResult::advance()
                                   : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult choose(AttentionOp op);
  FailureOr<SmallVector<Candidate>> listCandidates(AttentionOp op);
  void explainChoice(AttentionOp op, ArrayRef<Candidate> candidates,
                     ScheduleAttr choice);

  bool fits(const ScheduleCost &cost) const {
    return cost.workingSet <= cacheBytes / 4 * 3;
  }
  /// Whether `a` is to be preferred to `b`.
  bool isBetter(const ScheduleCost &a, const ScheduleCost &b) const {
    if (!fits(a) || !fits(b))
      return a.workingSet < b.workingSet;
    return a.multiplyAdds < b.multiplyAdds;
  }
};

} // namespace

/// `choices` rounded up to whole vectors, or only `option` if that is not 0.
static SmallVector<int64_t> sizesFrom(int64_t option, ArrayRef<int64_t> choices,
                                      int64_t lanes) {
  if (option != 0)
    return {option};
  SmallVector<int64_t> sizes;
  for (int64_t size : choices) {
    size = llvm::alignTo(size, lanes);
    if (!llvm::is_contained(sizes, size))
      sizes.push_back(size);
  }
  return sizes;
}

/// Stagings to choose from, for bf16 with sums in f32 also the one for products
/// of pairs.
static SmallVector<Staging> stagingsFor(AttentionOp op, int64_t pairCost) {
  auto isBF16 = [](Value operand) {
    return cast<RankedTensorType>(operand.getType()).getElementType().isBF16();
  };
  bool hasPairs = isBF16(op.getQuery()) && isBF16(op.getKey()) &&
                  op.getScoreType().getElementType().isF32();
  if (pairCost == 0 || !hasPairs)
    return {Staging::Packed};
  return {Staging::Packed, Staging::Narrow};
}

FailureOr<SmallVector<Candidate>>
ChooseSchedulePass::listCandidates(AttentionOp op) {
  if (vectorBits < 1 || !llvm::isPowerOf2_64(vectorBits))
    return op.emitOpError("expects vectors of a power of two of bits, but got ")
           << vectorBits.getValue();
  int64_t lanes = vectorBits / op.getScoreType().getElementTypeBitWidth();
  int64_t least = std::max<int64_t>(lanes, 1);
  int64_t mixed = op.getNeighborhood().heads;
  if (mixed == Neighborhood::kUnbounded)
    return op.emitOpError("expects head groups of static size to be tiled");
  bool goesOn = op.getScoreOps().back() != op.getSoftmax();
  int64_t chosenSweeps = sweeps != 0 ? sweeps : goesOn ? 2 : 1;
  int64_t chosenHeads = heads != 0 ? heads : mixed;
  SmallVector<int64_t> edgeTiles = {kKeyTiles[0]};
  if (chosenSweeps == 1 && op.getScoreOps().size() <= kLargestTwice)
    edgeTiles.assign(std::begin(kKeyTiles), std::end(kKeyTiles));
  if (pairCost < 0)
    return op.emitOpError("expects a pair cost of at least 0, but got ")
           << pairCost.getValue();
  ProcessorCosts costs{nearCacheBytes, pairCost};
  auto emitError = [&] { return op.emitOpError(); };
  SmallVector<Candidate> candidates;
  for (int64_t query : sizesFrom(queryTile, kQueryTiles, 1))
    for (int64_t key : sizesFrom(keyTile, kKeyTiles, least))
      for (int64_t edge : sizesFrom(edgeKeyTile, edgeTiles, least)) {
        // What is not given follows what is.
        if (edgeKeyTile == 0)
          edge = std::min(edge, key);
        else if (keyTile == 0)
          key = std::max(edge, key);
        for (Staging staging : stagingsFor(op, pairCost)) {
          auto schedule = ScheduleAttr::getChecked(
              emitError, op.getContext(), query, key, edge, chosenSweeps,
              chosenHeads, lanes, staging);
          if (!schedule)
            return failure();
          FailureOr<TilePlan> plan = planTiles(op, schedule);
          if (failed(plan))
            return failure();
          candidates.push_back({schedule, computeCost(op, *plan, costs)});
        }
      }
  return candidates;
}

void ChooseSchedulePass::explainChoice(AttentionOp op,
                                       ArrayRef<Candidate> candidates,
                                       ScheduleAttr choice) {
  InFlightDiagnostic remark = op.emitRemark("takes ") << choice;
  for (const Candidate &candidate : candidates) {
    std::string cost;
    llvm::raw_string_ostream(cost)
        << llvm::format("%.1f", candidate.cost.multiplyAdds);
    remark.attachNote() << candidate.schedule << ": " << cost
                        << " multiply-adds for a score, working set "
                        << candidate.cost.workingSet << " bytes";
  }
}

LogicalResult ChooseSchedulePass::choose(AttentionOp op) {
  FailureOr<SmallVector<Candidate>> candidates = listCandidates(op);
  if (failed(candidates))
    return failure();
  const Candidate *best = &candidates->front();
  for (const Candidate &candidate : *candidates)
    if (isBetter(candidate.cost, best->cost))
      best = &candidate;
  if (explain)
    explainChoice(op, *candidates, best->schedule);
  op.setScheduleAttr(best->schedule);
  // Options may not fit the attention.
  return op.verifyRegions();
}

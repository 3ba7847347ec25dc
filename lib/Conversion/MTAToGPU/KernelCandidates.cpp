//===- KernelCandidates.cpp - Kernel schedules to choose from ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCandidates.h"

#include "mta/Dialect/MTA/IR/KernelShape.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

#include <algorithm>
#include <functional>

using namespace mlir;
using namespace mta;

/// Of candidates that cost the same the first one is taken.
static constexpr int64_t kStrips[] = {8, 16, 12, 6, 4, 3, 2, 1};
static constexpr int64_t kKeyTiles[] = {64, 128, 96, 48, 32, 16};
static constexpr int64_t kMostStripsOfWarp = 4;
static constexpr int64_t kMostWarps = hardware::MaxThreadsPerBlock / 32;
/// How much more time may go into the last bits of f16 operands.
static constexpr double kMostForPrecision = 3;
/// What a kernel schedule allows.
static constexpr double kMostSplits = 256;
/// Times that the model does not tell apart.
static constexpr double kAlike = 1.02;
/// Where time does not tell, as when memory is waited for, rows without queries
/// do.
static constexpr double kMostlyUseful = 0.9;

/// `choices`, or only `asked` if that is not 0.
static SmallVector<int64_t> valuesOf(int64_t asked, ArrayRef<int64_t> choices) {
  return asked != 0 ? SmallVector<int64_t>{asked}
                    : SmallVector<int64_t>(choices);
}

/// Multiples of the heads that divide their strips.
SmallVector<int64_t> KernelCandidates::warpsFor(int64_t rows) const {
  int64_t strips = rows / 16;
  SmallVector<int64_t> result;
  for (int64_t each = 1; each <= strips; ++each) {
    int64_t warps = plan.heads * each;
    if (strips % each != 0 || warps > kMostWarps)
      continue;
    bool isFree = request.warps == 0 && request.rows == 0;
    if (isFree ? strips / each <= kMostStripsOfWarp
               : request.warps == 0 || request.warps == warps)
      result.push_back(warps);
  }
  return result;
}

/// The columns that some operation reads beside a result's own place.
int64_t KernelCandidates::widestHalo() const {
  int64_t halo = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps)
      halo = std::max(halo, 8 * step.haloPieces);
  return halo;
}

/// Whether scores pass through workgroup memory.
bool KernelCandidates::stagesScores() const {
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps)
      if (plan.heads > 1 || isa<KeyQueryConvOp>(*step.op))
        return true;
  return false;
}

/// From the finest to the coarsest. One f16 number for a score is rounded more
/// finely than a bf16 operand, but not more finely than an f16 operand; scores
/// are exponents, of which more bits count than of the weights after them.
SmallVector<ScoreStorage> KernelCandidates::storages() {
  if (request.scores)
    return {*request.scores};
  if (plan.isF32())
    return {ScoreStorage::F32};
  if (!stagesScores() || !plan.isF16)
    return {ScoreStorage::F16};
  if (plan.before.empty() || plan.after.empty())
    return {ScoreStorage::F16x2, ScoreStorage::F16};
  return {ScoreStorage::F16x2, ScoreStorage::F16x2Before, ScoreStorage::F16};
}

/// Ways to multiply, and tiles ahead with each.
SmallVector<std::pair<Products, int64_t>>
KernelCandidates::productsFor(int64_t warps, int64_t stages) const {
  bool mayBeAhead = !plan.hasManyHeads && stages > 1 && request.keySplits <= 1;
  SmallVector<std::pair<Products, int64_t>> result;
  for (Products products : productsFor(warps))
    for (int64_t ahead : {1, 0})
      if ((request.ahead < 0 || request.ahead == ahead) &&
          (ahead == 0 || mayBeAhead))
        result.push_back({products, ahead});
  return result;
}

SmallVector<Products> KernelCandidates::productsFor(int64_t warps) const {
  bool fits = target.hasWarpgroups && warps / plan.heads % 4 == 0 &&
              plan.headDim % 16 == 0 && !plan.isF32();
  if (request.products && (fits || *request.products == Products::Mma))
    return {*request.products};
  if (request.products)
    return {};
  return fits ? SmallVector<Products>{Products::Wgmma, Products::Mma}
              : SmallVector<Products>{Products::Mma};
}

/// A GPU that a kernel does not fill takes several workgroups for a tile of
/// queries, in powers of two and as many as make one, or all that fit, for
/// every multiprocessor, less those without which the longest is as short.
void KernelCandidates::addSplits(const KernelCandidate &whole) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  // Many queries would leave many times their outputs.
  if (query.isDynamicDim(2) && target.expected.queries == 0)
    return;
  double processors = target.gpu.multiprocessors;
  double most =
      std::min({whole.cost.residents * processors / whole.cost.workgroups,
                whole.cost.longestSweep, kMostSplits});
  llvm::SmallSetVector<int64_t, 8> counts;
  for (int64_t splits = 2; splits <= most; splits *= 2)
    counts.insert(splits);
  for (double filled :
       {std::floor(processors / whole.cost.workgroups), std::floor(most)})
    if (filled >= 2 && filled <= most) {
      double tiles = whole.cost.longestSweep, each = std::ceil(tiles / filled);
      counts.insert(static_cast<int64_t>(std::ceil(tiles / each)));
    }
  KernelScheduleAttr schedule = whole.schedule;
  for (int64_t splits : counts) {
    auto split = KernelScheduleAttr::get(
        op.getContext(), schedule.getRows(), schedule.getKeyTile(),
        schedule.getWarps(), schedule.getStages(), schedule.getQuery(),
        schedule.getScores(), schedule.getProducts(), splits, /*ahead=*/0);
    plan.setSchedule(split);
    candidates.push_back(
        {split, computeKernelCost(op, plan, target), candidates.size()});
  }
}

void KernelCandidates::add(int64_t rows, int64_t keyTile, int64_t warps,
                           int64_t stages, QueryPlacement query) {
  for (ScoreStorage scores : storages())
    for (auto [products, ahead] : productsFor(warps, stages)) {
      auto schedule = KernelScheduleAttr::get(
          op.getContext(), rows, keyTile, warps, stages, query, scores,
          products, std::max<int64_t>(request.keySplits, 1), ahead);
      plan.setSchedule(schedule);
      leastBytes = std::min(leastBytes, plan.workgroupBytes());
      KernelCost cost = computeKernelCost(op, plan, target);
      if (cost.residents == 0)
        continue;
      KernelCandidate whole{schedule, cost, candidates.size()};
      candidates.push_back(whole);
      if (request.keySplits == 0 && ahead == 0)
        addSplits(whole);
    }
}

void KernelCandidates::addShape(int64_t rows, int64_t warps) {
  int64_t halo = widestHalo();
  SmallVector<int64_t> stages = {2, 1};
  SmallVector<QueryPlacement> placements = {QueryPlacement::Registers,
                                            QueryPlacement::Workgroup};
  if (plan.hasManyHeads) {
    stages = {1};
    placements = {QueryPlacement::Registers, QueryPlacement::Workgroup,
                  QueryPlacement::Global};
  }
  if (request.query)
    placements = {*request.query};
  for (int64_t keyTile : valuesOf(request.keyTile, kKeyTiles)) {
    widestTile = std::max(widestTile, keyTile);
    if (halo > keyTile)
      continue;
    for (int64_t stage : valuesOf(request.stages, stages))
      for (QueryPlacement placement : placements)
        add(rows, keyTile, warps, stage, placement);
  }
}

/// Whether what is asked for is that of a schedule of the operands at all.
LogicalResult KernelCandidates::verifyRequest() {
  if (request.scores && (*request.scores == ScoreStorage::F32) != plan.isF32())
    return op.emitOpError("expects scores of f32 for operands of f32 alone, "
                          "but got ")
           << stringifyScoreStorage(*request.scores) << " for operands of "
           << getElementTypeOrSelf(op.getQuery().getType());
  if (request.products == Products::Wgmma && plan.isF32())
    return op.emitOpError("expects 16-bit operands for wgmma, but got ")
           << getElementTypeOrSelf(op.getQuery().getType());
  if (request.query == QueryPlacement::Global && !plan.hasManyHeads)
    return op.emitOpError("expects queries in registers or workgroup memory "
                          "but for 5 to 16 heads of 16 bits that share a "
                          "workgroup, but got global");
  if (request.ahead > 0 && plan.hasManyHeads)
    return op.emitOpError("expects no tile ahead for 5 to 16 heads of 16 bits "
                          "that share a workgroup, but got ")
           << request.ahead;
  auto valueOr = [](int64_t asked, int64_t usual) {
    return asked ? asked : usual;
  };
  return success(static_cast<bool>(KernelScheduleAttr::getChecked(
      [&] { return op.emitOpError(); }, op.getContext(),
      valueOr(request.rows, 16 * kStrips[0]),
      valueOr(request.keyTile, kKeyTiles[0]), valueOr(request.warps, 1),
      valueOr(request.stages, 2), QueryPlacement::Registers, ScoreStorage::F16,
      Products::Mma, valueOr(request.keySplits, 1),
      std::max<int64_t>(request.ahead, 0))));
}

/// Kernels with a warp for every head have one shape, whatever their tile of
/// keys and their queries.
LogicalResult KernelCandidates::fixManyHeads() {
  auto valueOr = [](int64_t asked, int64_t only) {
    return asked ? asked : only;
  };
  auto shape = KernelScheduleAttr::get(
      op.getContext(), valueOr(request.rows, getRowsOfManyHeads(op)),
      valueOr(request.keyTile, kKeyTiles[0]),
      valueOr(request.warps, op.getWarpsOfManyHeads()),
      valueOr(request.stages, 1),
      request.query.value_or(QueryPlacement::Registers),
      request.scores.value_or(ScoreStorage::F16),
      request.products.value_or(Products::Mma), valueOr(request.keySplits, 1),
      /*ahead=*/0);
  if (failed(verifyShapeOfManyHeads(op, shape)))
    return failure();
  request.rows = shape.getRows();
  request.warps = shape.getWarps();
  request.stages = shape.getStages();
  return success();
}

LogicalResult KernelCandidates::enumerate() {
  if (failed(verifyRequest()))
    return failure();
  if (plan.hasManyHeads && failed(fixManyHeads()))
    return failure();
  SmallVector<int64_t> rows;
  for (int64_t strips : kStrips)
    rows.push_back(16 * strips);
  for (int64_t count : valuesOf(request.rows, rows)) {
    mostRows = std::max(mostRows, count);
    if (count <= plan.rowsBefore)
      continue;
    for (int64_t warps : warpsFor(count)) {
      hasWarps = true;
      addShape(count, warps);
    }
  }
  if (candidates.empty())
    return emitRefusal();
  keepPrecision();
  preferUsual();
  return success();
}

/// The finest storage of scores, unless that takes much more time, and then by
/// time.
void KernelCandidates::keepPrecision() {
  llvm::sort(candidates,
             [](const KernelCandidate &a, const KernelCandidate &b) {
               return a.isBetterThan(b);
             });
  double most = kMostForPrecision * candidates.front().cost.microseconds;
  for (ScoreStorage scores : storages()) {
    auto isOther = [&](const KernelCandidate &candidate) {
      return candidate.schedule.getScores() != scores;
    };
    auto *first = llvm::find_if_not(candidates, isOther);
    if (first == candidates.end() || first->cost.microseconds > most)
      continue;
    llvm::erase_if(candidates, isOther);
    return;
  }
}

/// Of those that are about as fast as the first one, the first enumerated: it
/// has the usual tiles, which make less code.
void KernelCandidates::preferUsual() {
  const KernelCandidate &best = candidates.front();
  double most = kAlike * best.cost.microseconds;
  auto *chosen = candidates.begin();
  for (KernelCandidate &candidate : candidates)
    if (candidate.cost.spilled == best.cost.spilled &&
        candidate.cost.microseconds <= most &&
        candidate.cost.busy <= kAlike * best.cost.busy &&
        candidate.cost.useful >= kMostlyUseful * best.cost.useful &&
        candidate.number < chosen->number)
      chosen = &candidate;
  std::rotate(candidates.begin(), chosen, chosen + 1);
}

LogicalResult KernelCandidates::emitRefusal() {
  if (mostRows <= plan.rowsBefore)
    return op.emitOpError("expects windows of at most ")
           << mostRows << " queries in all, but got " << plan.rowsBefore + 1;
  if (!hasWarps)
    return op.emitOpError("expects warps that are a multiple of the ")
           << plan.heads << " heads that share a workgroup and divide their "
           << "strips of 16 rows, but got " << request.warps << " warps"
           << (request.rows != 0
                   ? " for " + std::to_string(request.rows) + " rows"
                   : "");
  if (leastBytes == std::numeric_limits<int64_t>::max())
    return op.emitOpError("expects windows that read at most ")
           << widestTile << " keys, in whole pieces of 8, beside a "
           << "result's own, but got " << widestHalo();
  return op.emitOpError("expects a kernel that fits into the ")
         << target.architecture.blockBytes
         << " bytes of workgroup memory of sm_" << target.architecture.number
         << ", but the smallest of those asked for takes " << leastBytes;
}

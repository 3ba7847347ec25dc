//===- KernelPlan.cpp - The shape of a tile program ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelPlan.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

static constexpr int64_t kLargestHeadDim = 256;

int64_t mta::paddedRow(int64_t columns) {
  int64_t row = llvm::alignTo(columns, 8);
  return row % 16 == 0 ? row + 8 : row;
}

int64_t mta::paddedPanel(int64_t rows) {
  return rows % 2 == 0 ? rows + 1 : rows;
}

int64_t mta::headStride(int64_t rows, int64_t columns) {
  return paddedRow(rows * paddedRow(columns));
}

static int64_t trailingOf(ArrayRef<StepPlan> steps) {
  int64_t sum = 0;
  for (const StepPlan &step : steps)
    sum += step.trailing;
  return sum;
}

int64_t KernelPlan::trailingBefore() const { return trailingOf(before); }

int64_t KernelPlan::trailing() const {
  return trailingBefore() + trailingOf(after);
}

int64_t mta::countHaloColumns(ArrayRef<StepPlan> steps) {
  int64_t columns = 0;
  for (const StepPlan &step : steps)
    columns += 8 * step.haloPieces;
  return columns;
}

int64_t KernelPlan::combinedRows() const {
  constexpr int64_t kMostRows = 16, kMostPartials = 128;
  return std::clamp<int64_t>(
      llvm::bit_floor<uint64_t>(kMostPartials / keySplits), 1, kMostRows);
}

int64_t KernelPlan::valueRow() const {
  // Half a pair of f32 is in one row and half in the next: lanes read every
  // second row of 8, at one column each. Those rows lie in different banks if
  // the distance is an odd multiple of 4 words.
  return isF32() ? columnsOfStage(valueDim) + 4 : paddedRow(valueDim);
}

bool KernelPlan::endsInRows(ArrayRef<StepPlan> steps) const {
  return hasManyHeads && !steps.empty() &&
         !isa<KeyQueryConvOp>(*steps.back().op);
}

const StepPlan *KernelPlan::firstShared() const {
  return llvm::find_if(before, [&](const StepPlan &step) {
    return heads > 1 || isa<KeyQueryConvOp>(*step.op);
  });
}

bool KernelPlan::stagesAhead() const {
  const StepPlan *first = firstShared();
  return first != before.end() && isa<KeyQueryConvOp>(*first->op);
}

bool KernelPlan::splitsWeights() const {
  return !isF16 && endsInRows(after) &&
         llvm::any_of(after, [](const StepPlan &step) {
           return isa<KeyQueryConvOp>(*step.op);
         });
}

bool KernelPlan::sharesWeightsBuffer() const {
  auto isSplitMix = [](const StepPlan &step) {
    return step.copies > 1 && !isa<KeyQueryConvOp>(*step.op);
  };
  return (isF16 || splitsWeights()) && endsInRows(after) &&
         llvm::any_of(before, isSplitMix);
}

KernelPlan::ScorePlaces KernelPlan::scorePlaces() const {
  ScorePlaces places;
  places.rows = accumulatorRows;
  int64_t rows = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (isa<KeyQueryConvOp>(*step.op))
        places.count = std::max<int64_t>(places.count, 1) + 1;
      places.rows = std::max(places.rows, step.neededRows);
      places.copies = std::max(places.copies, step.copies);
      rows = std::max(rows, step.rows + step.rowsBefore);
    }
  places.above = std::max<int64_t>(rows - places.rows, 0);
  return hasManyHeads && places.count > 0 ? places : ScorePlaces();
}

namespace {
/// Adds up buffers, each at a multiple of 128 bytes, where
/// `mta-plan-workgroup-memory` puts it.
struct ByteCount {
  int64_t elementBytes, bytes = 0;
  void add(int64_t count, int64_t elements) {
    bytes += count * llvm::alignTo(elementBytes * elements, 128);
  }
};
} // namespace

int64_t KernelPlan::manyHeadsBytes() const {
  ByteCount count{elementBytes};
  int64_t mixed = 0, mixedRows = 0, mixedCopies = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (step.bandElements > 0)
        count.add(1, heads * step.bandElements);
      if (isa<KeyQueryConvOp>(*step.op))
        continue;
      mixed = std::max(mixed, step.neededRows);
      mixedRows = std::max(mixedRows, step.rows);
      mixedCopies = std::max(mixedCopies, step.copies);
      count.add(1, kMixRow * heads);
    }
  if (ScorePlaces places = scorePlaces(); places.count > 0) {
    int64_t columns = places.count * keyTile;
    count.add(places.copies, heads * headStride(places.rows, columns) +
                                 places.above * paddedRow(columns));
  } else {
    count.add(mixedCopies, heads * headStride(mixed, keyTile) +
                               (mixedRows - mixed) * paddedRow(keyTile));
    if (leavesRows() && !sharesWeightsBuffer())
      count.add(1, heads * headStride(accumulatorRows, keyTile));
  }
  if (queryPlacement == QueryPlacement::Workgroup)
    count.add(1, queryElements());
  // Numbers of 32 bits.
  if (usesStatisticsBuffer())
    count.add(1, 2 * heads * statisticsRow());
  if (hasSequences)
    count.add(1, 2 * kRowBounds * rows);
  return count.bytes;
}

int64_t KernelPlan::workgroupBytes() const {
  if (hasManyHeads)
    return manyHeadsBytes();
  auto tile = [&](int64_t columns, int64_t row) {
    return heads *
           (readsTiles ? columns * paddedPanel(keyTile) : keyTile * row);
  };
  ByteCount count{elementBytes};
  int64_t keys = tile(headDim, keyRow()), values = tile(valueDim, valueRow());
  if (stages > 1) {
    count.add(1, stages * keys);
    count.add(1, stages * values);
  } else {
    count.add(1, std::max(keys, values));
  }
  int64_t mixedCopies = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (isa<KeyQueryConvOp>(*step.op))
        count.add(step.copies, (heads * rows + step.rowsBefore) *
                                   paddedRow(step.places * keyTile));
      else if (heads > 1)
        mixedCopies = std::max(mixedCopies, step.copies);
    }
  count.add(mixedCopies, heads * rows * paddedRow(keyTile));
  // Numbers of 32 bits.
  int64_t bytes = count.bytes;
  if (hasSequences)
    bytes += llvm::alignTo(4 * kRowBounds * rows, 128);
  int64_t queries =
      llvm::alignTo(elementBytes * heads * rows * paddedRow(headDim), 128);
  // On the way to registers they use the memory that others use later.
  return queryPlacement == QueryPlacement::Workgroup ? bytes + queries
                                                     : std::max(bytes, queries);
}

static StepPlan planStep(ScoreOpInterface scoreOp) {
  StepPlan step;
  step.op = scoreOp;
  Neighborhood reads = scoreOp.getNeighborhood();
  step.rowsBefore = reads.queriesBefore;
  step.groupSize = reads.heads;
  step.trailing = llvm::alignTo(reads.keysRight, 8);
  step.haloPieces = llvm::divideCeil(reads.keysLeft, 8) +
                    llvm::divideCeil(reads.keysRight, 8);
  return step;
}

static LogicalResult checkOperands(AttentionOp op, KernelPlan &plan) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  Type element = query.getElementType();
  auto isSupported = [](Type type) {
    return type.isF16() || type.isBF16() || type.isF32();
  };
  if (!isSupported(element))
    return op.emitOpError("expects f16, bf16 or f32 operands for tensor cores, "
                          "but got ")
           << element;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    Type scores = getElementTypeOrSelf(scoreOp.getScores());
    if (!scores.isF32())
      return op.emitOpError("expects scores of f32 for tensor cores, but got ")
             << scores;
    Value weights = scoreOp.getWeightsOrNull();
    if (weights && !isSupported(getElementTypeOrSelf(weights)))
      return scoreOp->emitOpError("expects weights of f16, bf16 or f32 for "
                                  "tensor cores, but got ")
             << getElementTypeOrSelf(weights);
  }
  plan.headDim = query.getDimSize(3);
  plan.valueDim = value.getDimSize(3);
  for (int64_t size : {plan.headDim, plan.valueDim})
    if (ShapedType::isDynamic(size) || size % 8 != 0 || size == 0 ||
        size > kLargestHeadDim)
      return op.emitOpError("expects static head dimensions that are multiples "
                            "of 8 and at most ")
             << kLargestHeadDim
             << " for tensor cores, but got query and value of type " << query
             << " and " << value;
  plan.elementBytes = element.getIntOrFloatBitWidth() / 8;
  plan.isF16 = element.isF16();
  return success();
}

/// The diagonal of a band's first tap: diagonal 7 goes through row 0, which is
/// in whole pieces to the left of a result's place.
static int64_t diagonalOfTaps(KeyQueryConvOp conv) {
  return 7 + llvm::alignTo(conv.getLeftKeys(), 8) - conv.getLeftKeys();
}

/// The bands of a convolution that does not mix heads come from their diagonals
/// in workgroup memory: with a warp for every head none has registers for them.
/// There are all that lanes ask for, or with `isShort` those of the taps with
/// one pair of zeros before and after them, and more after them where rows have
/// room.
static void planBand(StepPlan &step, bool isShort) {
  auto conv = dyn_cast<KeyQueryConvOp>(*step.op);
  if (!conv || step.groupSize > 1)
    return;
  int64_t windows = 2 * conv.getQueryWindow();
  int64_t pairs = isShort ? conv.getKeyWindow() + 3 : 8 * (step.haloPieces + 2);
  step.bandElements =
      kBandRows * paddedRow(llvm::divideCeil(windows * pairs, kBandRows));
  if (isShort)
    pairs = step.bandElements / windows;
  step.bandOfQuery = 2 * pairs;
  step.firstDiagonal = isShort ? diagonalOfTaps(conv) - 2 : 0;
  step.lastDiagonal = step.firstDiagonal + pairs - 1;
  step.firstTap = diagonalOfTaps(conv) - step.firstDiagonal;
}

FailureOr<KernelPlan> mta::planProgram(AttentionOp op) {
  KernelPlan plan;
  if (failed(checkOperands(op, plan)))
    return failure();
  plan.heads = op.getNeighborhood().heads;
  if (plan.heads == Neighborhood::kUnbounded)
    return op.emitOpError("expects head groups of static size on a GPU");
  if (plan.heads > 16)
    return op.emitOpError("expects groups of at most 16 heads on a GPU, but "
                          "got ")
           << plan.heads;
  plan.groupHeads = plan.heads;
  if (int64_t warps = op.getWarpsOfManyHeads()) {
    plan.hasManyHeads = true;
    plan.heads = warps;
  }
  plan.hasSequences = op.getQueryBoundaries() != nullptr;
  plan.rowsBefore = op.getNeighborhood().queriesBefore;
  bool isAfter = false;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    if (isa<SoftmaxOp>(scoreOp)) {
      isAfter = true;
      continue;
    }
    (isAfter ? plan.after : plan.before).push_back(planStep(scoreOp));
  }
  return plan;
}

void KernelPlan::setSchedule(KernelScheduleAttr schedule) {
  rows = schedule.getRows();
  keyTile = schedule.getKeyTile();
  warps = schedule.getWarps();
  stages = schedule.getStages();
  queryPlacement = schedule.getQuery();
  readsTiles = schedule.getProducts() == Products::Wgmma;
  keySplits = schedule.getKeySplits();
  isAhead = schedule.getAhead() > 0;
  for (StepPlan &step : before)
    step.places = isAhead && &step == firstShared() ? 3 : 2;
  ScoreStorage scores = schedule.getScores();
  bool areSplit = scores == ScoreStorage::F16x2;
  for (StepPlan &step : before)
    step.copies = areSplit || scores == ScoreStorage::F16x2Before ? 2 : 1;
  for (StepPlan &step : after)
    step.copies = areSplit ? 2 : 1;
  planRows();
  if (hasManyHeads)
    planRoom();
}

/// What takes registers or instructions only where there is no room without.
void KernelPlan::planRoom() {
  // A strip of a warp takes four registers for them.
  constexpr int64_t mostHeld = 16;
  heldColumns = 0;
  auto fits = [&](bool hasShortBands) {
    for (SmallVector<StepPlan> *steps : {&before, &after})
      for (StepPlan &step : *steps)
        planBand(step, hasShortBands);
    return workgroupBytes() <= workgroupLimit;
  };
  if (fits(/*hasShortBands=*/false) || fits(/*hasShortBands=*/true) ||
      queryPlacement != QueryPlacement::Workgroup || headDim <= mostHeld)
    return;
  heldColumns = mostHeld;
  if (workgroupBytes() > workgroupLimit)
    heldColumns = 0;
}

void KernelPlan::planRows() {
  // What is above the own rows is a strip of its own, if it fits into one.
  accumulatorRows =
      hasManyHeads ? std::min<int64_t>(rows, rowsBefore <= 16 ? 16 : 32) : rows;
  int64_t below = 0;
  for (SmallVector<StepPlan> *steps : {&after, &before}) {
    if (steps == &before)
      softmaxRows = below == 0 ? accumulatorRows : rows;
    for (StepPlan &step : llvm::reverse(*steps)) {
      step.resultRows = below == 0 ? accumulatorRows : rows;
      below += step.rowsBefore;
      step.neededRows = hasManyHeads ? queryTile() + below : rows;
      step.rows = below == 0 ? accumulatorRows : rows;
    }
  }
}

FailureOr<KernelPlan> mta::planKernel(AttentionOp op, int64_t workgroupLimit,
                                      F32Precision f32Precision) {
  FailureOr<KernelPlan> plan = planProgram(op);
  if (failed(plan))
    return failure();
  KernelScheduleAttr schedule = op.getKernelScheduleAttr();
  if (!schedule)
    return op.emitOpError("expects a kernel schedule, such as "
                          "mta-choose-kernel-schedule writes");
  plan->workgroupLimit = workgroupLimit;
  plan->setSchedule(schedule);
  plan->f32Precision = f32Precision;
  if (plan->workgroupBytes() > workgroupLimit)
    return op.emitOpError("expects a kernel schedule that fits into ")
           << workgroupLimit << " bytes of workgroup memory, but got "
           << plan->workgroupBytes() << " for " << schedule;
  return plan;
}

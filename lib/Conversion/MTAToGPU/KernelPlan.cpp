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

int64_t KernelPlan::valueRow() const {
  // Half a pair of f32 is in one row and half in the next: lanes read every
  // second row of 8, at one column each. Those rows lie in different banks if
  // the distance is an odd multiple of 4 words.
  return isF32() ? valueDim + 4 : paddedRow(valueDim);
}

bool KernelPlan::endsInRows(ArrayRef<StepPlan> steps) const {
  return hasManyHeads && !steps.empty() &&
         !isa<KeyQueryConvOp>(*steps.back().op);
}

bool KernelPlan::sharesWeightsBuffer() const {
  auto isSplitMix = [](const StepPlan &step) {
    return step.copies > 1 && !isa<KeyQueryConvOp>(*step.op);
  };
  return isF16 && endsInRows(after) && llvm::any_of(before, isSplitMix);
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
  int64_t row = paddedRow(2 * keyTile);
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (!isa<KeyQueryConvOp>(*step.op)) {
        mixed = std::max(mixed, step.neededRows);
        mixedRows = std::max(mixedRows, step.rows);
        mixedCopies = std::max(mixedCopies, step.copies);
        count.add(1, kMixRow * heads);
        continue;
      }
      count.add(step.copies,
                heads * headStride(step.neededRows, 2 * keyTile) +
                    (step.rows - step.neededRows + step.rowsBefore) * row);
      if (step.bandElements > 0)
        count.add(1, heads * step.bandElements);
    }
  count.add(mixedCopies, heads * headStride(mixed, keyTile) +
                             (mixedRows - mixed) * paddedRow(keyTile));
  bool isLastInRows =
      endsInRows(after) || (after.empty() && endsInRows(before));
  if (isLastInRows && !sharesWeightsBuffer())
    count.add(1, heads * headStride(accumulatorRows, keyTile));
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
        count.add(step.copies,
                  (heads * rows + step.rowsBefore) * paddedRow(2 * keyTile));
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
    if (ShapedType::isDynamic(size) || size % 8 != 0 || size > kLargestHeadDim)
      return op.emitOpError("expects static head dimensions that are multiples "
                            "of 8 and at most ")
             << kLargestHeadDim
             << " for tensor cores, but got query and value of type " << query
             << " and " << value;
  plan.elementBytes = element.getIntOrFloatBitWidth() / 8;
  plan.isF16 = element.isF16();
  return success();
}

/// The bands of a convolution that does not mix heads come from their diagonals
/// in workgroup memory: with a warp for every head none has registers for them.
static void planBand(StepPlan &step) {
  auto conv = dyn_cast<KeyQueryConvOp>(*step.op);
  if (!conv || step.groupSize > 1)
    return;
  step.bandOfQuery = 16 * (step.haloPieces + 2);
  step.bandElements =
      llvm::alignTo(conv.getQueryWindow() * step.bandOfQuery, 128);
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
    StepPlan step = planStep(scoreOp);
    if (plan.hasManyHeads)
      planBand(step);
    (isAfter ? plan.after : plan.before).push_back(step);
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
  ScoreStorage scores = schedule.getScores();
  bool areSplit = scores == ScoreStorage::F16x2;
  for (StepPlan &step : before)
    step.copies = areSplit || scores == ScoreStorage::F16x2Before ? 2 : 1;
  for (StepPlan &step : after)
    step.copies = areSplit ? 2 : 1;
  planRows();
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
  plan->setSchedule(schedule);
  plan->f32Precision = f32Precision;
  if (plan->workgroupBytes() > workgroupLimit)
    return op.emitOpError("expects a kernel schedule that fits into ")
           << workgroupLimit << " bytes of workgroup memory, but got "
           << plan->workgroupBytes() << " for " << schedule;
  return plan;
}

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

static constexpr int64_t kLargestKeyTile = 64;
static constexpr int64_t kLargestHeadDim = 256;
/// More heads than these have one warp each, in place of one for every strip.
static constexpr int64_t kMostHeadsOfTheSameWarps = 4;
/// Beyond this, fragments of the queries and the accumulator do not fit into
/// the registers of a warp together.
static constexpr int64_t kLargestHeadDimInRegisters = 128;

int64_t mta::paddedRow(int64_t columns) {
  int64_t row = llvm::alignTo(columns, 8);
  return row % 16 == 0 ? row + 8 : row;
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

int64_t KernelPlan::manyHeadsBytes() const {
  int64_t elements = 0, mixed = 0, mixedRows = 0, mixedCopies = 0;
  int64_t row = paddedRow(2 * keyTile);
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (!isa<KeyQueryConvOp>(*step.op)) {
        mixed = std::max(mixed, step.neededRows);
        mixedRows = std::max(mixedRows, step.rows);
        mixedCopies = std::max(mixedCopies, step.copies);
        elements += 72 * heads;
        continue;
      }
      elements +=
          step.copies * (heads * headStride(step.neededRows, 2 * keyTile) +
                         (step.rows - step.neededRows + step.rowsBefore) * row);
      elements += heads * step.bandElements;
    }
  elements += mixedCopies * (heads * headStride(mixed, keyTile) +
                             (mixedRows - mixed) * paddedRow(keyTile));
  bool isLastInRows =
      endsInRows(after) || (after.empty() && endsInRows(before));
  if (isLastInRows && !sharesWeightsBuffer())
    elements += heads * headStride(accumulatorRows, keyTile);
  int64_t statistics = usesStatisticsBuffer() ? heads * statisticsRow() : 0;
  return 2 * elements + 4 * statistics;
}

int64_t KernelPlan::workgroupBytes() const {
  if (hasManyHeads)
    return manyHeadsBytes();
  int64_t keyRow = paddedRow(headDim), valueRow = paddedRow(valueDim);
  int64_t elements =
      heads * keyTile *
      (stages > 1 ? stages * (keyRow + valueRow) : std::max(keyRow, valueRow));
  int64_t mixed = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (isa<KeyQueryConvOp>(*step.op))
        elements += step.copies * (heads * rows + step.rowsBefore) *
                    paddedRow(2 * keyTile);
      else
        mixed =
            std::max(mixed, step.copies * heads * rows * paddedRow(keyTile));
    }
  elements += mixed;
  int64_t queries = heads * rows * paddedRow(headDim);
  // On the way to registers they use the memory that others use later.
  return 2 * (queryPlacement == QueryPlacement::Workgroup
                  ? elements + queries
                  : std::max(elements, queries));
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
  if (!element.isF16() && !element.isBF16())
    return op.emitOpError("expects f16 or bf16 operands for tensor cores, but "
                          "got ")
           << element;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    Type scores = getElementTypeOrSelf(scoreOp.getScores());
    if (!scores.isF32())
      return op.emitOpError("expects scores of f32 for tensor cores, but got ")
             << scores;
    Value weights = scoreOp.getWeightsOrNull();
    if (weights && getElementTypeOrSelf(weights) != element)
      return scoreOp->emitOpError("expects weights of the operands' element "
                                  "type for tensor cores, but got ")
             << getElementTypeOrSelf(weights) << " with " << element;
  }
  plan.isF16 = element.isF16();
  plan.headDim = query.getDimSize(3);
  plan.valueDim = value.getDimSize(3);
  for (int64_t size : {plan.headDim, plan.valueDim})
    if (ShapedType::isDynamic(size) || size % 8 != 0 || size > kLargestHeadDim)
      return op.emitOpError("expects static head dimensions that are multiples "
                            "of 8 and at most ")
             << kLargestHeadDim
             << " for tensor cores, but got query and value of type " << query
             << " and " << value;
  if (std::max(plan.headDim, plan.valueDim) > kLargestHeadDimInRegisters)
    plan.queryPlacement = QueryPlacement::Workgroup;
  if (op.getQueryBoundaries())
    return op.emitOpError("expects no sequence boundaries for tensor cores");
  return success();
}

/// How many of the last rows of the tile operations need and leave.
static void planRows(KernelPlan &plan) {
  int64_t below = 0;
  for (SmallVector<StepPlan> *steps : {&plan.after, &plan.before}) {
    if (steps == &plan.before)
      plan.softmaxRows = below == 0 ? plan.accumulatorRows : plan.rows;
    for (StepPlan &step : llvm::reverse(*steps)) {
      step.resultRows = below == 0 ? plan.accumulatorRows : plan.rows;
      below += step.rowsBefore;
      step.neededRows =
          plan.hasManyHeads ? plan.queryTile() + below : plan.rows;
      step.rows = below == 0 ? plan.accumulatorRows : plan.rows;
    }
  }
}

/// A warp for every head, and as many heads as fragments have rows. What is
/// above the own rows is a strip of its own, if it fits into one.
static void planManyHeads(KernelPlan &plan) {
  plan.heads = plan.warps = plan.groupHeads <= 8 ? 8 : 16;
  plan.accumulatorRows = plan.rowsBefore <= 16 ? 16 : 32;
  plan.rows = plan.rowsBefore == 0 ? 16 : 32;
  for (SmallVector<StepPlan> *steps : {&plan.before, &plan.after})
    for (StepPlan &step : *steps)
      if (auto conv = dyn_cast<KeyQueryConvOp>(*step.op);
          conv && step.groupSize == 1) {
        step.bandOfQuery = 16 * (step.haloPieces + 2);
        step.bandElements =
            llvm::alignTo(conv.getQueryWindow() * step.bandOfQuery, 128);
      }
}

/// What a thread holds all the time, and scores before and after an operation.
static int64_t registersOf(const KernelPlan &plan) {
  int64_t strips = plan.rows / 16;
  int64_t accumulator = plan.accumulatorRows / 16 * (plan.valueDim / 8) * 4;
  int64_t scores = 2 * strips * (plan.keyTile / 8) * 4;
  bool hasQueries = plan.queryPlacement == QueryPlacement::Registers;
  return accumulator + scores + (hasQueries ? strips * plan.headDim / 4 : 0);
}

/// Whether scores are the sum of two f16 numbers in workgroup memory. With many
/// heads this is so before the softmax only, where they are exponents.
static void splitScores(KernelPlan &plan, bool split) {
  for (StepPlan &step : plan.before)
    step.copies = split ? 2 : 1;
  for (StepPlan &step : plan.after)
    step.copies = split && !plan.hasManyHeads ? 2 : 1;
}

/// The largest tiles of keys that leave the queries in registers, or else the
/// largest ones, or else the smallest.
static bool fitManyHeads(KernelPlan &plan, int64_t halo,
                         int64_t workgroupLimit) {
  constexpr int64_t others = 40;
  int64_t registers = std::min<int64_t>(255, 65536 / plan.threads());
  bool fits = false;
  plan.stages = 1;
  for (QueryPlacement placement :
       {QueryPlacement::Registers, QueryPlacement::Global})
    for (int64_t keyTile = kLargestKeyTile;
         keyTile >= std::max<int64_t>(16, 8 * halo); keyTile /= 2) {
      plan.queryPlacement = placement;
      plan.keyTile = keyTile;
      fits = plan.workgroupBytes() <= workgroupLimit;
      if (fits && registersOf(plan) <= registers - others)
        return true;
    }
  return fits;
}

/// Fits tiles of keys, and copies of them, into workgroup memory.
static bool fitKeys(KernelPlan &plan, int64_t halo, int64_t workgroupLimit) {
  for (int64_t keyTile = kLargestKeyTile; keyTile >= 16; keyTile /= 2)
    for (int64_t stages : {2, 1}) {
      plan.keyTile = keyTile;
      plan.stages = stages;
      if (8 * halo <= keyTile && plan.workgroupBytes() <= workgroupLimit)
        return true;
    }
  return false;
}

/// Fits rows, warps and tiles of keys to the heads that share a workgroup.
static LogicalResult chooseTiles(AttentionOp op, KernelPlan &plan,
                                 int64_t workgroupLimit) {
  int64_t heads = plan.heads;
  if (heads > 16)
    return op.emitOpError("expects groups of at most 16 heads on a GPU, but "
                          "got ")
           << heads;
  // Strips of 16 rows a head; a warp works on one head.
  int64_t strips = heads == 1 ? 8 : heads == 2 ? 4 : 2;
  plan.rows = plan.accumulatorRows = plan.softmaxRows = 16 * strips;
  plan.warps = heads * strips;
  plan.groupHeads = heads;
  plan.hasManyHeads = heads > kMostHeadsOfTheSameWarps;
  if (plan.hasManyHeads)
    planManyHeads(plan);
  planRows(plan);
  if (plan.rows <= plan.rowsBefore)
    return op.emitOpError("expects windows of at most ")
           << plan.rows << " queries in all, but got " << plan.rowsBefore + 1;
  int64_t halo = 1;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps)
      halo = std::max(halo, step.haloPieces);
  if (8 * halo > kLargestKeyTile)
    return op.emitOpError("expects windows that read at most ")
           << kLargestKeyTile << " keys, in whole pieces of 8, beside a "
           << "result's own, but got " << 8 * halo;
  // One f16 number for a score is rounded more finely than a bf16 operand, but
  // not more finely than an f16 operand, which gets two where there is room.
  SmallVector<bool> splits = {false};
  if (getElementTypeOrSelf(op.getQuery().getType()).isF16())
    splits = {true, false};
  for (bool split : splits) {
    splitScores(plan, split);
    if (plan.hasManyHeads ? fitManyHeads(plan, halo, workgroupLimit)
                          : fitKeys(plan, halo, workgroupLimit))
      return success();
  }
  return op.emitOpError("expects tiles that fit into ")
         << workgroupLimit << " bytes of workgroup memory, but got "
         << plan.workgroupBytes() << " for tiles of " << plan.rows
         << " queries and " << plan.keyTile << " keys of " << heads << " heads";
}

FailureOr<KernelPlan> mta::planKernel(AttentionOp op, int64_t workgroupLimit) {
  KernelPlan plan;
  if (failed(checkOperands(op, plan)))
    return failure();
  plan.heads = op.getNeighborhood().heads;
  if (plan.heads == Neighborhood::kUnbounded)
    return op.emitOpError("expects head groups of static size on a GPU");
  plan.rowsBefore = op.getNeighborhood().queriesBefore;
  bool isAfter = false;
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    if (isa<SoftmaxOp>(scoreOp)) {
      isAfter = true;
      continue;
    }
    (isAfter ? plan.after : plan.before).push_back(planStep(scoreOp));
  }
  if (failed(chooseTiles(op, plan, workgroupLimit)))
    return failure();
  return plan;
}

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

int64_t KernelPlan::valueRow() const {
  // Half a pair of f32 is in one row and half in the next: lanes read every
  // second row of 8, at one column each. Those rows lie in different banks if
  // the distance is an odd multiple of 4 words.
  return isF32() ? valueDim + 4 : paddedRow(valueDim);
}

int64_t KernelPlan::workgroupBytes() const {
  auto tile = [&](int64_t columns, int64_t row) {
    return heads *
           (readsTiles ? columns * paddedPanel(keyTile) : keyTile * row);
  };
  // Each at a multiple of 128 bytes, where `mta-plan-workgroup-memory` puts it.
  int64_t bytes = 0;
  auto add = [&](int64_t count, int64_t elements) {
    bytes += count * llvm::alignTo(elementBytes * elements, 128);
  };
  int64_t keys = tile(headDim, keyRow()), values = tile(valueDim, valueRow());
  if (stages > 1) {
    add(1, stages * keys);
    add(1, stages * values);
  } else {
    add(1, std::max(keys, values));
  }
  int64_t copies = splitScores ? 2 : 1;
  bool hasMix = false;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (isa<KeyQueryConvOp>(*step.op))
        add(copies, (heads * rows + step.rowsBefore) * paddedRow(2 * keyTile));
      else
        hasMix |= heads > 1;
    }
  if (hasMix)
    add(copies, heads * rows * paddedRow(keyTile));
  // Three numbers of 32 bits a row.
  if (hasSequences)
    bytes += llvm::alignTo(12 * rows, 128);
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
  return success();
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
  splitScores = schedule.getScores() == ScoreStorage::F16x2;
  readsTiles = schedule.getProducts() == Products::Wgmma;
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

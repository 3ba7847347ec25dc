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
/// Beyond this, fragments of the queries and the accumulator do not fit into
/// the registers of a warp together.
static constexpr int64_t kLargestHeadDimInRegisters = 128;

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

int64_t KernelPlan::workgroupBytes() const {
  auto tile = [&](int64_t columns) {
    return readsTiles ? columns * paddedPanel(keyTile)
                      : keyTile * paddedRow(columns);
  };
  int64_t keys = tile(headDim), values = tile(valueDim);
  int64_t elements =
      heads * (stages > 1 ? stages * (keys + values) : std::max(keys, values));
  int64_t copies = splitScores ? 2 : 1;
  bool hasMix = false;
  for (ArrayRef<StepPlan> steps : {ArrayRef(before), ArrayRef(after)})
    for (const StepPlan &step : steps) {
      if (isa<KeyQueryConvOp>(*step.op))
        elements +=
            copies * (heads * rows + step.rowsBefore) * paddedRow(2 * keyTile);
      else
        hasMix = true;
    }
  if (hasMix)
    elements += copies * heads * rows * paddedRow(keyTile);
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

/// Fits rows, warps and tiles of keys to the heads that share a workgroup.
static LogicalResult chooseTiles(AttentionOp op, KernelPlan &plan,
                                 const KernelTarget &target) {
  int64_t heads = plan.heads;
  if (heads > 16)
    return op.emitOpError("expects groups of at most 16 heads on a GPU, but "
                          "got ")
           << heads;
  // Strips of 16 rows a head; a warp works on one head.
  int64_t strips = heads == 1 ? 8 : heads == 2 ? 4 : 2;
  plan.rows = 16 * strips;
  plan.warps = heads <= 4 ? heads * strips : heads;
  // Four warps of one head share a tile; a sum takes 16 elements at a time.
  plan.readsTiles = target.hasWarpgroups && plan.warps / heads % 4 == 0 &&
                    plan.headDim % 16 == 0;
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
  for (bool split : splits)
    for (int64_t keyTile = kLargestKeyTile; keyTile >= 16; keyTile /= 2)
      for (int64_t stages : {2, 1}) {
        plan.splitScores = split;
        plan.keyTile = keyTile;
        plan.stages = stages;
        if (8 * halo <= keyTile &&
            plan.workgroupBytes() <= target.workgroupBytes)
          return success();
      }
  return op.emitOpError("expects tiles that fit into ")
         << target.workgroupBytes << " bytes of workgroup memory, but got "
         << plan.workgroupBytes() << " for tiles of " << plan.rows
         << " queries and " << plan.keyTile << " keys of " << heads << " heads";
}

FailureOr<KernelPlan> mta::planKernel(AttentionOp op,
                                      const KernelTarget &target) {
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
  if (failed(chooseTiles(op, plan, target)))
    return failure();
  return plan;
}

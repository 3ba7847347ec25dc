//===- KernelSchedule.cpp - The kernel schedule attribute -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelSchedule.h"

#include "mta/Dialect/MTA/IR/KernelShape.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

/// More than any memory holds, and little enough to be multiplied.
static constexpr int64_t kLargestSize = 4096;
/// The rows of a product of the tensor cores, and the depth of one.
static constexpr int64_t kStrip = 16;
/// 1024 threads.
static constexpr int64_t kMostWarps = 32;
/// About as many workgroups as a GPU runs at once.
static constexpr int64_t kMostSplits = 256;

LogicalResult
KernelScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           int64_t rows, int64_t keyTile, int64_t warps,
                           int64_t stages, QueryPlacement, ScoreStorage,
                           Products, int64_t keySplits, int64_t ahead) {
  std::pair<StringRef, int64_t> sizes[] = {{"rows", rows},
                                           {"key_tile", keyTile}};
  for (auto [name, size] : sizes)
    if (size < kStrip || size > kLargestSize || size % kStrip != 0)
      return emitError() << "expects " << name << " to be a multiple of "
                         << kStrip << " of at most " << kLargestSize
                         << ", but got " << size;
  if (warps < 1 || warps > kMostWarps)
    return emitError() << "expects 1 to " << kMostWarps << " warps, but got "
                       << warps;
  if (stages < 1 || stages > 2)
    return emitError() << "expects one or two stages, but got " << stages;
  if (keySplits < 1 || keySplits > kMostSplits)
    return emitError() << "expects 1 to " << kMostSplits
                       << " splits of the keys, but got " << keySplits;
  if (ahead < 0 || ahead > 1)
    return emitError() << "expects no tile or one ahead, but got " << ahead;
  if (ahead == 1 && (stages != 2 || keySplits != 1))
    return emitError() << "expects two stages and one split of the keys for a "
                          "tile ahead, but got "
                       << stages << " and " << keySplits;
  return success();
}

/// The keys, in whole pieces of 8, that a window reads beside a result's place.
static int64_t haloColumns(ScoreOpInterface scoreOp) {
  if (!isa<KeyQueryConvOp>(*scoreOp))
    return 0;
  Neighborhood reads = scoreOp.getNeighborhood();
  return llvm::alignTo(reads.keysLeft, 8) + llvm::alignTo(reads.keysRight, 8);
}

/// Four warps of a head read a tile of keys together, whose sums are over 16
/// elements at a time.
static LogicalResult verifyProducts(AttentionOp op, KernelScheduleAttr schedule,
                                    int64_t heads) {
  if (schedule.getProducts() != Products::Wgmma)
    return success();
  if (int64_t warps = schedule.getWarps() / heads; warps % 4 != 0)
    return op.emitOpError("expects a kernel schedule with a multiple of 4 "
                          "warps for every head for wgmma, but got ")
           << warps;
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  if (int64_t size = query.getDimSize(3);
      query.getElementTypeBitWidth() != 16 || size % 16 != 0)
    return op.emitOpError("expects 16-bit operands with a head dimension that "
                          "is a multiple of 16 for wgmma, but got ")
           << query;
  return success();
}

/// Scores of operands of f32 stay f32.
static LogicalResult verifyScores(AttentionOp op, KernelScheduleAttr schedule) {
  Type element = getElementTypeOrSelf(op.getQuery().getType());
  if ((schedule.getScores() == ScoreStorage::F32) == element.isF32())
    return success();
  return op.emitOpError("expects a kernel schedule with scores of f32 for "
                        "operands of f32 alone, but got ")
         << stringifyScoreStorage(schedule.getScores()) << " for operands of "
         << element;
}

/// Heads that fragments have as rows.
static constexpr int64_t kMostHeadsOfFragment = 16;
/// More heads than these have one warp each.
static constexpr int64_t kMostHeadsOfTheSameWarps = 4;

int64_t AttentionOp::getWarpsOfManyHeads() {
  int64_t heads = getNeighborhood().heads;
  if (heads == Neighborhood::kUnbounded || heads <= kMostHeadsOfTheSameWarps ||
      heads > kMostHeadsOfFragment ||
      getElementTypeOrSelf(getQuery().getType()).getIntOrFloatBitWidth() != 16)
    return 0;
  return heads <= 8 ? 8 : 16;
}

int64_t mta::getRowsOfManyHeads(AttentionOp op) {
  return op.getNeighborhood().queriesBefore == 0 ? kStrip : 2 * kStrip;
}

LogicalResult mta::verifyShapeOfManyHeads(AttentionOp op,
                                          KernelScheduleAttr schedule) {
  int64_t rows = getRowsOfManyHeads(op), warps = op.getWarpsOfManyHeads();
  if (schedule.getRows() == rows && schedule.getWarps() == warps &&
      schedule.getStages() == 1 && schedule.getProducts() == Products::Mma)
    return success();
  return op.emitOpError("expects ")
         << rows << " rows, " << warps << " warps, one stage and products by "
         << "mma for " << op.getNeighborhood().heads
         << " heads that share a workgroup, but got " << schedule;
}

llvm::SmallVector<CopyPart, 3> mta::splitCopy(int64_t rows, int64_t pieces,
                                              int64_t elementBytes) {
  if (elementBytes != 2 || rows % 8 != 0 || pieces % 2 != 0 || pieces % 8 == 0)
    return {{0, pieces}};
  llvm::SmallVector<CopyPart, 3> parts;
  if (pieces > 8)
    parts.push_back({0, pieces / 8 * 8});
  for (int64_t count : {4, 2})
    if (pieces & count)
      parts.push_back({pieces - pieces % (2 * count), count, true});
  return parts;
}

LogicalResult mta::verifyKernelSchedule(AttentionOp op) {
  KernelScheduleAttr schedule = op.getKernelScheduleAttr();
  if (!schedule)
    return success();
  if (failed(verifyScores(op, schedule)))
    return failure();
  Neighborhood reads = op.getNeighborhood();
  if (reads.queriesBefore >= schedule.getRows())
    return op.emitOpError("expects a kernel schedule of more rows than the ")
           << reads.queriesBefore
           << " above its own that a result reads, but got "
           << schedule.getRows();
  for (ScoreOpInterface scoreOp : op.getScoreOps())
    if (int64_t halo = haloColumns(scoreOp); halo > schedule.getKeyTile())
      return op.emitOpError("expects a kernel schedule whose tile of keys is "
                            "at least the ")
             << halo << " keys that a window reads beside a result's own, but "
             << "got " << schedule.getKeyTile();
  // Groups of dynamic size are the conversion's matter.
  if (reads.heads == Neighborhood::kUnbounded)
    return success();
  if (op.getWarpsOfManyHeads() != 0)
    return verifyShapeOfManyHeads(op, schedule);
  if (schedule.getQuery() == QueryPlacement::Global)
    return op.emitOpError("expects a kernel schedule with queries in registers "
                          "or workgroup memory but for 5 to 16 heads of 16 "
                          "bits that share a workgroup, but got ")
           << schedule;
  int64_t warps = schedule.getWarps();
  if (warps % reads.heads != 0)
    return op.emitOpError("expects a kernel schedule whose warps are a "
                          "multiple of the ")
           << reads.heads << " heads that share a workgroup, but got " << warps;
  if (int64_t strips = reads.heads * (schedule.getRows() / kStrip);
      strips % warps != 0)
    return op.emitOpError("expects a kernel schedule whose warps divide the ")
           << strips << " strips of 16 rows of its heads, but got " << warps;
  return verifyProducts(op, schedule, reads.heads);
}

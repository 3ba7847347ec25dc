//===- KernelCounts.cpp - What a tile of keys takes -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCost.h"

#include "mta/Dialect/MTA/IR/KernelShape.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace mta;

namespace {
// Measured on PTX that the compiler makes: integer arithmetic, moves and
// branches for every access of workgroup memory, for every copy, and for a
// tile.
constexpr double kAddressing = 1.15;
// The same for convolutions, which read two places of a ring, and for keys and
// values, whose places differ by constants.
constexpr double kConvAddressing = 2.2, kTileAddressing = 0;
constexpr double kCopyAddressing = 4;
constexpr double kTileOverhead = 15;
// With a tile ahead, places of two tiles; scores that wait in registers change
// places with others for every second one.
constexpr double kAheadOverhead = 30;
// For every 16 of a wgmma's sum, a matrix descriptor; fence and wait.
constexpr double kDescriptor = 1.5;
constexpr double kWarpgroupProduct = 4;
// For every 8 rows of a tile that is loaded from global memory, and for a mix
// and a convolution between warps of a head each; with more than 8 heads what
// follows from a thread's number is computed again.
constexpr double kRowAddressing = 3, kRowAddressingAgain = 10.5;
constexpr double kMixAgain = 14, kConvAgain = 90, kQueryRows = 3;
// What a warp loads before it multiplies comes from L2 in this part of the time
// that copies take from there, as microbenchmarks report of A100 and H100.
constexpr double kLoadWait = 0.4;
} // namespace

//===----------------------------------------------------------------------===//
// Counts of one tile of keys
//===----------------------------------------------------------------------===//

void TileCounts::add(const TileCounts &other, double times) {
  products += times * other.products;
  multiplyAdds += times * other.multiplyAdds;
  ofWarpgroups += times * other.ofWarpgroups;
  wavefronts += times * other.wavefronts;
  shuffles += times * other.shuffles;
  instructions += times * other.instructions;
  floats += times * other.floats;
  specials += times * other.specials;
  bytes += times * other.bytes;
  loads += times * other.loads;
  barriers += times * other.barriers;
  waits += times * other.waits;
}

namespace {
/// Counts what one warp does, step by step.
class WarpCounter {
public:
  explicit WarpCounter(const KernelPlan &plan)
      : plan(plan), strips(plan.stripsOfWarp()), pieces(plan.keyTile / 8) {}

  void countScores();
  void countStep(const StepPlan &step);
  void countStatistics(bool hasAccumulator);
  void countWeights();
  void countValues();
  void countCopies(int64_t columns);

  TileCounts counts;

private:
  /// `count` times a reduction over `depth` columns: products of 16 x 8 x 16,
  /// and one of 16 x 8 x 8 for an odd number of pieces. With f32 all are of
  /// 16 x 8 x 8, and there are three for one.
  void addProducts(int64_t count, int64_t depth) {
    int64_t each = plan.isF32() ? 3 * depth / 8 : llvm::divideCeil(depth, 16);
    counts.products += count * each;
    counts.multiplyAdds +=
        double(count) * depth * 16 * 8 * (plan.isF32() ? 3 : 1);
    counts.instructions += count * each;
  }
  /// Products of every strip with a tile of keys or values, `tileColumns` wide.
  void addTileProducts(int64_t columns, int64_t depth, int64_t tileColumns);
  /// rows x columns matrices of 8 x 8, up to four at a time; of f32, pairs of
  /// numbers, each of which is split by four instructions.
  void addMatrices(int64_t rows, int64_t columns,
                   double addressing = kAddressing) {
    if (plan.isF32()) {
      counts.wavefronts += 2 * rows * columns;
      counts.instructions += rows * columns * (1 + kAddressing + 8);
      return;
    }
    counts.wavefronts += rows * columns;
    double loads = llvm::divideCeil(rows, 2) * llvm::divideCeil(columns, 2);
    counts.instructions += loads * (1 + addressing);
  }
  /// Arithmetic on `count` pieces of 16 x 8, of which a lane has four numbers.
  void addElements(int64_t count, double floats, double specials) {
    counts.floats += 4 * count * floats;
    counts.specials += 4 * count * specials;
    counts.instructions += 4 * count * (floats + specials);
  }
  /// Conversions of pairs.
  void addConversions(double count) {
    counts.specials += count;
    counts.instructions += count;
  }
  /// Of a tile of `rows` rows, whichever way the warps share it.
  int64_t stripsOf(int64_t rows) const {
    return rows * plan.heads / (16 * plan.warps);
  }
  void addStores(int64_t strips, double active);
  /// Loads of `rows` x `columns` elements, `run` bytes at a time for a lane, in
  /// groups of `rowsAtOnce` rows with addresses of their own.
  void addLoads(int64_t rows, int64_t columns, int64_t run, int64_t rowsAtOnce);
  /// Every row of a head's queries in one run of `columns`.
  void addStagedQueries(int64_t columns) {
    counts.wavefronts += plan.rows / 8 * columns / 8;
    counts.instructions += plan.rows / 8;
    addAgain(kQueryRows);
  }
  void addAgain(double instructions) {
    counts.instructions += plan.heads > 8 ? instructions : 0;
  }
  void countConv(KeyQueryConvOp conv, const StepPlan &step);
  void countMix(const StepPlan &step);
  void countMixOfFew(const StepPlan &step);
  void countStores(const StepPlan &step);
  void countValuesByHead();

  const KernelPlan &plan;
  const int64_t strips, pieces;
  /// Whether warps share rows of the tile at this point, not heads.
  bool inRows = false;
};
} // namespace

void WarpCounter::addTileProducts(int64_t columns, int64_t depth,
                                  int64_t tileColumns) {
  if (!plan.readsTiles) {
    addProducts(strips * columns / 8, depth);
    addMatrices(pieces, tileColumns / 8, kTileAddressing);
    return;
  }
  // All columns in one product; four warps read the tile together.
  counts.products += strips * depth / 16;
  double multiplyAdds = double(strips) * depth * columns * 16;
  counts.multiplyAdds += multiplyAdds;
  counts.ofWarpgroups += multiplyAdds;
  counts.instructions += strips * (depth / 16 + kWarpgroupProduct);
  counts.instructions += kDescriptor * (depth / 16);
  counts.wavefronts += strips * (plan.keyTile * tileColumns * 2 / 128.0) / 4;
}

void WarpCounter::addLoads(int64_t rows, int64_t columns, int64_t run,
                           int64_t rowsAtOnce) {
  double bytes = 2.0 * rows * columns;
  counts.instructions +=
      bytes / (32 * run) +
      (plan.heads > 8 ? kRowAddressingAgain : kRowAddressing) * rows /
          rowsAtOnce;
  counts.bytes += bytes;
  counts.loads += bytes;
}

void WarpCounter::countScores() {
  if (plan.hasManyHeads) {
    int64_t columns = plan.columnsAtOnce();
    for (int64_t first = 0; first < plan.headDim;
         first += plan.columnsFrom(first)) {
      addProducts(strips * pieces, plan.columnsFrom(first));
      // Loads stay behind what is multiplied.
      addAgain(1);
      if (plan.queryPlacement == QueryPlacement::Workgroup &&
          first < plan.stagedColumns())
        addStagedQueries(plan.columnsFrom(first));
    }
    addLoads(plan.keyTile, plan.headDim, columns / 2, 8);
    if (plan.queryPlacement == QueryPlacement::Global)
      addLoads(plan.rows, plan.headDim, columns / 2, 8);
    counts.waits += kLoadWait * plan.headDim / columns;
  } else {
    addTileProducts(plan.keyTile, plan.headDim, plan.headDim);
    if (plan.queryPlacement == QueryPlacement::Workgroup)
      addMatrices(2 * strips, plan.headDim / 8);
  }
  addElements(strips * pieces, 1, 0);
}

/// Pairs of strips of a tile of keys, of which the part `active` is stored.
void WarpCounter::addStores(int64_t strips, double active) {
  int64_t stores = strips * 2 * pieces;
  counts.wavefronts += stores * active * plan.elementBytes / 2;
  counts.instructions += stores;
  if (!plan.isF32())
    addConversions(stores);
}

/// Scores go to workgroup memory as pairs of f32 or f16; with f16, the second
/// number of a score is what the first one leaves.
void WarpCounter::countStores(const StepPlan &step) {
  int64_t stored = stripsOf(step.rows);
  // Rows of fragments are stored 8 at a time.
  int64_t needed = inRows ? step.neededRows : llvm::alignTo(step.neededRows, 8);
  double active = double(needed) / step.rows;
  for (int64_t copy = 0; copy < step.copies; ++copy)
    addStores(stored, active);
  if (step.copies > 1) {
    addConversions(stored * 4 * pieces);
    addElements(stored * pieces, 1, 0);
  }
}

void WarpCounter::countConv(KeyQueryConvOp conv, const StepPlan &step) {
  countStores(step);
  // What was mixed before has to be read, too, before it goes.
  counts.barriers += inRows ? 2 : 1;
  inRows = false;
  int64_t strips = stripsOf(step.resultRows);
  int64_t sources = step.groupSize > 1 ? plan.heads : 1;
  int64_t windows = step.copies * sources * conv.getQueryWindow();
  // A row's own scores, the last of its window, are in registers.
  bool readsOnlyItself = step.groupSize == 1 && !plan.hasManyHeads;
  int64_t inRegisters = readsOnlyItself ? step.copies : 0;
  for (int64_t window = 0; window < windows; ++window) {
    double addressing = plan.hasManyHeads ? kAddressing : kConvAddressing;
    if (window >= inRegisters)
      addMatrices(2 * strips, pieces, addressing);
    addMatrices(2 * strips, step.haloPieces, addressing);
  }
  addProducts(windows * strips * pieces, 8 * (step.haloPieces + 1));
  if (step.bandElements == 0)
    return;
  addAgain(kConvAgain);
  // A word of a band for every 8 x 8 elements of it.
  int64_t words = conv.getQueryWindow() * (step.haloPieces + 1);
  counts.wavefronts += words;
  counts.instructions += words * (1 + kAddressing);
}

/// With a warp for every head, products of 16 x 16 weights with the heads of a
/// row of the tile, of which every warp has a share.
void WarpCounter::countMix(const StepPlan &step) {
  if (plan.heads == 1)
    return addElements(strips * pieces, 1, 0);
  countStores(step);
  counts.barriers += 2;
  if (!plan.hasManyHeads)
    return countMixOfFew(step);
  inRows = true;
  addAgain(kMixAgain);
  int64_t sources = plan.heads / 8;
  addMatrices(sources, sources);
  for (int64_t row = 0; row < step.copies * step.rows / plan.warps; ++row) {
    addMatrices(sources, pieces);
    addProducts(pieces, plan.heads);
  }
}

void WarpCounter::countMixOfFew(const StepPlan &step) {
  for (int64_t source = 0; source < step.copies * plan.heads; ++source) {
    addMatrices(2 * strips, pieces);
    // Pairs are taken apart, widened if they are f16, multiplied and added.
    counts.instructions += 2 * strips * pieces;
    if (!plan.isF32())
      addConversions(4 * strips * pieces);
    addElements(strips * pieces, source == 0 ? 1 : 2, 0);
  }
}

void WarpCounter::countStep(const StepPlan &step) {
  if (auto conv = dyn_cast<KeyQueryConvOp>(*step.op))
    countConv(conv, step);
  else
    countMix(step);
}

/// Maximum, difference, sum; what a row has once is done for two rows a strip.
void WarpCounter::countStatistics(bool hasAccumulator) {
  int64_t strips = stripsOf(plan.softmaxRows);
  addElements(strips * pieces, 3, 1);
  counts.floats += 14 * strips;
  counts.specials += 2 * strips;
  counts.shuffles += 8 * strips;
  counts.instructions += 24 * strips;
  if (!hasAccumulator)
    return;
  int64_t stored = stripsOf(plan.accumulatorRows);
  addElements(stored * (plan.valueDim / 8), 1, 0);
  if (!plan.endsInRows(plan.before))
    return;
  // To the warp of the head, a number for every row.
  addAgain(kMixAgain);
  counts.barriers += 1;
  counts.wavefronts += 4 * stored;
  counts.instructions += 4 * stored * (1 + kAddressing);
}

/// With many heads what is subtracted from a row's scores is in memory.
void WarpCounter::countWeights() {
  int64_t strips = stripsOf(plan.softmaxRows);
  addElements(strips * pieces, 1, 1);
  if (!plan.hasManyHeads)
    return;
  counts.wavefronts += 2 * strips;
  counts.instructions += 2 * strips * (1 + kAddressing);
}

/// Pairs of 16 bits, or four instructions that split a number.
void WarpCounter::countValues() {
  int64_t stored = stripsOf(plan.accumulatorRows);
  if (plan.isF32())
    counts.instructions += 16 * stored * pieces;
  else
    addConversions(2 * stored * pieces);
  if (plan.hasManyHeads)
    return countValuesByHead();
  addTileProducts(plan.valueDim, plan.keyTile, plan.valueDim);
}

/// Weights come back to the warp of their head through workgroup memory.
void WarpCounter::countValuesByHead() {
  int64_t stored = stripsOf(plan.accumulatorRows);
  if (plan.leavesRows()) {
    addAgain(kMixAgain);
    addStores(stored, 1);
    addMatrices(2 * stored, pieces);
    counts.barriers += 2;
  }
  addProducts((plan.splitsWeights() ? 2 : 1) * stored * plan.valueDim / 8,
              plan.keyTile);
  if (plan.splitsWeights()) {
    addConversions(8 * stored * pieces);
    addElements(stored * pieces, 1, 0);
  }
  addLoads(plan.keyTile, plan.valueDim, 8, 4);
  // Elements of two rows make a pair.
  counts.instructions += pieces * plan.valueDim / 8;
  counts.waits += kLoadWait * (plan.keyTile / 16) * (plan.valueDim / 32.0);
}

/// Pieces of 16 bytes, shared by all warps.
void WarpCounter::countCopies(int64_t columns) {
  double copies = 0;
  for (const CopyPart &part : splitCopy(
           plan.keyTile, columns * plan.elementBytes / 16, plan.elementBytes))
    copies += plan.heads *
              llvm::divideCeil(plan.keyTile * part.pieces, plan.threads());
  double bytes =
      double(plan.heads) * plan.keyTile * columns * plan.elementBytes;
  counts.instructions += copies * (1 + kCopyAddressing);
  counts.wavefronts += bytes / 128 / plan.warps;
  counts.bytes += bytes / plan.warps;
}

TileCounts mta::countTile(const KernelPlan &plan, bool isOutput) {
  WarpCounter warp(plan);
  bool isLast = isOutput || !plan.hasTwoSweeps();
  bool hasCopies = !plan.hasManyHeads;
  if (hasCopies)
    warp.countCopies(plan.headDim);
  if (hasCopies && isLast)
    warp.countCopies(plan.valueDim);
  warp.countScores();
  for (const StepPlan &step : plan.before)
    warp.countStep(step);
  if (isLast && plan.hasTwoSweeps())
    warp.countWeights();
  else
    warp.countStatistics(isLast);
  for (const StepPlan &step : plan.after)
    if (isLast)
      warp.countStep(step);
  if (isLast)
    warp.countValues();
  // What the first window reads was written before the barrier of the tile.
  if (plan.isAhead && plan.stagesAhead())
    warp.counts.barriers -= 1;
  if (plan.isAhead)
    warp.counts.instructions += kAheadOverhead;
  if (plan.isAhead && !plan.stagesAhead())
    warp.counts.instructions += plan.stripsOfWarp() * plan.keyTile / 4.0;
  warp.counts.instructions += kTileOverhead;
  if (hasCopies)
    warp.counts.barriers += plan.stages > 1 ? 1 : isLast ? 4 : 2;
  if (hasCopies && plan.stages == 1) {
    auto partsOf = [&](int64_t columns) {
      return llvm::divideCeil(columns, plan.columnsOfStage(columns));
    };
    warp.counts.waits = partsOf(plan.headDim);
    if (isLast)
      warp.counts.waits += partsOf(plan.valueDim);
    warp.counts.barriers += 2 * (warp.counts.waits - (isLast ? 2 : 1));
  }
  warp.counts.instructions += warp.counts.barriers;
  TileCounts all;
  all.add(warp.counts, plan.warps);
  // Warps meet and wait together.
  all.barriers = warp.counts.barriers;
  all.waits = warp.counts.waits;
  return all;
}

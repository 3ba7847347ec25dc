//===- KernelCost.cpp - What a kernel costs on a GPU ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCost.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mta;

namespace {
// Measured on PTX that the compiler makes: integer arithmetic, moves and
// branches for every access of workgroup memory, for every copy, and for a
// tile.
constexpr double kAddressing = 1.15;
constexpr double kCopyAddressing = 4;
constexpr double kTileOverhead = 15;
// For every 16 of a wgmma's sum, a matrix descriptor; fence and wait.
constexpr double kDescriptor = 5;
constexpr double kWarpgroupProduct = 4;

// Cycles, of the order that microbenchmarks of A100 and H100 report: a barrier
// of a workgroup, the way of a copy from L2, and the start of a workgroup with
// its queries and weights.
constexpr double kBarrierCycles = 30;
constexpr double kCopyCycles = 600;
constexpr double kStartCycles = 3000;

// Registers beside the pieces of vectors: what ptxas takes if it may, to have
// loads under way, what it cannot do without, and what a strip, the more the
// wider its tile is, and a second sweep need. So that no kernel of a chosen
// schedule spills, on sm_80 and sm_90a, the least is that of the worst of 50
// kernels; some fit that are taken not to.
constexpr int64_t kUsualOverhead = 66, kLeastOverhead = 32, kStrip = 4,
                  kTwoSweeps = 8;

/// What is assumed of sizes that are not known: those of the published models.
constexpr int64_t kUsualLength = 2048, kUsualBatch = 4, kUsualHeads = 16;
} // namespace

//===----------------------------------------------------------------------===//
// Counts of one tile of keys
//===----------------------------------------------------------------------===//

void TileCounts::add(const TileCounts &other, double times) {
  products += times * other.products;
  multiplyAdds += times * other.multiplyAdds;
  wavefronts += times * other.wavefronts;
  shuffles += times * other.shuffles;
  instructions += times * other.instructions;
  floats += times * other.floats;
  specials += times * other.specials;
  bytes += times * other.bytes;
  barriers += times * other.barriers;
  waits += times * other.waits;
}

namespace {
/// Counts what one warp does, step by step.
class WarpCounter {
public:
  explicit WarpCounter(const KernelPlan &plan)
      : plan(plan), strips(plan.stripsOfWarp()), pieces(plan.keyTile / 8),
        copies(plan.splitScores ? 2 : 1) {}

  void countScores();
  void countStep(const StepPlan &step);
  void countStatistics(bool hasAccumulator);
  void countWeights() { addElements(strips * pieces, 1, 1); }
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
  void addMatrices(int64_t rows, int64_t columns) {
    if (plan.isF32()) {
      counts.wavefronts += 2 * rows * columns;
      counts.instructions += rows * columns * (1 + kAddressing + 8);
      return;
    }
    counts.wavefronts += rows * columns;
    double loads = llvm::divideCeil(rows, 2) * llvm::divideCeil(columns, 2);
    counts.instructions += loads * (1 + kAddressing);
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
  void countConv(KeyQueryConvOp conv, const StepPlan &step);
  void countMix();
  void countStores();

  const KernelPlan &plan;
  const int64_t strips, pieces, copies;
};
} // namespace

void WarpCounter::addTileProducts(int64_t columns, int64_t depth,
                                  int64_t tileColumns) {
  if (!plan.readsTiles) {
    addProducts(strips * columns / 8, depth);
    addMatrices(pieces, tileColumns / 8);
    return;
  }
  // All columns in one product; four warps read the tile together.
  counts.products += strips * depth / 16;
  counts.multiplyAdds += double(strips) * depth * columns * 16;
  counts.instructions += strips * (depth / 16 + kWarpgroupProduct);
  counts.instructions += kDescriptor * (depth / 16);
  counts.wavefronts += strips * (plan.keyTile * tileColumns * 2 / 128.0) / 4;
}

void WarpCounter::countScores() {
  addTileProducts(plan.keyTile, plan.headDim, plan.headDim);
  if (plan.queryPlacement == QueryPlacement::Workgroup)
    addMatrices(2 * strips, plan.headDim / 8);
  addElements(strips * pieces, 1, 0);
}

/// Scores go to workgroup memory as pairs of f32 or f16; with f16, the second
/// number of a score is what the first one leaves.
void WarpCounter::countStores() {
  int64_t stores = copies * strips * 2 * pieces;
  counts.wavefronts += stores * plan.elementBytes / 2;
  counts.instructions += stores;
  if (plan.isF32())
    return;
  addConversions(stores);
  if (copies > 1) {
    addConversions(strips * 4 * pieces);
    addElements(strips * pieces, 1, 0);
  }
}

void WarpCounter::countConv(KeyQueryConvOp conv, const StepPlan &step) {
  countStores();
  counts.barriers += 1;
  int64_t sources = step.groupSize > 1 ? plan.heads : 1;
  int64_t windows = copies * sources * conv.getQueryWindow();
  // A row's own scores, the last of its window, are in registers.
  int64_t inRegisters = step.groupSize > 1 ? 0 : copies;
  for (int64_t window = 0; window < windows; ++window) {
    if (window >= inRegisters)
      addMatrices(2 * strips, pieces);
    addMatrices(2 * strips, step.haloPieces);
  }
  addProducts(windows * strips * pieces, 8 * (step.haloPieces + 1));
}

void WarpCounter::countMix() {
  if (plan.heads == 1)
    return addElements(strips * pieces, 1, 0);
  countStores();
  counts.barriers += 2;
  for (int64_t source = 0; source < copies * plan.heads; ++source) {
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
    countMix();
}

/// Maximum, difference, sum; what a row has once is done for two rows a strip.
void WarpCounter::countStatistics(bool hasAccumulator) {
  addElements(strips * pieces, 3, 1);
  counts.floats += 14 * strips;
  counts.specials += 2 * strips;
  counts.shuffles += 8 * strips;
  counts.instructions += 24 * strips;
  if (hasAccumulator)
    addElements(strips * (plan.valueDim / 8), 1, 0);
}

void WarpCounter::countValues() {
  // Pairs of 16 bits, or four instructions that split a number.
  if (plan.isF32())
    counts.instructions += 16 * strips * pieces;
  else
    addConversions(2 * strips * pieces);
  addTileProducts(plan.valueDim, plan.keyTile, plan.valueDim);
}

/// Pieces of 16 bytes, shared by all warps.
void WarpCounter::countCopies(int64_t columns) {
  int64_t pieces = plan.keyTile * columns * plan.elementBytes / 16;
  double copies = plan.heads * llvm::divideCeil(pieces, plan.threads());
  double bytes =
      double(plan.heads) * plan.keyTile * columns * plan.elementBytes;
  counts.instructions += copies * (1 + kCopyAddressing);
  counts.wavefronts += bytes / 128 / plan.warps;
  counts.bytes += bytes / plan.warps;
}

TileCounts mta::countTile(const KernelPlan &plan, bool isOutput) {
  WarpCounter warp(plan);
  bool isLast = isOutput || !plan.hasTwoSweeps();
  warp.countCopies(plan.headDim);
  if (isLast)
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
  warp.counts.instructions += kTileOverhead;
  warp.counts.barriers += plan.stages > 1 ? 1 : isLast ? 4 : 2;
  warp.counts.instructions += warp.counts.barriers;
  if (plan.stages == 1)
    warp.counts.waits = isLast ? 2 : 1;
  TileCounts all;
  all.add(warp.counts, plan.warps);
  // Warps meet and wait together.
  all.barriers = warp.counts.barriers;
  all.waits = warp.counts.waits;
  return all;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// Queries for a step of the reduction, or all of them.
static int64_t countQueryRegisters(const KernelPlan &plan) {
  int64_t strips = plan.stripsOfWarp();
  bool inRegisters = plan.queryPlacement == QueryPlacement::Registers;
  // Split, an element of f32 is two registers.
  if (plan.isF32())
    return strips * (inRegisters ? plan.headDim : kF32Columns);
  // Of queries in workgroup memory, what is loaded for a step of the reduction,
  // with several strips ahead of it.
  return inRegisters ? strips * plan.headDim / 4 : 4 + 13 * (strips - 1);
}

/// Copies of 16 bytes of a tile of f32: with few threads, their addresses are
/// what registers are short of.
static int64_t countCopiesOfThread(const KernelPlan &plan) {
  int64_t count = 0;
  for (int64_t columns : {plan.headDim, plan.valueDim})
    count += plan.heads *
             llvm::divideCeil(plan.keyTile * columns / 4, plan.threads());
  return count;
}

int64_t mta::countLiveRegisters(const KernelPlan &plan) {
  int64_t strips = plan.stripsOfWarp();
  // Maxima, sums and ends of keys of two rows a strip.
  int64_t live = 8 * strips + countQueryRegisters(plan);
  live += strips * plan.valueDim / 2;
  // Of f32, weights that are split and a part of the values that are read at
  // once.
  int64_t operand =
      plan.isF32() ? strips * plan.keyTile / 2 + kF32Columns : 8 * strips;
  if (plan.isF32())
    live += countCopiesOfThread(plan);
  // Two numbers of 16 bits are a register, one of f32 two.
  int64_t times = plan.isF32() ? 4 : 1;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps) {
      auto conv = dyn_cast<KeyQueryConvOp>(*step.op);
      int64_t sources = step.groupSize == 1 && conv ? 1 : plan.heads;
      live +=
          sources *
          (conv ? times * conv.getQueryWindow() * (step.haloPieces + 1) : 1);
      operand = std::max(operand,
                         conv ? times * 2 * strips * (step.haloPieces + 2)
                              : strips * plan.keyTile * plan.elementBytes / 8);
    }
  if (plan.splitScores)
    operand += 8 * strips;
  // A tile of scores, and what is multiplied to become it.
  return live + strips * plan.keyTile / 2 + operand;
}

namespace {
/// What one thread may have, and what it will have.
struct RegisterUse {
  int64_t registers, spilled;
};
} // namespace

static RegisterUse predictRegisters(const KernelPlan &plan) {
  int64_t live = countLiveRegisters(plan);
  int64_t least = kLeastOverhead +
                  plan.stripsOfWarp() * (kStrip + plan.keyTile / 16) +
                  (plan.hasTwoSweeps() ? kTwoSweeps : 0);
  int64_t most =
      std::min<int64_t>(hardware::MaxRegistersPerThread,
                        hardware::Registers / plan.threads() / 8 * 8);
  return {std::min(most, live + kUsualOverhead),
          std::max<int64_t>(0, live + least - most)};
}

/// Workgroups that are resident on a multiprocessor at once.
static int64_t countResidents(const KernelPlan &plan, int64_t registers,
                              const hardware::Architecture &architecture) {
  int64_t bytes = plan.workgroupBytes();
  if (bytes > architecture.blockBytes)
    return 0;
  int64_t ofWarp = llvm::alignTo(32 * registers, hardware::RegisterUnit);
  return std::min<int64_t>({architecture.blocks,
                            architecture.threads / plan.threads(),
                            architecture.multiprocessorBytes /
                                (bytes + hardware::ReservedBytesPerBlock),
                            hardware::Registers / (ofWarp * plan.warps)});
}

//===----------------------------------------------------------------------===//
// Cycles of a tile
//===----------------------------------------------------------------------===//

std::pair<double, StringRef> PipeCycles::limit() const {
  return std::max<std::pair<double, StringRef>>({{tensor, "tensor"},
                                                 {shared, "shared"},
                                                 {issue, "issue"},
                                                 {special, "special"},
                                                 {floats, "float32"},
                                                 {l2, "l2"}});
}

double PipeCycles::total(double parallelism) const {
  double busiest = limit().first;
  // Every instruction is issued, on whatever pipe it then runs.
  double others = tensor + shared + special + floats + l2 - busiest;
  return busiest + std::max(0.0, others) / std::max(1.0, parallelism);
}

/// Products of tf32 take twice as long as those of 16 bits.
static PipeCycles pipeCycles(const KernelPlan &plan, const TileCounts &counts,
                             double spilled, const hardware::GpuFigures &gpu) {
  PipeCycles pipes;
  // A register that does not fit is written and read again.
  double spills = 2 * spilled;
  pipes.tensor =
      counts.multiplyAdds * plan.elementBytes / 2 / gpu.tensorPerCycle();
  pipes.shared = counts.wavefronts + counts.shuffles + spills;
  pipes.issue = (counts.instructions + spills) / hardware::Schedulers;
  pipes.special = 32 * counts.specials / gpu.specialLanes;
  pipes.floats = 32 * counts.floats / gpu.floatLanes;
  pipes.l2 = counts.bytes / hardware::L2BytesPerCycle;
  return pipes;
}

/// Cycles of a multiprocessor for one tile of keys of one of its `residents`
/// workgroups.
static double tileCycles(const KernelPlan &plan, const TileCounts &counts,
                         const PipeCycles &pipes, int64_t residents) {
  double warps = double(residents) * plan.warps / hardware::Schedulers;
  double parallelism = warps * (1 + plan.stripsOfWarp()) / 2;
  double waits = kBarrierCycles * counts.barriers + kCopyCycles * counts.waits;
  return pipes.total(parallelism) + waits / residents;
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

namespace {
/// What all workgroups do together, and the one with the most keys.
struct Grid {
  double workgroups = 0;
  /// Tiles of keys in the sweep for statistics and in that for the output.
  double statistics = 0, output = 0;
  double mostStatistics = 0, mostOutput = 0;
  double useful = 0;
};
} // namespace

static int64_t sizeOr(int64_t size, int64_t usual) {
  return ShapedType::isDynamic(size) ? usual : std::max<int64_t>(size, 1);
}

static Grid measureGrid(AttentionOp op, const KernelPlan &plan) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto key = cast<RankedTensorType>(op.getKey().getType());
  double queries = sizeOr(query.getDimSize(2), kUsualLength);
  double keys = sizeOr(key.getDimSize(2), kUsualLength);
  double heads = sizeOr(query.getDimSize(1), std::max(kUsualHeads, plan.heads));
  double groups = sizeOr(query.getDimSize(0), kUsualBatch) * heads / plan.heads;
  double halo = op.getQueryHalo(), tile = plan.queryTile();
  double tiles = std::ceil(std::max(queries - halo, 1.0) / tile);
  // Of many tiles, some stand for all.
  int64_t samples = std::min(tiles, 256.0);
  double pairs = 0;
  Grid grid;
  for (int64_t sample = 0; sample < samples; ++sample) {
    double first = std::floor(sample * tiles / samples) * tile + halo;
    double end = std::min(first + tile, queries);
    double keyEnd =
        op.isCausal() ? std::clamp(end + keys - queries, 0.0, keys) : keys;
    auto count = [&](int64_t trailing) {
      return keyEnd == 0 ? 0 : std::ceil((keyEnd + trailing) / plan.keyTile);
    };
    double output = count(plan.trailing());
    double statistics = plan.hasTwoSweeps() ? count(plan.trailingBefore()) : 0;
    grid.output += output;
    grid.statistics += statistics;
    grid.mostOutput = std::max(grid.mostOutput, output);
    grid.mostStatistics = std::max(grid.mostStatistics, statistics);
    double rows = std::max(end - first, 0.0);
    pairs += rows *
             (op.isCausal() ? std::max(keyEnd - rows / 2, keyEnd / 2) : keyEnd);
  }
  double computed = grid.output * plan.rows * plan.keyTile;
  grid.useful = computed > 0 ? pairs / computed : 1;
  grid.workgroups = groups * tiles;
  grid.output *= grid.workgroups / samples;
  grid.statistics *= grid.workgroups / samples;
  return grid;
}

/// Under a causal mask workgroups with the most keys come first, so that
/// multiprocessors finish together; else the last ones are whole.
static double launchCycles(const Grid &grid, bool isCausal, double total,
                           double longest, double multiprocessors) {
  if (isCausal)
    return std::max(longest, total / multiprocessors);
  double each = total / grid.workgroups;
  return std::max(longest, each * std::ceil(grid.workgroups / multiprocessors));
}

KernelCost mta::computeKernelCost(AttentionOp op, const KernelPlan &plan,
                                  const KernelTarget &target) {
  KernelCost cost;
  RegisterUse use = predictRegisters(plan);
  cost.registers = use.registers;
  cost.spilled = use.spilled;
  cost.workgroupBytes = plan.workgroupBytes();
  cost.residents = countResidents(plan, use.registers, target.architecture);
  if (cost.residents == 0)
    return cost;
  TileCounts output = countTile(plan, /*isOutput=*/true), statistics;
  if (plan.hasTwoSweeps())
    statistics = countTile(plan, /*isOutput=*/false);
  cost.counts.add(output, 1);
  cost.counts.add(statistics, 1);
  double spilled = double(use.spilled) * plan.warps;
  cost.pipes = pipeCycles(plan, cost.counts, spilled, target.gpu);
  PipeCycles outputPipes = pipeCycles(plan, output, spilled, target.gpu);
  PipeCycles statisticsPipes =
      pipeCycles(plan, statistics, spilled, target.gpu);
  Grid grid = measureGrid(op, plan);
  auto cycles = [&](double tiles, double before, double starts,
                    int64_t residents) {
    return tiles * tileCycles(plan, output, outputPipes, residents) +
           before * tileCycles(plan, statistics, statisticsPipes, residents) +
           starts * kStartCycles / residents;
  };
  double total =
      cycles(grid.output, grid.statistics, grid.workgroups, cost.residents);
  double longest = cycles(grid.mostOutput, grid.mostStatistics, 1, 1);
  cost.useful = grid.useful;
  cost.microseconds = launchCycles(grid, op.isCausal(), total, longest,
                                   target.gpu.multiprocessors) /
                      (target.gpu.clockGHz * 1e3);
  return cost;
}

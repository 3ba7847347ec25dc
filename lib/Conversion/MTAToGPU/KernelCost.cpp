//===- KernelCost.cpp - What a kernel costs on a GPU ------------*- C++ -*-===//
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
#include <cmath>

using namespace mlir;
using namespace mta;

namespace {
// Cycles, of the order that microbenchmarks of A100 and H100 report: a barrier
// of a workgroup, the way of a copy from L2, and the start of a workgroup with
// its queries and weights.
constexpr double kBarrierCycles = 30;
constexpr double kCopyCycles = 600;
constexpr double kStartCycles = 3000;
/// From the end of a kernel to the first work of the next one in its stream.
constexpr double kLaunchCycles = 3000;

// Registers beside the pieces of vectors: what ptxas takes if it may, to have
// loads under way, what it cannot do without, and what a strip, the more the
// wider its tile is, and a second sweep need. So that no kernel of a chosen
// schedule spills, on sm_80 and sm_90a, the least is that of the worst of 50
// kernels; some fit that are taken not to.
constexpr int64_t kUsualOverhead = 66, kLeastOverhead = 32, kStrip = 4,
                  kTwoSweeps = 8, kManyHeadsOverhead = 24;
/// The least with a tile ahead, whose products assemblers mix with others,
/// that of every part but one of the columns of its copies, and what operands
/// of f32 take for every strip: those of the worst of 40 kernels each.
constexpr int64_t kLeastAhead = 70, kCopyPart = 8, kStripOfF32 = 24;

/// What is assumed of sizes that are not known: those of the published models.
constexpr int64_t kUsualLength = 2048, kUsualBatch = 4, kUsualHeads = 16;
} // namespace

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// Queries for a step of the reduction, or all of them.
static int64_t countQueryRegisters(const KernelPlan &plan) {
  int64_t strips = plan.stripsOfWarp();
  // What tensor cores read by themselves stays until they are done.
  bool inRegisters = plan.queryPlacement == QueryPlacement::Registers ||
                     (plan.isAhead && plan.readsTiles);
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

/// Queries that many heads have in registers, or the addresses, of 64 bits, of
/// the rows 8 apart that they are loaded from.
static int64_t countQueriesOfManyHeads(const KernelPlan &plan) {
  switch (plan.queryPlacement) {
  case QueryPlacement::Registers:
    return plan.stripsOfWarp() * plan.headDim / 4;
  case QueryPlacement::Workgroup:
    return plan.stripsOfWarp() * plan.heldColumns / 4;
  case QueryPlacement::Global:
    return plan.stripsOfWarp() * 2 * 2;
  }
  llvm_unreachable("unknown placement");
}

/// With a warp for every head bands and the weights of mixes are in workgroup
/// memory. Before and after an operation there is a tile of scores, and keys
/// come from global memory: of every 8 of them, an address of 64 bits and a
/// pair of registers for a step of the reduction.
static int64_t countLiveOfManyHeads(const KernelPlan &plan) {
  int64_t accumulator = plan.accumulatorRows / 16 * plan.valueDim / 2;
  int64_t keys = plan.keyTile / 8 * (2 + 2);
  return accumulator + plan.stripsOfWarp() * plan.keyTile + keys +
         countQueriesOfManyHeads(plan);
}

int64_t mta::countLiveRegisters(const KernelPlan &plan) {
  if (plan.hasManyHeads)
    return countLiveOfManyHeads(plan);
  int64_t strips = plan.stripsOfWarp();
  auto isSplit = [](const StepPlan &step) { return step.copies > 1; };
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
  if (llvm::any_of(plan.before, isSplit) || llvm::any_of(plan.after, isSplit))
    operand += 8 * strips;
  // A tile of scores, or two, and what is multiplied to become it.
  return live + (plan.isAhead ? 2 : 1) * strips * plan.keyTile / 2 + operand;
}

namespace {
/// What one thread may have, and what it will have.
struct RegisterUse {
  int64_t registers, spilled;
};
} // namespace

/// What ptxas cannot do without beside the pieces of vectors.
static int64_t countLeastOverhead(const KernelPlan &plan) {
  if (plan.hasManyHeads)
    return kManyHeadsOverhead;
  int64_t ofStrip =
      kStrip + plan.keyTile / 16 + (plan.isF32() ? kStripOfF32 : 0);
  int64_t least =
      plan.stripsOfWarp() * ofStrip + (plan.hasTwoSweeps() ? kTwoSweeps : 0);
  if (!plan.isAhead)
    return kLeastOverhead + least;
  for (int64_t columns : {plan.headDim, plan.valueDim}) {
    int64_t pieces = columns * plan.elementBytes / 16;
    least += kCopyPart *
             (splitCopy(plan.keyTile, pieces, plan.elementBytes).size() - 1);
  }
  return kLeastAhead + least;
}

static RegisterUse predictRegisters(const KernelPlan &plan) {
  int64_t live = countLiveRegisters(plan);
  int64_t least = countLeastOverhead(plan);
  int64_t most =
      std::min<int64_t>(hardware::MaxRegistersPerThread,
                        hardware::Registers / plan.threads() / 8 * 8);
  return {std::min(most, live + kUsualOverhead),
          std::max<int64_t>(0, live + least - most)};
}

/// Workgroups that are resident on a multiprocessor at once.
static int64_t countResidents(const KernelPlan &plan, int64_t registers,
                              const hardware::Architecture &architecture) {
  // LLVM declares dynamic workgroup memory as an array of one byte, which is
  // static memory of the kernel.
  int64_t bytes = plan.workgroupBytes() + 1;
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
  double ofWarps = counts.multiplyAdds - counts.ofWarpgroups;
  pipes.tensor = (ofWarps / gpu.mmaSyncPart + counts.ofWarpgroups) *
                 plan.elementBytes / 2 / gpu.tensorPerCycle();
  pipes.shared =
      counts.wavefronts + counts.loads / 128 + counts.shuffles + spills;
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
  // What one warp has to do at once. That a tile ahead counts as a strip does
  // fits what FlashAttention-3 gains by it (arXiv 2407.08608, ablation).
  double works = plan.stripsOfWarp() + (plan.isAhead ? 1 : 0);
  double parallelism = warps * (1 + works) / 2;
  double waits = kBarrierCycles * counts.barriers + kCopyCycles * counts.waits;
  // Copies are begun one tile ahead: a workgroup takes no less for a tile than
  // their way.
  return std::max(pipes.total(parallelism) + waits / residents,
                  kCopyCycles / residents);
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
  /// Rows of the output, of all heads and batches.
  double rows = 0;
  /// Of keys and values, each read once.
  double bytes = 0;
  double useful = 0;
};
} // namespace

static int64_t sizeOr(int64_t size, int64_t usual) {
  return ShapedType::isDynamic(size) ? usual : std::max<int64_t>(size, 1);
}

namespace {
/// Tiles of keys of all splits of a sweep, and of the longest one.
struct Share {
  double all, most;
};
} // namespace

/// With `halo` columns that are computed again before a split's own.
static Share shareTiles(double tiles, const KernelPlan &plan, int64_t halo) {
  if (plan.keySplits == 1 || tiles == 0)
    return {tiles, tiles};
  int64_t warmUp = llvm::divideCeil(halo, plan.keyTile);
  double each = std::ceil(tiles / plan.keySplits);
  double others = std::ceil(tiles / each) - 1;
  return {tiles + others * warmUp, each + (others > 0 ? warmUp : 0)};
}

static Grid measureGrid(AttentionOp op, const KernelPlan &plan,
                        const ExpectedSizes &expected) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto key = cast<RankedTensorType>(op.getKey().getType());
  auto lengthOr = [](int64_t size, int64_t other) {
    return sizeOr(size, other == 0 ? kUsualLength : other);
  };
  double queries = lengthOr(query.getDimSize(2), expected.queries);
  double keys = lengthOr(key.getDimSize(2), expected.keys);
  double heads = sizeOr(query.getDimSize(1), std::max(kUsualHeads, plan.heads));
  double batch = sizeOr(query.getDimSize(0),
                        expected.batch == 0 ? kUsualBatch : expected.batch);
  double groups = batch * heads / plan.groupHeads;
  double halo = op.getQueryHalo(), tile = plan.queryTile();
  double tiles = std::ceil(std::max(queries - halo, 1.0) / tile);
  // Of many tiles, some stand for all.
  int64_t samples = std::min(tiles, 256.0);
  double pairs = 0;
  int64_t before = countHaloColumns(plan.before),
          after = countHaloColumns(plan.after);
  Grid grid;
  for (int64_t sample = 0; sample < samples; ++sample) {
    double first = std::floor(sample * tiles / samples) * tile + halo;
    double end = std::min(first + tile, queries);
    double keyEnd =
        op.isCausal() ? std::clamp(end + keys - queries, 0.0, keys) : keys;
    auto count = [&](int64_t trailing) {
      return keyEnd == 0 ? 0 : std::ceil((keyEnd + trailing) / plan.keyTile);
    };
    Share output = shareTiles(count(plan.trailing()), plan, before + after);
    Share statistics = shareTiles(
        plan.hasTwoSweeps() ? count(plan.trailingBefore()) : 0, plan, before);
    grid.output += output.all;
    grid.statistics += statistics.all;
    grid.mostOutput = std::max(grid.mostOutput, output.most);
    grid.mostStatistics = std::max(grid.mostStatistics, statistics.most);
    double rows = std::max(end - first, 0.0);
    pairs += rows *
             (op.isCausal() ? std::max(keyEnd - rows / 2, keyEnd / 2) : keyEnd);
  }
  double computed = grid.output * plan.rows * plan.keyTile;
  grid.useful = computed > 0 ? pairs / computed : 1;
  grid.output *= groups * tiles / samples;
  grid.statistics *= groups * tiles / samples;
  grid.workgroups = groups * tiles * plan.keySplits;
  grid.rows = groups * plan.groupHeads * std::max(queries - halo, 1.0);
  double shared = heads / sizeOr(key.getDimSize(1), heads);
  grid.bytes = groups * plan.groupHeads / shared * keys * plan.elementBytes *
               (plan.headDim + plan.valueDim);
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

/// The kernels around that of the output: some rows for a workgroup, which
/// waits for eight splits at once.
static double combinationCycles(const Grid &grid, const KernelPlan &plan,
                                double multiprocessors) {
  if (plan.keySplits == 1)
    return 0;
  double wait = kCopyCycles * std::ceil(plan.keySplits / 8.0);
  int64_t rows = plan.combinedRows();
  double bytes = 4.0 * rows * plan.keySplits * plan.valueDim;
  double strip = bytes / hardware::L2BytesPerCycle + wait;
  double turns = std::ceil(std::ceil(grid.rows / rows) / multiprocessors);
  double cycles = kLaunchCycles + turns * strip;
  if (!plan.hasTwoSweeps())
    return cycles;
  // The second sweep begins with the statistics of all splits.
  double statistics = 2.0 * 4 * plan.keySplits * plan.heads * plan.softmaxRows;
  return cycles + kLaunchCycles + wait + statistics / hardware::L2BytesPerCycle;
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
  Grid grid = measureGrid(op, plan, target.expected);
  auto cycles = [&](double tiles, double before, double starts,
                    int64_t residents) {
    return tiles * tileCycles(plan, output, outputPipes, residents) +
           before * tileCycles(plan, statistics, statisticsPipes, residents) +
           starts * kStartCycles / residents;
  };
  double processors = target.gpu.multiprocessors;
  int64_t running = std::min<int64_t>(cost.residents,
                                      std::ceil(grid.workgroups / processors));
  double total = cycles(grid.output, grid.statistics, grid.workgroups, running);
  double longest = cycles(grid.mostOutput, grid.mostStatistics, 1, 1);
  cost.useful = grid.useful;
  cost.workgroups = grid.workgroups;
  cost.longestSweep = grid.mostOutput;
  double memory = grid.bytes * target.gpu.clockGHz / target.gpu.memoryGBs;
  cost.busy = launchCycles(grid, op.isCausal(), total, longest, processors);
  double all =
      std::max(memory, cost.busy) + combinationCycles(grid, plan, processors);
  cost.microseconds = all / (target.gpu.clockGHz * 1e3);
  return cost;
}

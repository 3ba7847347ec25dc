//===- KernelCost.h - What a kernel costs on a GPU --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The time of a kernel is predicted in three steps.
//
// 1. What the warps of a workgroup do for one tile of keys is counted: the code
//    that `convert-mta-to-gpu` and `convert-vector-to-fragments` emit is a
//    function of the plan. With T keys in P = T/8 pieces, s strips of a warp
//    and c numbers for a score in workgroup memory, a warp has for q·kᵀ
//
//        s · P · ceil(D/16)          products
//        P · D/8                     8x8 matrices of keys from workgroup memory
//        s · 2 · D/8                 and of queries, if they are there
//
//    for a window of q queries, that reads h pieces beside a result's own,
//
//        c · s · 2P                  stores
//        c · q · s · 2(P + h)        matrices
//        c · q · s · P · ceil((h + 1)/2)  products
//
//    times the heads of a group, and for p·v
//
//        s · Dv/8 · P/2              products
//        P · Dv/8                    matrices
//
//    so that more strips of a warp share keys and values, and more keys of a
//    tile the h pieces of a window.
//
// 2. Counts over published rates are the cycles that each pipe of a
//    multiprocessor is busy. What is loaded to registers passes where workgroup
//    memory does, 128 bytes a cycle. The busiest one is busy all the time; how
//    much of the others' time hides behind it is a matter of how much
//    independent work there is to choose from:
//
//        cycles = busiest + (sum of the others) / W
//
//    W are the resident warps of a scheduler, a warp of s strips counted
//    (1 + s)/2 times: its strips are independent, but run in the order that the
//    assembler found. What all warps of a workgroup wait for, barriers and
//    copies that were not begun ahead, hides behind the other resident
//    workgroups. This step is an assumption, not a measurement: no GPU has run
//    these kernels yet.
//
// 3. Workgroups take their tiles of keys, fewer at the beginning under a causal
//    mask, and multiprocessors take workgroups. Rows of the halo are computed
//    and not stored: a workgroup with few rows has more of them in proportion,
//    and there are more workgroups. Splits of the keys are workgroups, too,
//    whose windows read tiles before their own, and after them comes the kernel
//    that combines them. Few queries wait for memory: a launch takes no less
//    time than DRAM for all keys and values.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOGPU_KERNELCOST_H
#define MTA_LIB_CONVERSION_MTATOGPU_KERNELCOST_H

#include "KernelPlan.h"
#include "mta/Hardware/GPU.h"

namespace mta {

/// What the warps of a workgroup do for one tile of keys, as the emulator
/// counts it; "instructions" are those of a warp.
struct TileCounts {
  double products = 0;     // mma.sync
  double multiplyAdds = 0; // in them
  double ofWarpgroups = 0; // of those, by wgmma
  double wavefronts = 0;   // passes through the banks of workgroup memory
  double shuffles = 0;
  double instructions = 0; // all, products too
  double floats = 0, specials = 0;
  double bytes = 0; // from global memory
  double loads = 0; // bytes of these that go to registers
  double barriers = 0;
  /// Times all warps wait for a copy that was not begun ahead.
  double waits = 0;

  void add(const TileCounts &other, double times);
};

/// Cycles for which one tile of keys keeps the pipes of a multiprocessor busy.
struct PipeCycles {
  double tensor = 0, shared = 0, issue = 0, special = 0, floats = 0, l2 = 0;

  /// The busiest pipe and its name.
  std::pair<double, llvm::StringRef> limit() const;
  /// Of what the other pipes do, one part in `parallelism` is not hidden.
  double total(double parallelism) const;
};

struct KernelCost {
  /// Predicted registers of a thread, and those that do not fit.
  int64_t registers = 0, spilled = 0;
  int64_t workgroupBytes = 0;
  /// Workgroups on a multiprocessor at once; 0 if not even one fits.
  int64_t residents = 0;
  /// One tile of keys, in all sweeps.
  TileCounts counts;
  PipeCycles pipes;
  double workgroups = 0;
  /// Tiles of keys of the workgroup that has the most of them to write the
  /// output.
  double longestSweep = 0;
  /// The part of the computed scores that are read: pairs that are allowed, in
  /// rows that are stored.
  double useful = 0;
  /// Cycles that the multiprocessors need, however long memory does.
  double busy = 0;
  double microseconds = 0;
};

/// What is assumed of numbers of queries, keys and batches that are not known;
/// 0 for those of the published models.
struct ExpectedSizes {
  int64_t queries = 0, keys = 0, batch = 0;
};

/// What the candidates of one attention are compared on.
struct KernelTarget {
  const hardware::Architecture &architecture;
  const hardware::GpuFigures &gpu;
  bool hasWarpgroups = false;
  ExpectedSizes expected;
};

KernelCost computeKernelCost(AttentionOp op, const KernelPlan &plan,
                             const KernelTarget &target);

/// One tile of keys in the sweep for the output, or in the one before it.
TileCounts countTile(const KernelPlan &plan, bool isOutput);

/// Registers of a thread that hold pieces of vectors when most of them do.
int64_t countLiveRegisters(const KernelPlan &plan);

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_KERNELCOST_H

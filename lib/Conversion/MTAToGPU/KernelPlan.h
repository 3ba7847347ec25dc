//===- KernelPlan.h - The shape of a tile program ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A workgroup computes, for one group of heads that are mixed, a tile of R rows
// of the score matrix and runs over the keys in tiles of T columns:
//
//                  first = row0 - rowsBefore
//                    |  rows of the halo: computed, not stored
//        R rows      |  row0 ... rowEnd: the workgroup's own queries
//
// The halo is part of the R rows, so that strips of 16 rows are whole and every
// warp has the same work. Along the keys nothing is computed twice: the result
// of a convolution trails its operand by the window's keys to the right,
// rounded up to 8, and what it needs of the tile before is kept in a ring.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOGPU_KERNELPLAN_H
#define MTA_LIB_CONVERSION_MTATOGPU_KERNELPLAN_H

#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta {

/// One score operation of a tile program.
struct StepPlan {
  ScoreOpInterface op;
  /// Convolutions: pieces of 8 columns of the ring that an output piece reads
  /// before the one that stands at its own place in the tile.
  int64_t haloPieces = 0;
  /// How far, in columns, the result trails the operand.
  int64_t trailing = 0;
  /// Rows above a result's own that it reads.
  int64_t rowsBefore = 0;
  /// Heads of a group that one result reads.
  int64_t groupSize = 1;
};

/// Where the queries of a workgroup are while it runs over the keys.
enum class QueryPlacement {
  /// In the registers of the warps that own them.
  Registers,
  /// In workgroup memory of their own, read again for every tile of keys.
  Workgroup,
};

struct KernelPlan {
  /// Heads that share a workgroup.
  int64_t heads = 1;
  int64_t warps = 0;
  /// R and T.
  int64_t rows = 0, keyTile = 0;
  /// With 2 stages, keys and values of a tile are loaded while another is used.
  /// With 1 they share a buffer that each is loaded to when it is needed.
  int64_t stages = 2;
  QueryPlacement queryPlacement = QueryPlacement::Registers;
  /// Tensor cores read keys and values from workgroup memory by themselves,
  /// once for four warps (`mta.contract_tile`).
  bool readsTiles = false;
  /// Scores in workgroup memory are the sum of two f16 numbers, not one.
  bool splitScores = false;
  int64_t rowsBefore = 0;
  int64_t headDim = 0, valueDim = 0;
  mlir::SmallVector<StepPlan> before, after;

  int64_t threads() const { return 32 * warps; }
  /// Queries that a workgroup stores.
  int64_t queryTile() const { return rows - rowsBefore; }
  bool hasTwoSweeps() const { return !after.empty(); }
  int64_t trailingBefore() const;
  int64_t trailing() const;
  /// Workgroup memory, in bytes, of elements of 16 bits.
  int64_t workgroupBytes() const;
};

/// Pads a row of `columns` 16-bit elements so that the eight rows which
/// ldmatrix reads at once lie in different banks: an odd multiple of 16 bytes.
int64_t paddedRow(int64_t columns);

/// Rows of a panel of 8 columns, of which there are several in a tile: 16 bytes
/// times an odd number, so that eight panels lie in different banks.
int64_t paddedPanel(int64_t rows);

/// What a chip offers to a kernel.
struct KernelTarget {
  int64_t workgroupBytes = 0;
  /// wgmma, of sm_90a.
  bool hasWarpgroups = false;
};

/// Plans the kernel of an attention, or says on it what is not supported.
mlir::FailureOr<KernelPlan> planKernel(AttentionOp op,
                                       const KernelTarget &target);

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_KERNELPLAN_H

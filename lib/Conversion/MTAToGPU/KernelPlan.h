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
// Many heads leave a warp for each of them, with one strip of rows that are
// stored and, above it, one of the halo. They share neither keys nor values, so
// that a warp loads its own straight to registers, and what mixes the heads is
// a product too, for which they change places with the rows:
//
//     a warp has          heads              rows of the tile
//     fragments have      rows x columns     heads x columns
//                         q·k, convolutions  mixes, after them the softmax
//                         p·v
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
  /// The last rows of the tile that are in the operand and in the result.
  int64_t rows = 0, resultRows = 0;
  /// The last rows of the operand on which what is stored depends.
  int64_t neededRows = 0;
  /// Numbers that stand for a score in workgroup memory: 1, or the leading and
  /// the trailing bits.
  int64_t copies = 1;
  /// Convolutions: elements of the diagonals of a head's bands in workgroup
  /// memory, and those of one window query; 0 if bands are in registers.
  int64_t bandElements = 0, bandOfQuery = 0;
};

/// Where the queries of a workgroup are while it runs over the keys.
enum class QueryPlacement {
  /// In the registers of the warps that own them.
  Registers,
  /// In workgroup memory of their own, read again for every tile of keys.
  Workgroup,
  /// In global memory, loaded again for every tile of keys.
  Global,
};

struct KernelPlan {
  /// Heads that share a workgroup, and those among them that exist: all, or
  /// the first ones of as many as whole fragments need.
  int64_t heads = 1, groupHeads = 1;
  /// Whether they are so many that each has one warp.
  bool hasManyHeads = false;
  int64_t warps = 0;
  /// R and T.
  int64_t rows = 0, keyTile = 0;
  /// The last rows of the tile that an accumulator has, and that the softmax
  /// has.
  int64_t accumulatorRows = 0, softmaxRows = 0;
  /// With 2 stages, keys and values of a tile are loaded while another is used.
  /// With 1 they share a buffer that each is loaded to when it is needed.
  int64_t stages = 2;
  QueryPlacement queryPlacement = QueryPlacement::Registers;
  int64_t rowsBefore = 0;
  int64_t headDim = 0, valueDim = 0;
  /// Whether operands are f16, the type in which scores are staged.
  bool isF16 = false;
  mlir::SmallVector<StepPlan> before, after;

  int64_t threads() const { return 32 * warps; }
  /// Queries that a workgroup stores.
  int64_t queryTile() const {
    return std::min(rows - rowsBefore, accumulatorRows);
  }
  bool hasTwoSweeps() const { return !after.empty(); }
  int64_t trailingBefore() const;
  int64_t trailing() const;
  /// Workgroup memory, in bytes, of elements of 16 bits.
  int64_t workgroupBytes() const;
  /// Whether the last operation before the softmax, or of all, leaves rows of
  /// the tile to warps.
  bool endsInRows(mlir::ArrayRef<StepPlan> steps) const;
  /// Whether the weights of values take the place of the trailing bits of
  /// scores that were mixed before.
  bool sharesWeightsBuffer() const;
  /// Whether row statistics pass through workgroup memory: those of one sweep
  /// on their way to another warp, those of two while they are not read.
  bool usesStatisticsBuffer() const {
    return hasManyHeads && (hasTwoSweeps() || endsInRows(before));
  }
  /// The elements of a head among them, which start in banks of their own.
  int64_t statisticsRow() const { return softmaxRows + 1; }

private:
  int64_t manyHeadsBytes() const;
};

/// Pads a row of `columns` 16-bit elements so that the eight rows which
/// ldmatrix reads at once lie in different banks: an odd multiple of 16 bytes.
int64_t paddedRow(int64_t columns);

/// Elements from one head to the next where a head has `rows` padded rows: in
/// other banks.
int64_t headStride(int64_t rows, int64_t columns);

/// Plans the kernel of an attention, or says on it what is not supported.
mlir::FailureOr<KernelPlan> planKernel(AttentionOp op, int64_t workgroupLimit);

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_KERNELPLAN_H

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

#include "llvm/ADT/bit.h"

#include <limits>

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
  /// The last rows of the tile that are in the operand and in the result. These
  /// three are those of a schedule.
  int64_t rows = 0, resultRows = 0;
  /// The last rows of the operand on which what is stored depends.
  int64_t neededRows = 0;
  /// Numbers that stand for a score in workgroup memory: 1, or the leading and
  /// the trailing bits.
  int64_t copies = 1;
  /// Convolutions: tiles of keys that the ring of its operand has room for.
  int64_t places = 2;
  /// Convolutions: elements of the diagonals of a head's bands in workgroup
  /// memory, and those of one window query; 0 if bands are in registers.
  int64_t bandElements = 0, bandOfQuery = 0;
  /// The first and the last of these diagonals, by the numbers of
  /// `mta.load_band`, and the place among them of the one of the first tap.
  int64_t firstDiagonal = 0, lastDiagonal = 0, firstTap = 0;
};

/// Pads a row of `columns` elements to an odd multiple of 8 of them. With 16
/// bits the eight rows which ldmatrix reads at once lie in different banks
/// then, with 32 bits the four rows of which half a warp reads four pairs each.
int64_t paddedRow(int64_t columns);

/// Columns of f32 operands that are in registers at once: split, each of their
/// elements takes two.
inline constexpr int64_t kF32Columns = 16;

/// Elements of a row of a mix's weights in workgroup memory: those of 8 x 8
/// heads, padded to an odd multiple of 8.
inline constexpr int64_t kMixRow = 72;

/// Rows in which the diagonals of a head's bands are written, which lie in
/// different banks.
inline constexpr int64_t kBandRows = 8;

/// What boundaries of sequences are for a row, as TileKernel::RowBound.
inline constexpr int64_t kRowBounds = 3;

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
  /// The scores of the next tile are begun before this one's are finished.
  bool isAhead = false;
  /// Of many heads' queries in workgroup memory, the last columns, which have
  /// no room there and stay in registers.
  int64_t heldColumns = 0;
  /// Tensor cores read keys and values from workgroup memory by themselves,
  /// once for four warps (`mta.contract_tile`).
  bool readsTiles = false;
  /// Bytes of an element of queries, keys and values, and of a staged score.
  int64_t elementBytes = 2;
  /// How operands of f32 are multiplied.
  F32Precision f32Precision = F32Precision::TF32x3;
  /// Rows have bounds of their own, in workgroup memory.
  bool hasSequences = false;
  int64_t rowsBefore = 0;
  int64_t headDim = 0, valueDim = 0;
  /// Whether operands are f16, the type in which scores are staged.
  bool isF16 = false;
  /// Workgroups that share the keys of a tile of queries.
  int64_t keySplits = 1;
  mlir::SmallVector<StepPlan> before, after;

  int64_t threads() const { return 32 * warps; }
  /// Queries that a workgroup stores.
  int64_t queryTile() const {
    return std::min(rows - rowsBefore, accumulatorRows);
  }
  /// The first operation before the softmax that makes threads meet; before it
  /// a score depends on nothing but its row and key.
  const StepPlan *firstShared() const;
  /// Whether that is a window, whose operand a tile ahead is staged.
  bool stagesAhead() const;
  bool hasTwoSweeps() const { return !after.empty(); }
  /// Rows of the output that a workgroup combines of all splits: the more
  /// splits, the fewer, as few rows have to be enough work for a GPU.
  int64_t combinedRows() const;
  int64_t trailingBefore() const;
  int64_t trailing() const;
  /// Elements from one row of the keys or values in workgroup memory to the
  /// next.
  int64_t keyRow() const { return paddedRow(columnsOfStage(headDim)); }
  int64_t valueRow() const;
  /// Of `columns` of the keys or values, those that are in workgroup memory at
  /// once: all, or what is left beside the scores of many heads of f32.
  int64_t columnsOfStage(int64_t columns) const {
    bool isPart = isF32() && stages == 1 && heads > 8;
    return isPart ? std::min<int64_t>(columns, 2 * kF32Columns) : columns;
  }
  /// Workgroup memory, in bytes.
  int64_t workgroupBytes() const;
  int64_t stripsOfWarp() const { return rows * heads / (16 * warps); }
  bool isF32() const { return elementBytes == 4; }
  /// Whether the last operation before the softmax, or of all, leaves rows of
  /// the tile to warps.
  bool endsInRows(mlir::ArrayRef<StepPlan> steps) const;
  /// Whether weights have to go back to the warps of their heads.
  bool leavesRows() const {
    return endsInRows(hasTwoSweeps() ? after : before);
  }
  /// Whether weights of bf16 values are two numbers, as one of 8 bits would be
  /// the coarsest of the roundings of scores on their way through convolutions
  /// and mixes. What is staged of them is one f16 number, which two of bf16
  /// hold exactly.
  bool splitsWeights() const;
  /// Whether the weights of values take the place of the trailing bits of
  /// scores that were mixed before.
  bool sharesWeightsBuffer() const;
  /// Where the scores of many heads are that convolutions read: tiles of
  /// `count` keys side by side in a buffer of `rows` rows of every head, and as
  /// many `above` the first head's as operations read without need.
  struct ScorePlaces {
    int64_t count = 0, rows = 0, above = 0, copies = 0;
  };
  /// One place for what each convolution keeps for the next tile, and a free
  /// one. A convolution takes that, and what it kept before becomes the free
  /// one, for mixes, weights, and in the end the next tile's scores. None
  /// without convolutions.
  ScorePlaces scorePlaces() const;
  /// Whether row statistics pass through workgroup memory: those of one sweep
  /// on their way to another warp, those of two while they are not read.
  bool usesStatisticsBuffer() const {
    return hasManyHeads && (hasTwoSweeps() || endsInRows(before));
  }
  /// The elements of a head among them, which start in banks of their own.
  int64_t statisticsRow() const { return softmaxRows + 1; }
  /// Of queries and keys of many heads, the columns that are in registers at
  /// once: as much as a lane loads in one run, or less of it where queries are
  /// loaded too, and where scores of two strips and the accumulator leave few
  /// registers.
  int64_t columnsAtOnce() const {
    if (queryPlacement == QueryPlacement::Registers)
      return 32;
    if (queryPlacement == QueryPlacement::Global)
      return rows > 16 && valueDim > 96 ? 8 : 16;
    return keyTile > 16 || rows > 16 || valueDim > 96 ? 16 : 32;
  }
  /// Those from `column` on. In workgroup memory they are one run of a lane.
  int64_t columnsFrom(int64_t column) const {
    bool isStaged = queryPlacement == QueryPlacement::Workgroup;
    int64_t end = column < stagedColumns() ? stagedColumns() : headDim;
    int64_t columns = end - column;
    return std::min<int64_t>(columnsAtOnce(),
                             isStaged ? llvm::bit_floor<uint64_t>(columns)
                                      : columns);
  }
  /// Of queries in workgroup memory, the columns that are there.
  int64_t stagedColumns() const { return headDim - heldColumns; }
  /// The last rows of the tile whose queries some stored result depends on.
  int64_t queryRows() const { return queryTile() + rowsBefore; }
  /// Elements of many heads' queries in workgroup memory, and of as much in
  /// front of them as rows above would take.
  int64_t queryElements() const {
    return heads * queryRows() * stagedColumns() +
           (rows - queryRows()) * columnsFrom(0);
  }
  /// Workgroup memory that there is, in bytes.
  int64_t workgroupLimit = std::numeric_limits<int64_t>::max();
  /// Takes the shape that a schedule asks for.
  void setSchedule(KernelScheduleAttr schedule);

private:
  void planRows();
  void planRoom();
  int64_t manyHeadsBytes() const;
};

/// Rows of a panel of 8 columns, of which there are several in a tile: 16 bytes
/// times an odd number, so that eight panels lie in different banks.
int64_t paddedPanel(int64_t rows);

/// Elements from one head to the next where a head has `rows` padded rows: in
/// other banks.
int64_t headStride(int64_t rows, int64_t columns);

/// Columns of scores before a tile that its results read through the windows of
/// these steps, one after the other.
int64_t countHaloColumns(mlir::ArrayRef<StepPlan> steps);

/// What follows from the attention alone: everything but the shape. Says on the
/// operation what is not supported.
mlir::FailureOr<KernelPlan> planProgram(AttentionOp op);

/// Plans the kernel of an attention with a kernel schedule, or says on it what
/// is not supported.
mlir::FailureOr<KernelPlan> planKernel(AttentionOp op, int64_t workgroupLimit,
                                       F32Precision f32Precision);

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_KERNELPLAN_H

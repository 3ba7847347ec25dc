//===- TileKernel.h - The tile program of an attention ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOGPU_TILEKERNEL_H
#define MTA_LIB_CONVERSION_MTATOGPU_TILEKERNEL_H

#include "KernelPlan.h"
#include "TileBuilder.h"

namespace mta {

/// Operands and results of an attention in global memory.
struct KernelBuffers {
  mlir::Value query, key, value, output;
  /// B x H x rows, or null.
  mlir::Value logSumExp;
  /// One-dimensional views of the weights of the score operations.
  llvm::DenseMap<mlir::Operation *, mlir::Value> weights;
};

/// Emits the body of the launch: what one workgroup does.
class TileKernel {
public:
  TileKernel(TileBuilder &builder, AttentionOp op, const KernelPlan &plan,
             const KernelBuffers &buffers)
      : b(builder), op(op), plan(plan), buffers(buffers),
        element(getElementTypeOrSelf(op.getQuery().getType())) {}

  /// `tile`, `group` and `batch` are the workgroup's place in the grid, of
  /// `tiles` tiles.
  void build(mlir::Value tile, mlir::Value tiles, mlir::Value group,
             mlir::Value batch);

private:
  /// What a score operation needs in every tile of keys.
  struct StepState {
    const StepPlan *plan;
    /// The operand in workgroup memory: one buffer, or one for the leading and
    /// one for the trailing bits.
    mlir::SmallVector<mlir::Value> buffers;
    /// The same as heads x rows x columns.
    mlir::SmallVector<mlir::Value> views;
    /// Convolutions: the band matrix of every window query and head of the
    /// group that is read. Mixes: the weight of every head that is read.
    /// With many heads there is one matrix of all weights of a mix, and the
    /// diagonals of bands are in workgroup memory.
    mlir::SmallVector<mlir::Value> weights;
    mlir::Value diagonals;
  };
  /// One run over the keys.
  struct Sweep {
    bool needsValues;
    /// Columns by which the last result trails the scores.
    int64_t trailing;
    mlir::SmallVector<StepState *> steps;
  };
  struct Statistics {
    mlir::Value maximum, sum;
  };

  void locate(mlir::Value tile, mlir::Value tiles, mlir::Value group,
              mlir::Value batch);
  void allocateKeysAndValues();
  void loadQuery();
  mlir::Value readQuery();
  void prepareSteps();
  StepState prepareStep(const StepPlan &step);
  void allocateConv(StepState &state);
  void allocateMix(StepState &state);
  mlir::Value buildBand(const StepState &state, int64_t a, int64_t head);
  mlir::Value buildMixWeight(const StepState &state, int64_t head);
  mlir::Value isInGroup(mlir::Value heads, int64_t size, int64_t head);
  mlir::Value gatherWeights(const StepState &state, mlir::Value index,
                            mlir::Value mask, mlir::Type element);

  mlir::SmallVector<mlir::Value>
  emitSweep(const Sweep &sweep, mlir::ValueRange init,
            llvm::function_ref<mlir::SmallVector<mlir::Value>(
                mlir::Value tile, mlir::ValueRange carried)>
                body);
  void copyKeys(mlir::Value tile);
  void copyValues(mlir::Value tile, int64_t trailing);
  void copyTilesIf(mlir::Value exists, const Sweep &sweep, mlir::Value tile);
  void copyHeads(mlir::Value source, mlir::Value dest, mlir::Value slot,
                 mlir::Value row, int64_t columns);
  void emitOneSweep();
  Statistics emitStatisticsSweep();
  void emitWeightsSweep(const Statistics &statistics);
  mlir::Value weightsOffset(const Statistics &statistics);

  mlir::Value multiplyKeys(mlir::Value tile);
  mlir::Value computeScores(mlir::Value tile,
                            std::optional<int64_t> valueTrailing);
  mlir::Value applySteps(mlir::MutableArrayRef<StepState> steps,
                         mlir::Value scores, mlir::Value tile,
                         int64_t &trailing, bool masked);
  mlir::Value applyConv(StepState &state, mlir::Value scores, mlir::Value tile);
  void accumulateWindow(StepState &state, mlir::Value view, mlir::Value half,
                        mlir::Value band, int64_t a, int64_t head, int64_t row,
                        mlir::MutableArrayRef<mlir::Value> pieces);
  void writeScores(const StepState &state, mlir::Value scores, mlir::Value row,
                   mlir::Value column);
  mlir::Value applyMix(StepState &state, mlir::Value scores);
  mlir::Value isAllowed(int64_t rows, mlir::Value column0);
  mlir::Value isAllowedByRow(int64_t rows, mlir::Value column0);
  mlir::Value mask(mlir::Value scores, mlir::Value tile, int64_t trailing,
                   bool ownRowsOnly, double fill);
  /// Carries maximum, sum and, if there is one, the accumulator on to the
  /// scores of another tile, of which it returns exp2(score - maximum).
  mlir::Value updateStatistics(mlir::Value scores, Statistics &statistics,
                               mlir::Value *accumulator);
  mlir::Value finiteMaximum(mlir::Value maximum);
  mlir::Value multiplyValues(mlir::Value weights, mlir::Value tile,
                             mlir::Value accumulator);
  void storeOutput(mlir::Value accumulator);
  void storeLogSumExp(const Statistics &statistics);
  mlir::Value isOwnRow(int64_t rows);

  // Many heads.
  void barrier();
  void willWrite(mlir::Value buffer);
  void finishTile();
  std::pair<mlir::Value, mlir::Value> allocateHeads(int64_t rows,
                                                    int64_t before,
                                                    int64_t columns,
                                                    mlir::Type element);
  void allocateManyHeads();
  void fillZero(mlir::Value buffer);
  mlir::Value neededRows(const StepPlan &step, mlir::VectorType type);
  /// `rows` x `columns` of a matrix of every head from (`row`, `column`) on, in
  /// rows from `first` to `limit`.
  mlir::Value loadTile(mlir::Value source, mlir::Value row, mlir::Value first,
                       mlir::Value limit, int64_t rows, int64_t column,
                       int64_t columns);
  mlir::Value loadQueries(int64_t row, int64_t rows, int64_t column,
                          int64_t columns);
  mlir::Value multiplyKeysByHead(mlir::Value tile);
  mlir::Value multiplyValuesByHead(mlir::Value weights, mlir::Value tile,
                                   mlir::Value accumulator);
  mlir::Value buildDiagonals(const StepPlan &step);
  mlir::Value loadBand(const StepState &state, int64_t a);
  mlir::Value buildMixMatrix(const StepState &state);
  mlir::Value mixHeads(StepState &state, mlir::Value scores);
  mlir::Value weightsByHead(mlir::Value weights);
  mlir::Value statisticByHead(mlir::Value rows);
  mlir::Value exp2(mlir::Value vector);

  mlir::VectorType tileType(int64_t rows) {
    return b.type({rows, plan.keyTile}, b.getF32Type());
  }
  mlir::VectorType rowsType() {
    return b.type({plan.softmaxRows}, b.getF32Type());
  }
  mlir::VectorType accumulatorType() {
    return b.type({plan.accumulatorRows, plan.valueDim}, b.getF32Type());
  }
  /// The first of the last `rows` rows of the tile.
  mlir::Value firstOf(int64_t rows) {
    return b.add(firstRow, plan.rows - rows);
  }
  /// Whether the first of the last `rows` rows of the tile may be before the
  /// first query.
  bool mayBeBefore(int64_t rows) { return rows > plan.queryTile(); }
  bool isCausal() { return op.getMask() == Mask::Causal; }
  mlir::Value zero() { return b.index(0); }
  mlir::Value slotOf(mlir::Value tile);
  /// Indices of a place in a buffer of workgroup memory with `leading` indices
  /// before the heads.
  mlir::SmallVector<mlir::Value> at(mlir::ValueRange leading, mlir::Value row,
                                    mlir::Value column);

  TileBuilder &b;
  AttentionOp op;
  const KernelPlan &plan;
  const KernelBuffers &buffers;
  mlir::Type element;

  mlir::Value batch, head0;
  /// The first row of the tile, the first one that it stores and the end of
  /// those; the first row of a causal tile may be negative.
  mlir::Value firstRow, row0, rowEnd;
  mlir::Value queries, keys;
  /// Nk - Nq: query i may read the keys up to i + shift.
  mlir::Value shift;
  /// The end of the keys that some row of the tile may read.
  mlir::Value tileKeyEnd;
  /// The end of the keys that a row may read, for every row.
  mlir::Value keyEnds;
  /// The queries in registers, or null, and in workgroup memory.
  mlir::Value query, queryBuffer;
  mlir::Value keyBuffer, valueBuffer;
  mlir::SmallVector<StepState> before, after;
  /// What all mixes pass scores through.
  mlir::SmallVector<mlir::Value> mixBuffers;
  int64_t mixRows = 0;

  /// What the warps share of the scores at this point of the program: heads, or
  /// rows of the tile.
  enum class Split { Heads, Rows } split = Split::Heads;
  /// What weights and statistics pass through on the way back to the heads.
  mlir::Value weightsBuffer, statisticsBuffer;
  /// Buffers read since the last barrier of a tile, and written before the
  /// first one.
  mlir::SmallVector<mlir::Value> readSinceBarrier, writtenFirst;
  bool hasBarrier = false;
};

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_TILEKERNEL_H

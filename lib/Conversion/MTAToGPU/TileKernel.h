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
  /// Both or none: the boundaries of sequences.
  mlir::Value queryBoundaries, keyBoundaries;
  /// B x H x rows, or null.
  mlir::Value logSumExp;
  /// With several splits of the keys, f32: the sums of weights times values of
  /// every split, (S · B) x H x rows x Dv, and the maxima, then the sums of the
  /// weights of every split, (2 · S · B) x H x rows. With two sweeps the latter
  /// are of all rows of all tiles and all heads of all workgroups, also of
  /// those that are not stored.
  mlir::Value partialOutputs, partialStatistics;
  /// The norms and gates that are applied before the output is stored.
  mlir::SmallVector<mlir::Operation *> epilogue;
  /// One-dimensional views of the weights of the score operations and the
  /// epilogue, those of vector gates as a matrix, and of the biases of gates.
  llvm::DenseMap<mlir::Operation *, mlir::Value> weights, biases;
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
  /// Emits the body of the launch before, for several splits of two sweeps: the
  /// statistics of every split.
  void buildStatistics(mlir::Value tile, mlir::Value tiles, mlir::Value group,
                       mlir::Value batch);
  /// Emits the body of the launch that combines what the splits of the keys
  /// leave: a tile of rows of a head of the output, in which heads and batches
  /// are one where they lie in memory as one matrix.
  void buildCombination(mlir::Value tile, mlir::Value headIndex,
                        mlir::Value batchIndex, int64_t splitsAtOnce);

private:
  /// An operand of contractions: 16-bit numbers, or f32 numbers as the sum of
  /// one or two that tf32 holds, the larger ones first.
  using Operand = mlir::SmallVector<mlir::Value, 2>;
  /// The columns of workgroup memory at which a convolution's operand of this
  /// tile begins, and that of the tile before.
  struct Ring {
    mlir::Value own, before;
  };
  /// What a score operation needs in every tile of keys.
  struct StepState {
    const StepPlan *plan;
    /// The operand in workgroup memory: one buffer, or one for the leading and
    /// one for the trailing bits.
    mlir::SmallVector<mlir::Value> buffers;
    /// The same as heads x rows x columns.
    mlir::SmallVector<mlir::Value> views;
    /// Convolutions: the band matrix of every window query and head of the
    /// group that is read.
    mlir::SmallVector<Operand> bands;
    /// Convolutions: where the operand of the tile is that was begun last.
    Ring ring;
    /// Convolutions of many heads: diagonals of bands in workgroup memory.
    mlir::Value diagonals;
    /// Mixes: the weight of every head that is read; with many heads, all
    /// weights as one matrix in workgroup memory.
    mlir::SmallVector<mlir::Value> weights;
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
  /// What is done with the scores of a tile before the softmax, which trail by
  /// as many columns as it is given last.
  using SweepBody = llvm::function_ref<mlir::SmallVector<mlir::Value>(
      mlir::Value scores, mlir::Value tile, int64_t trailing,
      mlir::ValueRange carried)>;
  /// What boundaries are for a row: the first key that it may read, the number
  /// of those keys, and how far it is from the first row of its sequence.
  enum class RowBound { KeyBegin, KeyCount, SequenceRow };

  /// With `after`, of those operations that follow the softmax.
  void prepare(mlir::Value tile, mlir::Value tiles, mlir::Value group,
               mlir::Value batch, llvm::ArrayRef<StepPlan> after);
  void locate(mlir::Value tile, mlir::Value tiles, mlir::Value group,
              mlir::Value batch);
  /// Of boundaries of sequences: the tile's place in them.
  void locateSequences();
  void storeRowBounds(mlir::ValueRange bounds);
  /// The first `count` of the last `last` rows of the tile.
  mlir::Value readRowBound(RowBound bound, int64_t last, int64_t count);
  mlir::Value crossesSequences(const StepPlan &step, mlir::Value tile,
                               int64_t trailing);
  mlir::Value cutRows(mlir::Value scores, int64_t distance, int64_t last);
  mlir::Value isInSequence(mlir::Value columns, int64_t rows);
  void loadQuery();
  /// Queries in workgroup memory: `columns` of them from `first`.
  Operand readQuery(int64_t first, int64_t columns);
  void prepareSteps(llvm::ArrayRef<StepPlan> after);
  StepState prepareStep(const StepPlan &step);
  void allocateConv(StepState &state);
  void allocateMix(StepState &state);
  mlir::Value buildBand(const StepState &state, int64_t a, int64_t head);
  mlir::Value buildMixWeight(const StepState &state, int64_t head);
  mlir::Value isInGroup(mlir::Value heads, int64_t size, int64_t head);
  mlir::Value gatherWeights(const StepState &state, mlir::Value index,
                            mlir::Value mask, mlir::Type element);

  // TileKernelOperands.cpp
  Operand toOperand(mlir::Value numbers);
  /// Numbers of f32 as the sum of two of a type of 16 bits.
  Operand splitNumbers(mlir::Value numbers, mlir::Type type);
  /// Weights of bf16 values, as they come from workgroup memory.
  Operand splitWeights(mlir::Value weights);
  Operand extractColumns(const Operand &operand, int64_t first, int64_t size);
  /// As TileBuilder::contract.
  mlir::Value contract(const Operand &lhs, const Operand &rhs,
                       mlir::Value accumulator, bool rhsTransposed);
  /// Columns of operands in workgroup memory that are read and multiplied at
  /// once.
  int64_t columnsOfOperand(int64_t columns);
  /// Adds the product of weights and values, `rhs`, to those columns of
  /// `accumulator` that begin at `first`.
  mlir::Value addToColumns(const Operand &weights, const Operand &rhs,
                           mlir::Value accumulator, int64_t first);
  /// The stage of a tile of keys and values, if there are several.
  mlir::SmallVector<mlir::Value> stageOf(mlir::Value tile);
  /// `lhs` times a tile that tensor cores read by themselves.
  mlir::Value contractTile(mlir::Value lhs, mlir::Value buffer,
                           mlir::Value tile, mlir::Value accumulator,
                           bool transposed);
  mlir::Value multiplyKeys(mlir::Value tile, mlir::Value scores);
  mlir::Value multiplyValues(mlir::Value weights, mlir::Value tile,
                             mlir::Value accumulator);

  mlir::SmallVector<mlir::Value>
  emitSweep(const Sweep &sweep, mlir::ValueRange init, SweepBody body);
  void waitForCopies();
  void allocateTiles();
  /// Columns from `first` on, as many as are in workgroup memory at once.
  void copyKeys(mlir::Value tile, int64_t first = 0);
  void copyValues(mlir::Value tile, int64_t trailing, int64_t first = 0);
  /// Takes what `copy` brings in place of what is in the only stage.
  void replaceStage(llvm::function_ref<void()> copy);
  void copyTilesIf(mlir::Value exists, const Sweep &sweep, mlir::Value tile);
  void copyHeads(mlir::Value source, mlir::Value dest, mlir::Value slot,
                 mlir::Value row, int64_t first, int64_t columns);
  void emitOneSweep();

  // TileKernelAhead.cpp
  mlir::SmallVector<mlir::Value> emitAhead(const Sweep &sweep,
                                           mlir::Value first, mlir::Value end,
                                           mlir::ValueRange init,
                                           SweepBody body);
  mlir::SmallVector<mlir::Value> finishAhead(mlir::Value tile, mlir::Value next,
                                             mlir::ValueRange begun,
                                             mlir::ValueRange carried,
                                             SweepBody body);
  void copyAheadOf(const Sweep &sweep, mlir::Value tile, mlir::Value end);
  mlir::Value waitForProduct(mlir::Value product, int64_t pending);

  // TileKernelSplit.cpp
  void locateSplit(mlir::Value &tile, mlir::Value &tiles);
  void takeSplit(const Sweep &sweep, mlir::Value &first, mlir::Value &end);
  mlir::Value isOwnTile(mlir::Value tile);
  void copyOwnValues(mlir::Value tile, int64_t trailing);
  mlir::SmallVector<mlir::Value>
  ifOwnTile(mlir::Value tile, mlir::ValueRange others,
            llvm::function_ref<mlir::SmallVector<mlir::Value>()> body);
  mlir::Value placeOfSplit();
  mlir::SmallVector<mlir::Value> placeOfStatistics(mlir::Value first);
  void storePartialOutput(mlir::Value accumulator);
  void storePartials(const Statistics &statistics, mlir::Value accumulator);
  Statistics mergeStatistics(mlir::Value first, int64_t count,
                             const Statistics &carried);
  Statistics readPartialStatistics();
  void storeLogSumExpOnce(const Statistics &statistics);

  // TileKernelCombine.cpp
  void locateRows(mlir::Value tile, mlir::Value headIndex,
                  mlir::Value batchIndex);
  mlir::Value readStatistic(mlir::Value number, int64_t end, double none);
  void copyPartials(mlir::Value first, mlir::Value buffer);
  mlir::Value readPartial(mlir::Value buffer, int64_t number);
  mlir::SmallVector<mlir::Value> combineSplits(mlir::Value first,
                                               mlir::Value buffer,
                                               mlir::ValueRange carried);
  mlir::SmallVector<mlir::Value>
  addSplits(mlir::Value first, mlir::Value buffer, mlir::ValueRange carried);

  Statistics emitStatisticsSweep();
  void emitWeightsSweep(const Statistics &statistics);
  mlir::Value weightsOffset(const Statistics &statistics);

  mlir::Value beginProduct(mlir::Value tile);
  mlir::Value scaleScores(mlir::Value scores);
  mlir::Value applySteps(mlir::MutableArrayRef<StepState> steps,
                         mlir::Value scores, mlir::Value tile,
                         int64_t &trailing, bool masked);
  mlir::SmallVector<mlir::Value> beginConv(StepState &state, mlir::Value scores,
                                           mlir::Value tile);
  mlir::Value finishConv(StepState &state,
                         mlir::SmallVector<mlir::Value> pieces,
                         mlir::Value tile, int64_t trailing);
  mlir::SmallVector<mlir::Value> beginSteps(mlir::Value scores,
                                            mlir::Value tile);
  mlir::Value finishSteps(mlir::SmallVector<mlir::Value> begun,
                          mlir::Value tile, int64_t &trailing);
  bool readsOnlyItself(const StepState &state) {
    return state.plan->groupSize == 1 && !plan.hasManyHeads;
  }
  Ring locateRing(const StepPlan &step, mlir::Value tile);
  /// Adds to `pieces` the products of what a convolution reads of workgroup
  /// memory with its bands. With `cutsSequences`, rows of other sequences than
  /// a result's are zero.
  mlir::Value multiplyBands(const StepState &state, const Ring &ring,
                            bool cutsSequences,
                            mlir::SmallVector<mlir::Value> pieces);
  /// One window query of a convolution, for one head of the group that is read.
  struct Window {
    int64_t a, head;
    Operand band;
  };
  /// Calls `body` for every one of them but the last `skipped` of a head.
  void forWindows(const StepState &state, int64_t skipped,
                  llvm::function_ref<void(const Window &)> body);
  void accumulateWindow(const StepState &state, mlir::Value view,
                        mlir::Value tile, const Ring &ring,
                        const Window &window, int64_t row, bool cutsSequences,
                        mlir::MutableArrayRef<mlir::Value> pieces);
  /// Rows of a result whose pieces are multiplied at once.
  int64_t rowsAtOnce(const StepPlan &step) {
    // With many heads one strip after the other, as registers are short.
    return plan.hasManyHeads ? 16 : step.resultRows;
  }
  mlir::SmallVector<mlir::Value> writeScores(const StepState &state,
                                             mlir::Value scores,
                                             mlir::Value row,
                                             mlir::Value column);
  mlir::Value applyMix(StepState &state, mlir::Value scores);
  mlir::Value isBoundary(mlir::Value column0, int64_t rows, int64_t trailing,
                         bool ownRowsOnly);
  void findBoundary();
  mlir::Value isBehindBoundary(mlir::Value tile, int64_t trailing);
  mlir::Value isAllowed(mlir::Value column0, int64_t rows);
  mlir::Value isAllowedInSequence(mlir::Value column0, int64_t rows);
  mlir::Value mask(mlir::Value scores, mlir::Value tile, int64_t trailing,
                   bool ownRowsOnly, double fill);
  /// Carries maximum, sum and, if there is one, the accumulator on to the
  /// scores of another tile, of which it returns exp2(score - maximum).
  mlir::Value updateStatistics(mlir::Value scores, Statistics &statistics,
                               mlir::Value *accumulator);
  mlir::Value finiteMaximum(mlir::Value maximum);
  mlir::Value sumRows(mlir::Value tile);
  mlir::Value applyNorm(HeadNormOp norm, mlir::Value tile);
  mlir::Value applyScalarGate(GateOp gate, mlir::Value tile);
  mlir::Value applyVectorGate(GateOp gate, mlir::Value tile);
  GateOp gateByHead();
  mlir::Value multiplyGateByHead(GateOp gate, mlir::ArrayRef<Operand> parts,
                                 int64_t number);
  void storeGatedByHead(GateOp gate, mlir::Value tile);
  mlir::Value applyEpilogue(mlir::Value tile);
  /// Writes the tile's own rows to `buffer`, whose first index is `first`, and
  /// those of a part of the columns from `column` on.
  void storeOwnRows(mlir::Value vector, mlir::Value buffer, mlir::Value first,
                    int64_t column = 0);
  void storeNormalized(const Statistics &statistics, mlir::Value accumulator);
  void storeOutput(mlir::Value accumulator);
  void storeLogSumExp(const Statistics &statistics);
  mlir::Value isOwnRow(int64_t rows);
  mlir::Value exp2(mlir::Value vector);

  // TileKernelScores.cpp
  void allocateScores();
  mlir::Value viewScores(int64_t copy, int64_t rows, int64_t before);
  void takeScores(StepState &state);
  void beginScores(const Sweep &sweep);
  void findPlaces(mlir::Value tile);
  mlir::Value columnOfScores(int64_t number);
  mlir::Value weightsThroughScores(mlir::Value weights);

  // TileKernelHeads.cpp
  void barrier();
  void willWrite(mlir::Value buffer);
  void finishTile();
  std::pair<mlir::Value, mlir::Value> allocateHeads(int64_t rows,
                                                    int64_t before,
                                                    int64_t columns,
                                                    mlir::Type element);
  void allocateManyHeads();
  void fillZero(mlir::Value buffer);
  mlir::Value lastRows(int64_t rows, int64_t needed, mlir::VectorType type);
  /// `rows` x `columns` of a matrix of every head from (`row`, `column`) on, in
  /// rows from `first` to `limit`.
  mlir::Value loadTile(mlir::Value source, mlir::Value row, mlir::Value first,
                       mlir::Value limit, int64_t rows, int64_t column,
                       int64_t columns);
  mlir::Value loadQueries(int64_t row, int64_t rows, int64_t column,
                          int64_t columns);
  mlir::Value queryPanel(int64_t column);
  void stageQueries();
  mlir::Value readQueries(int64_t row, int64_t rows, int64_t column);
  mlir::Value multiplyKeysByHead(mlir::Value tile);
  mlir::Value multiplyValuesByHead(mlir::Value weights, mlir::Value tile,
                                   mlir::Value accumulator);
  mlir::Value buildDiagonals(const StepPlan &step);
  mlir::Value loadBand(const StepState &state, int64_t a);
  mlir::Value buildMixMatrix(const StepState &state);
  mlir::Value mixHeads(StepState &state, mlir::Value scores);
  /// The element type of the weights of values in workgroup memory.
  mlir::Type weightsType();
  mlir::Value weightsByHead(mlir::Value weights);
  mlir::Value statisticByHead(mlir::Value rows);

  mlir::VectorType tileType(int64_t rows) {
    return b.type({rows, plan.keyTile}, b.getF32Type());
  }
  mlir::VectorType rowsType() {
    return b.type({plan.softmaxRows}, b.getF32Type());
  }
  mlir::VectorType accumulatorType() {
    return b.type({plan.accumulatorRows, plan.valueDim}, b.getF32Type());
  }
  /// A number for every row of the accumulator.
  mlir::VectorType accumulatorRowsType() {
    return b.type({plan.accumulatorRows}, b.getF32Type());
  }
  /// The first of the last `rows` rows of the tile.
  mlir::Value firstOf(int64_t rows) {
    return b.add(firstRow, plan.rows - rows);
  }
  /// Whether the first of the last `rows` rows of the tile may be before the
  /// first query.
  bool mayBeBefore(int64_t rows) { return rows > plan.queryTile(); }
  bool isF32() { return element.isF32(); }
  /// The element type of scores in workgroup memory.
  mlir::Type stagedType() { return isF32() ? b.getF32Type() : b.getF16Type(); }
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
  /// The first query and the keys of the first own row's sequence; without
  /// boundaries, of all.
  mlir::Value queryBegin, keyBegin, keyEnd;
  /// The number of its keys less that of its queries, Nk - Nq: query i may read
  /// the keys up to i + shift.
  mlir::Value shift;
  /// The first key of the last own row's sequence.
  mlir::Value lastKeyBegin;
  /// The end of the keys that some row of the tile may read.
  mlir::Value tileKeyEnd;
  /// Of many heads, the first tile of keys with pairs that are not allowed.
  mlir::Value boundaryTile;
  /// Of several splits of the keys: which one it is, the number of its tile of
  /// queries, and, of the sweep that is emitted, the first tile of keys that is
  /// its own and how many before that it reads.
  mlir::Value split, tileNumber, firstOwnTile;
  int64_t warmUpTiles = 0;
  /// Where splits are combined: the rows of all heads and batches, which each
  /// of them has, and the number among these of the head's first.
  mlir::Value rowsOfSplit, rowOfHead;
  /// With boundaries, in workgroup memory: RowBound x rows.
  mlir::Value rowBounds;
  /// The queries in registers, or nothing, and in workgroup memory.
  Operand query;
  mlir::Value queryBuffer;
  /// Of many heads, the strips of the columns that have no room there.
  mlir::SmallVector<mlir::Value> heldQueries;
  mlir::Value keyBuffer, valueBuffer;
  mlir::SmallVector<StepState, 4> before, after;
  /// What all mixes pass scores through.
  mlir::SmallVector<mlir::Value> mixBuffers;
  int64_t mixRows = 0;

  /// Buffers of the places of scores, the place that is free when a tile
  /// begins, and convolutions of the sweep and those that the tile has had.
  mlir::SmallVector<mlir::Value> scoreBuffers;
  mlir::Value freePlace;
  int64_t convsOfSweep = 0, convsDone = 0;

  /// What the warps share of the scores at this point of the program: heads, or
  /// rows of the tile.
  enum class Sharing { Heads, Rows } sharing = Sharing::Heads;
  /// What weights and statistics pass through on the way back to the heads.
  mlir::Value weightsBuffer, statisticsBuffer;
  /// Buffers read since the last barrier of a tile, and written before the
  /// first one.
  mlir::SmallVector<mlir::Value> readSinceBarrier, writtenFirst;
  bool hasBarrier = false;
};

/// Allocates what the splits of the keys leave for the kernel that combines
/// them; `output` are the sizes of the attention's.
void allocatePartials(TileBuilder &b, const KernelPlan &plan,
                      mlir::ArrayRef<mlir::OpFoldResult> output,
                      KernelBuffers &buffers);

/// Emits the launch that combines them, as a kernel that takes at most
/// `workgroupLimit` bytes of workgroup memory.
void emitCombination(mlir::OpBuilder &builder, AttentionOp op,
                     const KernelPlan &plan, const KernelBuffers &buffers,
                     int64_t workgroupLimit);

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_TILEKERNEL_H

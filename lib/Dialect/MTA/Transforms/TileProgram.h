//===- TileProgram.h - A score program on one tile --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits linalg on the tensors of one tile. Positions are absolute: a value of
// extent e covers, for the heads of the tile,
//
//     rows     row0 - e.rowsBefore ... of the queries
//     columns  column0 - e.keysLeft ... of the keys
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPROGRAM_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPROGRAM_H

#include "TilePlan.h"
#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"

namespace mta {

/// What all tiles of an attention read, prepared once.
struct PackedOperands {
  /// B x H x rows x D: the queries, with zero rows before and after.
  mlir::Value query;
  /// B x Hk x D x columns: the keys transposed, with zero columns on both
  /// sides.
  mlir::Value key;
  /// scale·log2(e), where neither the queries nor the weights are multiplied
  /// with it.
  mlir::Value scoreFactor;
  /// B x Hk x rows x (Dv in whole vectors): the values with zeros around.
  mlir::Value value;
  /// Keys [begin, end) that a query may read, for every row of `query`.
  mlir::Value keyBegin, keyEnd;
  /// With sequence boundaries: the first query of the sequence of every row of
  /// `query`, and the first query and the end of every tile. Tiles do not cross
  /// boundaries; those that are not needed are empty.
  mlir::Value queryBegin, tileBegin, tileEnd;
  /// The weights of every score operation in the scores' element type.
  llvm::DenseMap<mlir::Operation *, mlir::Value> weights;
};

/// Where a tile lies, as index values.
struct TilePosition {
  mlir::Value batch;
  mlir::Value group;
  /// The queries [row0, rowEnd) are its own.
  mlir::Value row0, rowEnd;
  /// The first query of its sequence: rows before do not exist for the tile.
  mlir::Value queryBegin;
};

/// Whether a tile of keys holds pairs that are not allowed.
enum class Masking {
  /// It holds none: no code for the mask.
  Never,
  /// It may: tiles that do branch to it.
  AtBoundaries,
  /// Assumed: it runs in every tile.
  Always,
};

/// One step of a loop over the keys.
struct TileStep {
  const SweepPlan &sweep;
  /// The first key of the tile.
  mlir::Value column0;
  Masking masking;
};

/// The keys of a tile of queries. Tiles in [inner, innerEnd), which are whole,
/// hold only pairs that are allowed.
struct KeyRange {
  mlir::Value begin, inner, innerEnd, end;
};

class TileProgram {
public:
  TileProgram(mlir::ImplicitLocOpBuilder &builder, AttentionOp op,
              const TilePlan &plan, const PackedOperands &operands,
              const TilePosition &position)
      : builder(builder), op(op), plan(plan), operands(operands),
        position(position), element(op.getScoreType().getElementType()) {
    computeBounds();
  }

  /// The keys that the rows of a sweep may read.
  KeyRange keyRange(const SweepPlan &sweep);

  /// The scores of q·kᵀ and the operations before the softmax.
  mlir::Value computeScores(const TileStep &step);

  /// The operations after the softmax.
  mlir::Value computeWeights(const TileStep &step, mlir::Value probabilities);

  /// `tile` with `fill` where a pair is not allowed, by the code that the
  /// step's masking asks for.
  mlir::Value mask(const TileStep &step, mlir::Value tile,
                   const TileExtent &extent, double fill);

  /// exp2(tile - maximum), in place.
  mlir::Value exponentiate(mlir::Value tile, mlir::Value maximum);

  /// `tile` times a factor of every row, in place.
  mlir::Value scaleRows(mlir::Value tile, mlir::Value factors);

  /// accumulator + weights·v.
  mlir::Value accumulate(const TileStep &step, mlir::Value accumulator,
                         mlir::Value weights);

  /// A heads x rows x columns tile filled with `value`.
  mlir::Value filled(mlir::ArrayRef<int64_t> sizes, double value);
  mlir::Value empty(mlir::ArrayRef<int64_t> sizes);

  const TilePlan &getPlan() const { return plan; }

private:
  mlir::Value multiplyKeys(const TileExtent &extent, mlir::Value column0);
  /// A rows x columns tile times the factor of the scores, in place.
  mlir::Value scaleScores(mlir::Value scores);
  mlir::Value apply(ScoreOpInterface scoreOp, mlir::Value tile,
                    const TileExtent &extent);
  mlir::Value applyConv(KeyQueryConvOp conv, mlir::Value tile,
                        const TileExtent &extent);
  mlir::Value applyHeadMix(HeadMixOp mix, mlir::Value tile,
                           const TileExtent &extent);

  /// Runs `body` for every head of the tile, which updates its slice of `init`.
  mlir::Value forEachHead(
      mlir::Value init,
      llvm::function_ref<mlir::Value(mlir::Value head, mlir::Value slice)>
          body);
  /// Slice [offsets...][sizes...] of `source`, without its dimensions of size 1
  /// where `sizes` has 0.
  mlir::Value slice(mlir::Value source,
                    mlir::ArrayRef<mlir::OpFoldResult> offsets,
                    mlir::ArrayRef<int64_t> sizes);
  /// Sets `keyBegin` and `keyEnd`.
  void computeBounds();
  /// The rows of `bounds` that `extent` covers.
  mlir::Value boundsOf(mlir::Value bounds, const TileExtent &extent);
  /// The columns that every row of a tile may read, as first column and number
  /// of columns, if column 0 is key `column`.
  std::pair<mlir::Value, mlir::Value> columnRange(mlir::Value begins,
                                                  mlir::Value ends,
                                                  const TileExtent &extent,
                                                  mlir::Value column);
  /// `tile` with `fill` where a pair is not allowed.
  mlir::Value select(mlir::Value tile, mlir::Value begins, mlir::Value ends,
                     const TileExtent &extent, mlir::Value column, double fill);
  /// Whether some pair of the tile is not allowed.
  mlir::Value isBoundary(mlir::Value begins, mlir::Value ends,
                         const TileExtent &extent, mlir::Value column);
  /// Head `head` of the tile's group, and the key head it reads.
  mlir::Value headIndex(mlir::Value head);
  mlir::Value keyHeadIndex(mlir::Value head);
  mlir::Value constant(int64_t value);

  mlir::ImplicitLocOpBuilder &builder;
  AttentionOp op;
  const TilePlan &plan;
  const PackedOperands &operands;
  const TilePosition &position;
  mlir::Type element;
  /// The keys that the rows of the tile and above it may read; rows outside of
  /// its sequence or below it read none.
  mlir::Value keyBegin, keyEnd;
};

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_TILEPROGRAM_H

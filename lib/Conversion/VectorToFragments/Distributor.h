//===- Distributor.h - What one thread does of a tile program ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A vector of a tile program becomes the pieces that one lane holds: pairs of
// neighbouring columns in an accumulator, of neighbouring rows in an operand B,
// single numbers where the vector has no such dimension.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_VECTORTOFRAGMENTS_DISTRIBUTOR_H
#define MTA_LIB_CONVERSION_VECTORTOFRAGMENTS_DISTRIBUTOR_H

#include "mta/Dialect/MTA/IR/KernelShape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mta {

/// Ranges of `count` pieces of 8, as first piece and length: as many as
/// possible are `longest`, then half of that and so on.
mlir::SmallVector<std::pair<int64_t, int64_t>> splitRuns(int64_t count,
                                                         int64_t longest);

/// The pieces of a vector that a lane holds:
///
///     accumulator  [(strip, half of the strip)][8 columns]  pairs of columns
///     rhs          [8 rows][8 columns]                      pairs of rows
///
/// once for every one that a warp has of what is spread over the warps. A
/// dimension that the vector lacks, or in which it has size 1, has one piece.
struct FragmentShape {
  LayoutAttr layout;
  mlir::Type element;
  int64_t headPieces = 1, rowPieces = 1, columnPieces = 1;
  bool hasRows = false, hasColumns = false, hasHeads = false;
  /// Whether dimensions are the tile's own heads and rows: those of the warp.
  /// Others of role `head` are dealt out to the warps one by one, and every
  /// warp has all others of role `row`.
  bool hasOwnHeads = false, hasOwnRows = false;

  int64_t size() const { return headPieces * rowPieces * columnPieces; }
  int64_t at(int64_t head, int64_t row, int64_t column) const {
    return ((hasHeads ? head : 0) * rowPieces + (hasRows ? row : 0)) *
               columnPieces +
           (hasColumns ? column : 0);
  }
  /// The column pieces whose elements a lane finds side by side in memory.
  mlir::SmallVector<std::pair<int64_t, int64_t>> columnRuns() const {
    return splitRuns(columnPieces, layout.getRuns() == Runs::Column ? 4 : 1);
  }
  /// The same of the columns of an operand A.
  mlir::SmallVector<std::pair<int64_t, int64_t>> reductionRuns() const {
    return splitRuns(columnPieces, layout.getRuns() == Runs::Reduction ? 4 : 1);
  }
  /// Whether pieces are pairs.
  bool hasPairs() const { return layout.isRhs() ? hasRows : hasColumns; }
  mlir::Type pieceType() const {
    return hasPairs() ? mlir::Type(mlir::VectorType::get({2}, element))
                      : element;
  }
};

/// The launches under `root` that hold a tile program, those with `mta.heads`.
mlir::SmallVector<mlir::gpu::LaunchOp> findTilePrograms(mlir::Operation *root);
/// Whether a buffer is in workgroup memory.
bool isWorkgroup(mlir::Value buffer);

/// Whether all columns of a row share its mask.
bool isMaskOfRows(mlir::Value mask, const FragmentShape &shape);

/// The layout that `mta-assign-layouts` wrote on the operation of `value`, or
/// null.
LayoutAttr layoutOf(mlir::Value value);

/// Fails, with an error on the operation, unless all vectors of a launch have
/// layouts that fit a tile of `rows` rows and `heads` heads.
mlir::LogicalResult checkLayouts(mlir::gpu::LaunchOp launch, int64_t warps,
                                 int64_t heads, int64_t rows);

using Pieces = mlir::SmallVector<mlir::Value>;

class Distributor {
public:
  /// `rows` and `heads` are those of the tile; `warps` is a multiple of the
  /// heads and divides the heads' strips of 16 rows.
  Distributor(mlir::gpu::LaunchOp launch, int64_t warps, int64_t heads,
              int64_t rows)
      : launch(launch), b(launch.getLoc(), launch.getContext()), warps(warps),
        heads(heads), rows(rows), strips(rows * heads / (16 * warps)),
        warpsOfHead(warps / heads) {}

  mlir::LogicalResult run();

private:
  /// The launch's own place: lane, warp, head and strips of thread `id`.
  void locate(mlir::Value id);
  bool isInLoop(mlir::Operation *op);
  /// The 65536 registers of a multiprocessor are 255 or more a thread for 8
  /// warps, and 128 for 16: that many are there if each has a head of its own.
  bool isShortOfRegisters() const { return heads > 8; }
  /// With more than 8 warps there are fewer: 168 for 12.
  bool hasFewRegisters() const { return warps > 8; }
  void keepLoadsBehind();
  /// `locate` in terms of a number that no pass knows.
  void locateAnew();
  /// The same, if registers are short.
  void locateAgain();
  /// What follows from the number of the workgroup and is used behind `loop` as
  /// well as before it, computed again behind it. Where registers are short,
  /// with `number`, of fewer than 32 bits, the assembler does not see that it
  /// is the same.
  void computeAgainBehind(mlir::Operation *loop, mlir::Value number);
  /// The same of what is used in a branch in the loop over tiles.
  void computeAgainIn(mlir::Block &branch);
  /// `number`, of 32 bits, as one of which no pass knows what it is.
  mlir::Value hide(mlir::Value number);
  void hideNumbersOf(mlir::scf::ForOp loop);
  mlir::scf::ForOp createLoop(mlir::scf::ForOp op, bool isOverTiles);
  mlir::LogicalResult distribute(mlir::Block &block);
  mlir::LogicalResult distribute(mlir::Operation *op);

  // Control flow.
  mlir::LogicalResult distributeFor(mlir::scf::ForOp op);
  mlir::LogicalResult distributeIf(mlir::scf::IfOp op);
  void distributeYield(mlir::scf::YieldOp op);
  Pieces expand(mlir::ValueRange values);
  mlir::SmallVector<mlir::Type> expandTypes(mlir::ValueRange values);
  /// Binds vectors of `old` to the right number of `pieces`, and replaces
  /// other values.
  void bind(mlir::ValueRange old, mlir::ValueRange pieces);

  // Elements.
  mlir::LogicalResult distributeElementwise(mlir::Operation *op);
  mlir::Value hidePair(mlir::Value pair);
  mlir::LogicalResult distributeConstant(mlir::Operation *op);
  mlir::LogicalResult distributeBroadcast(mlir::vector::BroadcastOp op);
  mlir::LogicalResult distributeStep(mlir::vector::StepOp op);
  mlir::LogicalResult distributeExtract(mlir::vector::ExtractStridedSliceOp op);
  mlir::LogicalResult distributeInsert(mlir::vector::InsertStridedSliceOp op);
  mlir::LogicalResult distributeReduction(mlir::vector::MultiDimReductionOp op);
  mlir::Value combineLanes(mlir::vector::CombiningKind kind, mlir::Value value);

  // Contractions.
  mlir::LogicalResult distributeContract(mlir::vector::ContractionOp op);
  mlir::LogicalResult distributeTileContract(ContractTileOp op);
  void distributeWaitProduct(WaitProductOp op);
  int64_t countPendingGroups(WaitProductOp op);
  Pieces describeTile(ContractTileOp op, int64_t steps);

  // Memory.
  mlir::LogicalResult distributeRead(mlir::vector::TransferReadOp op);
  void readAccumulator(mlir::vector::TransferReadOp op, Pieces &result);
  void readRhs(mlir::vector::TransferReadOp op, Pieces &result);
  void readRows(mlir::vector::TransferReadOp op, Pieces &result);
  void readColumns(mlir::vector::TransferReadOp op, Pieces &result);
  void writeRows(mlir::vector::TransferWriteOp op);
  void readWords(mlir::vector::TransferReadOp op, Pieces &result);
  mlir::LogicalResult writeWorkgroup(mlir::vector::TransferWriteOp op);
  mlir::LogicalResult writeGlobal(mlir::vector::TransferWriteOp op);
  /// Under `condition`, if there is one.
  void storeRow(mlir::vector::TransferWriteOp op, const FragmentShape &shape,
                int64_t head, int64_t row, mlir::Value condition);
  /// Neighbouring elements of a row that a lane stores, and the first's column.
  struct RowPart {
    mlir::Value elements, column;
  };
  mlir::SmallVector<RowPart> rowParts(mlir::vector::TransferWriteOp op,
                                      const FragmentShape &shape, int64_t head,
                                      int64_t row);
  mlir::SmallVector<RowPart> runParts(mlir::vector::TransferWriteOp op,
                                      const FragmentShape &shape, int64_t head,
                                      int64_t row);
  /// The part of 2 or 4 column pieces, from `firstPiece` on, of which the lanes
  /// of a row hold a pair each, that is a lane's own.
  void gatherNeighbors(mlir::ArrayRef<mlir::Value> pairs,
                       mlir::SmallVectorImpl<RowPart> &parts,
                       int64_t firstPiece);
  std::pair<mlir::Value, mlir::Value> exchange(mlir::Value isUpper,
                                               mlir::Value first,
                                               mlir::Value second,
                                               int32_t distance);
  mlir::LogicalResult distributeWrite(mlir::vector::TransferWriteOp op);
  mlir::LogicalResult distributeGather(mlir::vector::GatherOp op);
  mlir::LogicalResult distributeCopy(CopyTileOp op);
  std::pair<mlir::Value, mlir::Value> locatePiece(mlir::Value piece,
                                                  const CopyPart &part);
  mlir::LogicalResult distributeFill(mlir::linalg::FillOp op);
  /// `indices` of a place with head piece `head`, `row` and `column` added to
  /// those of the dimensions that the vector has.
  Pieces place(mlir::ValueRange indices, const FragmentShape &shape,
               int64_t head, mlir::Value row, mlir::Value column);

  // Loads of whole fragments.
  mlir::LogicalResult distributeLoadTile(LoadTileOp op);
  void loadAccumulator(LoadTileOp op, const FragmentShape &shape,
                       Pieces &result);
  void loadReduction(LoadTileOp op, const FragmentShape &shape, Pieces &result);
  void loadLikeColumns(LoadTileOp op, const FragmentShape &shape,
                       Pieces &result);
  void loadColumns(LoadTileOp op, const FragmentShape &shape, Pieces &result);
  /// `size` neighbouring elements of row `row` of the tile, from `column` on.
  mlir::Value loadRun(LoadTileOp op, mlir::Value row, mlir::Value column,
                      int64_t size);
  mlir::LogicalResult distributeLoadBand(LoadBandOp op);
  /// ldmatrix of `count` 8x8 matrices; pairs of their elements.
  Pieces loadMatrices(mlir::Value buffer, mlir::ValueRange indices,
                      int64_t count, bool transposed);

  FragmentShape shapeOf(mlir::Value value);
  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value mul(mlir::Value a, int64_t b);
  mlir::Value pairAt(mlir::Value pair, int64_t position);
  mlir::Value makePair(mlir::Value first, mlir::Value second);
  /// The index of what is spread over the warps.
  mlir::Value headOf(const FragmentShape &shape, int64_t headPiece);
  /// The first row of a vector's fragments.
  mlir::Value firstRowOf(const FragmentShape &shape);
  /// The row of the vector that a row piece of an accumulator is.
  mlir::Value rowOf(const FragmentShape &shape, int64_t rowPiece);
  /// The first of the two columns of a lane in a column piece.
  mlir::Value columnOf(int64_t columnPiece);
  /// A number as a pair, unless it is one or none is asked for.
  mlir::Value broadcastTo(mlir::Value piece, mlir::Type type);

  mlir::gpu::LaunchOp launch;
  mlir::ImplicitLocOpBuilder b;
  const int64_t warps, heads, rows;
  /// Strips of 16 rows that a warp works on, and warps that share a head.
  const int64_t strips, warpsOfHead;

  /// The thread's place: lane = 4 * group + position.
  mlir::Value thread, warp, lane, group, position;
  /// Where registers are shortest, with many heads and rows of a halo, the
  /// number of the iteration of the loop over tiles, and the number of the part
  /// of its body between two barriers.
  mlir::Value tile;
  int64_t part = 0;
  /// The head of the warp, and the first row of its strips.
  mlir::Value head, row0;
  llvm::DenseMap<mlir::Value, Pieces> pieces;
  mlir::SmallVector<mlir::Operation *> erased;
};

} // namespace mta

#endif // MTA_LIB_CONVERSION_VECTORTOFRAGMENTS_DISTRIBUTOR_H

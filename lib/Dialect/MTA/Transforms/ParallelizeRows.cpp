//===- ParallelizeRows.cpp - Whole buffers row by row -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mta {
#define GEN_PASS_DEF_PARALLELIZEROWSPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

/// Columns of a block of a transposition: the lines of as many rows of its
/// operand stay in the first cache while the block is written.
static constexpr int64_t kTransposedColumns = 64;

static std::optional<unsigned> lastLoop(AffineMap map) {
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto dim = dyn_cast<AffineDimExpr>(map.getResults().back());
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

/// One for the loops that become parallel, the columns of a block for the last
/// loop of a transposition, 0 for loops that stay whole; empty if none is
/// parallel.
static SmallVector<int64_t> chooseTiles(linalg::LinalgOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  std::optional<unsigned> columns =
      lastLoop(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  if (!columns)
    return {};
  SmallVector<int64_t> tiles;
  for (auto [loop, iterator] : llvm::enumerate(iterators))
    tiles.push_back(iterator == utils::IteratorType::parallel &&
                    loop != *columns);
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<unsigned> loop = lastLoop(op.getMatchingIndexingMap(input));
    if (!loop || *loop == *columns ||
        iterators[*loop] == utils::IteratorType::reduction)
      continue;
    tiles[*loop] = 0;
    tiles[*columns] = kTransposedColumns;
  }
  if (llvm::all_of(tiles, [](int64_t tile) { return tile == 0; }))
    return {};
  return tiles;
}

namespace {
struct ParallelizeRowsPass
    : mta::impl::ParallelizeRowsPassBase<ParallelizeRowsPass> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics() && op.getNumDpsInits() > 0 &&
          !op->getParentOfType<LoopLikeOpInterface>())
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      SmallVector<int64_t> tiles = chooseTiles(op);
      if (tiles.empty())
        continue;
      rewriter.setInsertionPoint(op);
      auto options =
          linalg::LinalgTilingOptions().setTileSizes(tiles).setLoopType(
              linalg::LinalgTilingLoopType::ParallelLoops);
      if (succeeded(linalg::tileLinalgOp(rewriter, op, options)))
        rewriter.eraseOp(op);
    }
  }
};
} // namespace

//===- CheckLayouts.cpp - Layouts that fit a launch -----------------*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the distribution to threads relies on: it looks up pieces by layout and
// size, and would find none for a vector without a layout or with another one.
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

using namespace mlir;
using namespace mta;

namespace {
struct Tile {
  int64_t warps, heads, rows;
};
} // namespace

/// Whether every dimension is of size 1, the launch's heads or rows, or a
/// number of whole pieces. Where every head has a warp, other sizes are what a
/// warp has all of, or has its share of.
static bool fits(LayoutAttr layout, VectorType type, const Tile &tile) {
  if (!layout || type.isScalable() ||
      static_cast<int64_t>(layout.getDims().size()) != type.getRank())
    return false;
  for (auto [size, role] : llvm::zip_equal(type.getShape(), layout.getDims())) {
    bool canSpread = tile.warps == tile.heads;
    bool isOwn =
        role == DimRole::Head
            ? size == tile.heads || (canSpread && size % tile.warps == 0)
        : role == DimRole::Row && !layout.isRhs()
            ? size == tile.rows || (canSpread && size % 8 == 0)
            : size % 8 == 0;
    if (size != 1 && !isOwn)
      return false;
  }
  return true;
}

static LogicalResult checkValue(Operation *op, Value value, const Tile &tile) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return success();
  LayoutAttr layout = layoutOf(value);
  if (fits(layout, type, tile))
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError("expects a layout that fits ")
                                  << type << " in a tile of " << tile.rows
                                  << " rows and " << tile.heads
                                  << " heads, but got ";
  return layout ? diagnostic << layout : diagnostic << "none";
}

/// Operations on pieces of one index have operands of one layout.
static LogicalResult checkAlike(Operation *op) {
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return success();
  LayoutAttr layout;
  for (Value value : op->getOperands()) {
    if (!isa<VectorType>(value.getType()))
      continue;
    LayoutAttr other = layoutOf(value);
    layout = layout ? layout : layoutOf(op->getResult(0));
    if (other != layout)
      return op->emitOpError("expects operands and a result of one layout, "
                             "but got ")
             << other << " and " << layout;
  }
  return success();
}

LogicalResult mta::checkLayouts(gpu::LaunchOp launch, int64_t warps,
                                int64_t heads, int64_t rows) {
  Tile tile = {warps, heads, rows};
  WalkResult result = launch.getBody().walk<WalkOrder::PreOrder>(
      [&](Operation *op) -> WalkResult {
        SmallVector<Value> values(op->getResults());
        if (auto loop = dyn_cast<scf::ForOp>(op))
          llvm::append_range(values, loop.getRegionIterArgs());
        for (Value value : values)
          if (failed(checkValue(op, value, tile)))
            return WalkResult::interrupt();
        return checkAlike(op);
      });
  return failure(result.wasInterrupted());
}

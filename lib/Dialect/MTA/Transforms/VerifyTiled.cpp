//===- VerifyTiled.cpp - The contract of level 1 -------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mta {
#define GEN_PASS_DEF_VERIFYTILEDPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

// The labels V1... are those of the pass's description.

/// V2 and V3 for a value.
static LogicalResult verifySizes(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    if (linalgOp.hasDynamicShape())
      return op->emitOpError("expects tiles of static size inside of a loop "
                             "over tiles");
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && tensor.getNumDynamicDims() > 1)
      return op->emitOpError("expects at most one dynamic size inside of a "
                             "loop over tiles, but got ")
             << tensor;
  }
  return success();
}

/// V4: of rows of queries or keys a tile reads whole ones, of a matrix of
/// scores it would read a part in both directions.
static LogicalResult verifyRead(tensor::ExtractSliceOp slice, Region &tile) {
  RankedTensorType type = slice.getSourceType();
  bool isInside = tile.isAncestor(slice.getSource().getParentRegion());
  if (isInside || type.getRank() < 2 || !isa<FloatType>(type.getElementType()))
    return success();
  for (int64_t dim : {type.getRank() - 2, type.getRank() - 1})
    if (slice.getStaticSizes()[dim] == type.getDimSize(dim))
      return success();
  return slice.emitOpError("expects a tile to read whole rows or whole "
                           "columns, but got a part of a matrix of type ")
         << type;
}

/// What a loop over the keys carries.
enum class Carried { Nothing, Statistics, Accumulator, Both, Other };

static Carried classify(scf::ForOp loop, ScheduleAttr schedule) {
  SmallVector<RankedTensorType> types;
  for (Type type : loop.getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      types.push_back(tensor);
  auto isRows = [&](RankedTensorType type) {
    return type.getRank() == 2 && type.getDimSize(0) == schedule.getHeads() &&
           type.getDimSize(1) >= schedule.getQueryTile();
  };
  auto isOutput = [&](RankedTensorType type) {
    return type.getRank() == 3 && type.getDimSize(0) == schedule.getHeads() &&
           type.getDimSize(1) == schedule.getQueryTile();
  };
  if (types.empty())
    return Carried::Nothing;
  bool hasStatistics =
      types.size() >= 2 && isRows(types[0]) && isRows(types[1]);
  if (types.size() == 3 && hasStatistics && isOutput(types[2]))
    return Carried::Both;
  if (types.size() == 2 && hasStatistics)
    return Carried::Statistics;
  if (types.size() == 1 && isOutput(types[0]))
    return Carried::Accumulator;
  return Carried::Other;
}

/// V5.
static LogicalResult verifyKeyLoops(scf::ForallOp forall,
                                    ScheduleAttr schedule) {
  bool found[] = {false, false, false, false, false};
  for (scf::ForOp loop : forall.getBody()->getOps<scf::ForOp>()) {
    Carried carried = classify(loop, schedule);
    if (carried == Carried::Other)
      return loop.emitOpError("expects to carry the statistics of rows or "
                              "their accumulator");
    found[static_cast<int>(carried)] = true;
  }
  auto has = [&](Carried carried) { return found[static_cast<int>(carried)]; };
  bool hasOne = has(Carried::Both) && !has(Carried::Statistics) &&
                !has(Carried::Accumulator);
  bool hasTwo = has(Carried::Statistics) && has(Carried::Accumulator) &&
                !has(Carried::Both);
  if (schedule.getSweeps() == 1 ? hasOne : hasTwo)
    return success();
  return forall.emitOpError("expects loops over keys for ")
         << schedule.getSweeps() << " sweeps";
}

static LogicalResult verifyTileLoop(scf::ForallOp forall) {
  auto schedule =
      forall->getAttrOfType<ScheduleAttr>(MTADialect::getScheduleAttrName());
  if (!schedule)
    return success();
  auto result = forall.getBody()->walk([&](Operation *op) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
    if (failed(verifySizes(op)) ||
        (slice && failed(verifyRead(slice, forall.getRegion()))))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted() ||
                 failed(verifyKeyLoops(forall, schedule)));
}

namespace {
struct VerifyTiledPass : mta::impl::VerifyTiledPassBase<VerifyTiledPass> {
  using VerifyTiledPassBase::VerifyTiledPassBase;

  void runOnOperation() override {
    auto result = getOperation()->walk([](Operation *op) {
      if (isa<AttentionOp>(op)) {
        op->emitOpError("expects to be tiled"); // V1.
        return WalkResult::interrupt();
      }
      auto forall = dyn_cast<scf::ForallOp>(op);
      return forall && failed(verifyTileLoop(forall)) ? WalkResult::interrupt()
                                                      : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

//===- TileKernelSplit.cpp - Keys shared by workgroups ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A split of the keys is a range of tiles of the sweep. The results of a tile
// are its own; windows read columns before it, whose scores are computed again,
// in as many tiles as those are in (one here):
//
//     tiles     0    1    2    3    4    5    6    7    8
//     split 0   own  own  own
//     split 1             warm own  own  own
//     split 2                            warm own  own  own
//
// The keys to the right of a result need nothing more: results trail their
// scores, in the last split as in a sweep over all keys.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mta;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

void mta::allocatePartials(TileBuilder &b, const KernelPlan &plan,
                           ArrayRef<OpFoldResult> output,
                           KernelBuffers &buffers) {
  auto apply = [&](AffineExpr expr, OpFoldResult size) {
    return affine::makeComposedFoldedAffineApply(b, b.getLoc(), expr, {size});
  };
  AffineExpr size = b.getAffineSymbolExpr(0);
  auto allocate = [&](int64_t copies,
                      SmallVector<OpFoldResult> sizes) -> Value {
    sizes[0] = apply(copies * size, sizes[0]);
    SmallVector<Value> dynamic;
    SmallVector<int64_t> shape;
    dispatchIndexOpFoldResults(sizes, dynamic, shape);
    return memref::AllocOp::create(b, MemRefType::get(shape, b.getF32Type()),
                                   dynamic);
  };
  buffers.partialOutputs = allocate(plan.keySplits, llvm::to_vector(output));
  SmallVector<OpFoldResult> rows = llvm::to_vector(output.drop_back());
  if (plan.hasTwoSweeps()) {
    rows[1] = apply(size.ceilDiv(plan.groupHeads) * plan.heads, rows[1]);
    rows[2] = apply(size.ceilDiv(plan.queryTile()) * plan.softmaxRows, rows[2]);
  }
  buffers.partialStatistics = allocate(2 * plan.keySplits, rows);
}

/// Workgroups of one tile of queries are neighbours in the grid.
void TileKernel::locateSplit(Value &tile, Value &tiles) {
  if (plan.keySplits == 1)
    return;
  Value splits = b.index(plan.keySplits);
  split = arith::RemUIOp::create(b, tile, splits);
  tile = arith::DivUIOp::create(b, tile, splits);
  tiles = arith::DivUIOp::create(b, tiles, splits);
  tileNumber = tile;
}

/// From all tiles of a sweep to those of the split. Splits have the same number
/// of tiles as long as there are some, so that the longest one is as short as
/// it can be, and none warms up for less; the last ones may have none.
void TileKernel::takeSplit(const Sweep &sweep, Value &first, Value &end) {
  if (plan.keySplits == 1)
    return;
  int64_t halo = 0;
  for (const StepState *state : sweep.steps)
    halo += 8 * state->plan->haloPieces;
  warmUpTiles = llvm::divideCeil(halo, plan.keyTile);
  Value size = b.ceilDiv(b.sub(end, first), plan.keySplits);
  firstOwnTile = b.min(b.add(first, b.mul(split, size)), end);
  Value last = b.min(b.add(firstOwnTile, size), end);
  Value isEmpty = b.compare(arith::CmpIPredicate::eq, firstOwnTile, last);
  first = b.max(first, b.add(firstOwnTile, -warmUpTiles));
  first = arith::SelectOp::create(b, isEmpty, last, first);
  end = last;
  if (plan.hasManyHeads)
    firstOwnTile = arith::IndexCastOp::create(b, b.getI32Type(), firstOwnTile);
}

/// Whether the split adds up a tile. With many heads the number that tells it
/// takes one register, not two, as those are short.
Value TileKernel::isOwnTile(Value tile) {
  Type i32 = b.getI32Type();
  if (plan.hasManyHeads)
    tile = arith::IndexCastOp::create(b, i32, tile);
  return b.compare(arith::CmpIPredicate::sge, tile, firstOwnTile);
}

/// The values of a tile, unless only its scores are read.
void TileKernel::copyOwnValues(Value tile, int64_t trailing) {
  if (warmUpTiles == 0)
    return copyValues(tile, trailing);
  auto branch = scf::IfOp::create(b, isOwnTile(tile), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  copyValues(tile, trailing);
  CommitCopiesOp::create(b);
}

/// What `body` returns in the split's own tiles, `others` in those before.
SmallVector<Value>
TileKernel::ifOwnTile(Value tile, ValueRange others,
                      function_ref<SmallVector<Value>()> body) {
  if (warmUpTiles == 0)
    return body();
  Value isOwn = isOwnTile(tile);
  auto branch = scf::IfOp::create(b, others.getTypes(), isOwn,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  // Barriers of the body are none of the tiles before.
  SmallVector<Value> readBefore = readSinceBarrier;
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, body());
  llvm::append_range(readSinceBarrier, readBefore);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, others);
  return llvm::to_vector_of<Value>(branch.getResults());
}

//===----------------------------------------------------------------------===//
// What a split leaves
//===----------------------------------------------------------------------===//

/// The first index of its outputs and maxima.
Value TileKernel::placeOfSplit() {
  Value batches = memref::DimOp::create(b, buffers.query, 0);
  return b.add(b.mul(split, batches), batch);
}

void TileKernel::storePartialOutput(Value accumulator) {
  storeOwnRows(accumulator, buffers.partialOutputs, placeOfSplit());
}

/// A split without keys has a maximum of minus infinity and sums of zero.
void TileKernel::storePartials(const Statistics &statistics,
                               Value accumulator) {
  storePartialOutput(accumulator);
  Value batches = memref::DimOp::create(b, buffers.query, 0);
  Value place = placeOfSplit();
  storeOwnRows(statistics.maximum, buffers.partialStatistics, place);
  place = b.add(place, b.mul(batches, plan.keySplits));
  storeOwnRows(statistics.sum, buffers.partialStatistics, place);
}

//===----------------------------------------------------------------------===//
// Two sweeps
//===----------------------------------------------------------------------===//
//
// The second sweep needs the statistics of all keys, so that the first one is a
// kernel of its own. Each workgroup of the second combines those of its rows by
// itself. A row of the halo is in several tiles, whose statistics of it are
// their own.

void TileKernel::buildStatistics(Value tile, Value tiles, Value group,
                                 Value batch) {
  prepare(tile, tiles, group, batch, /*after=*/{});
  Statistics statistics = emitStatisticsSweep();
  Value batches = memref::DimOp::create(b, buffers.query, 0);
  Value place = placeOfSplit();
  for (Value rows : {statistics.maximum, statistics.sum}) {
    b.write(rows, buffers.partialStatistics, placeOfStatistics(place));
    place = b.add(place, b.mul(batches, plan.keySplits));
  }
}

/// Indices of the tile's statistics, those of all heads and rows that it has,
/// whether they exist or not.
SmallVector<Value> TileKernel::placeOfStatistics(Value first) {
  Value head = head0;
  if (plan.groupHeads < plan.heads)
    head = b.mul(arith::DivUIOp::create(b, head0, b.index(plan.groupHeads)),
                 plan.heads);
  return {first, head, b.mul(tileNumber, plan.softmaxRows)};
}

/// Carries statistics on to `count` splits from `first` on, whose loads do not
/// wait for each other.
TileKernel::Statistics TileKernel::mergeStatistics(Value first, int64_t count,
                                                   const Statistics &carried) {
  Value batches = memref::DimOp::create(b, buffers.query, 0);
  auto read = [&](Value copy) -> Value {
    Value place = b.add(b.mul(copy, batches), batch);
    return b.read(buffers.partialStatistics, placeOfStatistics(place),
                  rowsType());
  };
  SmallVector<Statistics> parts = {carried};
  for (int64_t index = 0; index < count; ++index) {
    Value copy = b.add(first, index);
    parts.push_back({read(copy), read(b.add(copy, plan.keySplits))});
  }
  Value maximum = carried.maximum, sum;
  for (const Statistics &part : ArrayRef(parts).drop_front())
    maximum = arith::MaximumFOp::create(b, maximum, part.maximum);
  Value offset = finiteMaximum(maximum);
  for (const Statistics &part : parts) {
    Value factor = exp2(arith::SubFOp::create(b, part.maximum, offset));
    Value scaled = arith::MulFOp::create(b, part.sum, factor);
    sum = sum ? arith::AddFOp::create(b, sum, scaled) : scaled;
  }
  return {maximum, sum};
}

TileKernel::Statistics TileKernel::readPartialStatistics() {
  constexpr int64_t kAtOnce = 8;
  int64_t rest = plan.keySplits % kAtOnce;
  Value init[] = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0)};
  Value end = b.index(plan.keySplits - rest);
  auto loop = scf::ForOp::create(b, zero(), end, b.index(kAtOnce), init);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    ValueRange carried = loop.getRegionIterArgs();
    Statistics next = mergeStatistics(loop.getInductionVar(), kAtOnce,
                                      {carried[0], carried[1]});
    scf::YieldOp::create(b, ValueRange{next.maximum, next.sum});
  }
  Statistics whole = {loop.getResult(0), loop.getResult(1)};
  return rest == 0 ? whole : mergeStatistics(end, rest, whole);
}

/// All splits know it.
void TileKernel::storeLogSumExpOnce(const Statistics &statistics) {
  if (plan.keySplits == 1)
    return storeLogSumExp(statistics);
  Value isFirst = b.compare(arith::CmpIPredicate::eq, split, zero());
  auto branch = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  storeLogSumExp(statistics);
}

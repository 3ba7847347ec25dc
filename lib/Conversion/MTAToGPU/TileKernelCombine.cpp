//===- TileKernelCombine.cpp - One output of several splits -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the maximum m_s of a row's scores in split s, the sum l_s of their
// weights relative to it, and the sum o_s of weights times values,
//
//     m = max m_s    l = Σ 2^(m_s - m) l_s    o = Σ 2^(m_s - m) o_s
//
// are those of all keys: the recurrence of the online softmax, over splits
// instead of tiles. In the second of two sweeps the weights are final, and the
// sums o_s are added. Splits are added up in their order, so that results do
// not depend on which workgroup was first.
//
// Nothing here knows heads: a row is one of all batches and heads, so that few
// queries of many heads still fill tiles. Only where a destination has gaps,
// rows of several heads are not one matrix, and a tile is that of one head.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace mta;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// `buffer` with two dimensions of size 1 before its rows.
static Value withBatchAndHead(TileBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), {1, 1});
  SmallVector<ReassociationIndices> groups = {{0, 1, 2}};
  if (type.getRank() == 2)
    groups.push_back({3});
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(b, b.getLoc(), buffer);
  sizes.insert(sizes.begin(), 2, b.getIndexAttr(1));
  return memref::ExpandShapeOp::create(
      b, MemRefType::get(shape, type.getElementType()), buffer, groups, sizes);
}

/// The place of a tile of rows of a head, which is the only one of one batch
/// where rows are those of all. It may have fewer rows of its own than
/// fragments have.
void TileKernel::locateRows(Value tile, Value headIndex, Value batchIndex) {
  queries = memref::DimOp::create(b, buffers.output, 2);
  head0 = headIndex;
  batch = batchIndex;
  Value heads = memref::DimOp::create(b, buffers.output, 1);
  Value batches = memref::DimOp::create(b, buffers.output, 0);
  rowsOfSplit = b.mul(b.mul(batches, heads), queries);
  rowOfHead = b.mul(b.add(b.mul(batch, heads), head0), queries);
  int64_t halo = op.getQueryHalo();
  firstRow = row0 = b.add(b.mul(tile, plan.combinedRows()), halo);
  rowEnd = b.min(b.add(row0, plan.combinedRows()), b.add(queries, halo));
}

/// The tile's rows of the statistics with that number, or `none` of those that
/// do not exist; all exist below the number `end`.
Value TileKernel::readStatistic(Value number, int64_t end, double none) {
  Value isSplit = b.compare(arith::CmpIPredicate::slt, number, b.index(end));
  Value exists = arith::AndIOp::create(
      b, isOwnRow(plan.rows),
      vector::BroadcastOp::create(
          b, VectorType::get({plan.rows}, b.getI1Type()), isSplit));
  Value first =
      b.add(b.add(b.mul(number, rowsOfSplit), rowOfHead),
            b.add(firstRow, -static_cast<int64_t>(op.getQueryHalo())));
  Value padding = arith::ConstantOp::create(b, b.getF32FloatAttr(none));
  return vector::TransferReadOp::create(
      b, rowsType(), buffers.partialStatistics, ValueRange{first},
      AffineMapAttr::get(b.getMultiDimIdentityMap(1)), padding, exists,
      b.getBoolArrayAttr({true}));
}

/// The outputs of some splits from `first` on. Rows and splits that do not
/// exist are zero.
void TileKernel::copyPartials(Value first, Value buffer) {
  int64_t halo = op.getQueryHalo();
  Value row = b.add(firstRow, -halo), end = b.add(rowEnd, -halo);
  Value all = memref::DimOp::create(b, buffers.partialOutputs, 0);
  int64_t count = cast<MemRefType>(buffer.getType()).getDimSize(0);
  for (int64_t index = 0; index < count; ++index) {
    Value begin = b.add(b.mul(b.add(first, index), rowsOfSplit), rowOfHead);
    Value limit = b.min(b.add(begin, end), all);
    CopyTileOp::create(b, buffers.partialOutputs,
                       ValueRange{b.add(begin, row), zero()}, buffer,
                       ValueRange{b.index(index), zero(), zero()}, limit,
                       ArrayRef<int64_t>{plan.rows, plan.valueDim},
                       /*panels=*/false);
  }
  CommitCopiesOp::create(b);
}

Value TileKernel::readPartial(Value buffer, int64_t number) {
  return b.read(buffer, {b.index(number), zero(), zero()}, accumulatorType());
}

/// Carries maximum, sum and accumulator on to the splits from `first` on that
/// `buffer` has room for.
SmallVector<Value> TileKernel::combineSplits(Value first, Value buffer,
                                             ValueRange carried) {
  // Others may still read the outputs before.
  BarrierOp::create(b);
  copyPartials(first, buffer);
  int64_t count = cast<MemRefType>(buffer.getType()).getDimSize(0);
  SmallVector<Value> maxima, sums;
  for (int64_t index = 0; index < count; ++index) {
    Value number = b.add(first, index);
    maxima.push_back(readStatistic(number, plan.keySplits, -kInfinity));
    sums.push_back(
        readStatistic(b.add(number, plan.keySplits), 2 * plan.keySplits, 0.0));
  }
  Value maximum = carried[0];
  for (Value other : maxima)
    maximum = arith::MaximumFOp::create(b, maximum, other);
  Value offset = finiteMaximum(maximum);
  auto factorOf = [&](Value other) {
    return exp2(arith::SubFOp::create(b, other, offset));
  };
  Value factor = factorOf(carried[0]);
  Value sum = arith::MulFOp::create(b, carried[1], factor);
  Value accumulator = arith::MulFOp::create(
      b, carried[2], b.broadcastRows(factor, accumulatorType()));
  waitForCopies();
  for (int64_t index = 0; index < count; ++index) {
    factor = factorOf(maxima[index]);
    sum = arith::AddFOp::create(b, sum,
                                arith::MulFOp::create(b, sums[index], factor));
    Value part = readPartial(buffer, index);
    accumulator = arith::AddFOp::create(
        b, accumulator,
        arith::MulFOp::create(b, part,
                              b.broadcastRows(factor, accumulatorType())));
  }
  return {maximum, sum, accumulator};
}

/// Weights of the second of two sweeps are final, and outputs are added up.
SmallVector<Value> TileKernel::addSplits(Value first, Value buffer,
                                         ValueRange carried) {
  BarrierOp::create(b);
  copyPartials(first, buffer);
  waitForCopies();
  int64_t count = cast<MemRefType>(buffer.getType()).getDimSize(0);
  Value accumulator = carried[0];
  for (int64_t index = 0; index < count; ++index)
    accumulator =
        arith::AddFOp::create(b, accumulator, readPartial(buffer, index));
  return {accumulator};
}

void TileKernel::buildCombination(Value tile, Value headIndex, Value batchIndex,
                                  int64_t splitsAtOnce) {
  locateRows(tile, headIndex, batchIndex);
  Value buffer = b.workgroupBuffer(
      ArrayRef<int64_t>{splitsAtOnce, plan.rows, paddedRow(plan.valueDim)},
      b.getF32Type());
  bool isSum = plan.hasTwoSweeps();
  SmallVector<Value> init;
  if (!isSum)
    init = {b.splat(rowsType(), -kInfinity), b.splat(rowsType(), 0.0)};
  init.push_back(b.splat(accumulatorType(), 0.0));
  auto loop = scf::ForOp::create(b, zero(), b.index(plan.keySplits),
                                 b.index(splitsAtOnce), init);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value first = loop.getInductionVar();
    ValueRange carried = loop.getRegionIterArgs();
    scf::YieldOp::create(b, isSum ? addSplits(first, buffer, carried)
                                  : combineSplits(first, buffer, carried));
  }
  if (isSum)
    storeOutput(loop.getResult(0));
  else
    storeNormalized({loop.getResult(0), loop.getResult(1)}, loop.getResult(2));
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

/// `buffer` with its first `count` dimensions as one.
static Value collapse(TileBuilder &b, Value buffer, int64_t count) {
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  SmallVector<ReassociationIndices> groups = {
      llvm::to_vector(llvm::seq<int64_t>(0, count))};
  for (int64_t dim = count; dim < rank; ++dim)
    groups.push_back({dim});
  return memref::CollapseShapeOp::create(b, buffer, groups);
}

/// Outputs of splits that are copied to workgroup memory together: the copies
/// of one wait hide each other's way, and few workgroups run.
static int64_t splitsAtOnce(const KernelPlan &plan, int64_t workgroupLimit) {
  constexpr int64_t kMost = 8;
  int64_t bytes = 4 * plan.rows * paddedRow(plan.valueDim);
  int64_t fitting = std::max<int64_t>(1, workgroupLimit / 2 / bytes);
  return std::min({kMost, plan.keySplits, fitting});
}

/// One strip of 16 rows for a warp, as many workgroups as it takes: for a
/// matrix of them, or for every head of every batch.
static gpu::LaunchOp makeRowLaunch(TileBuilder &b, const KernelPlan &plan,
                                   Value output) {
  bool isMatrix = cast<MemRefType>(output.getType()).getRank() == 2;
  auto size = [&](int64_t dim) -> Value {
    return memref::DimOp::create(b, output, dim);
  };
  Value one = b.index(1);
  Value tiles = getValueOrCreateConstantIndexOp(
      b, b.getLoc(),
      affine::makeComposedFoldedAffineApply(
          b, b.getLoc(), b.getAffineSymbolExpr(0).ceilDiv(plan.combinedRows()),
          {getAsOpFoldResult(size(isMatrix ? 0 : 2))}));
  auto launch = gpu::LaunchOp::create(b, tiles, isMatrix ? one : size(1),
                                      isMatrix ? one : size(0),
                                      b.index(plan.threads()), one, one);
  launch->setAttr("mta.heads", b.getI64IntegerAttr(plan.heads));
  launch->setAttr("mta.rows", b.getI64IntegerAttr(plan.rows));
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b);
  b.setInsertionPointToStart(&launch.getBody().front());
  return launch;
}

void mta::emitCombination(OpBuilder &builder, AttentionOp op,
                          const KernelPlan &plan, const KernelBuffers &buffers,
                          int64_t workgroupLimit) {
  TileBuilder b(op.getLoc(), builder, /*heads=*/1);
  KernelPlan rows = plan;
  rows.hasManyHeads = false;
  rows.heads = rows.groupHeads = rows.warps = 1;
  rows.rows = rows.accumulatorRows = rows.softmaxRows = 16;
  rows.rowsBefore = 0;
  KernelBuffers flat = buffers;
  SmallVector<Value *> results = {&flat.output};
  if (buffers.logSumExp && !plan.hasTwoSweeps())
    results.push_back(&flat.logSumExp);
  bool areMatrices = llvm::all_of(results, [](Value *result) {
    return cast<MemRefType>(result->getType()).getLayout().isIdentity();
  });
  for (Value *result : results)
    if (areMatrices)
      *result = collapse(b, *result, 3);
  flat.partialOutputs = collapse(b, buffers.partialOutputs, 3);
  flat.partialStatistics = collapse(b, buffers.partialStatistics, 3);
  gpu::LaunchOp launch = makeRowLaunch(b, rows, flat.output);
  // Of views in its body a kernel has the sizes.
  for (Value *result : results)
    if (areMatrices)
      *result = withBatchAndHead(b, *result);
  gpu::KernelDim3 ids = launch.getBlockIds();
  TileKernel(b, op, rows, flat)
      .buildCombination(ids.x, ids.y, ids.z,
                        splitsAtOnce(rows, workgroupLimit));
  builder.setInsertionPointAfter(launch);
}

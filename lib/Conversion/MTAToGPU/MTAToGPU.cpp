//===- MTAToGPU.cpp - Attention as tile programs for GPUs -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Conversion/MTAToGPU/MTAToGPU.h"

#include "TileKernel.h"
#include "mta/Dialect/MTA/Builders/BufferLayout.h"
#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"
#include "mta/Dialect/MTA/Builders/OutputChain.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mta {
#define GEN_PASS_DEF_CONVERTMTATOGPUPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

/// The buffer of a tensor where it lies.
static Value toBuffer(TileBuilder &b, Value tensor) {
  return bufferization::ToBufferOp::create(b, getBufferType(tensor), tensor,
                                           /*read_only=*/true);
}

/// The contiguous buffer of a tensor, a copy if it has gaps.
static Value toContiguousBuffer(TileBuilder &b, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto buffer = MemRefType::get(type.getShape(), type.getElementType());
  return bufferization::ToBufferOp::create(b, buffer, tensor,
                                           /*read_only=*/true);
}

/// The elements of a tensor as one row.
static Value toFlatBuffer(TileBuilder &b, Value tensor) {
  Value buffer = toContiguousBuffer(b, tensor);
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  if (rank == 1)
    return buffer;
  ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  return memref::CollapseShapeOp::create(b, buffer,
                                         ArrayRef<ReassociationIndices>{all});
}

/// The buffer that a result goes to: its destination, or a new one of the sizes
/// `shape`.
static Value allocateResult(TileBuilder &b, Value result,
                            ArrayRef<OpFoldResult> shape) {
  if (auto copy = findDestination(result))
    return copy.getDest();
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(shape))
    if (type.isDynamicDim(dim))
      sizes.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  return memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes);
}

/// Rows are copied and stored 16 bytes at a time.
static LogicalResult verifyLayout(AttentionOp op, StringRef what,
                                  MemRefType type) {
  if (type.getLayout().isIdentity())
    return success();
  FailureOr<SmallVector<int64_t>> strides = getStrides(type);
  int64_t elements = kAccessBits / type.getElementTypeBitWidth();
  auto isAligned = [&](int64_t stride) {
    return ShapedType::isDynamic(stride) || stride % elements == 0;
  };
  if (failed(strides) || strides->back() != 1 ||
      !llvm::all_of(ArrayRef(*strides).drop_back(), isAligned))
    return op.emitOpError("expects ")
           << what << " without gaps in rows and with other strides that are "
           << "multiples of " << elements << " elements, but got " << type;
  return success();
}

static LogicalResult verifyLayouts(AttentionOp op) {
  if (failed(verifyLayout(op, "a query", getBufferType(op.getQuery()))) ||
      failed(verifyLayout(op, "a key", getBufferType(op.getKey()))) ||
      failed(verifyLayout(op, "a value", getBufferType(op.getValue()))))
    return failure();
  SmallVector<Value> results(op->getResults());
  for (Operation *next : builders::findOutputChain(op))
    results.push_back(next->getResult(0));
  for (Value result : results)
    if (auto copy = findDestination(result))
      if (failed(verifyLayout(op, "a destination",
                              cast<MemRefType>(copy.getDest().getType()))))
        return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Norms and gates
//===----------------------------------------------------------------------===//

/// Whether warps of one head each end the kernel, and not the one that combines
/// splits of the keys.
static bool isGatedByHead(const KernelPlan &plan) {
  return plan.hasManyHeads && plan.keySplits == 1;
}

/// Beyond this, the accumulator and a row of a vector gate's weights do not fit
/// into registers together. The 128 registers of a thread of more than 8 warps
/// with a head each have room for half, without any that are spilled for it.
static int64_t largestGateDim(const KernelPlan &plan) {
  return isGatedByHead(plan) && plan.heads > 8 ? 64 : 128;
}

/// Whether a tile can be normed or gated before it is stored. The kernel's
/// arithmetic is in f32. A vector gate is a product on tensor cores, for which
/// the rows have to be in registers twice, or with a warp for every head as two
/// numbers of 16 bits, and in f16 in its range, as they are after a norm.
static bool isFusable(Operation *next, const KernelPlan &plan, bool isNormed) {
  auto isWide = [](Type type) {
    return getElementTypeOrSelf(type).getIntOrFloatBitWidth() > 32;
  };
  if (llvm::any_of(next->getOperandTypes(), isWide) ||
      llvm::any_of(next->getResultTypes(), isWide))
    return false;
  auto gate = dyn_cast<GateOp>(next);
  if (!gate || gate.isScalar())
    return true;
  Type weights = getElementTypeOrSelf(gate.getWeights());
  return std::max(plan.headDim, plan.valueDim) <= largestGateDim(plan) &&
         (weights.isBF16() || (weights.isF16() && isNormed));
}

static void addEpilogue(TileBuilder &b, AttentionOp op, const KernelPlan &plan,
                        KernelBuffers &buffers) {
  bool isNormed = false;
  for (Operation *next : builders::findOutputChain(op)) {
    if (!isFusable(next, plan, isNormed))
      return;
    buffers.epilogue.push_back(next);
    isNormed |= isa<HeadNormOp>(next);
    if (auto norm = dyn_cast<HeadNormOp>(next)) {
      buffers.weights[next] = toFlatBuffer(b, norm.getGamma());
      continue;
    }
    auto gate = cast<GateOp>(next);
    buffers.weights[next] = gate.isScalar()
                                ? toFlatBuffer(b, gate.getWeights())
                                : toContiguousBuffer(b, gate.getWeights());
    buffers.biases[next] = toFlatBuffer(b, gate.getBias());
    // What is gated part after part is stored so.
    if (isGatedByHead(plan) && !gate.isScalar())
      return;
  }
}

/// What the stored output is of.
static Value getOutput(AttentionOp op, const KernelBuffers &buffers) {
  return buffers.epilogue.empty() ? Value(op.getOutput())
                                  : buffers.epilogue.back()->getResult(0);
}

static KernelBuffers makeBuffers(TileBuilder &b, AttentionOp op,
                                 const KernelPlan &plan,
                                 const ReifiedRankedShapedTypeDims &shapes) {
  KernelBuffers buffers;
  buffers.query = toBuffer(b, op.getQuery());
  buffers.key = toBuffer(b, op.getKey());
  buffers.value = toBuffer(b, op.getValue());
  if (op.getQueryBoundaries()) {
    buffers.queryBoundaries = toContiguousBuffer(b, op.getQueryBoundaries());
    buffers.keyBoundaries = toContiguousBuffer(b, op.getKeyBoundaries());
  }
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    Value weights = scoreOp.getWeightsOrNull();
    if (!weights)
      continue;
    buffers.weights[scoreOp] = toFlatBuffer(b, weights);
  }
  addEpilogue(b, op, plan, buffers);
  buffers.output = allocateResult(b, getOutput(op, buffers), shapes[0]);
  if (Value logSumExp = op.getLogSumExp())
    buffers.logSumExp = allocateResult(b, logSumExp, shapes[1]);
  return buffers;
}

/// The types of the numbers whose sum is a score in workgroup memory.
static ArrayAttr stagedScores(TileBuilder &b, const KernelPlan &plan) {
  int64_t copies = 0;
  for (ArrayRef<StepPlan> steps : {ArrayRef(plan.before), ArrayRef(plan.after)})
    for (const StepPlan &step : steps)
      copies = std::max(copies, step.copies);
  SmallVector<Type> types(copies, plan.isF32() ? Type(b.getF32Type())
                                               : Type(b.getF16Type()));
  return b.getTypeArrayAttr(types);
}

/// The launch of the kernel; the builder stands in its body then.
static gpu::LaunchOp makeLaunch(TileBuilder &b, const KernelPlan &plan,
                                ArrayRef<OpFoldResult> output) {
  Location loc = b.getLoc();
  AffineExpr size = b.getAffineSymbolExpr(0);
  auto count = [&](OpFoldResult total, int64_t tile) {
    return getValueOrCreateConstantIndexOp(
        b, loc,
        affine::makeComposedFoldedAffineApply(b, loc, size.ceilDiv(tile),
                                              {total}));
  };
  Value tiles = count(output[2], plan.queryTile());
  if (plan.keySplits > 1)
    tiles = b.mul(tiles, plan.keySplits);
  Value groups = count(output[1], plan.groupHeads);
  Value batches = count(output[0], 1);
  Value one = b.index(1);
  auto launch = gpu::LaunchOp::create(b, tiles, groups, batches,
                                      b.index(plan.threads()), one, one);
  launch->setAttr("mta.heads", b.getI64IntegerAttr(plan.heads));
  launch->setAttr("mta.rows", b.getI64IntegerAttr(plan.rows));
  launch->setAttr(MTADialect::getStagedScoresAttrName(), stagedScores(b, plan));
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b);
  b.setInsertionPointToStart(&launch.getBody().front());
  return launch;
}

/// A launch with the body that `build` emits.
static void emitLaunch(TileBuilder &b, AttentionOp op, const KernelPlan &plan,
                       const KernelBuffers &buffers,
                       ArrayRef<OpFoldResult> output,
                       void (TileKernel::*build)(Value, Value, Value, Value)) {
  gpu::LaunchOp launch = makeLaunch(b, plan, output);
  gpu::KernelDim3 ids = launch.getBlockIds();
  (TileKernel(b, op, plan, buffers).*build)(ids.x, launch.getGridSize().x,
                                            ids.y, ids.z);
  b.setInsertionPointAfter(launch);
}

namespace {
struct ConvertMTAToGPUPass
    : mta::impl::ConvertMTAToGPUPassBase<ConvertMTAToGPUPass> {
  using ConvertMTAToGPUPassBase::ConvertMTAToGPUPassBase;

  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation()->walk([&](AttentionOp op) { attentions.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : attentions)
      if (failed(convert(rewriter, op)))
        return signalPassFailure();
  }

private:
  LogicalResult convert(IRRewriter &rewriter, AttentionOp op) {
    FailureOr<KernelPlan> plan = planKernel(op, workgroupBytes, f32Precision);
    if (failed(plan))
      return failure();
    if (plan->readsTiles && !warpgroups)
      return op.emitOpError("expects a chip with wgmma, sm_90a, for ")
             << op.getKernelScheduleAttr();
    if (failed(verifyLayouts(op)))
      return failure();
    rewriter.setInsertionPoint(op);
    TileBuilder b(op.getLoc(), rewriter, plan->heads);
    ReifiedRankedShapedTypeDims shapes;
    (void)op.reifyResultShapes(b, shapes);
    KernelBuffers buffers = makeBuffers(b, op, *plan, shapes);
    bool isSplit = plan->keySplits > 1;
    if (isSplit)
      allocatePartials(b, *plan, shapes[0], buffers);
    if (isSplit && plan->hasTwoSweeps())
      emitLaunch(b, op, *plan, buffers, shapes[0],
                 &TileKernel::buildStatistics);
    emitLaunch(b, op, *plan, buffers, shapes[0], &TileKernel::build);
    if (isSplit)
      emitCombination(b, op, *plan, buffers, workgroupBytes);
    auto replace = [&](Value result, Value buffer) {
      // There is nothing to copy to a destination that the kernel wrote.
      if (isa<BlockArgument>(buffer))
        return rewriter.eraseOp(*result.getUsers().begin());
      rewriter.replaceAllUsesWith(
          result, bufferization::ToTensorOp::create(b, result.getType(), buffer,
                                                    /*restrict=*/true,
                                                    /*writable=*/true));
    };
    replace(getOutput(op, buffers), buffers.output);
    if (op.getLogSumExp())
      replace(op.getLogSumExp(), buffers.logSumExp);
    for (Operation *next : llvm::reverse(buffers.epilogue))
      rewriter.eraseOp(next);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

//===- MTAToGPU.cpp - Attention as tile programs for GPUs -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Conversion/MTAToGPU/MTAToGPU.h"

#include "TileKernel.h"
#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"

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

/// The contiguous buffer of a tensor.
static Value toBuffer(TileBuilder &b, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto buffer = MemRefType::get(type.getShape(), type.getElementType());
  return bufferization::ToBufferOp::create(b, buffer, tensor,
                                           /*read_only=*/true);
}

/// A new buffer for result `index`.
static Value allocateResult(TileBuilder &b, AttentionOp op, unsigned index,
                            const ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(op->getResult(index).getType());
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(shapes[index]))
    if (type.isDynamicDim(dim))
      sizes.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
  return memref::AllocOp::create(
      b, MemRefType::get(type.getShape(), type.getElementType()), sizes);
}

static KernelBuffers makeBuffers(TileBuilder &b, AttentionOp op,
                                 const ReifiedRankedShapedTypeDims &shapes) {
  KernelBuffers buffers;
  buffers.query = toBuffer(b, op.getQuery());
  buffers.key = toBuffer(b, op.getKey());
  buffers.value = toBuffer(b, op.getValue());
  for (ScoreOpInterface scoreOp : op.getScoreOps()) {
    Value weights = scoreOp.getWeightsOrNull();
    if (!weights)
      continue;
    Value buffer = toBuffer(b, weights);
    ReassociationIndices all = llvm::to_vector(
        llvm::seq<int64_t>(0, cast<MemRefType>(buffer.getType()).getRank()));
    buffers.weights[scoreOp] = memref::CollapseShapeOp::create(
        b, buffer, ArrayRef<ReassociationIndices>{all});
  }
  buffers.output = allocateResult(b, op, 0, shapes);
  if (op.getLogSumExp())
    buffers.logSumExp = allocateResult(b, op, 1, shapes);
  return buffers;
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
  Value groups = count(output[1], plan.groupHeads);
  Value batches = count(output[0], 1);
  Value one = b.index(1);
  auto launch = gpu::LaunchOp::create(b, tiles, groups, batches,
                                      b.index(plan.threads()), one, one);
  launch->setAttr("mta.heads", b.getI64IntegerAttr(plan.heads));
  launch->setAttr("mta.rows", b.getI64IntegerAttr(plan.rows));
  b.setInsertionPointToStart(&launch.getBody().front());
  gpu::TerminatorOp::create(b);
  b.setInsertionPointToStart(&launch.getBody().front());
  return launch;
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
    FailureOr<KernelPlan> plan = planKernel(op, workgroupBytes);
    if (failed(plan))
      return failure();
    rewriter.setInsertionPoint(op);
    TileBuilder b(op.getLoc(), rewriter, plan->heads);
    ReifiedRankedShapedTypeDims shapes;
    (void)op.reifyResultShapes(b, shapes);
    KernelBuffers buffers = makeBuffers(b, op, shapes);
    gpu::LaunchOp launch = makeLaunch(b, *plan, shapes[0]);
    TileKernel(b, op, *plan, buffers)
        .build(launch.getBlockIds().x, launch.getGridSize().x,
               launch.getBlockIds().y, launch.getBlockIds().z);
    b.setInsertionPointAfter(launch);
    SmallVector<Value> results;
    for (auto [buffer, type] :
         llvm::zip(SmallVector<Value>{buffers.output, buffers.logSumExp},
                   op->getResultTypes()))
      results.push_back(bufferization::ToTensorOp::create(
          b, type, buffer, /*restrict=*/true, /*writable=*/true));
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

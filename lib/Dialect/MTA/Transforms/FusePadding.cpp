//===- FusePadding.cpp - Padding without copies -----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mta {
#define GEN_PASS_DEF_FUSEPADDINGPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

/// The elementwise producer of the padded tensor, if it can write anywhere.
static linalg::GenericOp findProducer(tensor::PadOp pad) {
  auto generic = pad.getSource().getDefiningOp<linalg::GenericOp>();
  if (!generic || generic->getNumResults() != 1 || !generic->hasOneUse() ||
      generic.getNumReductionLoops() != 0 ||
      generic->getBlock() != pad->getBlock() ||
      !generic.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>() ||
      generic.payloadUsesValueFromOperand(&generic.getDpsInitsMutable()[0]))
    return nullptr;
  return generic;
}

/// `dest` with `value` in the slab of `size` elements of dimension `dim` from
/// `offset`.
static Value fillSlab(OpBuilder &builder, Location loc, Value dest, Value value,
                      int64_t dim, OpFoldResult offset, OpFoldResult size) {
  if (isConstantIntValue(size, 0))
    return dest;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, dest);
  SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
  offsets[dim] = offset;
  sizes[dim] = size;
  Value slab = tensor::ExtractSliceOp::create(builder, loc, dest, offsets,
                                              sizes, strides);
  slab = linalg::FillOp::create(builder, loc, value, slab).getResult(0);
  return tensor::InsertSliceOp::create(builder, loc, slab, dest, offsets, sizes,
                                       strides);
}

/// `dest` with the padded tensor from `offsets`.
static Value insertSource(RewriterBase &rewriter, tensor::PadOp pad, Value dest,
                          ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes) {
  Location loc = pad.getLoc();
  SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
  Value source = pad.getSource();
  if (linalg::GenericOp producer = findProducer(pad)) {
    Value place = tensor::ExtractSliceOp::create(
        rewriter, loc, pad.getSourceType(), dest, offsets, sizes, strides);
    auto moved = cast<linalg::GenericOp>(rewriter.clone(*producer));
    moved.getDpsInitsMutable()[0].set(place);
    source = moved.getResult(0);
  }
  return tensor::InsertSliceOp::create(rewriter, loc, source, dest, offsets,
                                       sizes, strides);
}

namespace {
struct FusePaddingPass : mta::impl::FusePaddingPassBase<FusePaddingPass> {
  void runOnOperation() override {
    SmallVector<tensor::PadOp> pads;
    getOperation()->walk([&](tensor::PadOp pad) { pads.push_back(pad); });
    IRRewriter rewriter(&getContext());
    for (tensor::PadOp pad : pads)
      if (pad.getConstantPaddingValue())
        fuse(rewriter, pad);
  }

private:
  static void fuse(IRRewriter &rewriter, tensor::PadOp pad) {
    rewriter.setInsertionPoint(pad);
    Location loc = pad.getLoc();
    ReifiedRankedShapedTypeDims shapes;
    if (failed(pad.reifyResultShapes(rewriter, shapes)))
      return;
    Value dest = tensor::EmptyOp::create(rewriter, loc, shapes[0],
                                         pad.getResultType().getElementType());
    SmallVector<OpFoldResult> lows = pad.getMixedLowPad();
    SmallVector<OpFoldResult> highs = pad.getMixedHighPad();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, pad.getSource());
    Value value = pad.getConstantPaddingValue();
    for (int64_t dim = 0, rank = lows.size(); dim < rank; ++dim) {
      dest = fillSlab(rewriter, loc, dest, value, dim, rewriter.getIndexAttr(0),
                      lows[dim]);
      AffineExpr low = rewriter.getAffineSymbolExpr(0);
      AffineExpr size = rewriter.getAffineSymbolExpr(1);
      OpFoldResult end = affine::makeComposedFoldedAffineApply(
          rewriter, loc, low + size, {lows[dim], sizes[dim]});
      dest = fillSlab(rewriter, loc, dest, value, dim, end, highs[dim]);
    }
    dest = insertSource(rewriter, pad, dest, lows, sizes);
    if (dest.getType() != pad.getType())
      dest = tensor::CastOp::create(rewriter, loc, pad.getType(), dest);
    rewriter.replaceOp(pad, dest);
  }
};
} // namespace

//===- MTAToLinalg.cpp - The reference lowering pass ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Conversion/MTAToLinalg/MTAToLinalg.h"

#include "Patterns.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mta {
#define GEN_PASS_DEF_CONVERTMTATOLINALGPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

using namespace mlir;

void mta::populateMTAToLinalgConversionPatterns(RewritePatternSet &patterns) {
  patterns.add<reference::AttentionToLinalg, reference::GateToLinalg,
               reference::HeadNormToLinalg>(patterns.getContext());
}

namespace {
struct ConvertMTAToLinalgPass
    : mta::impl::ConvertMTAToLinalgPassBase<ConvertMTAToLinalgPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    mta::populateMTAToLinalgConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target.addIllegalDialect<mta::MTADialect>();
    // What tile programs do with memory is not this lowering's.
    target.addLegalOp<mta::BarrierOp, mta::CommitCopiesOp, mta::ContractTileOp,
                      mta::CopyTileOp, mta::FenceTilesOp, mta::WaitProductOp,
                      mta::LoadBandOp, mta::LoadTileOp, mta::WaitCopiesOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

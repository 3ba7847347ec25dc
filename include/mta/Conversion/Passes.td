//===- Passes.td - Conversion passes -----------------------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_PASSES_TD
#define MTA_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertMTAToLinalgPass : Pass<"convert-mta-to-linalg"> {
  let summary = "the reference lowering: score programs on whole tensors";
  let description = [{
    Before: any IR with operations of the `mta` dialect on tensors. After: the
    same computation in `linalg`, `tensor`, `arith` and `math`; no operation of
    the `mta` dialect remains.

    Every step of the score program becomes one or a few `linalg.generic`
    operations on the whole B x H x Nq x Nk score matrix, in the order of the
    program. Nothing is fused and nothing is skipped: the result needs memory
    for several score matrices, grows with Nq·Nk, and is the oracle that faster
    lowerings are compared with, not a product.

    The mask becomes two numbers a query, the first key it may read and the end
    of those keys; with sequence boundaries also the first query of its
    sequence. Scores that are not allowed are zero in every matrix the lowering
    forms, so convolutions read zeros and need no mask of their own.

    Not its job: choosing memory (bufferization) or loops.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // MTA_CONVERSION_PASSES_TD

//===- MTAToLinalg.h - The reference lowering -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_MTATOLINALG_MTATOLINALG_H
#define MTA_CONVERSION_MTATOLINALG_MTATOLINALG_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace mta {
#define GEN_PASS_DECL_CONVERTMTATOLINALGPASS
#include "mta/Conversion/Passes.h.inc"

/// Patterns that turn `mta.attention` with its score program, `mta.head_norm`
/// and `mta.gate` into unfused linalg on whole tensors. See the pass.
void populateMTAToLinalgConversionPatterns(mlir::RewritePatternSet &patterns);
} // namespace mta

#endif // MTA_CONVERSION_MTATOLINALG_MTATOLINALG_H

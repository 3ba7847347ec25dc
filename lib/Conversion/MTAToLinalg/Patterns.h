//===- Patterns.h - Patterns of the lowering --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOLINALG_PATTERNS_H
#define MTA_LIB_CONVERSION_MTATOLINALG_PATTERNS_H

#include "mlir/IR/PatternMatch.h"
#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta::reference {

struct AttentionToLinalg : mlir::OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult
  matchAndRewrite(AttentionOp op,
                  mlir::PatternRewriter &rewriter) const override;
};

struct HeadNormToLinalg : mlir::OpRewritePattern<HeadNormOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult
  matchAndRewrite(HeadNormOp op,
                  mlir::PatternRewriter &rewriter) const override;
};

struct GateToLinalg : mlir::OpRewritePattern<GateOp> {
  using OpRewritePattern::OpRewritePattern;
  mlir::LogicalResult
  matchAndRewrite(GateOp op, mlir::PatternRewriter &rewriter) const override;
};

} // namespace mta::reference

#endif // MTA_LIB_CONVERSION_MTATOLINALG_PATTERNS_H

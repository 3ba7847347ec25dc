//===- ScoreOpsToLinalg.h - Lowering of score operations --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOLINALG_SCOREOPSTOLINALG_H
#define MTA_LIB_CONVERSION_MTATOLINALG_SCOREOPSTOLINALG_H

#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"
#include "mta/Dialect/MTA/Builders/RowBounds.h"
#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta::reference {

/// What a softmax leaves behind for the log-sum-exp, B x H x Nq each.
struct SoftmaxStatistics {
  mlir::Value maximum;
  mlir::Value sum;
};

/// Lowers the operations of one score program. Every value, B x H x Nq x Nk, is
/// zero where a pair is not allowed; each lowering keeps it so.
class ScoreLowering {
public:
  ScoreLowering(mlir::ImplicitLocOpBuilder &builder,
                const builders::RowBounds &bounds)
      : builder(builder), bounds(bounds) {}

  /// `scores` with zeros where a pair is not allowed and `scale` elsewhere
  /// multiplied in, if there is one.
  mlir::Value mask(mlir::Value scores, mlir::Value scale = {});

  /// The result of `op` on `scores`, or null if the operation is unknown.
  mlir::Value lower(ScoreOpInterface op, mlir::Value scores);

  const SoftmaxStatistics &getStatistics() const { return statistics; }

private:
  mlir::Value lowerConv(KeyQueryConvOp op, mlir::Value scores);
  mlir::Value lowerHeadMix(HeadMixOp op, mlir::Value scores);
  mlir::Value lowerSoftmax(mlir::Value scores);

  /// Pads `scores` with the zeros that windows of `op` read beyond it.
  mlir::Value pad(KeyQueryConvOp op, mlir::Value scores);
  mlir::Value computeRowMaximum(mlir::Value scores,
                                const builders::Sizes &rows);

  mlir::ImplicitLocOpBuilder &builder;
  const builders::RowBounds &bounds;
  SoftmaxStatistics statistics;
};

} // namespace mta::reference

#endif // MTA_LIB_CONVERSION_MTATOLINALG_SCOREOPSTOLINALG_H

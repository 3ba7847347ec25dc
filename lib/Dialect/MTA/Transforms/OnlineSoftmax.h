//===- OnlineSoftmax.h - A softmax over tiles of keys --------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The softmax of a row in base 2, of which one tile of keys is seen after the
// other: the sum of exponentials relative to the largest score so far, which
// grows.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_ONLINESOFTMAX_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_ONLINESOFTMAX_H

#include "TileProgram.h"

namespace mta {

/// The running statistics, both heads x rows.
struct RowStatistics {
  mlir::Value maximum;
  mlir::Value sum;
};

/// What one tile of keys does to the statistics.
struct StatisticsStep {
  RowStatistics statistics;
  /// exp2(scores - maximum), zero where a pair is not allowed.
  mlir::Value exponentials;
  /// What was accumulated before times this is relative to the new maximum.
  mlir::Value correction;
};

/// No key seen: the lowest finite number, so that no infinity meets another
/// one, and 0.
RowStatistics initialStatistics(TileProgram &tile, mlir::Type element,
                                int64_t rows);

/// Adds the tile of `scores` to the statistics.
StatisticsStep addToStatistics(mlir::ImplicitLocOpBuilder &builder,
                               TileProgram &tile, const TileStep &step,
                               mlir::Value scores, RowStatistics old);

/// exp2(scores - maximum), zero where a pair is not allowed.
mlir::Value exponentials(TileProgram &tile, const TileStep &step,
                         mlir::Value scores, mlir::Value maximum);

/// 1 / sum, and 0 in a row without an allowed key.
mlir::Value reciprocal(mlir::ImplicitLocOpBuilder &builder, mlir::Value sum);

/// (maximum + log2(sum)) ln 2, minus infinity in a row without an allowed key.
mlir::Value logSumExp(mlir::ImplicitLocOpBuilder &builder,
                      const RowStatistics &statistics);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_ONLINESOFTMAX_H

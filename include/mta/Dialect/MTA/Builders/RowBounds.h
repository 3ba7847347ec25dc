//===- RowBounds.h - The mask as bounds of every query row ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the mask and the sequence boundaries let a query read is an interval of
// keys, and an interval of earlier queries for its convolutions:
//
//     keyBegin[i] <= j < keyEnd[i]      the pairs (i, j) that are allowed
//     queryBegin[i] <= i'               the rows of i's own sequence
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_BUILDERS_ROWBOUNDS_H
#define MTA_DIALECT_MTA_BUILDERS_ROWBOUNDS_H

#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"
#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta::builders {

/// Tensors of Nq indices; `queryBegin` is null without sequence boundaries.
struct RowBounds {
  mlir::Value keyBegin;
  mlir::Value keyEnd;
  mlir::Value queryBegin;
};

RowBounds computeRowBounds(mlir::ImplicitLocOpBuilder &builder,
                           AttentionOp attention);

/// Whether `key` is in [keyBegin, keyEnd), all of type index.
mlir::Value isAllowed(mlir::ImplicitLocOpBuilder &builder, mlir::Value key,
                      mlir::Value keyBegin, mlir::Value keyEnd);

} // namespace mta::builders

#endif // MTA_DIALECT_MTA_BUILDERS_ROWBOUNDS_H

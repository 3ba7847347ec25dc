//===- PackOperands.h - What all tiles of an attention read -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_PACKOPERANDS_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_PACKOPERANDS_H

#include "TileProgram.h"

namespace mta {

/// `source` with `low` zeros before and zeros after in dimension `dim`, of
/// which there are then `total` elements.
mlir::Value padDim(mlir::ImplicitLocOpBuilder &builder, mlir::Value source,
                   int64_t dim, int64_t low, mlir::OpFoldResult total);

/// Copies query, key and value to the layout that tiles read, in the element
/// types that the staging says and with zeros around, so that every tile is
/// whole. O(N·D) work and memory.
PackedOperands packOperands(mlir::ImplicitLocOpBuilder &builder, AttentionOp op,
                            const TilePlan &plan);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_PACKOPERANDS_H

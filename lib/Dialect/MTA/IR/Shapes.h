//===- Shapes.h - Shape checks shared by the verifiers ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks of sizes of which any may be dynamic: a dynamic size is the caller's
// promise and passes. Each emits "expects ..., but got ..." on the operation.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_IR_SHAPES_H
#define MTA_LIB_DIALECT_MTA_IR_SHAPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

namespace mta {

/// `what` names the two sizes, as in "batch of query and key".
llvm::LogicalResult expectSameSize(mlir::Operation *op, llvm::StringRef what,
                                   int64_t first, int64_t second);

/// `count` things `what` are a multiple of `divisor` things `divisorWhat`.
llvm::LogicalResult expectMultiple(mlir::Operation *op, llvm::StringRef what,
                                   int64_t count, llvm::StringRef divisorWhat,
                                   int64_t divisor);

/// The shape of `type`, which `what` names, is `expected`.
llvm::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef what,
                                llvm::ArrayRef<int64_t> expected,
                                mlir::RankedTensorType type);

/// The sizes of `value`, for an op whose result has the shape of an operand.
mlir::SmallVector<mlir::OpFoldResult>
reifyShapeOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_IR_SHAPES_H

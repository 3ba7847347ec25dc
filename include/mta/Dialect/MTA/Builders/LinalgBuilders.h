//===- LinalgBuilders.h - Short forms for building linalg -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_BUILDERS_LINALGBUILDERS_H
#define MTA_DIALECT_MTA_BUILDERS_LINALGBUILDERS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mta::builders {

using Sizes = mlir::SmallVector<mlir::OpFoldResult>;

/// Builds the body of a `linalg.generic`: receives the elements of the inputs
/// followed by those of the outputs, returns the new elements of the outputs.
using Body = llvm::function_ref<mlir::SmallVector<mlir::Value>(
    mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

/// A `linalg.generic` under construction; loops are named by the letters of
/// `loops`, and every operand says by letters how it is indexed, as in einsum.
/// An index may be a sum of letters, or 0: "b h i+a j+c", "b h i 0".
class Generic {
public:
  /// `loops` are the parallel loops, `reductions` the innermost ones.
  Generic(mlir::ImplicitLocOpBuilder &builder, llvm::StringRef loops,
          llvm::StringRef reductions = "");

  Generic &input(mlir::Value value, llvm::StringRef indices);
  Generic &output(mlir::Value init, llvm::StringRef indices);

  /// Creates the operation; its results in the order of the outputs.
  mlir::ValueRange build(Body body);

private:
  mlir::AffineMap parseIndices(llvm::StringRef indices) const;

  mlir::ImplicitLocOpBuilder &builder;
  std::string loops;
  size_t parallelLoops;
  mlir::SmallVector<mlir::Value> inputs, outputs;
  mlir::SmallVector<mlir::AffineMap> inputMaps, outputMaps;
};

mlir::Value emptyTensor(mlir::ImplicitLocOpBuilder &builder, const Sizes &sizes,
                        mlir::Type element);

/// A tensor of the given sizes with `value` in every element.
mlir::Value filledTensor(mlir::ImplicitLocOpBuilder &builder,
                         const Sizes &sizes, mlir::Type element, double value);

mlir::Value floatConstant(mlir::ImplicitLocOpBuilder &builder, mlir::Type type,
                          double value);

/// Converts a float to a float type of any width; the identity for its own.
mlir::Value convertFloat(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                         mlir::Type type);

/// `value` with every element converted to `element`.
mlir::Value convertTensor(mlir::ImplicitLocOpBuilder &builder,
                          mlir::Value value, mlir::Type element);

/// `size`, or 1 if it is zero. Sizes that are dynamic can be zero where the
/// caller's promise says that they are not; nothing may divide by them.
mlir::OpFoldResult atLeastOne(mlir::ImplicitLocOpBuilder &builder,
                              mlir::OpFoldResult size);

/// `size / divisor`, rounded down; a divisor of zero counts as 1.
mlir::OpFoldResult divideSizes(mlir::ImplicitLocOpBuilder &builder,
                               mlir::OpFoldResult size,
                               mlir::OpFoldResult divisor);

/// Splits dimension `dim` of `value` into (size / inner) x inner.
mlir::Value splitDim(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                     int64_t dim, mlir::OpFoldResult inner);

/// Merges dimensions `dim` and `dim + 1` of `value`.
mlir::Value mergeDims(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                      int64_t dim);

} // namespace mta::builders

#endif // MTA_DIALECT_MTA_BUILDERS_LINALGBUILDERS_H

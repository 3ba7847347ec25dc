//===- Shapes.cpp - Shape checks shared by the verifiers --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

LogicalResult mta::expectSameSize(Operation *op, StringRef what, int64_t first,
                                  int64_t second) {
  if (succeeded(mlir::verifyCompatibleShape({first}, {second})))
    return success();
  return op->emitOpError("expects the same ")
         << what << ", but got " << first << " and " << second;
}

LogicalResult mta::expectMultiple(Operation *op, StringRef what, int64_t count,
                                  StringRef divisorWhat, int64_t divisor) {
  if (ShapedType::isDynamic(count) || ShapedType::isDynamic(divisor))
    return success();
  if (divisor != 0 && count % divisor == 0)
    return success();
  return op->emitOpError("expects the number of ")
         << what << " to be a multiple of the number of " << divisorWhat
         << ", but got " << count << " and " << divisor;
}

LogicalResult mta::expectShape(Operation *op, StringRef what,
                               ArrayRef<int64_t> expected,
                               RankedTensorType type) {
  if (succeeded(mlir::verifyCompatibleShape(expected, type.getShape())))
    return success();
  auto expectedType = RankedTensorType::get(expected, type.getElementType());
  return op->emitOpError("expects ")
         << what << " of type " << expectedType << ", but got " << type;
}

SmallVector<OpFoldResult> mta::reifyShapeOf(OpBuilder &builder, Location loc,
                                            Value value) {
  return tensor::getMixedSizes(builder, loc, value);
}

//===- BufferLayout.cpp - Layouts of arguments ------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Builders/BufferLayout.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;

MemRefType mta::getBufferType(Value value) {
  if (auto memref = dyn_cast<MemRefType>(value.getType()))
    return memref;
  auto type = cast<RankedTensorType>(value.getType());
  MemRefLayoutAttrInterface layout;
  auto argument = dyn_cast<BlockArgument>(value);
  if (auto function = argument ? dyn_cast<FunctionOpInterface>(
                                     argument.getOwner()->getParentOp())
                               : FunctionOpInterface())
    layout = function.getArgAttrOfType<MemRefLayoutAttrInterface>(
        argument.getArgNumber(),
        bufferization::BufferizationDialect::kBufferLayoutAttrName);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

FailureOr<SmallVector<int64_t>> mta::getStrides(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || offset != 0)
    return failure();
  return strides;
}

bufferization::MaterializeInDestinationOp mta::findDestination(Value tensor) {
  if (!tensor.hasOneUse())
    return {};
  auto copy = dyn_cast<bufferization::MaterializeInDestinationOp>(
      *tensor.getUsers().begin());
  if (!copy || copy.getSource() != tensor || !copy.getRestrict() ||
      !copy.getWritable() || !isa<MemRefType>(copy.getDest().getType()) ||
      !isa<BlockArgument>(copy.getDest()) || !copy.getDest().hasOneUse())
    return {};
  return copy;
}

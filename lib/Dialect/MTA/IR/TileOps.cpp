//===- TileOps.cpp - Tiles on GPUs ------------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

using namespace mlir;
using namespace mta;

LogicalResult CopyTileOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  auto dest = cast<MemRefType>(getDest().getType());
  auto checkIndices = [&](MemRefType type, size_t count,
                          StringRef name) -> LogicalResult {
    if (static_cast<size_t>(type.getRank()) == count && count >= 2)
      return success();
    return emitOpError("expects an index for every dimension of the ")
           << name << " and at least 2, but got " << count << " for " << type;
  };
  if (failed(checkIndices(source, getSourceIndices().size(), "source")) ||
      failed(checkIndices(dest, getDestIndices().size(), "destination")))
    return failure();
  Type element = source.getElementType();
  if (element != dest.getElementType() || !element.isIntOrFloat() ||
      element.getIntOrFloatBitWidth() != 16)
    return emitOpError("expects equal element types of 16 bits, but got ")
           << source << " and " << dest;
  for (MemRefType type : {source, dest})
    if (!type.isLastDimUnitStride())
      return emitOpError("expects contiguous rows, but got ") << type;
  if (getShape().size() != 2 || getShape()[0] < 1 || getShape()[1] < 1 ||
      getShape()[1] % 8 != 0)
    return emitOpError("expects a shape of rows of a multiple of 8 elements, "
                       "but got [")
           << getShape() << "]";
  return success();
}

/// What loads of a vector heads x rows x columns have in common.
static LogicalResult verifyLoad(Operation *op, MemRefType source,
                                size_t indices, VectorType result) {
  if (static_cast<size_t>(source.getRank()) != indices)
    return op->emitOpError("expects an index for every dimension of the "
                           "source, but got ")
           << indices << " for " << source;
  Type element = source.getElementType();
  ArrayRef<int64_t> shape = result.getShape();
  if (element != result.getElementType() || !element.isIntOrFloat() ||
      element.getIntOrFloatBitWidth() != 16 || result.isScalable() ||
      shape.size() != 3 || shape[1] % 8 != 0 || shape[2] % 8 != 0)
    return op->emitOpError("expects heads x rows x columns in multiples of 8 "
                           "of the source's elements, of 16 bits, but got ")
           << result << " from " << source;
  if (!source.isLastDimUnitStride())
    return op->emitOpError("expects contiguous rows, but got ") << source;
  return success();
}

LogicalResult LoadTileOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  if (source.getRank() < 3)
    return emitOpError("expects a source of at least 3 dimensions, but got ")
           << source;
  return verifyLoad(*this, source, getIndices().size(),
                    cast<VectorType>(getResult().getType()));
}

LogicalResult LoadBandOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  auto result = cast<VectorType>(getResult().getType());
  if (source.getRank() != 2)
    return emitOpError("expects a source of 2 dimensions, but got ") << source;
  if (failed(verifyLoad(*this, source, getIndices().size(), result)))
    return failure();
  if (result.getDimSize(2) != 8)
    return emitOpError("expects a band of 8 columns, but got ") << result;
  return success();
}

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

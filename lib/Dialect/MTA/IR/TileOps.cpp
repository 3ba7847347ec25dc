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
      (element.getIntOrFloatBitWidth() != 16 &&
       element.getIntOrFloatBitWidth() != 32))
    return emitOpError("expects equal element types of 16 or 32 bits, but got ")
           << source << " and " << dest;
  for (MemRefType type : {source, dest})
    if (!type.isLastDimUnitStride())
      return emitOpError("expects contiguous rows, but got ") << type;
  if (getShape().size() != 2 || getShape()[0] < 1 || getShape()[1] < 1 ||
      getShape()[1] % 8 != 0)
    return emitOpError("expects a shape of rows of a multiple of 8 elements, "
                       "but got [")
           << getShape() << "]";
  if (getPanels() && (dest.getRank() < 3 || dest.getShape().back() != 8 ||
                      8 * dest.getDimSize(dest.getRank() - 3) < getShape()[1]))
    return emitOpError("expects a destination of panels of 8 columns for ")
           << getShape()[1] << " columns, but got " << dest;
  return success();
}

/// k and columns of the product, rows and columns of the stored tile.
LogicalResult ContractTileOp::verify() {
  auto lhs = cast<VectorType>(getLhs().getType());
  auto accumulator = cast<VectorType>(getAccumulator().getType());
  auto tile = cast<MemRefType>(getTile().getType());
  int64_t rank = tile.getRank();
  if (rank != static_cast<int64_t>(getIndices().size()) + 3 ||
      !tile.hasStaticShape() || !tile.getLayout().isIdentity() ||
      tile.getShape().back() != 8)
    return emitOpError("expects a contiguous buffer of panels of 8 columns "
                       "with an index for every dimension before those, but "
                       "got ")
           << getIndices().size() << " for " << tile;
  Type element = lhs.getElementType();
  if (element != tile.getElementType() ||
      !(element.isF16() || element.isBF16()) ||
      !accumulator.getElementType().isF32())
    return emitOpError("expects operands of f16 or bf16 and sums of f32, but "
                       "got ")
           << lhs << ", " << tile << " and " << accumulator;
  if (lhs.getRank() < 2 || lhs.getRank() > 3 ||
      lhs.getShape().drop_back() != accumulator.getShape().drop_back())
    return emitOpError("expects the rows and heads of both vectors to agree, "
                       "but got ")
           << lhs << " and " << accumulator;
  int64_t k = lhs.getShape().back(), columns = accumulator.getShape().back();
  if (k % 16 != 0 || columns % 8 != 0 || columns > 256)
    return emitOpError("expects sums over a multiple of 16 elements for a "
                       "multiple of 8 columns up to 256, but got ")
           << k << " and " << columns;
  int64_t tileRows = getTransposed() ? columns : k;
  int64_t tileColumns = getTransposed() ? k : columns;
  if (tile.getDimSize(rank - 2) < tileRows ||
      8 * tile.getDimSize(rank - 3) < tileColumns)
    return emitOpError("expects a tile of at least ")
           << tileRows << " rows and " << tileColumns << " columns, but got "
           << tile;
  if (getAsync() && !(getResult().hasOneUse() &&
                      isa<WaitProductOp>(*getResult().user_begin())))
    return emitOpError("expects mta.wait_product to be the one use of what is "
                       "under way");
  return success();
}

/// Products that are begun between `contract` and `wait`.
static int64_t countBegun(ContractTileOp contract, WaitProductOp wait) {
  int64_t count = 0;
  for (Operation *op = contract->getNextNode(); op != wait;
       op = op->getNextNode())
    if (auto other = dyn_cast<ContractTileOp>(op))
      count += other.getAsync() ? 1 : 0;
  return count;
}

LogicalResult WaitProductOp::verify() {
  auto contract = getProduct().getDefiningOp<ContractTileOp>();
  if (!contract || !contract.getAsync() ||
      contract->getBlock() != (*this)->getBlock())
    return emitOpError("expects a product of the same block that was begun "
                       "with 'async'");
  if (int64_t begun = countBegun(contract, *this);
      begun < static_cast<int64_t>(getPending()))
    return emitOpError("expects at most the ")
           << begun << " products that were begun after this one to be "
           << "pending, but got " << getPending();
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
  if (getFirst() > getLast() || static_cast<int64_t>(getFirst()) < 0)
    return emitOpError("expects diagonals in order from 0 on, but got ")
           << static_cast<int64_t>(getFirst()) << " to "
           << static_cast<int64_t>(getLast());
  return success();
}

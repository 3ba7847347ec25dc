//===- TileBuilder.cpp - Vectors of a tile program -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value TileBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(*this, value);
}
Value TileBuilder::add(Value a, Value b) {
  return arith::AddIOp::create(*this, a, b);
}
Value TileBuilder::add(Value a, int64_t b) {
  return b == 0 ? a : add(a, index(b));
}
Value TileBuilder::sub(Value a, Value b) {
  return arith::SubIOp::create(*this, a, b);
}
Value TileBuilder::mul(Value a, Value b) {
  return arith::MulIOp::create(*this, a, b);
}
Value TileBuilder::mul(Value a, int64_t b) { return mul(a, index(b)); }
Value TileBuilder::min(Value a, Value b) {
  return arith::MinSIOp::create(*this, a, b);
}
Value TileBuilder::max(Value a, Value b) {
  return arith::MaxSIOp::create(*this, a, b);
}
Value TileBuilder::ceilDiv(Value a, int64_t b) {
  return arith::DivUIOp::create(*this, add(a, b - 1), index(b));
}
Value TileBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

VectorType TileBuilder::type(ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> full(shape);
  if (heads > 1)
    full.insert(full.begin(), heads);
  return VectorType::get(full, element);
}

Value TileBuilder::splat(VectorType type, double value) {
  auto element = cast<FloatType>(type.getElementType());
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(type, getFloatAttr(element, value)));
}

Value TileBuilder::broadcast(Value vector, VectorType type) {
  return vector.getType() == type
             ? vector
             : vector::BroadcastOp::create(*this, type, vector).getResult();
}

Value TileBuilder::step(int64_t size, int64_t dim, int64_t rank) {
  Value flat =
      vector::StepOp::create(*this, VectorType::get({size}, getIndexType()));
  SmallVector<int64_t> shape(rank, 1);
  shape[dim] = size;
  if (rank == 1)
    return flat;
  return vector::ShapeCastOp::create(
      *this, VectorType::get(shape, getIndexType()), flat);
}

Value TileBuilder::broadcastRows(Value rows, VectorType type) {
  auto rowsType = cast<VectorType>(rows.getType());
  SmallVector<int64_t> shape(rowsType.getShape());
  shape.push_back(1);
  Value column = vector::ShapeCastOp::create(
      *this, VectorType::get(shape, rowsType.getElementType()), rows);
  return broadcast(column,
                   VectorType::get(type.getShape(), rowsType.getElementType()));
}

Value TileBuilder::convert(Value vector, Type element) {
  Type known = getElementTypeOrSelf(vector.getType());
  if (known == element)
    return vector;
  unsigned from = known.getIntOrFloatBitWidth();
  unsigned to = element.getIntOrFloatBitWidth();
  Type result = element;
  if (auto type = dyn_cast<VectorType>(vector.getType()))
    result = VectorType::get(type.getShape(), element);
  if (from < to)
    return arith::ExtFOp::create(*this, result, vector);
  if (from > to)
    return arith::TruncFOp::create(*this, result, vector);
  // Between f16 and bf16.
  return convert(convert(vector, getF32Type()), element);
}

Value TileBuilder::contract(Value lhs, Value rhs, Value accumulator,
                            bool rhsTransposed) {
  auto hasHeads = [&](Value vector) {
    return cast<VectorType>(vector.getType()).getRank() == 3;
  };
  AffineExpr head = getAffineDimExpr(0), row = getAffineDimExpr(1),
             column = getAffineDimExpr(2), k = getAffineDimExpr(3);
  if (heads == 1) {
    row = getAffineDimExpr(0);
    column = getAffineDimExpr(1);
    k = getAffineDimExpr(2);
  }
  auto map = [&](Value vector, AffineExpr first, AffineExpr second) {
    SmallVector<AffineExpr> results = {first, second};
    if (hasHeads(vector))
      results.insert(results.begin(), head);
    return AffineMap::get(heads > 1 ? 4 : 3, 0, results, getContext());
  };
  AffineMap maps[] = {map(lhs, row, k),
                      rhsTransposed ? map(rhs, column, k) : map(rhs, k, column),
                      map(accumulator, row, column)};
  using vector::IteratorType;
  SmallVector<Attribute> iterators(
      heads > 1 ? 3 : 2,
      vector::IteratorTypeAttr::get(getContext(), IteratorType::parallel));
  iterators.push_back(
      vector::IteratorTypeAttr::get(getContext(), IteratorType::reduction));
  return vector::ContractionOp::create(*this, lhs, rhs, accumulator,
                                       getAffineMapArrayAttr(maps),
                                       getArrayAttr(iterators));
}

Value TileBuilder::reduceColumns(vector::CombiningKind kind, Value vector,
                                 Value initial) {
  SmallVector<bool> reduced(cast<VectorType>(vector.getType()).getRank());
  reduced.back() = true;
  return vector::MultiDimReductionOp::create(*this, vector, initial, reduced,
                                             kind);
}

Value TileBuilder::extractColumns(Value vector, int64_t first, int64_t size) {
  auto type = cast<VectorType>(vector.getType());
  SmallVector<int64_t> offsets(type.getRank(), 0);
  SmallVector<int64_t> sizes(type.getShape());
  SmallVector<int64_t> strides(type.getRank(), 1);
  offsets.back() = first;
  sizes.back() = size;
  return vector::ExtractStridedSliceOp::create(*this, vector, offsets, sizes,
                                               strides);
}

Value TileBuilder::insertColumns(Value part, Value vector, int64_t first) {
  return insertPart(part, vector, 0, first);
}

Value TileBuilder::insertPart(Value part, Value vector, int64_t row,
                              int64_t column) {
  int64_t rank = cast<VectorType>(vector.getType()).getRank();
  SmallVector<int64_t> offsets(rank, 0), strides(rank, 1);
  offsets[rank - 2] = row;
  offsets[rank - 1] = column;
  return vector::InsertStridedSliceOp::create(*this, part, vector, offsets,
                                              strides);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value TileBuilder::workgroupBuffer(int64_t copies, ArrayRef<int64_t> shape,
                                   Type element) {
  SmallVector<int64_t> full;
  if (copies > 1)
    full.push_back(copies);
  if (heads > 1)
    full.push_back(heads);
  llvm::append_range(full, shape);
  return workgroupBuffer(full, element);
}

Value TileBuilder::workgroupBuffer(ArrayRef<int64_t> shape, Type element) {
  auto space =
      gpu::AddressSpaceAttr::get(getContext(), gpu::AddressSpace::Workgroup);
  auto type =
      MemRefType::get(shape, element, MemRefLayoutAttrInterface(), space);
  return memref::AllocaOp::create(*this, type);
}

Value TileBuilder::read(Value buffer, ValueRange indices, VectorType type) {
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  AffineMap map =
      AffineMap::getMinorIdentityMap(rank, type.getRank(), getContext());
  Value padding =
      arith::ConstantOp::create(*this, getZeroAttr(type.getElementType()));
  SmallVector<bool> inBounds(type.getRank(), true);
  return vector::TransferReadOp::create(*this, type, buffer, indices,
                                        AffineMapAttr::get(map), padding,
                                        Value(), getBoolArrayAttr(inBounds));
}

void TileBuilder::write(Value vector, Value buffer, ValueRange indices,
                        Value mask) {
  auto type = cast<VectorType>(vector.getType());
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  AffineMap map =
      AffineMap::getMinorIdentityMap(rank, type.getRank(), getContext());
  SmallVector<bool> inBounds(type.getRank(), true);
  vector::TransferWriteOp::create(*this, vector, buffer, indices,
                                  AffineMapAttr::get(map), mask,
                                  getBoolArrayAttr(inBounds));
}

//===- TileBuilder.h - Vectors of a tile program -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CONVERSION_MTATOGPU_TILEBUILDER_H
#define MTA_LIB_CONVERSION_MTATOGPU_TILEBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

namespace mta {

/// Builds operations on indices and on vectors of a tile. With more than one
/// head, vectors of a tile have the heads as first dimension.
class TileBuilder : public mlir::ImplicitLocOpBuilder {
public:
  TileBuilder(mlir::Location loc, mlir::OpBuilder &builder, int64_t heads)
      : ImplicitLocOpBuilder(loc, builder), heads(heads) {}

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b);
  /// min and max of signed integers.
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                      mlir::Value b);

  /// heads x `shape`, without the heads if there is one.
  mlir::VectorType type(mlir::ArrayRef<int64_t> shape, mlir::Type element);
  mlir::Value splat(mlir::VectorType type, double value);
  /// `vector` repeated along the dimensions that `type` has more, or in which
  /// `vector` has size 1.
  mlir::Value broadcast(mlir::Value vector, mlir::VectorType type);
  /// 0 ... size-1, along dimension `dim` of a vector that has size 1 in the
  /// others.
  mlir::Value step(int64_t size, int64_t dim, int64_t rank);
  /// A statistic of every row, repeated along the columns of `type`.
  mlir::Value broadcastRows(mlir::Value rows, mlir::VectorType type);
  /// A conversion between float types, if they differ.
  mlir::Value convert(mlir::Value vector, mlir::Type element);

  /// lhs (rows x k) times rhs, which is k x columns, or columns x k if
  /// `rhsTransposed`, plus `accumulator`. An operand without
  /// heads is shared by them.
  mlir::Value contract(mlir::Value lhs, mlir::Value rhs,
                       mlir::Value accumulator, bool rhsTransposed);
  /// Reduces the columns.
  mlir::Value reduceColumns(mlir::vector::CombiningKind kind,
                            mlir::Value vector, mlir::Value initial);

  /// A buffer in workgroup memory.
  mlir::Value workgroupBuffer(mlir::ArrayRef<int64_t> shape,
                              mlir::Type element);
  /// `copies`, if more than 1, of heads x `shape`.
  mlir::Value workgroupBuffer(int64_t copies, mlir::ArrayRef<int64_t> shape,
                              mlir::Type element);
  /// Columns `first` to `first + size` of a vector.
  mlir::Value extractColumns(mlir::Value vector, int64_t first, int64_t size);
  mlir::Value insertColumns(mlir::Value part, mlir::Value vector,
                            int64_t first);
  /// `vector` with `part` from a row and a column on.
  mlir::Value insertPart(mlir::Value part, mlir::Value vector, int64_t row,
                         int64_t column);
  mlir::Value read(mlir::Value buffer, mlir::ValueRange indices,
                   mlir::VectorType type);
  void write(mlir::Value vector, mlir::Value buffer, mlir::ValueRange indices,
             mlir::Value mask = mlir::Value());

  const int64_t heads;
};

} // namespace mta

#endif // MTA_LIB_CONVERSION_MTATOGPU_TILEBUILDER_H

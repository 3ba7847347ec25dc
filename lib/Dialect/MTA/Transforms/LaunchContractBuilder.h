//===- LaunchContractBuilder.h - Contracts of functions ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_LAUNCHCONTRACTBUILDER_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_LAUNCHCONTRACTBUILDER_H

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace mta {

/// Reads the contract of a function off its launches.
class LaunchContractBuilder {
public:
  explicit LaunchContractBuilder(mlir::func::FuncOp function)
      : function(function), b(function.getContext()) {}

  /// Fails with a diagnostic on what a contract cannot say.
  mlir::FailureOr<LaunchContractAttr> build();

private:
  struct Buffer {
    std::string name;
    /// Outputs: their place among those that are arguments, then results.
    unsigned place = 0;
    BufferKind kind;
    mlir::MemRefType type;
    mlir::SmallVector<mlir::AffineExpr> shape;
    /// Empty if contiguous.
    mlir::SmallVector<mlir::AffineExpr> strides;
    int64_t alignment;
  };

  void takeNames(mlir::ArrayAttr attributes);
  std::string unique(llvm::StringRef name);
  void addArgument(mlir::BlockArgument argument);
  llvm::LogicalResult addAllocation(mlir::Operation *alloc);
  llvm::LogicalResult addResults();
  llvm::LogicalResult addLaunch(mlir::gpu::LaunchFuncOp launch);
  llvm::LogicalResult visit(mlir::Operation &op);

  mlir::FailureOr<mlir::Attribute>
  makeParameter(mlir::Value operand, mlir::Type type, int64_t alignment);
  mlir::FailureOr<mlir::SmallVector<int64_t>>
  constants(mlir::gpu::KernelDim3 values, llvm::StringRef what);
  void limitGrid(llvm::ArrayRef<mlir::AffineExpr> grid);

  /// The buffer that a memref is a view of.
  mlir::FailureOr<Buffer *> bufferOf(mlir::Value memref);
  /// A number of the host as a function of the sizes.
  mlir::FailureOr<mlir::AffineExpr> evaluate(mlir::Value value);
  mlir::FailureOr<mlir::AffineExpr>
  evaluate(mlir::Operation *op, mlir::ArrayRef<mlir::AffineExpr> operands);
  mlir::FailureOr<mlir::AffineExpr> sizeOf(mlir::Value memref, int64_t dim);
  mlir::FailureOr<mlir::AffineExpr> strideOf(mlir::OpResult stride);
  mlir::AffineMapAttr mapOf(llvm::ArrayRef<mlir::AffineExpr> results);
  mlir::ArrayAttr buffersAttr();

  mlir::func::FuncOp function;
  mlir::Builder b;
  mlir::SymbolTableCollection symbols;
  llvm::StringSet<> taken;
  mlir::SmallVector<mlir::StringRef> sizes;
  /// What has to be so for the kernels to be right.
  mlir::SmallVector<mlir::AffineExpr> nonnegative, zero;
  /// By the argument or the result of the allocation.
  llvm::MapVector<mlir::Value, Buffer> buffers;
  mlir::SmallVector<mlir::Attribute> launches;
  /// Functions of sizes that numbers of the host are.
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> known;
};

/// How a kernel that uses tensor cores computes; null for others.
NumericsAttr readNumerics(mlir::gpu::GPUFuncOp kernel);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_LAUNCHCONTRACTBUILDER_H

//===- SizeClasses.h - Sizes that are equal in a function -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operations demand that sizes be equal: a key has as many heads as the value.
// Two dynamic sizes that have to be equal for a function to mean anything are
// one size.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_TRANSFORMS_SIZECLASSES_H
#define MTA_DIALECT_MTA_TRANSFORMS_SIZECLASSES_H

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/EquivalenceClasses.h"

#include <map>

namespace mta {

/// The equivalence classes of the dimensions of the tensors in a function.
class SizeClasses {
public:
  /// Stands for a class.
  using Class = unsigned;

  /// `left` has to be in a relation to the product of `right`.
  struct Condition {
    enum class Kind { Equal, AtLeast, MultipleOf };
    Kind kind;
    Class left;
    llvm::SmallVector<Class, 2> right;
  };

  explicit SizeClasses(mlir::func::FuncOp function);

  Class find(mlir::Value tensor, unsigned dim);

  /// The class that `size` belongs to.
  Class leader(Class size) const { return classes.getLeaderValue(size); }

  /// The size of the members of a class, if one of them is static.
  std::optional<int64_t> getConstant(Class size) const;

  /// What operations call the size, "" if none does.
  llvm::StringRef getName(Class size) const;

  /// Another class and a number that `size` is larger by, if that is known.
  std::optional<std::pair<Class, int64_t>> getShift(Class size) const;

  llvm::SmallVector<Condition> conditions;

private:
  Class node(mlir::Value tensor, unsigned dim);
  Class constantNode(int64_t size);
  void unify(mlir::Value left, unsigned leftDim, mlir::Value right,
             unsigned rightDim);
  void unifyShapes(mlir::Value left, mlir::Value right);
  void name(mlir::Value tensor, llvm::ArrayRef<llvm::StringRef> names);
  void require(Condition::Kind kind, Class left, llvm::ArrayRef<Class> right);
  void visit(mlir::Operation *op);
  void visit(AttentionOp op);
  void visit(ScoreOpInterface op);
  void visit(HeadNormOp op);
  void visit(GateOp op);
  void visit(mlir::linalg::LinalgOp op);
  void visit(mlir::tensor::EmptyOp op);

  llvm::DenseMap<std::pair<mlir::Value, unsigned>, Class> nodes;
  /// Every number may be a size, also those that a hash table keeps for itself.
  std::map<int64_t, Class> constants;
  Class numNodes = 0;
  llvm::EquivalenceClasses<Class> classes;
  llvm::SmallVector<std::pair<Class, llvm::StringRef>> names;
  /// A size, another one, and a number that the first is larger by.
  llvm::SmallVector<std::tuple<Class, Class, int64_t>> shifts;
};

} // namespace mta

#endif // MTA_DIALECT_MTA_TRANSFORMS_SIZECLASSES_H

//===- SizeClasses.cpp - Sizes that are equal in a function -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/SizeClasses.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mta;

SizeClasses::SizeClasses(func::FuncOp function) {
  function.walk<WalkOrder::PreOrder>([&](Operation *op) { visit(op); });
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

SizeClasses::Class SizeClasses::constantNode(int64_t size) {
  auto [entry, isNew] = constants.try_emplace(size, numNodes);
  if (isNew)
    classes.insert(numNodes++);
  return entry->second;
}

SizeClasses::Class SizeClasses::node(Value tensor, unsigned dim) {
  auto [entry, isNew] = nodes.try_emplace({tensor, dim}, numNodes);
  Class result = entry->second;
  if (!isNew)
    return result;
  classes.insert(numNodes++);
  int64_t size = cast<ShapedType>(tensor.getType()).getDimSize(dim);
  if (ShapedType::isStatic(size))
    classes.unionSets(result, constantNode(size));
  return result;
}

SizeClasses::Class SizeClasses::find(Value tensor, unsigned dim) {
  return classes.getLeaderValue(node(tensor, dim));
}

std::optional<int64_t> SizeClasses::getConstant(Class size) const {
  for (auto [value, constant] : constants)
    if (classes.isEquivalent(size, constant))
      return value;
  return std::nullopt;
}

StringRef SizeClasses::getName(Class size) const {
  for (auto [named, text] : names)
    if (classes.isEquivalent(size, named))
      return text;
  return "";
}

std::optional<std::pair<SizeClasses::Class, int64_t>>
SizeClasses::getShift(Class size) const {
  for (auto [left, right, offset] : shifts)
    if (classes.isEquivalent(size, left))
      return std::make_pair(classes.getLeaderValue(right), offset);
  return std::nullopt;
}

void SizeClasses::unify(Value left, unsigned leftDim, Value right,
                        unsigned rightDim) {
  Class leftNode = node(left, leftDim), rightNode = node(right, rightDim);
  // Sizes that contradict each other stay what their types say.
  auto one = getConstant(leftNode), other = getConstant(rightNode);
  if (!one || !other || *one == *other)
    classes.unionSets(leftNode, rightNode);
}

void SizeClasses::unifyShapes(Value left, Value right) {
  auto type = cast<ShapedType>(left.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    unify(left, dim, right, dim);
}

void SizeClasses::name(Value tensor, ArrayRef<StringRef> texts) {
  for (auto [dim, text] : llvm::enumerate(texts))
    names.emplace_back(node(tensor, dim), text);
}

void SizeClasses::require(Condition::Kind kind, Class left,
                          ArrayRef<Class> right) {
  conditions.push_back({kind, left, SmallVector<Class, 2>(right)});
}

//===----------------------------------------------------------------------===//
// What operations demand
//===----------------------------------------------------------------------===//

void SizeClasses::visit(AttentionOp op) {
  Value query = op.getQuery(), key = op.getKey(), value = op.getValue();
  Value scores = op.getScores(), output = op.getOutput();
  name(query, {"batch", "heads", "queries", "head_dim"});
  name(key, {"batch", "key_heads", "keys", "head_dim"});
  name(value, {"batch", "key_heads", "keys", "value_dim"});
  for (Value other : {key, value, scores, output})
    unify(query, 0, other, 0);
  unify(query, 3, key, 3);
  unify(key, 1, value, 1);
  unify(key, 2, value, 2);
  for (Value other : {scores, output})
    unify(query, 1, other, 1);
  unify(query, 2, scores, 2);
  unify(key, 2, scores, 3);
  unify(value, 3, output, 3);
  require(Condition::Kind::MultipleOf, node(query, 1), {node(key, 1)});
  auto halo = static_cast<int64_t>(op.getQueryHalo());
  if (halo == 0) {
    unify(query, 2, output, 2);
  } else {
    shifts.emplace_back(node(output, 2), node(query, 2), -halo);
    require(Condition::Kind::AtLeast, node(query, 2), {constantNode(halo)});
  }
  if (Value logSumExp = op.getLogSumExp())
    for (unsigned dim : {0, 1, 2})
      unify(output, dim, logSumExp, dim);
  if (Value boundaries = op.getQueryBoundaries()) {
    name(boundaries, {"boundaries"});
    unify(boundaries, 0, op.getKeyBoundaries(), 0);
    require(Condition::Kind::AtLeast, node(boundaries, 0), {constantNode(2)});
  }
}

void SizeClasses::visit(ScoreOpInterface op) {
  unifyShapes(op->getOperand(0), op->getResult(0));
  Value weights = op.getWeightsOrNull();
  if (!weights)
    return;
  Class heads = node(op->getOperand(0), 1);
  if (isa<KeyQueryConvOp>(op)) {
    unify(weights, 0, op->getOperand(0), 1);
    if (cast<RankedTensorType>(weights.getType()).getRank() == 4)
      require(Condition::Kind::MultipleOf, heads, {node(weights, 1)});
  } else if (isa<HeadMixOp>(op)) {
    unify(weights, 1, weights, 2);
    name(weights, {"head_groups", "group_heads", "group_heads"});
    require(Condition::Kind::Equal, heads,
            {node(weights, 0), node(weights, 1)});
  }
}

void SizeClasses::visit(HeadNormOp op) {
  unifyShapes(op.getInput(), op.getResult());
  unify(op.getGamma(), 0, op.getInput(), 3);
}

void SizeClasses::visit(GateOp op) {
  unifyShapes(op.getInput(), op.getResult());
  unify(op.getWeights(), 1, op.getInput(), 3);
  unify(op.getWeights(), 0, op.getBias(), 0);
  // The gate is one of vectors if the number of rows is not 1.
  if (!op.isScalar())
    unify(op.getWeights(), 0, op.getInput(), 3);
}

/// Dimensions that one loop goes through.
void SizeClasses::visit(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return;
  DenseMap<unsigned, std::pair<Value, unsigned>> loops;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expression] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expression);
      if (!loop)
        continue;
      auto [entry, isNew] = loops.try_emplace(loop.getPosition(), operand.get(),
                                              static_cast<unsigned>(dim));
      if (!isNew)
        unify(entry->second.first, entry->second.second, operand.get(), dim);
    }
  }
}

void SizeClasses::visit(tensor::EmptyOp op) {
  for (auto [index, size] : llvm::enumerate(op.getMixedSizes())) {
    auto value = dyn_cast<Value>(size);
    auto dim = value ? value.getDefiningOp<tensor::DimOp>() : nullptr;
    if (!dim || !isa<RankedTensorType>(dim.getSource().getType()))
      continue;
    if (std::optional<int64_t> position = dim.getConstantIndex())
      unify(op, index, dim.getSource(), *position);
  }
}

void SizeClasses::visit(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<AttentionOp, HeadNormOp, GateOp, tensor::EmptyOp>(
          [&](auto known) { visit(known); })
      .Case<ScoreOpInterface>([&](auto scoreOp) { visit(scoreOp); })
      .Case<tensor::CastOp>([&](tensor::CastOp cast) {
        if (isa<RankedTensorType>(cast.getSource().getType()) &&
            isa<RankedTensorType>(cast.getType()))
          unifyShapes(cast.getSource(), cast.getResult());
      })
      .Case<bufferization::MaterializeInDestinationOp>(
          [&](bufferization::MaterializeInDestinationOp copy) {
            unifyShapes(copy.getSource(), copy.getDest());
          });
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    visit(structured);
  if (auto style = dyn_cast<DestinationStyleOpInterface>(op))
    for (OpResult result : op->getResults())
      if (isa<RankedTensorType>(result.getType()))
        unifyShapes(result, style.getTiedOpOperand(result)->get());
}

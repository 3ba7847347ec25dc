//===- LinalgBuilders.cpp - Short forms for building linalg -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta::builders;

//===----------------------------------------------------------------------===//
// Generic
//===----------------------------------------------------------------------===//

Generic::Generic(ImplicitLocOpBuilder &builder, StringRef loops,
                 StringRef reductions)
    : builder(builder), loops((loops + reductions).str()),
      parallelLoops(loops.size()) {}

AffineMap Generic::parseIndices(StringRef indices) const {
  SmallVector<AffineExpr> results;
  SmallVector<StringRef> terms;
  indices.split(terms, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef term : terms) {
    AffineExpr sum = builder.getAffineConstantExpr(0);
    for (char letter : term)
      if (letter != '+' && letter != '0')
        sum = sum + builder.getAffineDimExpr(loops.find(letter));
    results.push_back(sum);
  }
  return AffineMap::get(loops.size(), 0, results, builder.getContext());
}

Generic &Generic::input(Value value, StringRef indices) {
  inputs.push_back(value);
  inputMaps.push_back(parseIndices(indices));
  return *this;
}

Generic &Generic::output(Value init, StringRef indices) {
  outputs.push_back(init);
  outputMaps.push_back(parseIndices(indices));
  return *this;
}

ValueRange Generic::build(Body body) {
  SmallVector<AffineMap> maps(inputMaps);
  llvm::append_range(maps, outputMaps);
  SmallVector<utils::IteratorType> iterators(parallelLoops,
                                             utils::IteratorType::parallel);
  iterators.resize(loops.size(), utils::IteratorType::reduction);
  auto op = linalg::GenericOp::create(
      builder, TypeRange(outputs), inputs, outputs, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange elements) {
        ImplicitLocOpBuilder inner(loc, nested);
        linalg::YieldOp::create(inner, body(inner, elements));
      });
  return op.getResults();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value mta::builders::emptyTensor(ImplicitLocOpBuilder &builder,
                                 const Sizes &sizes, Type element) {
  return tensor::EmptyOp::create(builder, sizes, element);
}

Value mta::builders::filledTensor(ImplicitLocOpBuilder &builder,
                                  const Sizes &sizes, Type element,
                                  double value) {
  Value empty = emptyTensor(builder, sizes, element);
  Value scalar = floatConstant(builder, element, value);
  return linalg::FillOp::create(builder, scalar, empty).getResult(0);
}

Value mta::builders::floatConstant(ImplicitLocOpBuilder &builder, Type type,
                                   double value) {
  return arith::ConstantOp::create(builder, builder.getFloatAttr(type, value));
}

Value mta::builders::convertFloat(ImplicitLocOpBuilder &builder, Value value,
                                  Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, type, value);
  if (from > to)
    return arith::TruncFOp::create(builder, type, value);
  // f16 and bf16 have no direct conversion; f32 holds both exactly.
  Value wide = arith::ExtFOp::create(builder, builder.getF32Type(), value);
  return arith::TruncFOp::create(builder, type, wide);
}

Value mta::builders::convertTensor(ImplicitLocOpBuilder &builder, Value value,
                                   Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), value);
  StringRef letters = StringRef("abcd").take_front(type.getRank());
  std::string indices;
  for (char letter : letters)
    indices += {letter, ' '};
  return Generic(builder, letters)
      .input(value, indices)
      .output(emptyTensor(builder, sizes, element), indices)
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{convertFloat(inner, elements[0], element)};
      })[0];
}

/// Groups that keep every dimension but merge `dim` with the one after it.
static SmallVector<ReassociationIndices> pairAt(int64_t dim, int64_t rank) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t index = 0; index < rank; ++index) {
    groups.push_back({index});
    if (index == dim)
      groups.back().push_back(++index);
  }
  return groups;
}

OpFoldResult mta::builders::atLeastOne(ImplicitLocOpBuilder &builder,
                                       OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return builder.getIndexAttr(std::max<int64_t>(*constant, 1));
  AffineExpr symbol = builder.getAffineSymbolExpr(0);
  AffineExpr one = builder.getAffineConstantExpr(1);
  return affine::makeComposedFoldedAffineMax(
      builder, builder.getLoc(),
      AffineMap::get(0, 1, {symbol, one}, builder.getContext()), {size});
}

OpFoldResult mta::builders::divideSizes(ImplicitLocOpBuilder &builder,
                                        OpFoldResult size,
                                        OpFoldResult divisor) {
  AffineExpr quotient =
      builder.getAffineSymbolExpr(0).floorDiv(builder.getAffineSymbolExpr(1));
  return affine::makeComposedFoldedAffineApply(
      builder, builder.getLoc(), quotient,
      {size, atLeastOne(builder, divisor)});
}

Value mta::builders::splitDim(ImplicitLocOpBuilder &builder, Value value,
                              int64_t dim, OpFoldResult inner) {
  Location loc = builder.getLoc();
  auto type = cast<RankedTensorType>(value.getType());
  Sizes sizes = tensor::getMixedSizes(builder, loc, value);
  OpFoldResult outer = divideSizes(builder, sizes[dim], inner);
  sizes[dim] = outer;
  sizes.insert(sizes.begin() + dim + 1, inner);
  auto [shape, dynamic] = decomposeMixedValues(sizes);
  auto result = RankedTensorType::get(shape, type.getElementType());
  int64_t size;
  if (type.isDynamicDim(dim) && !result.isDynamicDim(dim) &&
      !result.isDynamicDim(dim + 1) &&
      !llvm::MulOverflow(shape[dim], shape[dim + 1], size)) {
    // Folding the division has seen through a cast that forgets the size.
    SmallVector<int64_t> known(type.getShape());
    known[dim] = size;
    value = tensor::CastOp::create(builder, type.clone(known), value);
  }
  if (ShapedType::isDynamic(shape[dim]) &&
      ShapedType::isDynamic(shape[dim + 1])) {
    // memref-expand-strided-metadata, on the way to LLVM, computes at most one
    // dynamic size of a group from the others and crashes on two.
    SmallVector<Value> values =
        getValueOrCreateConstantIndexOp(builder, loc, sizes);
    Value shapeTensor = tensor::FromElementsOp::create(builder, values);
    return tensor::ReshapeOp::create(builder, result, value, shapeTensor);
  }
  return tensor::ExpandShapeOp::create(builder, result, value,
                                       pairAt(dim, result.getRank()), sizes);
}

Value mta::builders::mergeDims(ImplicitLocOpBuilder &builder, Value value,
                               int64_t dim) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  return tensor::CollapseShapeOp::create(builder, value, pairAt(dim, rank));
}

//===- Epilogue.cpp - Norm and gate on one tile --------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"

#include "PackOperands.h"
#include "mta/Dialect/MTA/Builders/OutputChain.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mta;
using namespace mta::builders;

//===----------------------------------------------------------------------===//
// The chain
//===----------------------------------------------------------------------===//

Epilogue::Epilogue(AttentionOp op)
    : op(op), element(op.getScoreType().getElementType()),
      ops(findOutputChain(op)) {}

Value Epilogue::getResult() {
  return ops.empty() ? Value(op.getOutput()) : Value(ops.back()->getResult(0));
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// `weights` in `element` with every dimension padded to its size in `sizes`
/// by zeros. Sizes that are dynamic are those of the input's rows.
static Value packWeights(ImplicitLocOpBuilder &builder, Value weights,
                         Type element, int64_t dimension,
                         ArrayRef<int64_t> sizes) {
  auto type = cast<RankedTensorType>(weights.getType());
  SmallVector<int64_t> shape(type.getShape());
  llvm::replace(shape, ShapedType::kDynamic, dimension);
  if (!type.hasStaticShape())
    weights = tensor::CastOp::create(builder, type.clone(shape), weights);
  weights = convertTensor(builder, weights, element);
  for (auto [dim, size] : llvm::enumerate(sizes))
    weights = padDim(builder, weights, dim, 0, builder.getIndexAttr(size));
  return weights;
}

static Value transpose(ImplicitLocOpBuilder &builder, Value matrix) {
  auto type = cast<RankedTensorType>(matrix.getType());
  Sizes sizes = tensor::getMixedSizes(builder, builder.getLoc(), matrix);
  std::swap(sizes[0], sizes[1]);
  return Generic(builder, "ex")
      .input(matrix, "x e")
      .output(emptyTensor(builder, sizes, type.getElementType()), "e x")
      .build([](ImplicitLocOpBuilder &, ValueRange elements) {
        return SmallVector<Value>{elements[0]};
      })[0];
}

void Epilogue::pack(ImplicitLocOpBuilder &builder, int64_t columns) {
  int64_t dimension =
      cast<RankedTensorType>(op.getValue().getType()).getDimSize(3);
  for (Operation *next : ops) {
    if (auto norm = dyn_cast<HeadNormOp>(next)) {
      packed[next] = {
          packWeights(builder, norm.getGamma(), element, dimension, {columns})};
      continue;
    }
    auto gate = cast<GateOp>(next);
    int64_t rows = gate.isScalar() ? 1 : columns;
    Value weights = packWeights(builder, gate.getWeights(), element, dimension,
                                {rows, columns});
    if (!gate.isScalar())
      weights = transpose(builder, weights);
    packed[next] = {weights, packWeights(builder, gate.getBias(), element,
                                         dimension, {rows})};
  }
}

//===----------------------------------------------------------------------===//
// Tiles. Loops: h head, i row, x element of a row, e element that is summed.
//===----------------------------------------------------------------------===//

/// A tensor of the first `rank` sizes of `tile`, filled with zeros.
static Value zeros(ImplicitLocOpBuilder &builder, Value tile, int64_t rank) {
  auto type = cast<RankedTensorType>(tile.getType());
  Sizes sizes = getAsIndexOpFoldResult(builder.getContext(),
                                       type.getShape().take_front(rank));
  return filledTensor(builder, sizes, type.getElementType(), 0.0);
}

/// `tile` as it reads after it was stored in elements of `type`.
static Value roundTo(ImplicitLocOpBuilder &builder, Value tile, Type type) {
  Type element = getElementTypeOrSelf(tile);
  if (type.getIntOrFloatBitWidth() >= element.getIntOrFloatBitWidth())
    return tile;
  return Generic(builder, "hix")
      .output(tile, "h i x")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value narrow = convertFloat(inner, elements[0], type);
        return SmallVector<Value>{convertFloat(inner, narrow, element)};
      })[0];
}

/// The sums of the rows of a tile.
static Value sumRows(ImplicitLocOpBuilder &builder, Value tile) {
  return Generic(builder, "hi", "e")
      .input(tile, "h i e")
      .output(zeros(builder, tile, 2), "h i")
      .build([](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::AddFOp::create(inner, elements[1], elements[0])};
      })[0];
}

/// A new tile: `tile` times `other`, which is read at `indices`.
static Value multiply(ImplicitLocOpBuilder &builder, Value tile, Value other,
                      StringRef indices) {
  auto type = cast<RankedTensorType>(tile.getType());
  Sizes sizes = getAsIndexOpFoldResult(builder.getContext(), type.getShape());
  return Generic(builder, "hix")
      .input(tile, "h i x")
      .input(other, indices)
      .output(emptyTensor(builder, sizes, type.getElementType()), "h i x")
      .build([](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::MulFOp::create(inner, elements[0], elements[1])};
      })[0];
}

Value Epilogue::applyNorm(ImplicitLocOpBuilder &builder, HeadNormOp norm,
                          Value tile) {
  int64_t dimension =
      cast<RankedTensorType>(op.getValue().getType()).getDimSize(3);
  Value squares = sumRows(builder, multiply(builder, tile, tile, "h i x"));
  Value count = floatConstant(builder, element, dimension);
  Value epsilon =
      floatConstant(builder, element, norm.getEpsilon().convertToDouble());
  Value roots =
      Generic(builder, "hi")
          .output(squares, "h i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value mean = arith::DivFOp::create(inner, elements[0], count);
            Value sum = arith::AddFOp::create(inner, mean, epsilon);
            return SmallVector<Value>{math::SqrtOp::create(inner, sum)};
          })[0];
  Value scale = floatConstant(builder, element, norm.getDepthScale());
  return Generic(builder, "hix")
      .input(roots, "h i")
      .input(packed.at(norm)[0], "x")
      .output(tile, "h i x")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value x = arith::DivFOp::create(inner, elements[2], elements[0]);
        x = arith::MulFOp::create(inner, x, elements[1]);
        if (norm.getLayer())
          x = arith::MulFOp::create(inner, x, scale);
        return SmallVector<Value>{x};
      })[0];
}

/// 1 + exp(-(logits + bias)), what a sigmoid divides by.
Value Epilogue::denominators(ImplicitLocOpBuilder &builder, Value logits,
                             Value bias, StringRef loops, StringRef biasIndex) {
  std::string indices;
  for (char loop : loops)
    indices += {loop, ' '};
  return Generic(builder, loops)
      .input(bias, biasIndex)
      .output(logits, indices)
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value logit = arith::AddFOp::create(inner, elements[1], elements[0]);
        Value negative = arith::NegFOp::create(inner, logit);
        Value exponential = math::ExpOp::create(inner, negative);
        Value one = floatConstant(inner, element, 1.0);
        return SmallVector<Value>{
            arith::AddFOp::create(inner, one, exponential)};
      })[0];
}

Value Epilogue::applyGate(ImplicitLocOpBuilder &builder, GateOp gate,
                          Value tile) {
  Value weights = packed.at(gate)[0], bias = packed.at(gate)[1];
  bool isScalar = gate.isScalar();
  Value divisors;
  if (isScalar) {
    Value logits = sumRows(builder, multiply(builder, tile, weights, "0 x"));
    divisors = denominators(builder, logits, bias, "hi", "0");
  } else {
    Value logits =
        Generic(builder, "hix", "e")
            .input(tile, "h i e")
            .input(weights, "e x")
            .output(zeros(builder, tile, 3), "h i x")
            .build([](ImplicitLocOpBuilder &inner, ValueRange elements) {
              Value product =
                  arith::MulFOp::create(inner, elements[0], elements[1]);
              return SmallVector<Value>{
                  arith::AddFOp::create(inner, elements[2], product)};
            })[0];
    divisors = denominators(builder, logits, bias, "hix", "x");
  }
  return Generic(builder, "hix")
      .input(divisors, isScalar ? "h i" : "h i x")
      .output(tile, "h i x")
      .build([](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::DivFOp::create(inner, elements[1], elements[0])};
      })[0];
}

Value Epilogue::apply(ImplicitLocOpBuilder &builder, Value tile) {
  for (Operation *next : ops) {
    tile = roundTo(builder, tile,
                   getElementTypeOrSelf(next->getOperand(0).getType()));
    tile =
        TypeSwitch<Operation *, Value>(next)
            .Case(
                [&](HeadNormOp norm) { return applyNorm(builder, norm, tile); })
            .Case([&](GateOp gate) { return applyGate(builder, gate, tile); });
  }
  return tile;
}

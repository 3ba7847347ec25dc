//===- OutputOpsToLinalg.cpp - Lowering of norm and gate --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mta;
using namespace mta::builders;
using namespace mta::reference;

/// The arithmetic type for an element type: f64 for f64, else f32.
static Type arithmeticType(Type element) {
  return element.isF64() ? element : Float32Type::get(element.getContext());
}

static Value castTo(ImplicitLocOpBuilder &builder, Value value, Type type) {
  return value.getType() == type
             ? value
             : Value(tensor::CastOp::create(builder, type, value));
}

/// mean_d(input²) + epsilon under the root, B x H x N.
static Value computeSquares(ImplicitLocOpBuilder &builder, Value input,
                            Type type) {
  Sizes rows = tensor::getMixedSizes(builder, builder.getLoc(), input);
  rows.pop_back();
  return Generic(builder, "bhi", "d")
      .input(input, "b h i d")
      .output(filledTensor(builder, rows, type, 0.0), "b h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value x = convertFloat(inner, elements[0], type);
        Value square = arith::MulFOp::create(inner, x, x);
        return SmallVector<Value>{
            arith::AddFOp::create(inner, elements[1], square)};
      })[0];
}

LogicalResult
HeadNormToLinalg::matchAndRewrite(HeadNormOp op,
                                  PatternRewriter &rewriter) const {
  ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
  Value input = op.getInput();
  auto resultType = cast<RankedTensorType>(op.getResult().getType());
  Type type = arithmeticType(getElementTypeOrSelf(input));
  Sizes sizes = tensor::getMixedSizes(builder, op.getLoc(), input);
  Value squares = computeSquares(builder, input, type);
  Value count = arith::IndexCastOp::create(
      builder, builder.getI64Type(),
      getValueOrCreateConstantIndexOp(builder, op.getLoc(), sizes.back()));
  Value dimension = arith::SIToFPOp::create(builder, type, count);
  Value epsilon =
      floatConstant(builder, type, op.getEpsilon().convertToDouble());
  Value depthScale = floatConstant(builder, type, op.getDepthScale());
  Value result =
      Generic(builder, "bhid")
          .input(input, "b h i d")
          .input(squares, "b h i")
          .input(op.getGamma(), "d")
          .output(emptyTensor(builder, sizes, resultType.getElementType()),
                  "b h i d")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value x = convertFloat(inner, elements[0], type);
            Value mean = arith::DivFOp::create(inner, elements[1], dimension);
            Value root = math::SqrtOp::create(
                inner, arith::AddFOp::create(inner, mean, epsilon));
            Value gamma = convertFloat(inner, elements[2], type);
            x = arith::DivFOp::create(inner, x, root);
            x = arith::MulFOp::create(inner, x, gamma);
            if (op.getLayer())
              x = arith::MulFOp::create(inner, x, depthScale);
            return SmallVector<Value>{
                convertFloat(inner, x, resultType.getElementType())};
          })[0];
  rewriter.replaceOp(op, castTo(builder, result, resultType));
  return success();
}

/// sum_e input[h,i,e] * W[d,e], B x H x N x (1 or Dv).
static Value computeGateLogits(ImplicitLocOpBuilder &builder, GateOp op,
                               Type type) {
  Sizes sizes = tensor::getMixedSizes(builder, op.getLoc(), op.getInput());
  sizes.back() = tensor::getMixedSize(builder, op.getLoc(), op.getWeights(), 0);
  return Generic(builder, "bhid", "e")
      .input(op.getInput(), "b h i e")
      .input(op.getWeights(), "d e")
      .output(filledTensor(builder, sizes, type, 0.0), "b h i d")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value x = convertFloat(inner, elements[0], type);
        Value weight = convertFloat(inner, elements[1], type);
        Value product = arith::MulFOp::create(inner, x, weight);
        return SmallVector<Value>{
            arith::AddFOp::create(inner, elements[2], product)};
      })[0];
}

LogicalResult GateToLinalg::matchAndRewrite(GateOp op,
                                            PatternRewriter &rewriter) const {
  ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
  Value input = op.getInput();
  auto resultType = cast<RankedTensorType>(op.getResult().getType());
  Type type = arithmeticType(getElementTypeOrSelf(input));
  Sizes sizes = tensor::getMixedSizes(builder, op.getLoc(), input);
  Value logits = computeGateLogits(builder, op, type);
  // "0" is no loop: the one gate of a row.
  StringRef gate = op.isScalar() ? "b h i 0" : "b h i d";
  StringRef bias = op.isScalar() ? "0" : "d";
  Value result =
      Generic(builder, "bhid")
          .input(input, "b h i d")
          .input(logits, gate)
          .input(op.getBias(), bias)
          .output(emptyTensor(builder, sizes, resultType.getElementType()),
                  "b h i d")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value x = convertFloat(inner, elements[0], type);
            Value logit = arith::AddFOp::create(
                inner, elements[1], convertFloat(inner, elements[2], type));
            Value one = floatConstant(inner, type, 1.0);
            Value exponential =
                math::ExpOp::create(inner, arith::NegFOp::create(inner, logit));
            Value denominator = arith::AddFOp::create(inner, one, exponential);
            Value gated = arith::DivFOp::create(inner, x, denominator);
            return SmallVector<Value>{
                convertFloat(inner, gated, resultType.getElementType())};
          })[0];
  rewriter.replaceOp(op, castTo(builder, result, resultType));
  return success();
}

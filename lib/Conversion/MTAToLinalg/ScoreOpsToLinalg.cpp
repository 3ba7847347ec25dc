//===- ScoreOpsToLinalg.cpp - Lowering of score operations ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScoreOpsToLinalg.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace mta;
using namespace mta::builders;
using namespace mta::reference;

// Loops: b batch, h head or g group of heads, o and p head of a group, i query,
// j key, r and c row and column of a window.

static Type elementType(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getElementType();
}

static Sizes sizesOf(ImplicitLocOpBuilder &builder, Value tensor) {
  return tensor::getMixedSizes(builder, builder.getLoc(), tensor);
}

Value ScoreLowering::mask(Value scores, Value scale) {
  Type element = elementType(scores);
  return Generic(builder, "bhij")
      .input(scores, "b h i j")
      .input(bounds.keyBegin, "i")
      .input(bounds.keyEnd, "i")
      .output(emptyTensor(builder, sizesOf(builder, scores), element),
              "b h i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value key = linalg::IndexOp::create(inner, 3);
        Value allowed = isAllowed(inner, key, elements[1], elements[2]);
        Value score = elements[0];
        if (scale)
          score = arith::MulFOp::create(inner, score, scale);
        Value zero = floatConstant(inner, element, 0.0);
        return SmallVector<Value>{
            arith::SelectOp::create(inner, allowed, score, zero)};
      })[0];
}

Value ScoreLowering::lower(ScoreOpInterface op, Value scores) {
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](KeyQueryConvOp conv) { return lowerConv(conv, scores); })
      .Case([&](HeadMixOp mix) { return lowerHeadMix(mix, scores); })
      .Case([&](SoftmaxOp) { return lowerSoftmax(scores); })
      .Default([](Operation *) { return Value(); });
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

Value ScoreLowering::pad(KeyQueryConvOp op, Value scores) {
  auto index = [&](int64_t value) -> OpFoldResult {
    return builder.getIndexAttr(value);
  };
  SmallVector<OpFoldResult> low = {index(0), index(0),
                                   index(op.getQueryWindow() - 1),
                                   index(op.getLeftKeys())};
  SmallVector<OpFoldResult> high = {index(0), index(0), index(0),
                                    index(op.getRightKeys())};
  Value zero = floatConstant(builder, elementType(scores), 0.0);
  return tensor::PadOp::create(builder, Type(), scores, low, high, zero);
}

Value ScoreLowering::lowerConv(KeyQueryConvOp op, Value scores) {
  Type element = elementType(scores);
  Value padded = pad(op, scores);
  Value weights = op.getWeights();
  Value result = filledTensor(builder, sizesOf(builder, scores), element, 0.0);
  bool mixes = op.mixesHeads();
  if (mixes) {
    OpFoldResult groupSize =
        tensor::getMixedSize(builder, builder.getLoc(), weights, 1);
    padded = splitDim(builder, padded, 1, groupSize);
    weights = splitDim(builder, weights, 0, groupSize);
    result = splitDim(builder, result, 1, groupSize);
  }
  // The loop that a window row moves, to tell rows before the sequence.
  unsigned queryLoop = mixes ? 3 : 2, rowLoop = mixes ? 6 : 4;
  Generic generic(builder, mixes ? "bgoij" : "bhij", mixes ? "prc" : "rc");
  generic.input(padded, mixes ? "b g p i+r j+c" : "b h i+r j+c")
      .input(weights, mixes ? "g o p r c" : "h r c");
  if (bounds.queryBegin)
    generic.input(bounds.queryBegin, "i");
  generic.output(result, mixes ? "b g o i j" : "b h i j");
  result = generic.build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
    Value weight = convertFloat(inner, elements[1], element);
    Value term = arith::MulFOp::create(inner, elements[0], weight);
    if (bounds.queryBegin) {
      // Row i + r of the padded scores is query i + r - (cq - 1).
      Value query = linalg::IndexOp::create(inner, queryLoop);
      Value row = linalg::IndexOp::create(inner, rowLoop);
      Value halo =
          arith::ConstantIndexOp::create(inner, op.getQueryWindow() - 1);
      Value first = arith::AddIOp::create(inner, elements[2], halo);
      Value read = arith::AddIOp::create(inner, query, row);
      Value inside =
          arith::CmpIOp::create(inner, arith::CmpIPredicate::sge, read, first);
      term = arith::SelectOp::create(inner, inside, term,
                                     floatConstant(inner, element, 0.0));
    }
    return SmallVector<Value>{
        arith::AddFOp::create(inner, elements.back(), term)};
  })[0];
  if (mixes)
    result = mergeDims(builder, result, 1);
  return mask(result);
}

//===----------------------------------------------------------------------===//
// Head mix
//===----------------------------------------------------------------------===//

Value ScoreLowering::lowerHeadMix(HeadMixOp op, Value scores) {
  Type element = elementType(scores);
  OpFoldResult groupSize =
      tensor::getMixedSize(builder, builder.getLoc(), op.getWeights(), 1);
  Value groups = splitDim(builder, scores, 1, groupSize);
  Value init = filledTensor(builder, sizesOf(builder, groups), element, 0.0);
  Value mixed =
      Generic(builder, "bgoij", "p")
          .input(groups, "b g p i j")
          .input(op.getWeights(), "g o p")
          .output(init, "b g o i j")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value weight = convertFloat(inner, elements[1], element);
            Value term = arith::MulFOp::create(inner, elements[0], weight);
            return SmallVector<Value>{
                arith::AddFOp::create(inner, elements[2], term)};
          })[0];
  return mergeDims(builder, mixed, 1);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// The largest allowed score of every row; the lowest finite number in a row
/// that has none, so that no infinity meets another one.
Value ScoreLowering::computeRowMaximum(Value scores, const Sizes &rows) {
  Type element = elementType(scores);
  double lowest = element.isF64() ? std::numeric_limits<double>::lowest()
                                  : std::numeric_limits<float>::lowest();
  return Generic(builder, "bhi", "j")
      .input(scores, "b h i j")
      .input(bounds.keyBegin, "i")
      .input(bounds.keyEnd, "i")
      .output(filledTensor(builder, rows, element, lowest), "b h i")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value key = linalg::IndexOp::create(inner, 3);
        Value allowed = isAllowed(inner, key, elements[1], elements[2]);
        Value larger =
            arith::MaximumFOp::create(inner, elements[3], elements[0]);
        return SmallVector<Value>{
            arith::SelectOp::create(inner, allowed, larger, elements[3])};
      })[0];
}

Value ScoreLowering::lowerSoftmax(Value scores) {
  Type element = elementType(scores);
  Sizes sizes = sizesOf(builder, scores);
  Sizes rows(ArrayRef<OpFoldResult>(sizes).drop_back());
  statistics.maximum = computeRowMaximum(scores, rows);
  Value exponentials =
      Generic(builder, "bhij")
          .input(scores, "b h i j")
          .input(statistics.maximum, "b h i")
          .output(emptyTensor(builder, sizes, element), "b h i j")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value difference =
                arith::SubFOp::create(inner, elements[0], elements[1]);
            return SmallVector<Value>{math::ExpOp::create(inner, difference)};
          })[0];
  exponentials = mask(exponentials);
  statistics.sum =
      Generic(builder, "bhi", "j")
          .input(exponentials, "b h i j")
          .output(filledTensor(builder, rows, element, 0.0), "b h i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            return SmallVector<Value>{
                arith::AddFOp::create(inner, elements[1], elements[0])};
          })[0];
  // The sum is zero only in a row without an allowed key, whose weights are
  // zero; elsewhere the largest score contributes 1.
  return Generic(builder, "bhij")
      .input(exponentials, "b h i j")
      .input(statistics.sum, "b h i")
      .output(emptyTensor(builder, sizes, element), "b h i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value zero = floatConstant(inner, element, 0.0);
        Value empty = arith::CmpFOp::create(inner, arith::CmpFPredicate::OEQ,
                                            elements[1], zero);
        Value weight = arith::DivFOp::create(inner, elements[0], elements[1]);
        return SmallVector<Value>{
            arith::SelectOp::create(inner, empty, zero, weight)};
      })[0];
}

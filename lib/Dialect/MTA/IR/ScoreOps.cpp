//===- ScoreOps.cpp - Verifiers and bounds of score ops ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "mta/Dialect/MTA/IR/MTA.h"

using namespace mlir;
using namespace mta;

/// The extent in heads of an operation that mixes groups of `groupSize` heads.
static int64_t groupExtent(int64_t groupSize) {
  return ShapedType::isDynamic(groupSize) ? Neighborhood::kUnbounded
                                          : std::max<int64_t>(groupSize, 1);
}

static int64_t headsOf(Value scores) {
  return cast<RankedTensorType>(scores.getType()).getDimSize(1);
}

//===----------------------------------------------------------------------===//
// KeyQueryConvOp
//===----------------------------------------------------------------------===//

int64_t KeyQueryConvOp::getLeftKeys() {
  switch (getPadding()) {
  case KeyPadding::Both:
    return (getKeyWindow() - 1) / 2;
  case KeyPadding::Left:
    return getKeyWindow() - 1;
  case KeyPadding::Right:
    return 0;
  }
  llvm_unreachable("every key padding is handled above");
}

LogicalResult KeyQueryConvOp::verify() {
  // C1.
  int64_t queryWindow = getQueryWindow(), keyWindow = getKeyWindow();
  if (queryWindow < 1 || keyWindow < 1)
    return emitOpError("expects static window sizes of at least 1, but got "
                       "weights of type ")
           << getWeightsType();
  // C2.
  if (failed(expectSameSize(*this, "number of heads of scores and weights",
                            headsOf(getScores()),
                            getWeightsType().getDimSize(0))))
    return failure();
  // C3.
  if (failed(expectMultiple(*this, "heads", getWeightsType().getDimSize(0),
                            "heads of a group", getGroupSize())))
    return failure();
  // C4.
  if (getPadding() == KeyPadding::Both && keyWindow % 2 == 0)
    return emitOpError("expects an odd number of window keys with key padding "
                       "'both', but got ")
           << keyWindow;
  return success();
}

Value KeyQueryConvOp::getWeightsOrNull() { return getWeights(); }

bool KeyQueryConvOp::isLinear() { return true; }

Neighborhood KeyQueryConvOp::getNeighborhood() {
  Neighborhood result;
  result.heads = groupExtent(getGroupSize());
  result.queriesBefore = getQueryWindow() - 1;
  result.keysLeft = getLeftKeys();
  result.keysRight = getRightKeys();
  return result;
}

LogicalResult
KeyQueryConvOp::reifyResultShapes(OpBuilder &builder,
                                  ReifiedRankedShapedTypeDims &reified) {
  reified.push_back(reifyShapeOf(builder, getLoc(), getScores()));
  return success();
}

//===----------------------------------------------------------------------===//
// HeadMixOp
//===----------------------------------------------------------------------===//

LogicalResult HeadMixOp::verify() {
  RankedTensorType weights = getWeightsType();
  // C1.
  if (failed(expectSameSize(*this, "number of rows and columns of the weights",
                            weights.getDimSize(1), weights.getDimSize(2))))
    return failure();
  // C2.
  int64_t heads = headsOf(getScores());
  int64_t groups = weights.getDimSize(0);
  int64_t groupSize = ShapedType::isDynamic(weights.getDimSize(1))
                          ? weights.getDimSize(2)
                          : weights.getDimSize(1);
  if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(groups) ||
      ShapedType::isDynamic(groupSize))
    return success();
  // The division keeps products of large sizes from wrapping around.
  bool covers = groupSize == 0
                    ? heads == 0
                    : heads % groupSize == 0 && heads / groupSize == groups;
  if (!covers)
    return emitOpError("expects weights that cover the ")
           << heads << " heads, but got " << groups << " groups of "
           << groupSize;
  return success();
}

Value HeadMixOp::getWeightsOrNull() { return getWeights(); }

bool HeadMixOp::isLinear() { return true; }

Neighborhood HeadMixOp::getNeighborhood() {
  Neighborhood result;
  result.heads = groupExtent(getGroupSize());
  return result;
}

LogicalResult
HeadMixOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &reified) {
  reified.push_back(reifyShapeOf(builder, getLoc(), getScores()));
  return success();
}

//===----------------------------------------------------------------------===//
// SoftmaxOp
//===----------------------------------------------------------------------===//

Value SoftmaxOp::getWeightsOrNull() { return Value(); }

bool SoftmaxOp::isLinear() { return false; }

Neighborhood SoftmaxOp::getNeighborhood() {
  Neighborhood result;
  result.keysLeft = Neighborhood::kUnbounded;
  result.keysRight = Neighborhood::kUnbounded;
  return result;
}

LogicalResult
SoftmaxOp::reifyResultShapes(OpBuilder &builder,
                             ReifiedRankedShapedTypeDims &reified) {
  reified.push_back(reifyShapeOf(builder, getLoc(), getScores()));
  return success();
}

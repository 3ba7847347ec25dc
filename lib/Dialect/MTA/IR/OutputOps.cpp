//===- OutputOps.cpp - Operations on the output of an attention -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "mta/Dialect/MTA/IR/MTA.h"

#include <cmath>

using namespace mlir;
using namespace mta;

/// The last dimension of a B x H x N x Dv tensor.
static int64_t valueDimension(Value input) {
  return cast<RankedTensorType>(input.getType()).getDimSize(3);
}

/// The result has the shape of the input; its element type is free, so that
/// a chain can stay in f32 and round once at its end.
static LogicalResult verifyResultShape(Operation *op) {
  auto input = cast<RankedTensorType>(op->getOperand(0).getType());
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  return expectShape(op, "result", input.getShape(), result);
}

//===----------------------------------------------------------------------===//
// HeadNormOp
//===----------------------------------------------------------------------===//

LogicalResult HeadNormOp::verify() {
  // C1.
  int64_t gammaSize =
      cast<RankedTensorType>(getGamma().getType()).getDimSize(0);
  if (failed(expectSameSize(*this, "size of gamma and of the input's rows",
                            gammaSize, valueDimension(getInput()))))
    return failure();
  // C2.
  const APFloat &epsilon = getEpsilon();
  if (!epsilon.isFinite() || (epsilon.isNegative() && !epsilon.isZero()))
    return emitOpError("expects a finite epsilon of at least 0, but got ")
           << getEpsilonAttr();
  // C3.
  if (std::optional<uint64_t> layer = getLayer())
    if (static_cast<int64_t>(*layer) < 0)
      return emitOpError("expects a layer of at least 0, but got ")
             << static_cast<int64_t>(*layer);
  // C4.
  return verifyResultShape(*this);
}

double HeadNormOp::getDepthScale() {
  std::optional<uint64_t> layer = getLayer();
  if (!layer)
    return 1.0;
  return 1.0 - (0.8 - 0.6 * std::exp(-0.3 * static_cast<double>(*layer)));
}

LogicalResult
HeadNormOp::reifyResultShapes(OpBuilder &builder,
                              ReifiedRankedShapedTypeDims &reified) {
  reified.push_back(reifyShapeOf(builder, getLoc(), getInput()));
  return success();
}

//===----------------------------------------------------------------------===//
// GateOp
//===----------------------------------------------------------------------===//

bool GateOp::isScalar() {
  auto weights = cast<RankedTensorType>(getWeights().getType());
  return weights.getDimSize(0) == 1;
}

LogicalResult GateOp::verify() {
  auto weights = cast<RankedTensorType>(getWeights().getType());
  auto bias = cast<RankedTensorType>(getBias().getType());
  int64_t size = valueDimension(getInput());
  // C1.
  if (failed(expectSameSize(*this,
                            "size of the weights' and of the input's rows",
                            weights.getDimSize(1), size)))
    return failure();
  // C2. A dynamic number of rows is a vector gate only of a dynamic row size:
  // which of the two gates it is must not depend on a size at run time.
  int64_t rows = weights.getDimSize(0);
  if (rows != 1 && (rows != size))
    return emitOpError("expects weights of 1 row or of as many as the input's "
                       "rows have elements, but got weights of type ")
           << weights << " for an input of type " << getInput().getType();
  // C3.
  if (failed(expectSameSize(*this, "size of the bias and number of weight rows",
                            bias.getDimSize(0), rows)))
    return failure();
  // C4.
  return verifyResultShape(*this);
}

LogicalResult GateOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &reified) {
  reified.push_back(reifyShapeOf(builder, getLoc(), getInput()));
  return success();
}

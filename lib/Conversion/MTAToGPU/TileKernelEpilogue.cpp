//===- TileKernelEpilogue.cpp - Norm and gate of a tile ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The accumulator holds whole rows of the output, of which norms and gates read
// nothing else: sums of rows are those of the softmax, a vector gate is one
// more product, with its weights in the place of keys.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <cmath>

using namespace mlir;
using namespace mta;

/// Columns of a gate's weights that a warp multiplies at once, where each has a
/// head: as many as values come in one run.
static constexpr int64_t kGateColumns = 32;

/// `tile` as it reads after it was stored in elements of `type`.
static Value roundTo(TileBuilder &b, Value tile, Type type) {
  return b.convert(b.convert(tile, type), b.getF32Type());
}

/// `count` elements of a one-dimensional buffer from `first` on, in f32.
static Value readColumns(TileBuilder &b, Value buffer, int64_t first,
                         int64_t count) {
  VectorType type =
      VectorType::get({count}, getElementTypeOrSelf(buffer.getType()));
  Value values = b.read(buffer, {b.index(first)}, type);
  return b.convert(values, b.getF32Type());
}

/// `tile` / (1 + exp(-logits)).
static Value applySigmoid(TileBuilder &b, Value tile, Value logits,
                          VectorType type) {
  auto logitsType = cast<VectorType>(logits.getType());
  Value exponent = arith::MulFOp::create(
      b, logits, b.splat(logitsType, -1.0 / std::log(2.0)));
  Value divisor = arith::AddFOp::create(b, math::Exp2Op::create(b, exponent),
                                        b.splat(logitsType, 1.0));
  if (logitsType != type)
    divisor = b.broadcastRows(divisor, type);
  return arith::DivFOp::create(b, tile, divisor);
}

Value TileKernel::sumRows(Value tile) {
  return b.reduceColumns(vector::CombiningKind::ADD, tile,
                         b.splat(accumulatorRowsType(), 0.0));
}

Value TileKernel::applyNorm(HeadNormOp norm, Value tile) {
  VectorType type = accumulatorType(), rowsType = accumulatorRowsType();
  Value mean = arith::MulFOp::create(
      b, sumRows(arith::MulFOp::create(b, tile, tile)),
      b.splat(rowsType, 1.0 / static_cast<double>(plan.valueDim)));
  Value shifted = arith::AddFOp::create(
      b, mean, b.splat(rowsType, norm.getEpsilon().convertToDouble()));
  // The depth scale is one of rows.
  Value factor =
      arith::DivFOp::create(b, b.splat(rowsType, norm.getDepthScale()),
                            math::SqrtOp::create(b, shifted));
  Value gamma = readColumns(b, buffers.weights.lookup(norm), 0, plan.valueDim);
  tile = arith::MulFOp::create(b, tile, b.broadcastRows(factor, type));
  return arith::MulFOp::create(b, tile, b.broadcast(gamma, type));
}

Value TileKernel::applyScalarGate(GateOp gate, Value tile) {
  VectorType type = accumulatorType();
  Value weights =
      readColumns(b, buffers.weights.lookup(gate), 0, plan.valueDim);
  Value logits =
      sumRows(arith::MulFOp::create(b, tile, b.broadcast(weights, type)));
  Value bias = memref::LoadOp::create(b, buffers.biases.lookup(gate), zero());
  bias = b.broadcast(b.convert(bias, b.getF32Type()), accumulatorRowsType());
  return applySigmoid(b, tile, arith::AddFOp::create(b, logits, bias), type);
}

/// The weights' rows come to workgroup memory in tiles. The tile is the sum of
/// two matrices in their type, which loses nothing that an output of that type
/// would hold.
Value TileKernel::applyVectorGate(GateOp gate, Value tile) {
  Value weights = buffers.weights.lookup(gate);
  Type type = getElementTypeOrSelf(weights.getType());
  Value high = b.convert(tile, type);
  Value low = b.convert(
      arith::SubFOp::create(b, tile, b.convert(high, b.getF32Type())), type);
  Value buffer = b.workgroupBuffer(
      ArrayRef<int64_t>{plan.keyTile, paddedRow(plan.valueDim)}, type);
  Value result = tile;
  for (int64_t first = 0; first < plan.valueDim; first += plan.keyTile) {
    int64_t columns = std::min(plan.keyTile, plan.valueDim - first);
    // Others may still read what was there.
    BarrierOp::create(b);
    CopyTileOp::create(b, weights, ValueRange{b.index(first), zero()}, buffer,
                       ValueRange{zero(), zero()}, b.index(plan.valueDim),
                       ArrayRef<int64_t>{columns, plan.valueDim});
    CommitCopiesOp::create(b);
    WaitCopiesOp::create(b);
    BarrierOp::create(b);
    Value rhs = b.read(buffer, {zero(), zero()},
                       VectorType::get({columns, plan.valueDim}, type));
    VectorType part = b.type({plan.accumulatorRows, columns}, b.getF32Type());
    Value bias = readColumns(b, buffers.biases.lookup(gate), first, columns);
    Value logits = b.broadcast(bias, part);
    for (Value lhs : {low, high})
      logits = b.contract(lhs, rhs, logits, /*rhsTransposed=*/true);
    Value gated =
        applySigmoid(b, b.extractColumns(tile, first, columns), logits, part);
    result = b.insertColumns(gated, result, first);
  }
  return result;
}

/// The gate by which a kernel with a warp for every head ends, or null.
GateOp TileKernel::gateByHead() {
  Operation *last =
      buffers.epilogue.empty() ? nullptr : buffers.epilogue.back();
  auto gate = dyn_cast_or_null<GateOp>(last);
  return plan.hasManyHeads && gate && !gate.isScalar() ? gate : GateOp();
}

/// Columns of a tile's product with the weights of a gate: those of the part
/// `number`. With a warp for every head, the tile's columns are in the order in
/// which the values came from memory, and so are rows and columns of the
/// weights, which come from there in pieces as values do.
Value TileKernel::multiplyGateByHead(GateOp gate, ArrayRef<Operand> parts,
                                     int64_t number) {
  Value matrix = buffers.weights.lookup(gate);
  Type type = getElementTypeOrSelf(matrix.getType());
  int64_t size = plan.valueDim * plan.valueDim;
  int64_t sizes[] = {1, 1, plan.valueDim, plan.valueDim};
  int64_t strides[] = {size, size, plan.valueDim, 1};
  Value weights = memref::ReinterpretCastOp::create(
      b, MemRefType::get(sizes, type), matrix, 0, sizes, strides);
  auto columnsOf = [](const Operand &part) {
    return cast<VectorType>(part[0].getType()).getShape().back();
  };
  int64_t first = number * kGateColumns, columns = columnsOf(parts[number]);
  Value bias = readColumns(b, buffers.biases.lookup(gate), first, columns);
  Value logits = b.broadcast(
      bias, b.type({plan.accumulatorRows, columns}, b.getF32Type()));
  for (auto [index, part] : llvm::enumerate(parts)) {
    Value rhs =
        LoadTileOp::create(b, b.type({columns, columnsOf(part)}, type), weights,
                           ValueRange{zero(), zero(), b.index(first),
                                      b.index(index * kGateColumns)},
                           zero(), b.index(plan.valueDim), b.index(plan.heads));
    logits = contract(part, {rhs}, logits, /*rhsTransposed=*/true);
  }
  return logits;
}

/// Registers have room for the tile once, as what is multiplied, of which what
/// is gated is the sum. It is split part after part, and columns are stored as
/// soon as they are gated.
void TileKernel::storeGatedByHead(GateOp gate, Value tile) {
  tile = roundTo(b, tile, getElementTypeOrSelf(gate.getInput()));
  Type type = getElementTypeOrSelf(gate.getWeights());
  SmallVector<Operand> parts;
  for (int64_t first = 0; first < plan.valueDim; first += kGateColumns) {
    int64_t columns = std::min(kGateColumns, plan.valueDim - first);
    parts.push_back(splitNumbers(b.extractColumns(tile, first, columns), type));
    for (Value part : parts.back())
      part.getDefiningOp()->setAttr("mta.opaque", b.getUnitAttr());
  }
  for (auto [number, part] : llvm::enumerate(parts)) {
    Value logits = multiplyGateByHead(gate, parts, number);
    Value sum = arith::AddFOp::create(b, b.convert(part[0], b.getF32Type()),
                                      b.convert(part[1], b.getF32Type()));
    sum = applySigmoid(b, sum, logits, cast<VectorType>(sum.getType()));
    sum = b.convert(sum, getElementTypeOrSelf(buffers.output.getType()));
    storeOwnRows(sum, buffers.output, batch, number * kGateColumns);
  }
}

/// All but a gate by which a kernel with a warp for every head ends.
Value TileKernel::applyEpilogue(Value tile) {
  GateOp last = gateByHead();
  for (Operation *next : buffers.epilogue) {
    if (next == last)
      break;
    tile = roundTo(b, tile, getElementTypeOrSelf(next->getOperand(0)));
    if (auto norm = dyn_cast<HeadNormOp>(next))
      tile = applyNorm(norm, tile);
    else if (auto gate = cast<GateOp>(next); gate.isScalar())
      tile = applyScalarGate(gate, tile);
    else
      tile = applyVectorGate(gate, tile);
  }
  return tile;
}

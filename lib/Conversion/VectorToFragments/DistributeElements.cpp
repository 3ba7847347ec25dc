//===- DistributeElements.cpp - Arithmetic on pieces ---------------- -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

using namespace mlir;
using namespace mta;

/// The same operation on every piece.
/// A pair of 16-bit elements of which nothing is known: what is read of it is
/// not computed again from numbers of 32 bits, which would be in registers
/// until then. Assemblers see through moves, but not through what lanes
/// exchange, and be it with themselves.
Value Distributor::hidePair(Value pair) {
  auto word = VectorType::get({1}, b.getI32Type());
  Value bits =
      vector::ExtractOp::create(b, vector::BitCastOp::create(b, word, pair), 0);
  Value same = gpu::ShuffleOp::create(b, bits, /*offset=*/0, /*width=*/32,
                                      gpu::ShuffleMode::XOR)
                   .getShuffleResult();
  return vector::BitCastOp::create(
      b, pair.getType(), vector::FromElementsOp::create(b, word, same));
}

LogicalResult Distributor::distributeElementwise(Operation *op) {
  Value result = op->getResult(0);
  FragmentShape shape = shapeOf(result);
  Pieces values;
  for (int64_t index = 0; index < shape.size(); ++index) {
    OperationState state(op->getLoc(), op->getName());
    for (Value operand : op->getOperands())
      state.addOperands(isa<VectorType>(operand.getType())
                            ? pieces[operand][index]
                            : operand);
    state.addTypes(shape.pieceType());
    for (NamedAttribute attribute : op->getAttrs())
      if (attribute.getName() != "mta.layouts" &&
          attribute.getName() != "mta.opaque")
        state.addAttribute(attribute.getName(), attribute.getValue());
    Value piece = b.create(state)->getResult(0);
    values.push_back(op->hasAttr("mta.opaque") ? hidePair(piece) : piece);
  }
  pieces[result] = std::move(values);
  return success();
}

LogicalResult Distributor::distributeConstant(Operation *op) {
  auto constantOp = cast<arith::ConstantOp>(op);
  auto value = dyn_cast<DenseElementsAttr>(constantOp.getValue());
  if (!value || !value.isSplat())
    return op->emitOpError("expects one value in all elements to be "
                           "distributed to threads");
  FragmentShape shape = shapeOf(op->getResult(0));
  auto element = value.getSplatValue<TypedAttr>();
  TypedAttr piece = element;
  if (shape.hasPairs())
    piece = DenseElementsAttr::get(cast<ShapedType>(shape.pieceType()),
                                   Attribute(element));
  Value number = arith::ConstantOp::create(b, piece);
  pieces[op->getResult(0)] = Pieces(shape.size(), number);
  return success();
}

LogicalResult Distributor::distributeBroadcast(vector::BroadcastOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  if (!isa<VectorType>(op.getSourceType())) {
    Value piece = broadcastTo(op.getSource(), shape.pieceType());
    pieces[op.getResult()] = Pieces(shape.size(), piece);
    return success();
  }
  FragmentShape source = shapeOf(op.getSource());
  Pieces from = pieces[op.getSource()], values;
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      for (int64_t column = 0; column < shape.columnPieces; ++column)
        values.push_back(
            broadcastTo(from[source.at(head, row, column)], shape.pieceType()));
  pieces[op.getResult()] = std::move(values);
  return success();
}

/// The positions of a lane's elements.
LogicalResult Distributor::distributeStep(vector::StepOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  bool isRhs = shape.layout.isRhs();
  Pieces values;
  auto pair = [&](Value first) { return makePair(first, add(first, 1)); };
  if (shape.layout.getRuns() != Runs::None)
    return op.emitOpError("expects a step without runs to be distributed to "
                          "threads");
  if (shape.hasHeads)
    for (int64_t piece = 0; piece < shape.headPieces; ++piece)
      values.push_back(headOf(shape, piece));
  else if (shape.hasRows)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      values.push_back(isRhs ? pair(columnOf(row)) : rowOf(shape, row));
  else
    for (int64_t column = 0; column < shape.columnPieces; ++column)
      values.push_back(isRhs ? add(group, 8 * column) : pair(columnOf(column)));
  pieces[op.getResult()] = std::move(values);
  return success();
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

namespace {
/// The pieces that a slice starts with.
struct FirstPiece {
  int64_t head = 0, row = 0, column = 0;
};
} // namespace

/// A slice is a range of whole pieces of columns, or of rows that a warp has
/// all of, or what a warp has of as many of what is spread over `warps`.
static FailureOr<FirstPiece> firstPiece(Operation *op, ArrayAttr offsets,
                                        VectorType part, VectorType whole,
                                        LayoutAttr layout, int64_t warps,
                                        bool canSliceRows) {
  FirstPiece first;
  auto fail = [&] {
    return op->emitOpError("expects a slice of whole pieces of 8 columns to be "
                           "distributed to threads");
  };
  for (auto [size, full, offset, role] :
       llvm::zip_equal(part.getShape(), whole.getShape(), offsets.getValue(),
                       layout.getDims())) {
    int64_t start = cast<IntegerAttr>(offset).getInt();
    // Runs are cut where the longest ones end.
    int64_t run = layout.getRuns() == Runs::None ? 8 : 32;
    int64_t unit = role == DimRole::Head     ? warps
                   : role == DimRole::Column ? run
                                             : 8;
    if (size == full)
      continue;
    bool isEnd = role == DimRole::Column && start + size == full;
    if (start % unit != 0 || (size % unit != 0 && !(isEnd && size % 8 == 0)) ||
        (role != DimRole::Column && !canSliceRows))
      return fail();
    if (role == DimRole::Head)
      first.head = start / warps;
    else
      (role == DimRole::Row ? first.row : first.column) = start / 8;
  }
  return first;
}

LogicalResult Distributor::distributeExtract(vector::ExtractStridedSliceOp op) {
  auto type = cast<VectorType>(op.getResult().getType());
  FragmentShape source = shapeOf(op.getSource()),
                shape = shapeOf(op.getResult());
  FailureOr<FirstPiece> first =
      firstPiece(op, op.getOffsets(), type, op.getSourceVectorType(),
                 shape.layout, warps, warps == heads);
  if (failed(first))
    return failure();
  const Pieces &from = pieces[op.getSource()];
  Pieces values;
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      for (int64_t column = 0; column < shape.columnPieces; ++column)
        values.push_back(from[source.at(head + first->head, row + first->row,
                                        column + first->column)]);
  pieces[op.getResult()] = std::move(values);
  return success();
}

LogicalResult Distributor::distributeInsert(vector::InsertStridedSliceOp op) {
  FragmentShape part = shapeOf(op.getValueToStore());
  FragmentShape shape = shapeOf(op.getResult());
  FailureOr<FirstPiece> first =
      firstPiece(op, op.getOffsets(), op.getSourceVectorType(),
                 op.getDestVectorType(), shape.layout, warps, warps == heads);
  if (failed(first))
    return failure();
  Pieces values = pieces[op.getDest()];
  const Pieces &from = pieces[op.getValueToStore()];
  for (int64_t head = 0; head < part.headPieces; ++head)
    for (int64_t row = 0; row < part.rowPieces; ++row)
      for (int64_t column = 0; column < part.columnPieces; ++column)
        values[shape.at(head + first->head, row + first->row,
                        column + first->column)] =
            from[part.at(head, row, column)];
  pieces[op.getResult()] = std::move(values);
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Combines the values of the four lanes that share rows.
Value Distributor::combineLanes(vector::CombiningKind kind, Value value) {
  for (int32_t distance : {1, 2}) {
    Value other =
        gpu::ShuffleOp::create(b, value, distance, 32, gpu::ShuffleMode::XOR)
            .getShuffleResult();
    value = vector::makeArithReduction(b, b.getLoc(), kind, value, other);
  }
  return value;
}

LogicalResult Distributor::distributeReduction(vector::MultiDimReductionOp op) {
  FragmentShape source = shapeOf(op.getSource());
  int64_t rank = op.getSourceVectorType().getRank();
  if (source.layout.isRhs() || !source.hasColumns || !source.hasRows ||
      op.getReductionDims() != ArrayRef<int64_t>{rank - 1})
    return op.emitOpError("expects a reduction of the columns of an "
                          "accumulator to be distributed to threads");
  vector::CombiningKind kind = op.getKind();
  auto combine = [&](Value a, Value c) {
    return vector::makeArithReduction(b, b.getLoc(), kind, a, c);
  };
  const Pieces &from = pieces[op.getSource()];
  Pieces values;
  int64_t columns = source.columnPieces;
  for (int64_t row = 0; row < source.size() / columns; ++row) {
    Value sum = from[row * columns];
    for (int64_t column = 1; column < columns; ++column)
      sum = combine(sum, from[row * columns + column]);
    sum = combineLanes(kind, combine(pairAt(sum, 0), pairAt(sum, 1)));
    values.push_back(combine(pieces[op.getAcc()][row], sum));
  }
  pieces[op.getResult()] = std::move(values);
  return success();
}

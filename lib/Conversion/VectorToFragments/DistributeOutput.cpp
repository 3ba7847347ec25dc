//===- DistributeOutput.cpp - Rows of a tile on threads ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The four lanes of a row hold pairs of every 8 columns, 16 bytes of 16-bit
// elements, half a sector of memory. They exchange pairs, so that a lane holds
// 8 neighbours and the four of them 64 bytes of a row:
//
//     columns  0    8    16   24            0    8    16   24
//     lane 0   a.   e.   i.   m.            abcd
//     lane 1   .b   .f   .j   .n     ->          efgh
//     lane 2   c    g    k    o                       ijkl
//     lane 3   d    h    l    p                            mnop
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mta;

/// Elements that a lane stores at once, 16 bytes.
static constexpr int64_t kWideStore = 8;

/// Whether every 8 elements of the rows start at a multiple of 16 bytes.
static bool hasAlignedRows(vector::TransferWriteOp op) {
  auto type = cast<MemRefType>(op.getBase().getType());
  std::optional<int64_t> column =
      getConstantIntValue(getAsOpFoldResult(op.getIndices().back()));
  return type.getLayout().isIdentity() && type.getElementTypeBitWidth() == 16 &&
         !type.isDynamicDim(type.getRank() - 1) &&
         type.getShape().back() % kWideStore == 0 && column &&
         *column % kWideStore == 0;
}

/// One of two lanes of a pair at `distance`, the lower one with `first` and the
/// upper one with `second`: they give each other the one that they do not keep.
/// Returns what the lower and the upper lane had of the value that is kept.
std::pair<Value, Value> Distributor::exchange(Value isUpper, Value first,
                                              Value second, int32_t distance) {
  auto choose = [&](Value upper, Value lower) -> Value {
    return arith::SelectOp::create(b, isUpper, upper, lower);
  };
  Value kept = choose(second, first), given = choose(first, second);
  Value got =
      gpu::ShuffleOp::create(b, given, distance, 32, gpu::ShuffleMode::XOR)
          .getShuffleResult();
  return {choose(got, kept), choose(kept, got)};
}

void Distributor::gatherNeighbors(ArrayRef<Value> pairs,
                                  SmallVectorImpl<RowPart> &parts,
                                  int64_t firstPiece) {
  Type i32 = b.getI32Type();
  Type element = cast<VectorType>(pairs[0].getType()).getElementType();
  Pieces words;
  for (Value pair : pairs)
    words.push_back(vector::ExtractOp::create(
        b, vector::BitCastOp::create(b, VectorType::get({1}, i32), pair), 0));
  auto isSet = [&](int64_t bit) -> Value {
    Value rest = arith::AndIOp::create(b, position, constant(bit));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rest,
                                 constant(0));
  };
  Value isOdd = isSet(1);
  // Pieces of 8 columns, of which this lane has half of one now.
  Value piece = arith::AndIOp::create(b, position, constant(1));
  Value column = mul(arith::AndIOp::create(b, position, constant(2)), 2);
  auto [low, high] = exchange(isOdd, words[0], words[1], 1);
  Pieces neighbors = {low, high};
  if (words.size() == 4) {
    Value isHigh = isSet(2);
    auto [otherLow, otherHigh] = exchange(isOdd, words[2], words[3], 1);
    auto [low0, low2] = exchange(isHigh, low, otherLow, 2);
    auto [low1, low3] = exchange(isHigh, high, otherHigh, 2);
    neighbors = {low0, low1, low2, low3};
    piece = position;
    column = constant(0);
  }
  int64_t count = neighbors.size();
  Value all = vector::FromElementsOp::create(b, VectorType::get({count}, i32),
                                             neighbors);
  all =
      vector::BitCastOp::create(b, VectorType::get({2 * count}, element), all);
  parts.push_back({all, add(add(mul(piece, 8), column), 8 * firstPiece)});
}

SmallVector<Distributor::RowPart>
Distributor::rowParts(vector::TransferWriteOp op, const FragmentShape &shape,
                      int64_t head, int64_t row) {
  if (shape.layout.getRuns() == Runs::Column)
    return runParts(op, shape, head, row);
  const Pieces &from = pieces[op.getValueToStore()];
  bool isAligned = hasAlignedRows(op);
  SmallVector<RowPart> parts;
  for (int64_t column = 0; column < shape.columnPieces;) {
    int64_t left = shape.columnPieces - column;
    int64_t count = !isAligned || left == 1 ? 1 : left < 4 ? 2 : 4;
    ArrayRef<Value> pairs =
        ArrayRef(from).slice(shape.at(head, row, column), count);
    if (count == 1)
      parts.push_back({pairs[0], columnOf(column)});
    else
      gatherNeighbors(pairs, parts, column);
    column += count;
  }
  return parts;
}

/// What a lane has of every run, at most 16 bytes at once.
SmallVector<Distributor::RowPart>
Distributor::runParts(vector::TransferWriteOp op, const FragmentShape &shape,
                      int64_t head, int64_t row) {
  const Pieces &from = pieces[op.getValueToStore()];
  int64_t bits = shape.element.getIntOrFloatBitWidth();
  SmallVector<RowPart> parts;
  for (auto [first, count] : shape.columnRuns()) {
    SmallVector<Value> elements;
    for (int64_t side = 0; side < 2; ++side)
      for (int64_t piece = first; piece < first + count; ++piece)
        elements.push_back(pairAt(from[shape.at(head, row, piece)], side));
    Value column = add(mul(position, 2 * count), 8 * first);
    int64_t size = std::min<int64_t>(2 * count, 128 / bits);
    auto type = VectorType::get({size}, shape.element);
    for (int64_t start = 0; start < 2 * count; start += size)
      parts.push_back({vector::FromElementsOp::create(
                           b, type, ArrayRef(elements).slice(start, size)),
                       add(column, start)});
  }
  return parts;
}

/// Rows whose mask is set, all without one. All columns of a row share its
/// mask; statistics of rows are written by one of the lanes that hold them.
LogicalResult Distributor::writeGlobal(vector::TransferWriteOp op) {
  FragmentShape shape = shapeOf(op.getValueToStore());
  Value mask = op.getMask();
  if (!shape.hasRows || (mask && !isMaskOfRows(mask, shape)))
    return op.emitOpError("expects a mask of rows to be distributed to "
                          "threads");
  if (shape.layout.isRhs() || shape.layout.getRuns() == Runs::Reduction)
    return op.emitOpError("expects an accumulator to be written by threads, "
                          "but got ")
           << shape.layout;
  Value isFirst =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, position, constant(0));
  // Whether this lane stores anything of a row; null if every lane does.
  auto storesRow = [&](int64_t head, int64_t row) -> Value {
    Value isSet = mask ? pieces[mask][shape.at(head, row, 0)] : Value();
    if (shape.hasColumns)
      return isSet ? pairAt(isSet, 0) : Value();
    return isSet ? arith::AndIOp::create(b, isSet, isFirst).getResult()
                 : isFirst;
  };
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      storeRow(op, shape, head, row, storesRow(head, row));
  return success();
}

void Distributor::storeRow(vector::TransferWriteOp op,
                           const FragmentShape &shape, int64_t head,
                           int64_t row, Value condition) {
  // Lanes exchange before they part.
  SmallVector<RowPart> parts;
  if (shape.hasColumns)
    parts = rowParts(op, shape, head, row);
  OpBuilder::InsertionGuard guard(b);
  if (condition) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  auto at = [&](Value column) {
    return place(op.getIndices(), shape, head, rowOf(shape, row), column);
  };
  if (!shape.hasColumns)
    memref::StoreOp::create(
        b, pieces[op.getValueToStore()][shape.at(head, row, 0)], op.getBase(),
        at(Value()));
  for (const RowPart &part : parts) {
    int64_t bits = cast<VectorType>(part.elements.getType()).getNumElements() *
                   shape.element.getIntOrFloatBitWidth();
    vector::StoreOp::create(b, part.elements, op.getBase(), at(part.column),
                            false, llvm::MaybeAlign(bits / 8));
  }
}

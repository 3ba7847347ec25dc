//===- DistributeContract.cpp - Contractions as mma.sync ------------ -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mta;

/// A register of two 16-bit elements: the operations take bf16 as integers.
static Value toRegister(ImplicitLocOpBuilder &b, Value pair) {
  auto type = cast<VectorType>(pair.getType());
  if (!type.getElementType().isBF16())
    return pair;
  Value bits =
      vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), pair);
  return vector::ExtractOp::create(b, bits, 0);
}

/// The registers of `pairs` of tf32 numbers: the first numbers of all pairs,
/// then the second ones. In the tables of PTX ISA 9.7.14.5.5 lane 4 g + t holds
/// columns t and t + 4 of A and rows t and t + 4 of B, here 2 t and 2 t + 1 of
/// both: the order of what is added up is free, and the pairs are those of an
/// accumulator.
static SmallVector<Value> toWords(ImplicitLocOpBuilder &b,
                                  ArrayRef<Value> pairs) {
  SmallVector<Value> words;
  for (int64_t part = 0; part < 2; ++part)
    for (Value pair : pairs)
      words.push_back(arith::BitcastOp::create(
          b, b.getI32Type(), vector::ExtractOp::create(b, pair, part)));
  return words;
}

/// One mma.sync of 16 x 8 x (8 or 16), PTX ISA 9.7.14.5: `lhs` holds rows g
/// and g + 8 of every 8 columns, `rhs` 8 rows each, `accumulator` the pairs of
/// rows g and g + 8.
static void multiply(ImplicitLocOpBuilder &b, ArrayRef<Value> lhs,
                     ArrayRef<Value> rhs, Value accumulator[2]) {
  Type element = cast<VectorType>(lhs[0].getType()).getElementType();
  auto registers = [&](ArrayRef<Value> pairs) {
    if (element.isF32())
      return toWords(b, pairs);
    return llvm::map_to_vector(pairs,
                               [&](Value pair) { return toRegister(b, pair); });
  };
  SmallVector<Value> sums;
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t column = 0; column < 2; ++column)
      sums.push_back(vector::ExtractOp::create(b, accumulator[half], column));
  Type f32 = b.getF32Type();
  auto type =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
  auto operandType = element.isF32()    ? NVVM::MMATypes::tf32
                     : element.isBF16() ? NVVM::MMATypes::bf16
                                        : NVVM::MMATypes::f16;
  Value result = NVVM::MmaOp::create(
      b, type, registers(lhs), registers(rhs), sums,
      ArrayRef<int64_t>{16, 8, 8 * static_cast<int64_t>(rhs.size())},
      /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
      std::array<NVVM::MMATypes, 2>{operandType, operandType},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t half = 0; half < 2; ++half) {
    Value pair[2];
    for (int64_t column = 0; column < 2; ++column)
      pair[column] = LLVM::ExtractValueOp::create(b, result, 2 * half + column);
    accumulator[half] = vector::FromElementsOp::create(
        b, VectorType::get({2}, f32), ValueRange{pair[0], pair[1]});
  }
}

static Value zeroOf(ImplicitLocOpBuilder &b, Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}

/// Whether pieces come from one load.
static bool haveOneSource(Value first, Value second) {
  auto sourceOf = [](Value piece) -> Value {
    auto extract = piece.getDefiningOp<vector::ExtractOp>();
    return extract ? extract.getSource() : Value();
  };
  return sourceOf(first) && sourceOf(first) == sourceOf(second);
}

LogicalResult Distributor::distributeContract(vector::ContractionOp op) {
  FragmentShape lhs = shapeOf(op.getLhs()), rhs = shapeOf(op.getRhs());
  FragmentShape shape = shapeOf(op.getResult());
  bool isTF32 = lhs.element.isF32() && op->hasAttr("mta.tf32");
  if (lhs.element != rhs.element ||
      !(lhs.element.isF16() || lhs.element.isBF16() || isTF32) ||
      !shape.element.isF32() || op.getKind() != vector::CombiningKind::ADD)
    return op.emitOpError("expects sums in f32 of products of f16, bf16 or "
                          "f32 with 'mta.tf32' to be distributed to threads");
  auto areAlike = [](const FragmentShape &x, const FragmentShape &y,
                     Runs runs) {
    return (x.layout.getRuns() == runs) == (y.layout.getRuns() == runs);
  };
  // The rows of an operand B with columns in runs are in order, unless they are
  // columns of memory.
  bool hasRowsInRuns = rhs.layout.getRuns() == Runs::Column &&
                       rhs.layout.getDims().back() == DimRole::Row;
  if (!areAlike(lhs, rhs, Runs::Reduction) ||
      !areAlike(rhs, shape, Runs::Column) ||
      (lhs.layout.getRuns() == Runs::Column) != hasRowsInRuns)
    return op.emitOpError("expects operands and a result with the same runs, "
                          "but got ")
           << lhs.layout << ", " << rhs.layout << " and " << shape.layout;
  const Pieces &a = pieces[op.getLhs()], &c = pieces[op.getRhs()];
  Pieces values = pieces[op.getAcc()];
  // Pieces of the reduction, two of 16 bits at a time; results innermost, so
  // that consecutive operations do not wait for each other.
  auto areLoadedTogether = [&](int64_t piece) {
    return haveOneSource(a[lhs.at(0, 0, piece)], a[lhs.at(0, 0, piece + 1)]);
  };
  int64_t steps = lhs.columnPieces, most = isTF32 ? 1 : 2;
  for (int64_t k = 0, count; k < steps; k += count) {
    count = std::min(most, steps - k);
    // Of an odd number, the first one alone where the others are in registers
    // side by side as they are needed: else they would be moved there.
    if (most == 2 && steps - k == 3 && !areLoadedTogether(k) &&
        areLoadedTogether(k + 1))
      count = 1;
    for (int64_t head = 0; head < shape.headPieces; ++head)
      for (int64_t strip = 0; strip < shape.rowPieces; strip += 2)
        for (int64_t column = 0; column < shape.columnPieces; ++column) {
          // Of 8 rows the other half of the strip is zero.
          bool isWhole = strip + 1 < shape.rowPieces;
          SmallVector<Value> left, right;
          for (int64_t part = k; part < k + count; ++part) {
            left.push_back(a[lhs.at(head, strip, part)]);
            left.push_back(isWhole ? a[lhs.at(head, strip + 1, part)]
                                   : zeroOf(b, left.back().getType()));
            right.push_back(c[rhs.at(head, part, column)]);
          }
          Value &upper = values[shape.at(head, strip, column)];
          Value sums[2] = {upper,
                           isWhole ? values[shape.at(head, strip + 1, column)]
                                   : zeroOf(b, upper.getType())};
          multiply(b, left, right, sums);
          upper = sums[0];
          if (isWhole)
            values[shape.at(head, strip + 1, column)] = sums[1];
        }
  }
  if (op.getRhs().getDefiningOp<LoadTileOp>())
    keepLoadsBehind();
  pieces[op.getResult()] = std::move(values);
  return success();
}

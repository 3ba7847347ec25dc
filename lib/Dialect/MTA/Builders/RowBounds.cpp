//===- RowBounds.cpp - The mask as bounds of every query row ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Builders/RowBounds.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mta;
using namespace mta::builders;

Value mta::builders::isAllowed(ImplicitLocOpBuilder &builder, Value key,
                               Value keyBegin, Value keyEnd) {
  Value after =
      arith::CmpIOp::create(builder, arith::CmpIPredicate::sge, key, keyBegin);
  Value before =
      arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, key, keyEnd);
  return arith::AndIOp::create(builder, after, before);
}

/// The end of the keys that `query` may read in a sequence with the given ends
/// of queries and keys. Causal: the last query reads up to the last key, and
/// every query before it one key less. May be less than the first key.
static Value computeKeyEnd(ImplicitLocOpBuilder &builder, Mask mask,
                           Value query, Value queryEnd, Value keyEnd) {
  if (mask == Mask::None)
    return keyEnd;
  Value shift = arith::SubIOp::create(builder, keyEnd, queryEnd);
  Value one = arith::ConstantIndexOp::create(builder, 1);
  Value next = arith::AddIOp::create(builder, query, one);
  return arith::AddIOp::create(builder, next, shift);
}

static RowBounds computeWholeBounds(ImplicitLocOpBuilder &builder,
                                    AttentionOp op) {
  Location loc = builder.getLoc();
  OpFoldResult queries = tensor::getMixedSize(builder, loc, op.getQuery(), 2);
  OpFoldResult keys = tensor::getMixedSize(builder, loc, op.getKey(), 2);
  Value queryEnd = getValueOrCreateConstantIndexOp(builder, loc, queries);
  Value keyEnd = getValueOrCreateConstantIndexOp(builder, loc, keys);
  Type index = builder.getIndexType();
  Value empty = emptyTensor(builder, {queries}, index);
  ValueRange bounds =
      Generic(builder, "i")
          .output(empty, "i")
          .output(empty, "i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange) {
            Value query = linalg::IndexOp::create(inner, 0);
            Value zero = arith::ConstantIndexOp::create(inner, 0);
            Value end =
                computeKeyEnd(inner, op.getMask(), query, queryEnd, keyEnd);
            return SmallVector<Value>{zero, end};
          });
  return {bounds[0], bounds[1], Value()};
}

/// The boundaries without the first (`offset` 1) or last (`offset` 0) one.
static Value sliceBoundaries(ImplicitLocOpBuilder &builder, Value boundaries,
                             int64_t offset, OpFoldResult count) {
  return tensor::ExtractSliceOp::create(
      builder, boundaries,
      SmallVector<OpFoldResult>{builder.getIndexAttr(offset)},
      SmallVector<OpFoldResult>{count},
      SmallVector<OpFoldResult>{builder.getIndexAttr(1)});
}

/// Every query looks for its sequence among all of them; the number of
/// sequences is small next to the number of keys that it reads anyway.
static RowBounds computeSequenceBounds(ImplicitLocOpBuilder &builder,
                                       AttentionOp op) {
  Location loc = builder.getLoc();
  OpFoldResult queries = tensor::getMixedSize(builder, loc, op.getQuery(), 2);
  Value all = op.getQueryBoundaries();
  Value count = arith::SubIOp::create(
      builder,
      getValueOrCreateConstantIndexOp(
          builder, loc, tensor::getMixedSize(builder, loc, all, 0)),
      arith::ConstantIndexOp::create(builder, 1));
  OpFoldResult sequences = getAsOpFoldResult(count);
  Type index = builder.getIndexType();
  Value zero = arith::ConstantIndexOp::create(builder, 0);
  Value init = linalg::FillOp::create(builder, zero,
                                      emptyTensor(builder, {queries}, index))
                   .getResult(0);
  Value keyBoundaries = op.getKeyBoundaries();
  ValueRange bounds =
      Generic(builder, "i", "s")
          .input(sliceBoundaries(builder, all, 0, sequences), "s")
          .input(sliceBoundaries(builder, all, 1, sequences), "s")
          .input(sliceBoundaries(builder, keyBoundaries, 0, sequences), "s")
          .input(sliceBoundaries(builder, keyBoundaries, 1, sequences), "s")
          .output(init, "i")
          .output(init, "i")
          .output(init, "i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            SmallVector<Value> ends;
            for (Value end : elements.take_front(4))
              ends.push_back(arith::IndexCastOp::create(inner, index, end));
            Value query = linalg::IndexOp::create(inner, 0);
            Value inside = isAllowed(inner, query, ends[0], ends[1]);
            Value keyEnd =
                computeKeyEnd(inner, op.getMask(), query, ends[1], ends[3]);
            Value found[] = {ends[2], keyEnd, ends[0]};
            SmallVector<Value> results;
            for (auto [value, old] :
                 llvm::zip_equal(found, elements.drop_front(4)))
              results.push_back(
                  arith::SelectOp::create(inner, inside, value, old));
            return results;
          });
  return {bounds[0], bounds[1], bounds[2]};
}

RowBounds mta::builders::computeRowBounds(ImplicitLocOpBuilder &builder,
                                          AttentionOp attention) {
  if (attention.getQueryBoundaries())
    return computeSequenceBounds(builder, attention);
  return computeWholeBounds(builder, attention);
}

//===- TileProgram.cpp - A score program on one tile ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileProgram.h"

#include "mta/Dialect/MTA/Builders/RowBounds.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mta;
using namespace mta::builders;

/// Products and sums may fuse: the tile programs have no order of operations to
/// keep beyond the one they are written in.
static constexpr auto kContract = arith::FastMathFlags::contract;

static Value multiply(ImplicitLocOpBuilder &builder, Value a, Value b) {
  return arith::MulFOp::create(builder, a, b, kContract);
}

static Value add(ImplicitLocOpBuilder &builder, Value a, Value b) {
  return arith::AddFOp::create(builder, a, b, kContract);
}

/// out + a * b in the type of `out`, the body of every contraction.
static SmallVector<Value> multiplyAdd(ImplicitLocOpBuilder &builder,
                                      ValueRange elements) {
  Type type = elements[2].getType();
  Value product = multiply(builder, convertFloat(builder, elements[0], type),
                           convertFloat(builder, elements[1], type));
  return {add(builder, elements[2], product)};
}

//===----------------------------------------------------------------------===//
// Small pieces
//===----------------------------------------------------------------------===//

Value TileProgram::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, value);
}

Value TileProgram::empty(ArrayRef<int64_t> sizes) {
  return emptyTensor(
      builder, getAsIndexOpFoldResult(builder.getContext(), sizes), element);
}

Value TileProgram::filled(ArrayRef<int64_t> sizes, double value) {
  return filledTensor(builder,
                      getAsIndexOpFoldResult(builder.getContext(), sizes),
                      element, value);
}

Value TileProgram::headIndex(Value head) {
  Value first =
      arith::MulIOp::create(builder, position.group, constant(plan.heads));
  return arith::AddIOp::create(builder, first, head);
}

Value TileProgram::keyHeadIndex(Value head) {
  Value heads = tensor::DimOp::create(builder, op.getQuery(), 1);
  Value keyHeads = tensor::DimOp::create(builder, op.getKey(), 1);
  Value shared = arith::DivUIOp::create(builder, heads, keyHeads);
  return arith::DivUIOp::create(builder, headIndex(head), shared);
}

Value TileProgram::slice(Value source, ArrayRef<OpFoldResult> offsets,
                         ArrayRef<int64_t> sizes) {
  SmallVector<OpFoldResult> fullSizes, strides;
  SmallVector<int64_t> shape;
  for (int64_t size : sizes) {
    fullSizes.push_back(builder.getIndexAttr(std::max<int64_t>(size, 1)));
    strides.push_back(builder.getIndexAttr(1));
    if (size != 0)
      shape.push_back(size);
  }
  auto type = RankedTensorType::get(shape, getElementTypeOrSelf(source));
  return tensor::ExtractSliceOp::create(builder, type, source, offsets,
                                        fullSizes, strides);
}

Value TileProgram::forEachHead(
    Value init, function_ref<Value(Value head, Value slice)> body) {
  auto type = cast<RankedTensorType>(init.getType());
  SmallVector<OpFoldResult> offsets(3, builder.getIndexAttr(0));
  SmallVector<int64_t> sizes = {0, type.getDimSize(1), type.getDimSize(2)};
  auto update = [&](Value head, Value tile) -> Value {
    offsets[0] = head;
    Value result = body(head, slice(tile, offsets, sizes));
    SmallVector<OpFoldResult> fullSizes = getAsIndexOpFoldResult(
        builder.getContext(), {1, type.getDimSize(1), type.getDimSize(2)});
    SmallVector<OpFoldResult> strides(3, builder.getIndexAttr(1));
    return tensor::InsertSliceOp::create(builder, result, tile, offsets,
                                         fullSizes, strides);
  };
  if (type.getDimSize(0) == 1)
    return update(constant(0), init);
  auto loop =
      scf::ForOp::create(builder, constant(0), constant(type.getDimSize(0)),
                         constant(1), ValueRange{init});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value updated = update(loop.getInductionVar(), loop.getRegionIterArg(0));
  scf::YieldOp::create(builder, updated);
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// Contractions with the keys and the values
//===----------------------------------------------------------------------===//

Value TileProgram::multiplyKeys(const TileExtent &extent, Value column0) {
  int64_t dimension =
      cast<RankedTensorType>(operands.query.getType()).getDimSize(3);
  // Row `row0 - rowsBefore` of the queries is row `row0 + (padding -
  // rowsBefore)` of the packed ones, and so for the columns.
  const TileExtent &padding = plan.padding();
  Value row = arith::AddIOp::create(
      builder, position.row0, constant(padding.rowsBefore - extent.rowsBefore));
  Value column = arith::AddIOp::create(
      builder, column0, constant(padding.keysLeft - extent.keysLeft));
  Value init = empty({plan.heads, extent.rows, extent.columns});
  return forEachHead(init, [&](Value head, Value scores) {
    OpFoldResult zero = builder.getIndexAttr(0);
    scores = linalg::FillOp::create(
                 builder, floatConstant(builder, element, 0.0), scores)
                 .getResult(0);
    Value query =
        slice(operands.query, {position.batch, headIndex(head), row, zero},
              {0, 0, extent.rows, dimension});
    Value key =
        slice(operands.key, {position.batch, keyHeadIndex(head), zero, column},
              {0, 0, dimension, extent.columns});
    Value product = Generic(builder, "ij", "d")
                        .input(query, "i d")
                        .input(key, "d j")
                        .output(scores, "i j")
                        .build(multiplyAdd)[0];
    return operands.scoreFactor ? scaleScores(product) : product;
  });
}

Value TileProgram::scaleScores(Value scores) {
  return Generic(builder, "ij")
      .output(scores, "i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::MulFOp::create(inner, elements[0], operands.scoreFactor)};
      })[0];
}

Value TileProgram::accumulate(const TileStep &step, Value accumulator,
                              Value weights) {
  auto type = cast<RankedTensorType>(accumulator.getType());
  auto weightsType = cast<RankedTensorType>(weights.getType());
  return forEachHead(accumulator, [&](Value head, Value rows) {
    OpFoldResult zero = builder.getIndexAttr(0);
    Value value =
        slice(operands.value,
              {position.batch, keyHeadIndex(head), step.column0, zero},
              {0, 0, step.sweep.keyTile, type.getDimSize(2)});
    Value row = slice(weights, {head, zero, zero},
                      {0, weightsType.getDimSize(1), step.sweep.keyTile});
    return Generic(builder, "ix", "j")
        .input(row, "i j")
        .input(value, "j x")
        .output(rows, "i x")
        .build(multiplyAdd)[0];
  });
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

void TileProgram::computeBounds() {
  const TileExtent &all = plan.padding();
  SmallVector<OpFoldResult> size = {builder.getIndexAttr(all.rows)};
  Value begin =
      slice(operands.keyBegin, {OpFoldResult(position.row0)}, {all.rows});
  Value end = slice(operands.keyEnd, {OpFoldResult(position.row0)}, {all.rows});
  Value first =
      arith::SubIOp::create(builder, position.row0, constant(all.rowsBefore));
  Value init = emptyTensor(builder, size, builder.getIndexType());
  ValueRange bounds =
      Generic(builder, "i")
          .input(begin, "i")
          .input(end, "i")
          .output(init, "i")
          .output(init, "i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value offset = linalg::IndexOp::create(inner, 0);
            Value row = arith::AddIOp::create(inner, offset, first);
            Value exists =
                isAllowed(inner, row, position.queryBegin, position.rowEnd);
            Value zero = arith::ConstantIndexOp::create(inner, 0);
            return SmallVector<Value>{
                arith::SelectOp::create(inner, exists, elements[0], zero),
                arith::SelectOp::create(inner, exists, elements[1], zero)};
          });
  keyBegin = bounds[0];
  keyEnd = bounds[1];
}

/// The keys left of a tile of `sweep` that it may not read and that are not
/// zeros by themselves. Without sequences these are the columns before the
/// first key: there q·kᵀ is zero, as packed keys are, but nothing after it.
static int64_t maskedKeysLeft(AttentionOp op, const SweepPlan &sweep) {
  size_t first = op.getQueryBoundaries() ? 0 : 1;
  return first < sweep.extents.size() ? sweep.extents[first].keysLeft : 0;
}

/// Whether rows above the first query, or the first of the sequence, are to be
/// masked. Without sequences they are zeros, and stay so up to the softmax.
static bool masksRowsAbove(AttentionOp op, const TilePlan &plan,
                           const SweepPlan &sweep) {
  return op.getQueryBoundaries() || plan.softmax(sweep).rowsBefore > 0;
}

KeyRange TileProgram::keyRange(const SweepPlan &sweep) {
  const TileExtent &extent = sweep.scores();
  Value above = arith::SubIOp::create(builder, position.row0,
                                      constant(extent.rowsBefore));
  Value first = arith::MaxSIOp::create(builder, above, position.queryBegin);
  // A tile without rows reads nothing; its last row is that of another tile.
  Value last = arith::SubIOp::create(builder, position.rowEnd, constant(1));
  last = arith::MaxSIOp::create(builder, last, constant(0));
  auto at = [&](Value bounds, Value row) -> Value {
    Value index = arith::AddIOp::create(builder, row,
                                        constant(plan.padding().rowsBefore));
    return tensor::ExtractOp::create(builder, bounds, index);
  };
  Value isEmpty = arith::CmpIOp::create(builder, arith::CmpIPredicate::sge,
                                        position.row0, position.rowEnd);
  KeyRange range;
  range.begin = at(operands.keyBegin, first);
  range.end = arith::SelectOp::create(builder, isEmpty, constant(0),
                                      at(operands.keyEnd, last));
  if (!plan.schedule.hasEdgeLoop())
    return range;
  // Ends of keys do not decrease from row to row: the first row has the least.
  Value limit =
      arith::MinSIOp::create(builder, at(operands.keyEnd, first), range.end);
  if (masksRowsAbove(op, plan, sweep)) {
    Value exists = arith::CmpIOp::create(builder, arith::CmpIPredicate::sge,
                                         above, position.queryBegin);
    limit = arith::SelectOp::create(builder, exists, limit, range.begin);
  }
  int64_t edges =
      llvm::divideCeil(maskedKeysLeft(op, sweep), plan.edgeKeyTile());
  range.inner = range.begin;
  if (edges > 0)
    range.inner = arith::AddIOp::create(builder, range.begin,
                                        constant(edges * plan.edgeKeyTile()));
  Value columns = arith::SubIOp::create(
      builder, limit,
      arith::AddIOp::create(builder, range.inner, constant(extent.keysRight)));
  columns = arith::MaxSIOp::create(builder, columns, constant(0));
  Value rest =
      arith::RemUIOp::create(builder, columns, constant(sweep.keyTile));
  columns = arith::SubIOp::create(builder, columns, rest);
  range.innerEnd = arith::AddIOp::create(builder, range.inner, columns);
  return range;
}

Value TileProgram::boundsOf(Value bounds, const TileExtent &extent) {
  int64_t skipped = plan.padding().rowsBefore - extent.rowsBefore;
  return slice(bounds, {OpFoldResult(builder.getIndexAttr(skipped))},
               {extent.rows});
}

/// Bounds do not decrease from row to row, but for rows that do not exist,
/// whose end is 0: the first and the last row speak for all.
Value TileProgram::isBoundary(Value begins, Value ends,
                              const TileExtent &extent, Value column) {
  Value first = constant(0), last = constant(extent.rows - 1);
  Value end = arith::AddIOp::create(builder, column, constant(extent.columns));
  auto at = [&](Value bounds, Value row) -> Value {
    return tensor::ExtractOp::create(builder, bounds, row);
  };
  auto less = [&](Value a, Value b) -> Value {
    return arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, a, b);
  };
  Value result = less(column, at(begins, last));
  result = arith::OrIOp::create(builder, result, less(at(ends, first), end));
  return arith::OrIOp::create(builder, result, less(at(ends, last), end));
}

std::pair<Value, Value> TileProgram::columnRange(Value begins, Value ends,
                                                 const TileExtent &extent,
                                                 Value column) {
  Sizes rows = {builder.getIndexAttr(extent.rows)};
  Type type = builder.getI32Type();
  ValueRange range =
      Generic(builder, "i")
          .input(begins, "i")
          .input(ends, "i")
          .output(emptyTensor(builder, rows, type), "i")
          .output(emptyTensor(builder, rows, type), "i")
          .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
            Value zero = arith::ConstantIndexOp::create(inner, 0);
            Value all = arith::ConstantIndexOp::create(inner, extent.columns);
            auto relative = [&](Value key) -> Value {
              Value offset = arith::SubIOp::create(inner, key, column);
              offset = arith::MaxSIOp::create(inner, offset, zero);
              return arith::MinSIOp::create(inner, offset, all);
            };
            Value first = relative(elements[0]);
            Value count = arith::SubIOp::create(
                inner,
                arith::MaxSIOp::create(inner, relative(elements[1]), first),
                first);
            return SmallVector<Value>{
                arith::IndexCastOp::create(inner, type, first),
                arith::IndexCastOp::create(inner, type, count)};
          });
  return {range[0], range[1]};
}

Value TileProgram::select(Value tile, Value begins, Value ends,
                          const TileExtent &extent, Value column, double fill) {
  // One unsigned comparison in the width of a score, for all lanes at once.
  auto [firsts, counts] = columnRange(begins, ends, extent, column);
  Type type = builder.getI32Type();
  return Generic(builder, "hij")
      .input(firsts, "i")
      .input(counts, "i")
      .output(tile, "h i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value index = linalg::IndexOp::create(inner, 2);
        Value offset = arith::IndexCastOp::create(inner, type, index);
        offset = arith::SubIOp::create(inner, offset, elements[0]);
        Value allowed = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult,
                                              offset, elements[1]);
        Value other = floatConstant(inner, element, fill);
        return SmallVector<Value>{
            arith::SelectOp::create(inner, allowed, elements[2], other)};
      })[0];
}

Value TileProgram::mask(const TileStep &step, Value tile,
                        const TileExtent &extent, double fill) {
  if (step.masking == Masking::Never)
    return tile;
  Value begins = boundsOf(keyBegin, extent);
  Value ends = boundsOf(keyEnd, extent);
  Value column =
      arith::SubIOp::create(builder, step.column0, constant(extent.keysLeft));
  if (step.masking == Masking::Always)
    return select(tile, begins, ends, extent, column, fill);
  Value boundary = isBoundary(begins, ends, extent, column);
  auto branch = scf::IfOp::create(builder, tile.getType(), boundary,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder,
                       select(tile, begins, ends, extent, column, fill));
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, tile);
  return branch.getResult(0);
}

//===----------------------------------------------------------------------===//
// Score operations
//===----------------------------------------------------------------------===//

Value TileProgram::applyConv(KeyQueryConvOp conv, Value tile,
                             const TileExtent &extent) {
  // Row i + r and column j + c of the operand: its extent starts cq - 1 rows
  // and `left` columns before that of the result. Window columns are the outer
  // reduction, so that one load of scores serves all rows of the window.
  Value weights = operands.weights.lookup(conv);
  auto type = cast<RankedTensorType>(weights.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0));
  offsets[0] = headIndex(constant(0));
  SmallVector<int64_t> sizes(type.getShape());
  sizes[0] = plan.heads;
  weights = slice(weights, offsets, sizes);
  if (!conv.mixesHeads())
    return Generic(builder, "hij", "cr")
        .input(weights, "h r c")
        .input(tile, "h i+r j+c")
        .output(filled({plan.heads, extent.rows, extent.columns}, 0.0), "h i j")
        .build(multiplyAdd)[0];
  int64_t size = conv.getGroupSize();
  OpFoldResult groupSize = builder.getIndexAttr(size);
  Value result =
      filled({plan.heads / size, size, extent.rows, extent.columns}, 0.0);
  Value mixed =
      Generic(builder, "goij", "pcr")
          .input(splitDim(builder, weights, 0, groupSize), "g o p r c")
          .input(splitDim(builder, tile, 0, groupSize), "g p i+r j+c")
          .output(result, "g o i j")
          .build(multiplyAdd)[0];
  return mergeDims(builder, mixed, 0);
}

Value TileProgram::applyHeadMix(HeadMixOp mix, Value tile,
                                const TileExtent &extent) {
  int64_t groupSize = mix.getGroupSize();
  int64_t groups = plan.heads / groupSize;
  Value first =
      arith::MulIOp::create(builder, position.group, constant(groups));
  OpFoldResult zero = builder.getIndexAttr(0);
  Value weights = slice(operands.weights.lookup(mix), {first, zero, zero},
                        {groups, groupSize, groupSize});
  OpFoldResult inner = builder.getIndexAttr(groupSize);
  Value result = filled({groups, groupSize, extent.rows, extent.columns}, 0.0);
  Value mixed = Generic(builder, "goij", "p")
                    .input(weights, "g o p")
                    .input(splitDim(builder, tile, 0, inner), "g p i j")
                    .output(result, "g o i j")
                    .build(multiplyAdd)[0];
  return mergeDims(builder, mixed, 0);
}

Value TileProgram::apply(ScoreOpInterface scoreOp, Value tile,
                         const TileExtent &extent) {
  return TypeSwitch<Operation *, Value>(scoreOp)
      .Case([&](KeyQueryConvOp conv) { return applyConv(conv, tile, extent); })
      .Case([&](HeadMixOp mix) { return applyHeadMix(mix, tile, extent); });
}

Value TileProgram::computeScores(const TileStep &step) {
  ArrayRef<TileExtent> extents = step.sweep.extents;
  Value tile = multiplyKeys(extents.front(), step.column0);
  for (auto [index, scoreOp] : llvm::enumerate(plan.before)) {
    if (isa<KeyQueryConvOp>(scoreOp))
      tile = mask(step, tile, extents[index], 0.0);
    tile = apply(scoreOp, tile, extents[index + 1]);
  }
  return tile;
}

Value TileProgram::computeWeights(const TileStep &step, Value probabilities) {
  ArrayRef<TileExtent> extents = step.sweep.extents;
  Value tile = probabilities;
  size_t index = plan.before.size() + 1;
  // Convolutions spread weights to pairs that are not allowed.
  bool spread = false;
  for (ScoreOpInterface scoreOp : plan.after) {
    bool isConv = isa<KeyQueryConvOp>(scoreOp);
    if (isConv && spread)
      tile = mask(step, tile, extents[index], 0.0);
    tile = apply(scoreOp, tile, extents[++index]);
    spread |= isConv;
  }
  return spread ? mask(step, tile, extents.back(), 0.0) : tile;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

Value TileProgram::exponentiate(Value tile, Value maximum) {
  return Generic(builder, "hij")
      .input(maximum, "h i")
      .output(tile, "h i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        Value difference =
            arith::SubFOp::create(inner, elements[1], elements[0]);
        return SmallVector<Value>{math::Exp2Op::create(inner, difference)};
      })[0];
}

Value TileProgram::scaleRows(Value tile, Value factors) {
  return Generic(builder, "hij")
      .input(factors, "h i")
      .output(tile, "h i j")
      .build([&](ImplicitLocOpBuilder &inner, ValueRange elements) {
        return SmallVector<Value>{
            arith::MulFOp::create(inner, elements[1], elements[0])};
      })[0];
}

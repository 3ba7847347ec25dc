//===- TileKernelSteps.cpp - Score operations of a tile program -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A convolution is a sum over the window's queries a of products of the scores,
// a rows up, with a band matrix of the window's keys:
//
//     out[i, 8n ..] += S[i - (cq - 1) + a, 8(n - halo) .. 8(n + 1)] · T_a
//
//                      | w2 w3 w4       |
//               T_a =  | w1 w2 w3 w4    |      T_a[k, n] = θ[a, k - n + const]
//                      |    w1 w2 w3 .. |
//
// The scores pass through workgroup memory, where a shift by rows is another
// address. They stand there as f16: 11 bits, or as the sum of two such numbers.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Elements `index` of the weights where `mask` is set, others are zero.
Value TileKernel::gatherWeights(const StepState &state, Value index, Value mask,
                                Type element) {
  Value weights = buffers.weights.lookup(state.plan->op);
  auto type = cast<VectorType>(index.getType());
  VectorType result =
      VectorType::get(type.getShape(), getElementTypeOrSelf(weights.getType()));
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(result));
  Value values = vector::GatherOp::create(
      b, result, weights, ValueRange{zero()}, index, mask, none);
  return b.convert(values, element);
}

/// The band matrix of window query `a`, for the scores of head `head` of the
/// group: one for every head that reads them.
Value TileKernel::buildBand(const StepState &state, int64_t a, int64_t head) {
  auto conv = cast<KeyQueryConvOp>(state.plan->op);
  int64_t rows = 8 * (state.plan->haloPieces + 1), columns = 8;
  int64_t rank = plan.heads > 1 ? 3 : 2;
  VectorType type = b.type({rows, columns}, b.getIndexType());
  // Row k of the band is 8 * pieces to the left of column 0's own place.
  int64_t left = 8 * llvm::divideCeil(conv.getLeftKeys(), 8);
  Value row = b.broadcast(b.step(rows, rank - 2, rank), type);
  Value column = b.broadcast(b.step(columns, rank - 1, rank), type);
  auto constant = [&](int64_t value) -> Value {
    return vector::BroadcastOp::create(b, type, b.index(value));
  };
  Value tap = b.add(b.sub(row, column), constant(conv.getLeftKeys() - left));
  // Negative taps are large numbers.
  Value mask =
      b.compare(arith::CmpIPredicate::ult, tap, constant(conv.getKeyWindow()));
  // θ is heads x group x cq x ck in memory.
  int64_t window = conv.getQueryWindow() * conv.getKeyWindow();
  int64_t size = state.plan->groupSize;
  Value first = b.add(b.mul(head0, window * size),
                      head % size * window + a * conv.getKeyWindow());
  Value index = b.add(tap, vector::BroadcastOp::create(b, type, first));
  if (rank == 3) {
    Value heads = b.broadcast(b.step(plan.heads, 0, rank), type);
    index = b.add(index, b.mul(heads, constant(window * size)));
    if (size > 1)
      mask = arith::AndIOp::create(b, mask, isInGroup(heads, size, head));
    if (plan.groupHeads < plan.heads)
      mask =
          arith::AndIOp::create(b, mask, isInGroup(heads, plan.groupHeads, 0));
  }
  return gatherWeights(state, index, mask, b.getF16Type());
}

/// The weights of head `head` of the group for every head that it goes to; with
/// one head, a number.
Value TileKernel::buildMixWeight(const StepState &state, int64_t head) {
  if (plan.heads == 1)
    return b.convert(memref::LoadOp::create(
                         b, buffers.weights.lookup(state.plan->op), head0),
                     b.getF32Type());
  int64_t size = state.plan->groupSize;
  VectorType type = VectorType::get({plan.heads}, b.getIndexType());
  auto constant = [&](Value value) -> Value {
    return vector::BroadcastOp::create(b, type, value);
  };
  // W is groups x out x in in memory, and head h of all is row h of it.
  Value out = b.step(plan.heads, 0, 1);
  Value first = b.add(b.mul(head0, size), head % size);
  Value index = b.add(b.mul(out, constant(b.index(size))), constant(first));
  Value mask = isInGroup(out, size, head);
  Value weights = gatherWeights(state, index, mask, b.getF32Type());
  return vector::ShapeCastOp::create(
      b, VectorType::get({plan.heads, 1, 1}, b.getF32Type()), weights);
}

/// Whether heads are in the group of `size` that `head` is in.
Value TileKernel::isInGroup(Value heads, int64_t size, int64_t head) {
  auto type = cast<VectorType>(heads.getType());
  auto constant = [&](int64_t value) -> Value {
    return vector::BroadcastOp::create(b, type, b.index(value));
  };
  Value offset = b.sub(heads, constant(head / size * size));
  return b.compare(arith::CmpIPredicate::ult, offset, constant(size));
}

/// The ring of a convolution: two tiles of keys. The rows of one head follow
/// those of another; what is above the first ones of a head, its halo, belongs
/// to rows that are not stored and may be anything.
void TileKernel::allocateConv(StepState &state) {
  const StepPlan &step = *state.plan;
  for (int64_t copy = 0; plan.hasManyHeads && copy < step.copies; ++copy) {
    auto [buffer, view] = allocateHeads(
        step.neededRows, step.rows - step.neededRows + step.rowsBefore,
        2 * plan.keyTile, b.getF16Type());
    state.buffers.push_back(buffer);
    state.views.push_back(view);
  }
  if (plan.hasManyHeads)
    return;
  int64_t columns = paddedRow(2 * plan.keyTile);
  int64_t halo = state.plan->rowsBefore;
  int64_t all = plan.heads * plan.rows + halo;
  for (int64_t copy = 0; copy < step.copies; ++copy) {
    Value buffer = b.workgroupBuffer({all, columns}, b.getF16Type());
    state.buffers.push_back(buffer);
    if (plan.heads > 1) {
      auto type = cast<MemRefType>(buffer.getType());
      int64_t sizes[] = {plan.heads, plan.rows + halo, columns};
      int64_t strides[] = {plan.rows * columns, columns, 1};
      auto view =
          MemRefType::get(sizes, type.getElementType(),
                          StridedLayoutAttr::get(b.getContext(), 0, strides),
                          type.getMemorySpace());
      buffer =
          memref::ReinterpretCastOp::create(b, view, buffer, 0, sizes, strides);
    }
    state.views.push_back(buffer);
  }
}

/// One tile of all heads.
void TileKernel::allocateMix(StepState &state) {
  if (mixBuffers.empty())
    for (int64_t copy = 0; copy < state.plan->copies; ++copy)
      mixBuffers.push_back(b.workgroupBuffer(
          {plan.heads, plan.rows, paddedRow(plan.keyTile)}, b.getF16Type()));
  state.views.assign(mixBuffers.begin(),
                     mixBuffers.begin() + state.plan->copies);
  state.buffers = state.views;
}

TileKernel::StepState TileKernel::prepareStep(const StepPlan &step) {
  StepState state;
  state.plan = &step;
  auto conv = dyn_cast<KeyQueryConvOp>(*step.op);
  if (conv)
    allocateConv(state);
  else if (plan.heads > 1)
    allocateMix(state);
  // A head that only reads itself has weights for every head; others for every
  // head and every one that is read.
  if (step.bandElements > 0) {
    state.diagonals = buildDiagonals(step);
    return state;
  }
  if (plan.hasManyHeads && !conv) {
    state.weights.push_back(buildMixMatrix(state));
    return state;
  }
  int64_t sources = step.groupSize == 1 && conv ? 1 : plan.heads;
  for (int64_t head = 0; head < sources; ++head) {
    if (!conv) {
      state.weights.push_back(buildMixWeight(state, head));
      continue;
    }
    for (int64_t a = 0; a < conv.getQueryWindow(); ++a)
      state.weights.push_back(buildBand(state, a, head));
  }
  return state;
}

void TileKernel::prepareSteps() {
  if (plan.hasManyHeads)
    allocateManyHeads();
  for (const StepPlan &step : plan.before)
    before.push_back(prepareStep(step));
  for (const StepPlan &step : plan.after)
    after.push_back(prepareStep(step));
}

//===----------------------------------------------------------------------===//
// Score operations
//===----------------------------------------------------------------------===//

/// Applies operations to the scores of a tile that trail by `trailing` columns,
/// which becomes that of the result. `masked` says whether scores that are not
/// allowed are zero.
Value TileKernel::applySteps(MutableArrayRef<StepState> steps, Value scores,
                             Value tile, int64_t &trailing, bool masked) {
  for (StepState &state : steps) {
    if (!isa<KeyQueryConvOp>(state.plan->op)) {
      scores = applyMix(state, scores);
      continue;
    }
    if (!masked)
      scores = mask(scores, tile, trailing, false, 0.0);
    scores = applyConv(state, scores, tile);
    trailing += state.plan->trailing;
    masked = false;
  }
  return scores;
}

/// Writes scores to the buffers of an operation, where others read them after
/// the barrier.
void TileKernel::writeScores(const StepState &state, Value scores, Value row,
                             Value column) {
  Type f16 = b.getF16Type();
  for (Value view : state.views) {
    Value part = b.convert(scores, f16);
    Value mask = plan.hasManyHeads
                     ? neededRows(*state.plan, cast<VectorType>(part.getType()))
                     : Value();
    b.write(part, view, at({}, row, column), mask);
    if (state.views.size() > 1)
      scores =
          arith::SubFOp::create(b, scores, b.convert(part, b.getF32Type()));
  }
  barrier();
}

/// Adds the products of one window query, for one head of the group that is
/// read, to the pieces of 8 columns of rows of the result from `row` on.
void TileKernel::accumulateWindow(StepState &state, Value view, Value half,
                                  Value band, int64_t a, int64_t head,
                                  int64_t row, MutableArrayRef<Value> pieces) {
  int64_t halo = 8 * state.plan->haloPieces;
  int64_t width = halo + plan.keyTile;
  bool shared = state.plan->groupSize > 1;
  Type f16 = b.getF16Type();
  auto piecesType = cast<VectorType>(pieces[0].getType());
  int64_t rows = piecesType.getDimSize(piecesType.getRank() - 2);
  row += state.plan->rows - state.plan->resultRows;
  auto typeOf = [&](int64_t columns) {
    return shared ? VectorType::get({rows, columns}, f16)
                  : b.type({rows, columns}, f16);
  };
  auto read = [&](Value column, int64_t columns) {
    SmallVector<Value> indices = at({}, b.index(row + a), column);
    if (shared)
      indices[0] = b.index(head);
    return b.read(view, indices, typeOf(columns));
  };
  Value tile = read(b.mul(half, plan.keyTile), plan.keyTile);
  Value scores = tile;
  if (halo > 0) {
    Value other = b.sub(b.index(1), half);
    Value column = b.add(b.mul(other, plan.keyTile), plan.keyTile - halo);
    scores = b.splat(typeOf(width), 0.0);
    scores = b.insertColumns(read(column, halo), scores, 0);
    scores = b.insertColumns(tile, scores, halo);
  }
  for (auto [index, piece] : llvm::enumerate(pieces))
    piece = b.contract(b.extractColumns(scores, 8 * index, halo + 8), band,
                       piece, /*rhsTransposed=*/false);
}

Value TileKernel::applyConv(StepState &state, Value scores, Value tile) {
  auto conv = cast<KeyQueryConvOp>(state.plan->op);
  Value half = arith::RemUIOp::create(b, tile, b.index(2));
  willWrite(state.views[0]);
  writeScores(state, scores, b.index(conv.getQueryWindow() - 1),
              b.mul(half, plan.keyTile));
  split = Split::Heads;
  int64_t rows = state.plan->resultRows;
  // With many heads one strip after the other, as registers are short.
  int64_t rowsAtOnce = plan.hasManyHeads ? 16 : rows;
  int64_t columns = plan.keyTile / 8;
  VectorType piece = b.type({rowsAtOnce, 8}, b.getF32Type());
  SmallVector<Value> pieces(rows / rowsAtOnce * columns, b.splat(piece, 0.0));
  int64_t sources =
      state.diagonals ? 1 : state.weights.size() / conv.getQueryWindow();
  for (int64_t head = 0; head < sources; ++head)
    for (int64_t a = 0; a < conv.getQueryWindow(); ++a) {
      Value band = state.diagonals
                       ? loadBand(state, a)
                       : state.weights[head * conv.getQueryWindow() + a];
      for (int64_t row = 0; row < rows; row += rowsAtOnce)
        for (Value view : state.views)
          accumulateWindow(state, view, half, band, a, head, row,
                           MutableArrayRef(pieces).slice(
                               row / rowsAtOnce * columns, columns));
    }
  readSinceBarrier.push_back(state.views[0]);
  Value result = b.splat(tileType(rows), 0.0);
  for (auto [index, value] : llvm::enumerate(pieces))
    result = b.insertPart(value, result, index / columns * rowsAtOnce,
                          8 * (index % columns));
  return result;
}

Value TileKernel::applyMix(StepState &state, Value scores) {
  if (plan.hasManyHeads)
    return mixHeads(state, scores);
  VectorType type = tileType(plan.rows);
  if (plan.heads == 1)
    return arith::MulFOp::create(b, scores,
                                 b.broadcast(state.weights[0], type));
  // Another mix may still be read.
  BarrierOp::create(b);
  writeScores(state, scores, zero(), zero());
  Value result;
  VectorType shared =
      VectorType::get({plan.rows, plan.keyTile}, b.getF16Type());
  for (auto [head, weight] : llvm::enumerate(state.weights))
    for (Value view : state.views) {
      Value other = b.read(view, {b.index(head), zero(), zero()}, shared);
      Value product = arith::MulFOp::create(
          b, b.broadcast(b.convert(other, b.getF32Type()), type),
          b.broadcast(weight, type));
      result = result ? arith::AddFOp::create(b, result, product) : product;
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// Whether pairs are allowed, rows x columns from `column0` on.
Value TileKernel::isAllowed(int64_t rows, Value column0) {
  VectorType flat = VectorType::get({rows, plan.keyTile}, b.getIndexType());
  Value column =
      b.add(b.step(plan.keyTile, 0, 1),
            vector::BroadcastOp::create(
                b, VectorType::get({plan.keyTile}, b.getIndexType()), column0));
  // Columns before the first key are large numbers.
  return b.compare(arith::CmpIPredicate::ult, b.broadcast(column, flat),
                   b.broadcastRows(keyEnds, flat));
}

/// `scores`, which trail by `trailing` columns, with `fill` where a pair is not
/// allowed. No code runs in tiles all of whose pairs are; rows of the halo
/// count only if they are needed.
Value TileKernel::mask(Value scores, Value tile, int64_t trailing,
                       bool ownRowsOnly, double fill) {
  auto type = cast<VectorType>(scores.getType());
  int64_t rows = type.getDimSize(type.getRank() - 2);
  Value column0 = b.add(b.mul(tile, plan.keyTile), -trailing);
  Value columnEnd = b.add(column0, plan.keyTile);
  Value end = keys;
  if (isCausal()) {
    // Rows before the first query are zero anyway.
    Value first = ownRowsOnly ? row0 : b.max(firstOf(rows), zero());
    end = b.min(end, b.add(b.add(first, shift), 1));
  }
  Value isBoundary = b.compare(arith::CmpIPredicate::sgt, columnEnd, end);
  if (trailing > 0)
    isBoundary = arith::OrIOp::create(
        b, isBoundary, b.compare(arith::CmpIPredicate::slt, column0, zero()));
  if (plan.hasManyHeads && mayBeBefore(rows))
    isBoundary = arith::OrIOp::create(
        b, isBoundary,
        b.compare(arith::CmpIPredicate::slt, firstOf(rows), zero()));
  auto branch = scf::IfOp::create(b, scores.getType(), isBoundary,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value allowed = plan.hasManyHeads ? isAllowedByRow(rows, column0)
                                    : isAllowed(rows, column0);
  allowed =
      b.broadcast(allowed, VectorType::get(type.getShape(), b.getI1Type()));
  Value masked =
      arith::SelectOp::create(b, allowed, scores, b.splat(type, fill));
  scf::YieldOp::create(b, masked);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, scores);
  return branch.getResult(0);
}

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
// address. For operands of f32 they stand there as f32; for others as f16, with
// 11 bits, or as the sum of two such numbers, and so do the weights.
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
  // Negative taps are large numbers. Where there is none, a lane reads what
  // others of its warp do, but of one key: LLVM would read the taps of several
  // queries together, and what lies behind the last one.
  Value isTap =
      b.compare(arith::CmpIPredicate::ult, tap, constant(conv.getKeyWindow()));
  Value mask = isTap;
  if (conv.getKeyWindow() > 1) {
    tap = b.min(b.max(tap, constant(0)), constant(conv.getKeyWindow() - 1));
    mask = arith::ConstantOp::create(
        b, DenseElementsAttr::get(cast<VectorType>(isTap.getType()), true));
  }
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
  Value weights = gatherWeights(state, index, mask, stagedType());
  return arith::SelectOp::create(
      b, isTap, weights, b.splat(cast<VectorType>(weights.getType()), 0.0));
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
  // One weight, so that the indices are no row of memory: a gather of those is
  // a load to canonicalization, and no operation of a tile program.
  if (size == 1)
    index = constant(b.add(head0, head));
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
  if (plan.hasManyHeads)
    return takeScores(state);
  int64_t columns = paddedRow(step.places * plan.keyTile);
  int64_t halo = step.rowsBefore;
  int64_t all = plan.heads * plan.rows + halo;
  for (int64_t copy = 0; copy < step.copies; ++copy) {
    Value buffer = b.workgroupBuffer({all, columns}, stagedType());
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
  if (!scoreBuffers.empty())
    return takeScores(state);
  if (mixBuffers.empty())
    for (int64_t copy = 0; copy < state.plan->copies; ++copy)
      mixBuffers.push_back(b.workgroupBuffer(
          {plan.heads, plan.rows, paddedRow(plan.keyTile)}, stagedType()));
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
  if (step.bandElements > 0) {
    state.diagonals = buildDiagonals(step);
    return state;
  }
  if (plan.hasManyHeads && !conv) {
    state.weights.push_back(buildMixMatrix(state));
    return state;
  }
  // A head that only reads itself has weights for every head; others for every
  // head and every one that is read.
  int64_t sources = step.groupSize == 1 && conv ? 1 : plan.heads;
  for (int64_t head = 0; head < sources; ++head) {
    if (!conv) {
      state.weights.push_back(buildMixWeight(state, head));
      continue;
    }
    // Weights of 16 bits are tf32 numbers.
    bool isExact =
        getElementTypeOrSelf(conv.getWeights()).getIntOrFloatBitWidth() == 16;
    for (int64_t a = 0; a < conv.getQueryWindow(); ++a) {
      Value band = buildBand(state, a, head);
      state.bands.push_back(isExact ? Operand{band} : toOperand(band));
    }
  }
  return state;
}

void TileKernel::prepareSteps(ArrayRef<StepPlan> after) {
  if (plan.hasManyHeads)
    allocateManyHeads();
  for (const StepPlan &step : plan.before)
    before.push_back(prepareStep(step));
  for (const StepPlan &step : after)
    this->after.push_back(prepareStep(step));
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
    SmallVector<Value> pieces = beginConv(state, scores, tile);
    barrier();
    scores = finishConv(state, std::move(pieces), tile, trailing);
    trailing += state.plan->trailing;
    masked = false;
  }
  return scores;
}

/// The operations before the softmax until threads meet: what is left of the
/// scores, or the pieces of a convolution.
SmallVector<Value> TileKernel::beginSteps(Value scores, Value tile) {
  size_t count = plan.firstShared() - plan.before.begin();
  int64_t trailing = 0;
  MutableArrayRef<StepState> steps(before);
  scores = applySteps(steps.take_front(count), scores, tile, trailing, false);
  if (!plan.stagesAhead())
    return {scores};
  return beginConv(steps[count], mask(scores, tile, 0, false, 0.0), tile);
}

/// The others. Where scores are begun ahead threads have met.
Value TileKernel::finishSteps(SmallVector<Value> begun, Value tile,
                              int64_t &trailing) {
  size_t count = plan.firstShared() - plan.before.begin();
  MutableArrayRef<StepState> steps = MutableArrayRef(before).drop_front(count);
  Value scores = begun.front();
  if (plan.stagesAhead()) {
    if (!plan.isAhead)
      barrier();
    scores = finishConv(steps.front(), std::move(begun), tile, 0);
    trailing = steps.front().plan->trailing;
    steps = steps.drop_front();
  }
  return applySteps(steps, scores, tile, trailing, false);
}

/// Writes scores to the buffers of an operation, where others read them after
/// a barrier. Returns what is written to each of them.
SmallVector<Value> TileKernel::writeScores(const StepState &state, Value scores,
                                           Value row, Value column) {
  SmallVector<Value> parts;
  for (Value view : state.views) {
    Value part = b.convert(scores, stagedType());
    parts.push_back(part);
    Value mask = lastRows(state.plan->rows, state.plan->neededRows,
                          cast<VectorType>(part.getType()));
    b.write(part, view, at({}, row, column), mask);
    if (state.views.size() > 1)
      scores =
          arith::SubFOp::create(b, scores, b.convert(part, b.getF32Type()));
  }
  return parts;
}

/// Adds the products of a window query to the pieces of 8 columns of rows of
/// the result from `row` on. `tile`, if there is one, is what stands in this
/// tile's place of the ring.
void TileKernel::accumulateWindow(const StepState &state, Value view,
                                  Value tile, const Ring &ring,
                                  const Window &window, int64_t row,
                                  bool cutsSequences,
                                  MutableArrayRef<Value> pieces) {
  const StepPlan &step = *state.plan;
  int64_t halo = 8 * step.haloPieces;
  int64_t width = halo + plan.keyTile;
  bool shared = step.groupSize > 1;
  int64_t rows = rowsAtOnce(step);
  auto typeOf = [&](int64_t columns) {
    return shared ? VectorType::get({rows, columns}, stagedType())
                  : b.type({rows, columns}, stagedType());
  };
  int64_t above = step.rows - step.resultRows + row;
  auto read = [&](Value column, int64_t columns) {
    SmallVector<Value> indices = at({}, b.index(above + window.a), column);
    if (shared)
      indices[0] = b.index(window.head);
    return b.read(view, indices, typeOf(columns));
  };
  if (!tile)
    tile = read(ring.own, plan.keyTile);
  Value scores = tile;
  if (halo > 0) {
    Value column = b.add(ring.before, plan.keyTile - halo);
    scores = b.splat(typeOf(width), 0.0);
    scores = b.insertColumns(read(column, halo), scores, 0);
    scores = b.insertColumns(tile, scores, halo);
  }
  if (int64_t distance = step.rowsBefore - window.a;
      cutsSequences && distance > 0)
    scores = cutRows(scores, distance, step.resultRows - row);
  Operand lhs = toOperand(scores);
  for (auto [index, piece] : llvm::enumerate(pieces))
    piece = contract(extractColumns(lhs, 8 * index, halo + 8), window.band,
                     piece, /*rhsTransposed=*/false);
}

void TileKernel::forWindows(const StepState &state, int64_t skipped,
                            function_ref<void(const Window &)> body) {
  auto conv = cast<KeyQueryConvOp>(state.plan->op);
  int64_t size = conv.getQueryWindow();
  int64_t sources = state.diagonals ? 1 : state.bands.size() / size;
  for (int64_t head = 0; head < sources; ++head)
    for (int64_t a = 0; a < size - skipped; ++a)
      body({a, head,
            state.diagonals ? Operand{loadBand(state, a)}
                            : state.bands[head * size + a]});
}

Value TileKernel::multiplyBands(const StepState &state, const Ring &ring,
                                bool cutsSequences, SmallVector<Value> pieces) {
  int64_t strip = rowsAtOnce(*state.plan), columns = plan.keyTile / 8;
  // The last query of the window is the row itself, which is done already
  // unless other heads are read as well.
  int64_t skipped = readsOnlyItself(state) ? 1 : 0;
  forWindows(state, skipped, [&](const Window &window) {
    for (int64_t first = 0; first < static_cast<int64_t>(pieces.size());
         first += columns)
      for (Value view : state.views)
        accumulateWindow(state, view, Value(), ring, window,
                         first / columns * strip, cutsSequences,
                         MutableArrayRef(pieces).slice(first, columns));
  });
  Value result = b.splat(tileType(state.plan->resultRows), 0.0);
  for (auto [index, value] : llvm::enumerate(pieces))
    result = b.insertPart(value, result, index / columns * strip,
                          8 * (index % columns));
  return result;
}

TileKernel::Ring TileKernel::locateRing(const StepPlan &step, Value tile) {
  if (plan.hasManyHeads)
    return {columnOfScores(convsDone), columnOfScores(convsDone + 1)};
  auto place = [&](Value number) {
    Value index = arith::RemUIOp::create(b, number, b.index(step.places));
    return b.mul(index, plan.keyTile);
  };
  return {place(tile), place(b.add(tile, step.places - 1))};
}

/// Writes the operand of a convolution to its ring. Returns the pieces of 8
/// columns of the result, of which the first products have been added.
SmallVector<Value> TileKernel::beginConv(StepState &state, Value scores,
                                         Value tile) {
  const StepPlan &step = *state.plan;
  Ring ring = state.ring = locateRing(step, tile);
  if (plan.hasManyHeads)
    willWrite(state.buffers[0]);
  int64_t last = step.rowsBefore;
  SmallVector<Value> own = writeScores(state, scores, b.index(last), ring.own);
  int64_t strip = rowsAtOnce(step);
  SmallVector<Value> pieces(step.resultRows / strip * (plan.keyTile / 8),
                            b.splat(b.type({strip, 8}, b.getF32Type()), 0.0));
  // A row's own scores are in registers, and of its own sequence.
  if (readsOnlyItself(state))
    for (auto [view, tile] : llvm::zip_equal(state.views, own))
      accumulateWindow(state, view, tile, ring, {last, 0, state.bands[last]},
                       /*row=*/0, /*cutsSequences=*/false, pieces);
  return pieces;
}

/// The rest, when all that is read has been written.
///
/// Masked scores of another sequence are zero for every row but its own: a
/// result reads such a one only where keys of both are in reach.
Value TileKernel::finishConv(StepState &state, SmallVector<Value> pieces,
                             Value tile, int64_t trailing) {
  const StepPlan &step = *state.plan;
  // A tile ahead was begun in another iteration.
  Ring ring = plan.isAhead ? locateRing(step, tile) : state.ring;
  ++convsDone;
  int64_t last = step.rowsBefore;
  sharing = Sharing::Heads;
  readSinceBarrier.push_back(state.buffers[0]);
  if (!plan.hasSequences || last == 0)
    return multiplyBands(state, ring, /*cutsSequences=*/false, pieces);
  Type type = tileType(step.resultRows);
  auto branch =
      scf::IfOp::create(b, type, crossesSequences(step, tile, trailing),
                        /*withElseRegion=*/true);
  for (bool cuts : {true, false}) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(cuts ? branch.thenBlock() : branch.elseBlock());
    scf::YieldOp::create(b, multiplyBands(state, ring, cuts, pieces));
  }
  return branch.getResult(0);
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
  BarrierOp::create(b);
  Value result;
  VectorType shared = VectorType::get({plan.rows, plan.keyTile}, stagedType());
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

/// Whether pairs of the last `rows` rows of the tile and keys from `column0`
/// on, of which rows of the halo count only if they are needed, may be not
/// allowed.
Value TileKernel::isBoundary(Value column0, int64_t rows, int64_t trailing,
                             bool ownRowsOnly) {
  Value end = keyEnd;
  if (isCausal()) {
    // Rows before the first query are zero anyway.
    Value first = ownRowsOnly ? row0 : b.max(firstOf(rows), queryBegin);
    end = b.min(end, b.add(b.add(first, shift), 1));
  }
  using arith::CmpIPredicate;
  Value result =
      b.compare(CmpIPredicate::sgt, b.add(column0, plan.keyTile), end);
  auto orIf = [&](Value other) {
    result = arith::OrIOp::create(b, result, other);
  };
  if (trailing > 0 || plan.hasSequences)
    orIf(b.compare(CmpIPredicate::slt, column0, lastKeyBegin));
  // Others than many heads read queries before the first one as zero.
  if (plan.hasManyHeads && mayBeBefore(rows))
    orIf(b.compare(CmpIPredicate::slt, firstOf(rows), queryBegin));
  return result;
}

/// Numbers of tiles, of 32 bits, take one register where bounds of rows and
/// keys are several of 64 bits in every tile of a kernel of many heads. One for
/// all masks of a sweep: that of all rows of the tile and of results that do
/// not trail, which no other comes before.
void TileKernel::findBoundary() {
  Value end = keyEnd;
  if (isCausal())
    end = b.min(end, b.add(b.add(b.max(firstRow, queryBegin), shift), 1));
  Value first =
      arith::DivUIOp::create(b, b.max(end, zero()), b.index(plan.keyTile));
  if (mayBeBefore(plan.rows)) {
    Value isBefore = b.compare(arith::CmpIPredicate::slt, firstRow, queryBegin);
    first = arith::SelectOp::create(b, isBefore, zero(), first);
  }
  boundaryTile = arith::IndexCastOp::create(b, b.getI32Type(), first);
}

/// The same as `isBoundary`, or true in a few more tiles.
Value TileKernel::isBehindBoundary(Value tile, int64_t trailing) {
  using arith::CmpIPredicate;
  Type i32 = b.getI32Type();
  tile = arith::IndexCastOp::create(b, i32, tile);
  Value result = b.compare(CmpIPredicate::uge, tile, boundaryTile);
  if (trailing == 0)
    return result;
  Value first = arith::ConstantOp::create(
      b, b.getI32IntegerAttr(llvm::divideCeil(trailing, plan.keyTile)));
  return arith::OrIOp::create(b, result,
                              b.compare(CmpIPredicate::ult, tile, first));
}

/// Whether pairs are allowed, the last `rows` rows of the tile x columns from
/// `column0` on. What bounds them depends on the tile of keys and is small: as
/// indices, the same in every tile, they would take registers all the time.
Value TileKernel::isAllowed(Value column0, int64_t rows) {
  using arith::CmpIPredicate;
  Type i32 = b.getI32Type();
  VectorType rowType = VectorType::get({rows}, i32);
  VectorType columnType = VectorType::get({plan.keyTile}, i32);
  VectorType flat = VectorType::get({rows, plan.keyTile}, i32);
  auto count = [&](VectorType type) -> Value {
    return arith::IndexCastOp::create(b, type,
                                      b.step(type.getDimSize(0), 0, 1));
  };
  // A bound beyond the tile is as good as one at its edge.
  int64_t edge = rows + plan.keyTile;
  auto repeat = [&](Value value, VectorType type) -> Value {
    value = b.max(b.min(value, b.index(edge)), b.index(-edge));
    return vector::BroadcastOp::create(
        b, type, arith::IndexCastOp::create(b, i32, value).getResult());
  };
  Value row = count(rowType), column = count(columnType);
  Value first = firstOf(rows);
  Value ends = repeat(b.sub(keys, column0), rowType);
  if (isCausal()) {
    Value end = b.sub(b.add(b.add(first, shift), 1), column0);
    ends = b.min(ends, b.add(row, repeat(end, rowType)));
  }
  // Queries before the first one, which many heads load as that one, read
  // nothing. Others are zero.
  if (plan.hasManyHeads && mayBeBefore(rows)) {
    Value isBefore =
        b.compare(CmpIPredicate::slt, b.add(row, repeat(first, rowType)),
                  repeat(zero(), rowType));
    Value none = repeat(b.sub(zero(), column0), rowType);
    ends = arith::SelectOp::create(b, isBefore, none, ends);
  }
  Value allowed = b.compare(CmpIPredicate::slt, b.broadcast(column, flat),
                            b.broadcastRows(ends, flat));
  Value isKey = b.compare(CmpIPredicate::sge, column,
                          repeat(b.sub(zero(), column0), columnType));
  return arith::AndIOp::create(
      b, allowed,
      b.broadcast(isKey, VectorType::get(flat.getShape(), b.getI1Type())));
}

/// The same with boundaries.
Value TileKernel::isAllowedInSequence(Value column0, int64_t rows) {
  Value column =
      b.add(b.step(plan.keyTile, 0, 1),
            vector::BroadcastOp::create(
                b, VectorType::get({plan.keyTile}, b.getIndexType()), column0));
  return isInSequence(column, rows);
}

/// `scores`, which trail by `trailing` columns, with `fill` where a pair is not
/// allowed. No code runs in tiles all of whose pairs are.
Value TileKernel::mask(Value scores, Value tile, int64_t trailing,
                       bool ownRowsOnly, double fill) {
  auto type = cast<VectorType>(scores.getType());
  int64_t rows = type.getDimSize(type.getRank() - 2);
  Value column0 = b.add(b.mul(tile, plan.keyTile), -trailing);
  Value isCut = boundaryTile ? isBehindBoundary(tile, trailing)
                             : isBoundary(column0, rows, trailing, ownRowsOnly);
  auto branch = scf::IfOp::create(b, scores.getType(), isCut,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value allowed = plan.hasSequences ? isAllowedInSequence(column0, rows)
                                    : isAllowed(column0, rows);
  allowed =
      b.broadcast(allowed, VectorType::get(type.getShape(), b.getI1Type()));
  Value masked =
      arith::SelectOp::create(b, allowed, scores, b.splat(type, fill));
  scf::YieldOp::create(b, masked);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, scores);
  return branch.getResult(0);
}

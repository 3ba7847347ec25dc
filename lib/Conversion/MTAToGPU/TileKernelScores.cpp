//===- TileKernelScores.cpp - Scores of many heads that wait ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With n convolutions a sweep has n + 1 places for a tile of scores. Of v2,
// with a convolution and a mix on both sides of the softmax, they hold
//
//     place           0              1              2
//     q·kᵀ            scores         scores before  weights before
//     pre-conv        scores         free           weights before
//     pre-mix         scores         mixed          weights before
//     post-conv       scores         weights        free
//     post-mix, p·v   scores         weights        mixed
//
// Numbers are those of one tile of keys: place k of it is place k + 1 of the
// next one, and the last, which is free in the end, its first.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mta;

void TileKernel::allocateScores() {
  KernelPlan::ScorePlaces places = plan.scorePlaces();
  int64_t columns = places.count * plan.keyTile;
  int64_t elements = plan.heads * headStride(places.rows, columns) +
                     places.above * paddedRow(columns);
  for (int64_t copy = 0; copy < places.copies; ++copy)
    scoreBuffers.push_back(b.workgroupBuffer({elements}, b.getF16Type()));
}

/// The last `rows` rows of the tile and `before` more above them, heads x rows
/// x columns of all places. Rows above those that are needed are the last ones
/// of the head before.
Value TileKernel::viewScores(int64_t copy, int64_t rows, int64_t before) {
  KernelPlan::ScorePlaces places = plan.scorePlaces();
  int64_t columns = places.count * plan.keyTile, row = paddedRow(columns);
  int64_t offset = (places.above + places.rows - rows - before) * row;
  int64_t sizes[] = {plan.heads, before + rows, row};
  int64_t strides[] = {headStride(places.rows, columns), row, 1};
  auto type = cast<MemRefType>(scoreBuffers[copy].getType());
  auto layout = StridedLayoutAttr::get(b.getContext(), offset, strides);
  auto view = MemRefType::get(sizes, type.getElementType(), layout,
                              type.getMemorySpace());
  return memref::ReinterpretCastOp::create(b, view, scoreBuffers[copy], offset,
                                           sizes, strides);
}

void TileKernel::takeScores(StepState &state) {
  const StepPlan &step = *state.plan;
  for (int64_t copy = 0; copy < step.copies; ++copy) {
    state.buffers.push_back(scoreBuffers[copy]);
    state.views.push_back(viewScores(copy, step.rows, step.rowsBefore));
  }
}

/// Keys before the first one read as zero.
void TileKernel::beginScores(const Sweep &sweep) {
  convsOfSweep = llvm::count_if(sweep.steps, [](const StepState *state) {
    return isa<KeyQueryConvOp>(*state->plan->op);
  });
  for (Value buffer : scoreBuffers)
    fillZero(buffer);
}

static Value number32(TileBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
}

void TileKernel::findPlaces(Value tile) {
  convsDone = 0;
  if (scoreBuffers.empty())
    return;
  // From tile to tile place 0 goes one to the left, which is n to the right.
  // Numbers of 32 bits take one register.
  Value number = arith::IndexCastOp::create(b, b.getI32Type(), tile);
  number = arith::MulIOp::create(b, number, number32(b, convsOfSweep));
  freePlace = arith::RemUIOp::create(b, number, number32(b, convsOfSweep + 1));
}

/// The first column of the place that is free after `number` convolutions of
/// the tile, which is the one that the last of them kept from the tile before.
Value TileKernel::columnOfScores(int64_t number) {
  Value place = b.add(freePlace, number32(b, number));
  Value count = number32(b, convsOfSweep + 1);
  Value isBeyond = b.compare(arith::CmpIPredicate::uge, place, count);
  Value around = b.sub(place, count);
  place = arith::SelectOp::create(b, isBeyond, around, place);
  Value column = arith::MulIOp::create(b, place, number32(b, plan.keyTile));
  return arith::IndexCastUIOp::create(b, b.getIndexType(), column);
}

/// Weights of values, from where rows share the warps to where heads do.
Value TileKernel::weightsThroughScores(Value weights) {
  auto type = cast<VectorType>(weights.getType());
  auto staged = VectorType::get(type.getShape(), stagedType());
  bool isStaged = type == staged;
  Value view = viewScores(0, plan.accumulatorRows, 0);
  Value place[] = {zero(), zero(), columnOfScores(convsDone)};
  willWrite(scoreBuffers[0]);
  // Bits are bits.
  b.write(isStaged ? weights : arith::BitcastOp::create(b, staged, weights),
          view, place);
  barrier();
  sharing = Sharing::Heads;
  readSinceBarrier.push_back(scoreBuffers[0]);
  Value read = b.read(view, place, staged);
  return isStaged ? read : arith::BitcastOp::create(b, type, read);
}

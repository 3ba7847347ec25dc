//===- TileKernelAhead.cpp - Sweeps one tile of keys ahead ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     copy k₀, wait, meet; copy k₁ v₀
//     begin 0
//     for tile t but the last one:
//       wait for its values and the next keys, meet; copy k₍t+2₎ v₍t+1₎
//       queries times k₍t+1₎             runs while
//       finish t, weights times v₍t₎     runs while
//       begin t+1
//     wait for the last values, meet
//     finish the last one
//
// Threads meet once a tile, and scores are begun between the barriers of the
// tile before: what windows read of them is written when those have passed.
// The ring of the first window has a place more, for what is written while two
// tiles are read.
//
//===----------------------------------------------------------------------===//

#include "TileKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mta;

/// Copies what the barrier of tile `tile` waits for: its values, and the keys
/// of the next one, if there is one.
void TileKernel::copyAheadOf(const Sweep &sweep, Value tile, Value end) {
  Value next = b.add(tile, 1);
  auto branch =
      scf::IfOp::create(b, b.compare(arith::CmpIPredicate::slt, next, end),
                        /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    copyKeys(next);
    CommitCopiesOp::create(b);
  }
  if (sweep.needsValues)
    copyOwnValues(tile, sweep.trailing);
  CommitCopiesOp::create(b);
}

/// Whether tensor cores work on `value` by themselves.
static bool isUnderWay(Value value) {
  auto contract = value.getDefiningOp<ContractTileOp>();
  return contract && contract.getAsync();
}

Value TileKernel::waitForProduct(Value product, int64_t pending) {
  if (!isUnderWay(product))
    return product;
  return WaitProductOp::create(b, product.getType(), product, pending);
}

/// Finishes a tile and, with `next`, begins the one after it.
SmallVector<Value> TileKernel::finishAhead(Value tile, Value next,
                                           ValueRange begun, ValueRange carried,
                                           SweepBody body) {
  Value product = next ? beginProduct(next) : Value();
  int64_t trailing = 0;
  Value scores = finishSteps(llvm::to_vector(begun), tile, trailing);
  SmallVector<Value> results = body(scores, tile, trailing, carried);
  SmallVector<Value> all;
  if (next) {
    product = waitForProduct(product, llvm::count_if(results, isUnderWay));
    all = beginSteps(scaleScores(product), next);
  }
  for (Value result : results)
    all.push_back(waitForProduct(result, 0));
  return all;
}

SmallVector<Value> TileKernel::emitAhead(const Sweep &sweep, Value first,
                                         Value end, ValueRange init,
                                         SweepBody body) {
  Value exists = b.compare(arith::CmpIPredicate::slt, first, end);
  auto branch = scf::IfOp::create(b, TypeRange(init), exists,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, init);
  b.setInsertionPointToStart(branch.thenBlock());
  copyKeys(first);
  CommitCopiesOp::create(b);
  waitForCopies();
  copyAheadOf(sweep, first, end);
  Value product = waitForProduct(beginProduct(first), 0);
  SmallVector<Value> carried = beginSteps(scaleScores(product), first);
  size_t begun = carried.size();
  llvm::append_range(carried, init);
  Value last = b.add(end, -1);
  auto loop = scf::ForOp::create(b, first, last, b.index(1), carried);
  {
    OpBuilder::InsertionGuard inLoop(b);
    b.setInsertionPointToStart(loop.getBody());
    Value tile = loop.getInductionVar(), next = b.add(tile, 1);
    waitForCopies();
    copyAheadOf(sweep, next, end);
    ValueRange all = loop.getRegionIterArgs();
    scf::YieldOp::create(b, finishAhead(tile, next, all.take_front(begun),
                                        all.drop_front(begun), body));
  }
  waitForCopies();
  ValueRange all = loop.getResults();
  scf::YieldOp::create(b, finishAhead(last, Value(), all.take_front(begun),
                                      all.drop_front(begun), body));
  return llvm::to_vector_of<Value>(branch.getResults());
}

//===- ScheduleWorkshare.cpp - Threads take tiles ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mta {
#define GEN_PASS_DEF_SCHEDULEWORKSHAREPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

/// Whether iterations of `loop` may differ in work: one of the loops in them
/// has bounds that are computed there.
static bool isUneven(omp::WsloopOp loop) {
  return loop
      .walk([&](scf::ForOp inner) {
        for (Value bound : {inner.getLowerBound(), inner.getUpperBound()})
          if (!matchPattern(bound, m_Constant()) &&
              loop->isProperAncestor(bound.getParentBlock()->getParentOp()))
            return WalkResult::interrupt();
        return WalkResult::advance();
      })
      .wasInterrupted();
}

/// Runs the last dimension of `nest` from its last value to its first.
static void reverseLast(omp::LoopNestOp nest) {
  Value begin = nest.getLoopLowerBounds().back();
  Value step = nest.getLoopSteps().back();
  // Otherwise the last value is not one step before the bound.
  if (!matchPattern(begin, m_Zero()) || !matchPattern(step, m_One()) ||
      nest.getLoopInclusive())
    return;
  Block &body = nest.getRegion().front();
  auto builder = ImplicitLocOpBuilder::atBlockBegin(nest.getLoc(), &body);
  BlockArgument index = body.getArguments().back();
  Value last =
      arith::SubIOp::create(builder, nest.getLoopUpperBounds().back(), step);
  Value reversed = arith::SubIOp::create(builder, last, index);
  index.replaceAllUsesExcept(reversed, reversed.getDefiningOp());
}

namespace {
struct ScheduleWorksharePass
    : mta::impl::ScheduleWorksharePassBase<ScheduleWorksharePass> {
  void runOnOperation() override {
    getOperation()->walk([](omp::WsloopOp loop) {
      if (loop.getScheduleKind() || !isUneven(loop))
        return;
      loop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
      reverseLast(cast<omp::LoopNestOp>(loop.getWrappedLoop()));
    });
  }
};
} // namespace

//===- OutputChain.cpp - Norms and gates after an attention -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Builders/OutputChain.h"

#include "mlir/IR/Dominance.h"

using namespace mlir;
using namespace mta;

/// The norm or gate that alone reads `value`, or null.
static Operation *onlyOutputOp(Value value) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *user = *value.user_begin();
  bool follows = isa<HeadNormOp, GateOp>(user) &&
                 user->getBlock() == value.getParentBlock();
  return follows ? user : nullptr;
}

SmallVector<Operation *> mta::builders::findOutputChain(AttentionOp op) {
  DominanceInfo dominance;
  SmallVector<Operation *> chain;
  for (Operation *next = onlyOutputOp(op.getOutput()); next;
       next = onlyOutputOp(next->getResult(0))) {
    for (Value weights : next->getOperands().drop_front())
      if (!dominance.properlyDominates(weights, op))
        return chain;
    chain.push_back(next);
  }
  return chain;
}

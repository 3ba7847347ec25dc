//===- VerifyBufferLayouts.cpp - Layouts that fit ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream takes the layout of an argument for one of its type without a look:
// one of an unranked tensor ends the process, one of another rank becomes a
// memref that does not verify.
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mta {
#define GEN_PASS_DEF_VERIFYBUFFERLAYOUTSPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

static LogicalResult verifyLayout(func::FuncOp function, unsigned number) {
  auto layout = function.getArgAttrOfType<MemRefLayoutAttrInterface>(
      number, bufferization::BufferizationDialect::kBufferLayoutAttrName);
  Type type = function.getArgumentTypes()[number];
  if (!layout)
    return success();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && layout.getAffineMap().getNumDims() == tensor.getRank())
    return success();
  return function.emitOpError("expects a layout of a ranked tensor and of its "
                              "rank, but argument #")
         << number << " is " << type << " with " << layout;
}

namespace {
struct VerifyBufferLayoutsPass
    : mta::impl::VerifyBufferLayoutsPassBase<VerifyBufferLayoutsPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      for (unsigned number = 0; number < function.getNumArguments(); ++number)
        if (failed(verifyLayout(function, number)))
          return signalPassFailure();
  }
};
} // namespace

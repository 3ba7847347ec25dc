//===- VectorToFragments.cpp - Tile programs on threads -------------- -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Conversion/VectorToFragments/VectorToFragments.h"

#include "Distributor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/IR/Matchers.h"

namespace mta {
#define GEN_PASS_DEF_CONVERTVECTORTOFRAGMENTSPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

SmallVector<gpu::LaunchOp> mta::findTilePrograms(Operation *root) {
  SmallVector<gpu::LaunchOp> launches;
  root->walk([&](gpu::LaunchOp op) {
    if (op->hasAttr("mta.heads"))
      launches.push_back(op);
  });
  return launches;
}

/// Distributes one launch, if its size and its tile fit each other.
static LogicalResult distributeLaunch(gpu::LaunchOp launch) {
  auto heads = launch->getAttrOfType<IntegerAttr>("mta.heads");
  auto rows = launch->getAttrOfType<IntegerAttr>("mta.rows");
  APInt threads;
  if (!heads || !rows ||
      !matchPattern(launch.getBlockSizeX(), m_ConstantInt(&threads)))
    return launch.emitOpError("expects constant threads and the attributes "
                              "'mta.heads' and 'mta.rows'");
  int64_t warps = threads.getSExtValue() / 32;
  int64_t strips = heads.getInt() * (rows.getInt() / 16);
  if (heads.getInt() < 1 || rows.getInt() % 16 != 0 || warps < 1 ||
      threads.getSExtValue() % 32 != 0 || warps % heads.getInt() != 0 ||
      strips % warps != 0)
    return launch.emitOpError("expects whole strips of 16 rows for every warp "
                              "and whole warps for every head, but got ")
           << rows.getInt() << " rows and " << heads.getInt() << " heads for "
           << threads.getSExtValue() << " threads";
  if (failed(checkLayouts(launch, warps, heads.getInt(), rows.getInt())))
    return failure();
  return Distributor(launch, warps, heads.getInt(), rows.getInt()).run();
}

namespace {
struct ConvertVectorToFragmentsPass
    : mta::impl::ConvertVectorToFragmentsPassBase<
          ConvertVectorToFragmentsPass> {
  void runOnOperation() override {
    for (gpu::LaunchOp launch : findTilePrograms(getOperation())) {
      if (failed(distributeLaunch(launch)))
        return signalPassFailure();
      launch->removeAttr("mta.heads");
      launch->removeAttr("mta.rows");
    }
  }
};
} // namespace

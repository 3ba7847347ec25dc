//===- CPUPipeline.cpp - Tiled kernels for this machine ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     mta ops -> tiles on tensors -> buffers -> register blocks -> threads
//             -> LLVM dialect
//
//===----------------------------------------------------------------------===//

#include "HostLowering.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"
#include "mta/Pipelines/VectorUnits.h"

using namespace mlir;
using namespace mta;

/// What `options` say, and of this machine what they leave open.
static VectorUnits unitsFrom(const mta::CPUOptions &options) {
  VectorUnits units = vectorUnitsOf(thisMachineHas);
  if (options.vectorBits)
    units.vectorBits = options.vectorBits;
  if (options.pairCost != CPUOptions::kThisMachine)
    units.pairCost = options.pairCost;
  return units;
}

static void buildTiles(OpPassManager &pm, const mta::CPUOptions &options,
                       const VectorUnits &units) {
  buildSimplification(pm);
  mta::ChooseSchedulePassOptions choose;
  choose.queryTile = options.queryTile;
  choose.keyTile = options.keyTile;
  choose.edgeKeyTile = options.edgeKeyTile;
  choose.sweeps = options.sweeps;
  choose.heads = options.heads;
  choose.vectorBits = units.vectorBits;
  choose.pairCost = units.pairCost;
  choose.explain = options.explain;
  pm.addPass(mta::createChooseSchedulePass(choose));
  pm.addPass(mta::createTileAttentionPass());
  pm.addPass(mta::createVerifyTiledPass());
}

/// What follows the tiles becomes linalg, then everything buffers.
static void buildBuffers(OpPassManager &pm) {
  pm.addPass(mta::createConvertMTAToLinalgPass());
  buildSimplification(pm);
  pm.addPass(mta::createFusePaddingPass());
  buildSimplification(pm);
  mta::buildBufferization(pm);
  // The second run removes copies of a buffer to itself, which the first makes
  // visible.
  buildSimplification(pm);
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  mta::buildDeallocation(pm);
}

static void buildVectors(OpPassManager &pm, const VectorUnits &units) {
  pm.addPass(mta::createParallelizeRowsPass());
  buildSimplification(pm);
  mta::VectorizeTilesPassOptions vectorize;
  vectorize.vectorBits = units.vectorBits;
  vectorize.pairProducts = units.pairCost != 0;
  pm.addPass(mta::createVectorizeTilesPass(vectorize));
  // Half of the operations are the same indices again, which are found faster
  // than they are simplified.
  pm.addPass(createCSEPass());
  buildSimplification(pm);
  mta::VerifyTileProgramPassOptions verify;
  verify.vectorBits = units.vectorBits;
  pm.addPass(mta::createVerifyTileProgramPass(verify));
}

static void buildLoops(OpPassManager &pm, const mta::CPUOptions &options) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  if (options.threads) {
    pm.addPass(createConvertSCFToOpenMPPass());
    pm.addPass(mta::createScheduleWorksharePass());
    // Removes the scopes of stack allocations that hold none; the conversion of
    // loops to branches does not take them.
    pm.addPass(createCanonicalizerPass());
  }
  pm.addPass(mta::createExpandMathPass());
}

static void buildLLVM(OpPassManager &pm) {
  buildHostLoops(pm);
  ConvertVectorToLLVMPassOptions vectors;
  vectors.x86Vector = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  buildLLVMConversions(pm);
  buildCleanup(pm);
}

void mta::buildCPUPipeline(OpPassManager &pm, const CPUOptions &options) {
  VectorUnits units = unitsFrom(options);
  buildTiles(pm, options, units);
  if (options.until == CPULevel::Tiles)
    return;
  buildBuffers(pm);
  buildVectors(pm, units);
  if (options.until == CPULevel::Vectors)
    return;
  buildLoops(pm, options);
  buildLLVM(pm);
}

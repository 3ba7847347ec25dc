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
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mta;

/// The widest vector registers of this machine; 128 where nothing is known.
static int64_t hostVectorBits() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("avx512f"))
    return 512;
  return features.lookup("avx2") ? 256 : 128;
}

static void buildTiles(OpPassManager &pm, const mta::CPUOptions &options,
                       int64_t vectorBits) {
  buildSimplification(pm);
  mta::ChooseSchedulePassOptions choose;
  choose.queryTile = options.queryTile;
  choose.keyTile = options.keyTile;
  choose.edgeKeyTile = options.edgeKeyTile;
  choose.sweeps = options.sweeps;
  choose.heads = options.heads;
  choose.vectorBits = vectorBits;
  pm.addPass(mta::createChooseSchedulePass(choose));
  pm.addPass(mta::createTileAttentionPass());
  pm.addPass(mta::createVerifyTiledPass());
  pm.addPass(mta::createConvertMTAToLinalgPass());
  buildSimplification(pm);
  pm.addPass(mta::createFusePaddingPass());
  buildSimplification(pm);
}

static void buildBuffers(OpPassManager &pm) {
  mta::buildBufferization(pm);
  // The second run removes copies of a buffer to itself, which the first makes
  // visible.
  buildSimplification(pm);
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  mta::buildDeallocation(pm);
}

static void buildLoops(OpPassManager &pm, const mta::CPUOptions &options,
                       int64_t vectorBits) {
  pm.addPass(mta::createParallelizeRowsPass());
  buildSimplification(pm);
  mta::VectorizeTilesPassOptions vectorize;
  vectorize.vectorBits = vectorBits;
  pm.addPass(mta::createVectorizeTilesPass(vectorize));
  // Half of the operations are the same indices again, which are found faster
  // than they are simplified.
  pm.addPass(createCSEPass());
  buildSimplification(pm);
  mta::VerifyTileProgramPassOptions verify;
  verify.vectorBits = vectorBits;
  pm.addPass(mta::createVerifyTileProgramPass(verify));
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
  pm.addPass(createConvertVectorToLLVMPass());
  buildLLVMConversions(pm);
  buildCleanup(pm);
}

void mta::buildCPUPipeline(OpPassManager &pm, const CPUOptions &options) {
  int64_t vectorBits =
      options.vectorBits ? options.vectorBits : hostVectorBits();
  buildTiles(pm, options, vectorBits);
  buildBuffers(pm);
  buildLoops(pm, options, vectorBits);
  buildLLVM(pm);
}

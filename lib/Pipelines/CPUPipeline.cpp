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

#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

/// The widest vector registers of this machine; 128 where nothing is known.
static int64_t hostVectorBits() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("avx512f"))
    return 512;
  return features.lookup("avx2") ? 256 : 128;
}

static void simplify(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void buildTiles(OpPassManager &pm, const mta::CPUOptions &options,
                       int64_t vectorBits) {
  simplify(pm);
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
  simplify(pm);
}

static void buildBuffers(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // The second run removes copies of a buffer to itself, which the first makes
  // visible.
  simplify(pm);
  pm.addPass(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(mta::createCopiesToLinalgPass());
}

static void buildLoops(OpPassManager &pm, const mta::CPUOptions &options,
                       int64_t vectorBits) {
  mta::VectorizeTilesPassOptions vectorize;
  vectorize.vectorBits = vectorBits;
  pm.addPass(mta::createVectorizeTilesPass(vectorize));
  simplify(pm);
  mta::VerifyTileProgramPassOptions verify;
  verify.vectorBits = vectorBits;
  pm.addPass(mta::createVerifyTileProgramPass(verify));
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToParallelLoopsPass());
  pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
  if (options.threads) {
    pm.addPass(createConvertSCFToOpenMPPass());
    // Removes the scopes of stack allocations that hold none; the conversion of
    // loops to branches does not take them.
    pm.addPass(createCanonicalizerPass());
  }
  pm.addPass(mta::createExpandMathPass());
}

static void buildLLVM(OpPassManager &pm) {
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(createConvertMathToLLVMPass());
  ConvertVectorToLLVMPassOptions vector;
  vector.reassociateFPReductions = true;
  pm.addPass(createConvertVectorToLLVMPass(vector));
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  simplify(pm);
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void mta::buildCPUPipeline(OpPassManager &pm, const CPUOptions &options) {
  int64_t vectorBits =
      options.vectorBits ? options.vectorBits : hostVectorBits();
  buildTiles(pm, options, vectorBits);
  buildBuffers(pm);
  buildLoops(pm, options, vectorBits);
  buildLLVM(pm);
}

//===- GPUPipeline.cpp - Fused tensor-core kernels --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     mta ops -> tile programs on vectors -> buffers -> layouts -> threads
//             -> workgroup memory -> kernels -> PTX
//
//===----------------------------------------------------------------------===//

#include "HostLowering.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;

/// Attention becomes tile programs; what follows it, linalg.
static void buildTilePrograms(OpPassManager &pm, StringRef chip) {
  mta::buildSimplification(pm);
  mta::ConvertMTAToGPUPassOptions options;
  // PTX ISA 9.7.15: wgmma needs sm_90a.
  options.warpgroups = chip == "sm_90a";
  pm.addPass(mta::createConvertMTAToGPUPass(options));
  pm.addPass(mta::createConvertMTAToLinalgPass());
  mta::buildSimplification(pm);
  mta::buildBufferization(pm);
  mta::buildDeallocation(pm);
}

/// Tile programs become the programs of threads.
static void buildThreads(OpPassManager &pm) {
  pm.addPass(mta::createAssignLayoutsPass());
  pm.addPass(mta::createConvertVectorToFragmentsPass());
  pm.addPass(mta::createApproximateMathPass());
  mta::buildSimplification(pm);
  pm.addPass(mta::createPlanWorkgroupMemoryPass());
}

void mta::buildGPUPipeline(OpPassManager &pm,
                           const ReferenceGPUOptions &options) {
  buildTilePrograms(pm, options.chip);
  buildThreads(pm);
  buildLaunches(pm, options.blockSize);
  pm.addPass(mta::createKernelParametersPass());
  buildKernelPipeline(pm, options);
}

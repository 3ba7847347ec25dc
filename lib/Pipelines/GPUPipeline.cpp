//===- GPUPipeline.cpp - Fused tensor-core kernels --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     mta ops -> schedules -> tile programs on vectors -> buffers -> layouts
//             -> threads -> workgroup memory -> kernels -> PTX
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
#include "mta/Hardware/GPU.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;

/// Attentions get the shapes of their kernels.
static void buildSchedules(OpPassManager &pm, const mta::GPUOptions &options) {
  mta::ChooseKernelSchedulePassOptions choose;
  choose.chip = options.chip;
  choose.rows = options.rows;
  choose.keyTile = options.keyTile;
  choose.warps = options.warps;
  choose.stages = options.stages;
  choose.query = options.query;
  choose.scores = options.scores;
  choose.products = options.products;
  choose.keySplits = options.keySplits;
  choose.ahead = options.ahead;
  choose.expectedQueries = options.expectedQueries;
  choose.expectedKeys = options.expectedKeys;
  choose.expectedBatch = options.expectedBatch;
  choose.explain = options.explain;
  pm.addPass(mta::createChooseKernelSchedulePass(choose));
}

/// Attention becomes tile programs; what follows it, linalg.
static void buildTilePrograms(OpPassManager &pm,
                              const mta::GPUOptions &options) {
  mta::buildSimplification(pm);
  buildSchedules(pm, options);
  mta::ConvertMTAToGPUPassOptions convert;
  convert.f32Precision = options.f32Precision;
  convert.warpgroups = mta::hardware::hasWarpgroups(options.chip.getValue());
  unsigned number = mta::hardware::architectureNumber(options.chip.getValue());
  if (const auto *architecture = mta::hardware::findArchitecture(number))
    // One byte is static, see KernelCost.cpp.
    convert.workgroupBytes = architecture->blockBytes - 1;
  pm.addPass(mta::createConvertMTAToGPUPass(convert));
  pm.addPass(mta::createConvertMTAToLinalgPass());
  mta::buildSimplification(pm);
  mta::buildBufferization(pm);
  mta::buildDeallocation(pm);
  pm.addPass(mta::createVerifyWorkgroupProgramPass());
}

/// Tile programs become the programs of threads.
static void buildThreads(OpPassManager &pm) {
  pm.addPass(mta::createAssignLayoutsPass());
  pm.addPass(mta::createConvertVectorToFragmentsPass());
  pm.addPass(mta::createApproximateMathPass());
  mta::buildSimplification(pm);
  pm.addPass(mta::createVerifyThreadProgramPass());
}

void mta::buildGPUPipeline(OpPassManager &pm, const GPUOptions &options) {
  if (options.contract)
    pm.addPass(mta::createNameSizesPass());
  buildTilePrograms(pm, options);
  if (options.until == GPULevel::Workgroups)
    return;
  buildThreads(pm);
  if (options.until == GPULevel::Threads)
    return;
  pm.addPass(mta::createPlanWorkgroupMemoryPass());
  buildLaunches(pm, options.blockSize);
  pm.addPass(mta::createKernelParametersPass());
  pm.addPass(mta::createOneWorkgroupPass());
  // Contracts name kernels as they are called at last.
  if (options.mergeKernels)
    pm.addPass(mta::createMergeGPUModulesPass());
  if (options.contract)
    pm.addPass(mta::createLaunchContractPass());
  buildKernelPipeline(pm, options);
}

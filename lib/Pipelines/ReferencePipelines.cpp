//===- ReferencePipelines.cpp - Unfused pipelines, the oracle ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     mta ops  ->  linalg on tensors  ->  memrefs  ->  loops  ->  LLVM dialect
//                                                  \->  kernels  ->  PTX
//
//===----------------------------------------------------------------------===//

#include "HostLowering.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mta;

/// From the mta dialect to linalg on memrefs that are freed.
static void buildReferenceBuffers(OpPassManager &pm) {
  pm.addPass(mta::createConvertMTAToLinalgPass());
  buildSimplification(pm);
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  bufferization::buildBufferDeallocationPipeline(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  // Copies run where the loops run and call no runtime library.
  pm.addPass(mta::createCopiesToLinalgPass());
}

void mta::buildReferenceCPUPipeline(OpPassManager &pm) {
  buildReferenceBuffers(pm);
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  buildHostLoops(pm);
  buildLLVMConversions(pm);
  buildCleanup(pm);
}

void mta::buildHostPipeline(OpPassManager &pm) {
  buildHostLoops(pm);
  pm.addPass(createGpuToLLVMConversionPass());
  buildCleanup(pm);
}

/// Every linalg operation becomes one launch of one-dimensional blocks.
static void buildLaunches(OpPassManager &pm, unsigned blockSize) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToParallelLoopsPass());
  pm.addPass(mta::createCollapseParallelLoopsPass());
  int64_t tile[] = {blockSize};
  pm.addNestedPass<func::FuncOp>(
      createParallelLoopTilingPass(tile, /*noMinMaxBounds=*/true));
  pm.addNestedPass<func::FuncOp>(createGpuMapParallelLoopsPass());
  pm.addNestedPass<func::FuncOp>(createConvertParallelLoopToGpuPass());
  buildSimplification(pm);
  pm.addNestedPass<func::FuncOp>(createGpuLaunchSinkIndexComputationsPass());
  pm.addPass(createGpuKernelOutliningPass());
}

void mta::buildReferenceGPUPipeline(OpPassManager &pm,
                                    const ReferenceGPUOptions &options) {
  buildReferenceBuffers(pm);
  buildLaunches(pm, options.blockSize);
  buildKernelPipeline(pm, options);
}

void mta::buildKernelPipeline(OpPassManager &pm, const KernelOptions &options) {
  if (options.mergeKernels)
    pm.addPass(mta::createMergeGPUModulesPass());
  GpuNVVMAttachTargetOptions target;
  target.chip = options.chip;
  target.optLevel = 3;
  pm.addPass(createGpuNVVMAttachTarget(target));
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(mta::createExpandMathPass());
  kernels.addPass(mta::createMathToIntrinsicsPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  buildCleanup(kernels);
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
}

void mta::registerPipelines() {
  PassPipelineRegistration<CPUOptions>(
      "mta-cpu", "Tiled, vectorised kernels for this machine",
      buildCPUPipeline);
  PassPipelineRegistration<>(
      "mta-reference-cpu",
      "Unfused reference lowering to the LLVM dialect for this machine",
      buildReferenceCPUPipeline);
  PassPipelineRegistration<ReferenceGPUOptions>(
      "mta-reference-gpu", "Unfused reference lowering to kernels in PTX",
      buildReferenceGPUPipeline);
  PassPipelineRegistration<KernelOptions>("mta-kernels-to-ptx",
                                          "Kernels in a gpu.module to PTX",
                                          buildKernelPipeline);
  PassPipelineRegistration<>(
      "mta-host-to-llvm", "Host code that launches kernels to the LLVM dialect",
      buildHostPipeline);
}

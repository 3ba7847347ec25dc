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
#include "mlir/IR/TypeUtilities.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;
using namespace mta;

/// From the mta dialect to linalg on memrefs that are freed.
static void buildReferenceBuffers(OpPassManager &pm) {
  pm.addPass(mta::createConvertMTAToLinalgPass());
  buildSimplification(pm);
  mta::buildBufferization(pm);
  mta::buildDeallocation(pm);
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
void mta::buildLaunches(OpPassManager &pm, unsigned blockSize) {
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

/// Looking for libdevice, the serialization reports an error when CUDA_HOME and
/// the like name no CUDA installation, and goes on without it. Nothing is
/// missing unless a kernel calls a function of it, which then is external in
/// the PTX.
static LogicalResult ignoreMissingToolkit(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  return success(StringRef(text).starts_with("CUDA path: ") ||
                 StringRef(text).starts_with("LibDevice path: "));
}

/// The NVPTX backend ends the process where it finds such a type.
static LogicalResult verifyKernelTypes(ModuleOp module) {
  auto result = module.walk([](gpu::GPUModuleOp kernels) {
    return kernels.walk([](Operation *op) -> WalkResult {
      for (Type type : op->getResultTypes())
        if (isa<Float80Type, Float128Type>(getElementTypeOrSelf(type)))
          return op->emitOpError("expects a type that GPUs have, but got ")
                 << type;
      return WalkResult::advance();
    });
  });
  return failure(result.wasInterrupted());
}

namespace {
/// `gpu-module-to-binary` to PTX, without errors about what is not needed.
struct SerializeKernelsPass
    : PassWrapper<SerializeKernelsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SerializeKernelsPass)

  StringRef getArgument() const override { return "mta-serialize-kernels"; }
  StringRef getDescription() const override {
    return "turn gpu.module into gpu.binary with PTX, without a CUDA toolkit";
  }

  static OpPassManager serialization() {
    GpuModuleToBinaryPassOptions options;
    options.compilationTarget = "isa";
    OpPassManager pm(ModuleOp::getOperationName());
    pm.addPass(createGpuModuleToBinaryPass(options));
    return pm;
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    serialization().getDependentDialects(registry);
  }

  void runOnOperation() override {
    if (failed(verifyKernelTypes(getOperation())))
      return signalPassFailure();
    ScopedDiagnosticHandler handler(&getContext(), ignoreMissingToolkit);
    // Upstream makes a binary of a module without its attributes.
    StringRef name = MTADialect::getLaunchContractsAttrName();
    llvm::StringMap<Attribute> contracts;
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      if (Attribute attribute = module->getAttr(name))
        contracts[module.getName()] = attribute;
    OpPassManager pm = serialization();
    if (failed(runPipeline(pm, getOperation())))
      return signalPassFailure();
    for (auto binary : getOperation().getOps<gpu::BinaryOp>()) {
      dropTimes(binary);
      if (Attribute attribute = contracts.lookup(binary.getName()))
        binary->setAttr(name, attribute);
    }
  }

private:
  /// Upstream writes down how long it took, which is different every time.
  static void dropTimes(gpu::BinaryOp binary) {
    SmallVector<Attribute> objects(binary.getObjects().getValue());
    for (Attribute &attribute : objects) {
      auto object = dyn_cast<gpu::ObjectAttr>(attribute);
      if (!object || !object.getProperties())
        continue;
      NamedAttrList properties(object.getProperties());
      properties.erase("LLVMIRToISATimeInMs");
      properties.erase("ISAToBinaryTimeInMs");
      MLIRContext *context = binary.getContext();
      attribute = gpu::ObjectAttr::get(
          context, object.getTarget(), object.getFormat(), object.getObject(),
          properties.getDictionary(context), object.getKernels());
    }
    binary.setObjectsAttr(ArrayAttr::get(binary.getContext(), objects));
  }
};
} // namespace

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
  kernels.addPass(createConvertNVGPUToNVVMPass());
  kernels.addPass(mta::createExpandMathPass());
  kernels.addPass(mta::createMathToIntrinsicsPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  buildCleanup(kernels);
  pm.addPass(std::make_unique<SerializeKernelsPass>());
}

/// As `PassPipelineRegistration` does, and refuses block sizes that no GPU has
/// (CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability": 1024 threads).
template <typename Options>
static void registerGPUPipeline(StringRef name, StringRef description,
                                void (*build)(OpPassManager &,
                                              const Options &)) {
  registerPassPipeline(
      name, description,
      [build](OpPassManager &pm, StringRef text,
              function_ref<LogicalResult(const Twine &)> emitError) {
        Options options;
        if (failed(options.parseFromString(text)))
          return failure();
        if (options.blockSize < 1 || options.blockSize > 1024)
          return emitError("expects a block-size of 1 to 1024 threads, but "
                           "got " +
                           Twine(options.blockSize));
        build(pm, options);
        return success();
      },
      [](function_ref<void(const mlir::detail::PassOptions &)> handle) {
        handle(Options());
      });
}

void mta::registerPipelines() {
  PassPipelineRegistration<CPUOptions>(
      "mta-cpu", "Tiled, vectorised kernels for this machine",
      buildCPUPipeline);
  PassPipelineRegistration<>(
      "mta-reference-cpu",
      "Unfused reference lowering to the LLVM dialect for this machine",
      buildReferenceCPUPipeline);
  registerGPUPipeline("mta-reference-gpu",
                      "Unfused reference lowering to kernels in PTX",
                      buildReferenceGPUPipeline);
  registerGPUPipeline("mta-gpu",
                      "Fused lowering to kernels on tensor cores in PTX",
                      buildGPUPipeline);
  PassRegistration<SerializeKernelsPass>();
  PassPipelineRegistration<KernelOptions>("mta-kernels-to-ptx",
                                          "Kernels in a gpu.module to PTX",
                                          buildKernelPipeline);
  PassPipelineRegistration<>(
      "mta-host-to-llvm", "Host code that launches kernels to the LLVM dialect",
      buildHostPipeline);
}

//===- Object.cpp - From a module to an object file -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Object.h"

#include "CEntry.h"
#include "Processor.h"
#include "mta/Pipelines/Pipelines.h"
#include "mta/Target/CSignature.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace mlir;
using namespace mta;

/// The features of a processor that an intrinsic of one target takes; none for
/// those that are not known here.
static SmallVector<StringRef> featuresOf(StringRef intrinsic) {
  if (intrinsic == "llvm.x86.avx512bf16.dpbf16ps.512")
    return {"avx512bf16"};
  if (intrinsic == "llvm.x86.avx512bf16.dpbf16ps.256" ||
      intrinsic == "llvm.x86.avx512bf16.dpbf16ps.128")
    return {"avx512bf16", "avx512vl"};
  return {};
}

/// Instruction selection would end the process over an intrinsic that the
/// processor has no instruction for.
static LogicalResult verifyIntrinsic(LLVM::CallIntrinsicOp call,
                                     FeatureTest hasFeature) {
  StringRef name = call.getIntrin();
  auto intrinsic = llvm::Intrinsic::lookupIntrinsicID(name);
  if (intrinsic != llvm::Intrinsic::not_intrinsic &&
      !llvm::Intrinsic::isTargetIntrinsic(intrinsic))
    return success();
  SmallVector<StringRef> features = featuresOf(name);
  if (features.empty())
    return emitError(call.getLoc(), "expects an intrinsic of every target, "
                                    "but got '")
           << name << "'";
  for (StringRef feature : features)
    if (!hasFeature(feature))
      return emitError(call.getLoc(), "expects a processor with ")
             << feature << " for '" << name << "'";
  return success();
}

LogicalResult mta::verifyForProcessor(ModuleOp module, FeatureTest hasFeature) {
  auto verify = [&](Operation *op) -> WalkResult {
    // A kernel is an object that the host only carries.
    if (op == module)
      return WalkResult::advance();
    if (isa<gpu::BinaryOp>(op))
      return WalkResult::skip();
    StringRef dialect = op->getName().getDialectNamespace();
    if ((dialect != "llvm" && dialect != "omp" &&
         !isa<gpu::LaunchFuncOp>(op)) ||
        isa<LLVM::InlineAsmOp>(op))
      return emitError(op->getLoc(), "expects a module in the LLVM dialect, "
                                     "but got '")
             << op->getName() << "'";
    auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
    if (call && failed(verifyIntrinsic(call, hasFeature)))
      return WalkResult::interrupt();
    return WalkResult::advance();
  };
  return failure(module.walk<WalkOrder::PreOrder>(verify).wasInterrupted());
}

/// An assertion would end the program of the caller.
static LogicalResult verifyNoAssertions(ModuleOp module) {
  WalkResult result = module.walk([](cf::AssertOp op) -> WalkResult {
    return emitError(op.getLoc(), "expects no assertions in functions for C");
  });
  return failure(result.wasInterrupted());
}

/// From functions of tensors to functions for C in the LLVM dialect.
static LogicalResult lower(ModuleOp module, ArrayRef<CFunction> signatures,
                           const ObjectOptions &options,
                           const Processor &processor) {
  if (failed(verifyNoAssertions(module)))
    return failure();
  auto hasFeature = [&](StringRef feature) { return processor.has(feature); };
  addDestinationFunctions(module);
  PassManager pm(module.getContext());
  pm.addPass(createSymbolDCEPass());
  CPUOptions pipeline;
  pipeline.vectorBits =
      options.vectorBits ? options.vectorBits : processor.units.vectorBits;
  pipeline.pairCost = processor.units.pairCost;
  pipeline.threads = options.threads;
  buildCPUPipeline(pm, pipeline);
  if (failed(pm.run(module)) ||
      failed(verifyForProcessor(module, hasFeature)) ||
      failed(checkAllocations(module)))
    return failure();
  for (const CFunction &signature : signatures)
    addCEntry(module, signature);
  return success();
}

void mta::optimize(llvm::Module &module, llvm::TargetMachine &machine,
                   int level) {
  const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
      llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  builder.buildPerModuleDefaultPipeline(levels[level]).run(module, modules);
}

/// Machine code for `machine` that defines `signatures` and no other symbol.
static FailureOr<std::string> generate(ModuleOp module,
                                       ArrayRef<CFunction> signatures,
                                       llvm::TargetMachine &machine) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(module, context, "mta");
  if (!code)
    return emitError(module.getLoc(), "cannot be translated to LLVM IR");
  code->setDataLayout(machine.createDataLayout());
  code->setTargetTriple(machine.getTargetTriple());
  llvm::internalizeModule(*code, [&](const llvm::GlobalValue &value) {
    return llvm::any_of(signatures, [&](const CFunction &signature) {
      return value.getName() == signature.name;
    });
  });
  optimize(*code, machine, 3);
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager emission;
  if (machine.addPassesToEmitFile(emission, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return emitError(module.getLoc(), "cannot be written as an object file");
  emission.run(*code);
  return std::string(object.begin(), object.end());
}

FailureOr<std::string> mta::translateToHeader(ModuleOp module,
                                              const ObjectOptions &options) {
  auto processor = findProcessor(module.getLoc(), options.cpu);
  if (failed(processor))
    return failure();
  auto signatures = computeCSignatures(module);
  if (failed(signatures))
    return failure();
  return writeCHeader(*signatures, processor->name, options.threads);
}

FailureOr<Object> mta::translateToObject(ModuleOp module,
                                         const ObjectOptions &options) {
  auto processor = findProcessor(module.getLoc(), options.cpu);
  if (failed(processor))
    return failure();
  auto signatures = computeCSignatures(module);
  if (failed(signatures))
    return failure();
  if (failed(lower(module, *signatures, options, *processor)))
    return failure();
  std::unique_ptr<llvm::TargetMachine> machine = processor->createMachine();
  auto code = generate(module, *signatures, *machine);
  if (failed(code))
    return failure();
  return Object{std::move(*code),
                writeCHeader(*signatures, processor->name, options.threads)};
}

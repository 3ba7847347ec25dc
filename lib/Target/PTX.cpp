//===- PTX.cpp - From a module to PTX ---------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/PTX.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;

// Diagnostics here are at locations, not on operations: as a note, an operation
// that holds the whole PTX would drown the message, and so would its line: they
// stand at the module and name the binary.

/// Device functions that a kernel calls but nobody defines, as libdevice's,
/// would make the text depend on a CUDA installation.
static LogicalResult verifySelfContained(Location loc, StringRef ptx) {
  constexpr llvm::StringLiteral marker = ".extern .func";
  size_t position = ptx.find(marker);
  if (position == StringRef::npos)
    return success();
  // ".extern .func (.param .b32 result) name": the last word of the line.
  StringRef line = ptx.substr(position + marker.size()).split('\n').first;
  StringRef name = line.rtrim("\r;( ").rsplit(' ').second;
  return emitError(loc, "expects PTX without external functions, but got one "
                        "that calls '")
         << name << "'";
}

/// The chip of `attribute` if it is PTX, or nothing.
static StringRef chipOfPTX(Attribute attribute) {
  auto object = dyn_cast<gpu::ObjectAttr>(attribute);
  if (!object || object.getFormat() != gpu::CompilationTarget::Assembly)
    return "";
  auto target = dyn_cast<NVVM::NVVMTargetAttr>(object.getTarget());
  return target ? target.getChip() : "";
}

std::string mta::findChip(ModuleOp module) {
  llvm::SmallSetVector<StringRef, 2> chips;
  for (auto binary : module.getOps<gpu::BinaryOp>())
    for (Attribute attribute : binary.getObjects())
      if (StringRef chip = chipOfPTX(attribute); !chip.empty())
        chips.insert(chip);
  return chips.size() == 1 ? chips.front().str() : PTXOptions().chip;
}

/// The text of an object. The backend ends it with a zero byte.
static StringRef getText(Attribute object) {
  StringRef text = cast<gpu::ObjectAttr>(object).getObject().getValue();
  return text.take_until([](char c) { return c == '\0'; });
}

static LogicalResult collect(Location loc, gpu::BinaryOp binary, StringRef chip,
                             SmallVectorImpl<mta::PTXModule> &modules) {
  for (Attribute attribute : binary.getObjects()) {
    if (chipOfPTX(attribute) != chip)
      continue;
    StringRef text = getText(attribute);
    if (failed(verifySelfContained(loc, text)))
      return failure();
    modules.push_back({binary.getName().str(), text.str()});
    return success();
  }
  return emitError(loc, "expects PTX for ")
         << chip << ", but '" << binary.getName() << "' has none";
}

/// Whether some operation of the module is what `test` looks for.
static bool contains(ModuleOp module,
                     llvm::function_ref<bool(Operation *)> test) {
  return module
      .walk([&](Operation *op) {
        return test(op) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static void buildPipeline(OpPassManager &pm, ModuleOp module,
                          const mta::PTXOptions &from) {
  mta::GPUOptions options;
  options.chip = from.chip;
  options.mergeKernels = from.mergeKernels;
  // Launches are what the lowering of the host code ends with; the passes
  // before it do not know them. Without launches there may be loops of any
  // kind.
  if (contains(module, llvm::IsaPred<gpu::LaunchFuncOp>))
    mta::buildKernelPipeline(pm, options);
  else if (!from.reference && contains(module, [](Operation *op) {
             return isa_and_nonnull<mta::MTADialect>(op->getDialect());
           }))
    mta::buildGPUPipeline(pm, options);
  else
    mta::buildReferenceGPUPipeline(pm, options);
}

/// Runs the pipeline; errors on attentions get a note that names the reference.
static LogicalResult lower(ModuleOp module, const mta::PTXOptions &options) {
  PassManager pm(module.getContext());
  buildPipeline(pm, module, options);
  bool isFused =
      !options.reference && contains(module, llvm::IsaPred<mta::AttentionOp>);
  ScopedDiagnosticHandler handler(
      module.getContext(), [&](Diagnostic &error) {
        if (isFused && error.getSeverity() == DiagnosticSeverity::Error)
          error.attachNote()
              << "the reference kernels, of mta-translate --reference and the "
                 "pipeline mta-reference-gpu, lower every attention, unfused";
        // On to who prints it.
        return failure();
      });
  return pm.run(module);
}

FailureOr<SmallVector<mta::PTXModule>>
mta::translateToPTX(ModuleOp module, const PTXOptions &options) {
  if (failed(verifyChip(module.getLoc(), options.chip)) ||
      failed(lower(module, options)))
    return failure();
  SmallVector<PTXModule> modules;
  for (auto binary : module.getOps<gpu::BinaryOp>())
    if (failed(collect(module.getLoc(), binary, options.chip, modules)))
      return failure();
  if (modules.empty())
    return emitError(module.getLoc(),
                     "expects a module with work for a GPU, but got none");
  return modules;
}

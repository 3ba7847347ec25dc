//===- PTX.cpp - From a module to PTX ---------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/PTX.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mta/Pipelines/Pipelines.h"

using namespace mlir;

/// Device functions that a kernel calls but nobody defines, as libdevice's,
/// would make the text depend on a CUDA installation.
static LogicalResult verifySelfContained(gpu::BinaryOp binary, StringRef ptx) {
  constexpr llvm::StringLiteral marker = ".extern .func";
  size_t position = ptx.find(marker);
  if (position == StringRef::npos)
    return success();
  StringRef line = ptx.substr(position + marker.size()).split('\n').first;
  return binary.emitError("expects PTX without external functions, but got one "
                          "that calls")
         << line.rtrim("\r;( ");
}

static LogicalResult collect(gpu::BinaryOp binary,
                             SmallVectorImpl<mta::PTXModule> &modules) {
  for (Attribute attribute : binary.getObjects()) {
    auto object = dyn_cast<gpu::ObjectAttr>(attribute);
    if (!object || object.getFormat() != gpu::CompilationTarget::Assembly)
      continue;
    // The backend ends its text with a zero byte.
    StringRef text = object.getObject().getValue();
    text = text.take_until([](char c) { return c == '\0'; });
    if (failed(verifySelfContained(binary, text)))
      return failure();
    modules.push_back({binary.getName().str(), text.str()});
    return success();
  }
  return binary.emitError("expects an object with PTX, but got none");
}

FailureOr<SmallVector<mta::PTXModule>>
mta::translateToPTX(ModuleOp module, StringRef chip, bool mergeKernels) {
  if (failed(verifyChip(module.getLoc(), chip)))
    return failure();
  PassManager pm(module.getContext());
  ReferenceGPUOptions options;
  options.chip = chip.str();
  options.mergeKernels = mergeKernels;
  buildReferenceGPUPipeline(pm, options);
  if (failed(pm.run(module)))
    return failure();
  SmallVector<PTXModule> modules;
  for (auto binary : module.getOps<gpu::BinaryOp>())
    if (failed(collect(binary, modules)))
      return failure();
  if (modules.empty())
    return module.emitError("expects a module with work for a GPU, but got "
                            "none");
  return modules;
}

//===- MergeGPUModules.cpp - All kernels in one module ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/SymbolTable.h"

namespace mta {
#define GEN_PASS_DEF_MERGEGPUMODULESPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

static constexpr llvm::StringLiteral kMergedName = "mta_kernels";

/// Whether `module` holds nothing but functions that no other function of the
/// module refers to, so that they can be renamed one by one.
static bool holdsOnlyKernels(gpu::GPUModuleOp module) {
  return llvm::all_of(module.getBody()->getOperations(), [](Operation &op) {
    auto function = dyn_cast<gpu::GPUFuncOp>(op);
    return function && function.isKernel();
  });
}

/// Whether `a` and `b` are compiled alike: for the same targets, with the same
/// data layout and so on.
static bool haveSameProperties(gpu::GPUModuleOp a, gpu::GPUModuleOp b) {
  return a.getTargetsAttr() == b.getTargetsAttr() &&
         a.getOffloadingHandlerAttr() == b.getOffloadingHandlerAttr() &&
         a->getDiscardableAttrDictionary() == b->getDiscardableAttrDictionary();
}

namespace {
struct MergeGPUModulesPass
    : mta::impl::MergeGPUModulesPassBase<MergeGPUModulesPass> {
  void runOnOperation() override {
    SmallVector<gpu::GPUModuleOp> modules;
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      if (holdsOnlyKernels(module) &&
          (modules.empty() || haveSameProperties(modules.front(), module)))
        modules.push_back(module);
    if (modules.empty())
      return;

    // Names are set without their uses, which the walk below finds by the old
    // ones.
    SymbolTable symbols(getOperation());
    gpu::GPUModuleOp merged = modules.front();
    StringAttr oldName = merged.getNameAttr();
    if (!symbols.lookup(kMergedName))
      SymbolTable::setSymbolName(merged, kMergedName);
    llvm::DenseMap<SymbolRefAttr, SymbolRefAttr> renamed;
    SymbolTable kernels(merged);
    for (gpu::GPUModuleOp module : modules) {
      StringAttr from = module == merged ? oldName : module.getNameAttr();
      moveKernels(module, from, merged, kernels, renamed);
      if (module != merged)
        symbols.erase(module);
    }
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      auto found = renamed.find(launch.getKernelAttr());
      if (found != renamed.end())
        launch.setKernelAttr(found->second);
    });
  }

private:
  static SymbolRefAttr nameOf(StringAttr module, gpu::GPUFuncOp kernel) {
    return SymbolRefAttr::get(module, {FlatSymbolRefAttr::get(kernel)});
  }

  static void
  moveKernels(gpu::GPUModuleOp from, StringAttr oldName, gpu::GPUModuleOp to,
              SymbolTable &kernels,
              llvm::DenseMap<SymbolRefAttr, SymbolRefAttr> &renamed) {
    for (auto kernel :
         llvm::make_early_inc_range(from.getOps<gpu::GPUFuncOp>())) {
      SymbolRefAttr before = nameOf(oldName, kernel);
      if (from != to) {
        kernel->remove();
        kernels.insert(kernel);
      }
      renamed[before] = nameOf(to.getNameAttr(), kernel);
    }
  }
};
} // namespace

//===- LaunchContract.cpp - How to launch kernels ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     func.func @f(%q: memref<?x64xbf16>)        buffer q: input, s0 x 64
//       %n = memref.dim %q, %c0                  s0
//       %o = memref.alloc(%n)                    buffer out: output, s0 x 64
//       %t = affine.apply ceildiv(%n, 123)
//       gpu.launch_func @m::@f_kernel            kernel f_kernel
//           blocks in (%t, %c1, %c1)             grid (s0 ceildiv 123, 1, 1)
//           threads in (%c256, %c1, %c1)         block [256, 1, 1]
//           args(%pointer of q, %n as i32, ..)   parameters q, s0, ..
//       return %o
//
//===----------------------------------------------------------------------===//

#include "LaunchContractBuilder.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

namespace mta {
#define GEN_PASS_DEF_LAUNCHCONTRACTPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

namespace {
struct LaunchContractPass
    : mta::impl::LaunchContractPassBase<LaunchContractPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool launches =
          function
              .walk([](gpu::LaunchFuncOp) { return WalkResult::interrupt(); })
              .wasInterrupted();
      if (!launches)
        continue;
      FailureOr<LaunchContractAttr> contract =
          LaunchContractBuilder(function).build();
      if (failed(contract))
        return signalPassFailure();
      attach(*contract);
    }
  }

private:
  /// To all modules whose kernels are launched.
  void attach(LaunchContractAttr contract) {
    StringRef name = MTADialect::getLaunchContractsAttrName();
    SymbolTable symbols(getOperation());
    llvm::SmallSetVector<Operation *, 1> modules;
    for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
      modules.insert(symbols.lookup(launch.getKernel().getRootReference()));
    for (Operation *module : modules) {
      SmallVector<Attribute> contracts;
      if (auto others = module->getAttrOfType<ArrayAttr>(name))
        llvm::append_range(contracts, others);
      contracts.push_back(contract);
      module->setAttr(name, ArrayAttr::get(&getContext(), contracts));
    }
  }
};
} // namespace

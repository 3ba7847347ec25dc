//===- OneWorkgroup.cpp - Large workgroups have a processor alone -*- C++ -*-=//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Assemblers would rather spill a few registers than take more than leave room
// for a second workgroup, even if memory leaves none. `.minnctapersm 1`
// (PTX ISA 11.4.4) says that one will do.
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Hardware/GPU.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <functional>
#include <numeric>

namespace mta {
#define GEN_PASS_DEF_ONEWORKGROUPPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

/// Registers of a thread from which half are not enough for a kernel that needs
/// as many threads.
static constexpr int64_t kFewRegisters = 128;

static bool isLarge(gpu::GPUFuncOp kernel) {
  std::optional<ArrayRef<int32_t>> block = kernel.getKnownBlockSize();
  if (!kernel.isKernel() || !block)
    return false;
  int64_t threads = std::accumulate(block->begin(), block->end(), int64_t(1),
                                    std::multiplies<int64_t>());
  return threads * kFewRegisters >= mta::hardware::Registers;
}

namespace {
struct OneWorkgroupPass : mta::impl::OneWorkgroupPassBase<OneWorkgroupPass> {
  void runOnOperation() override {
    Builder builder(&getContext());
    getOperation()->walk([&](gpu::GPUFuncOp kernel) {
      if (isLarge(kernel))
        kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                        builder.getI32IntegerAttr(1));
    });
  }
};
} // namespace

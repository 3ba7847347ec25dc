//===- HostLowering.h - Steps that the pipelines share ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_PIPELINES_HOSTLOWERING_H
#define MTA_LIB_PIPELINES_HOSTLOWERING_H

#include "mlir/Pass/PassManager.h"

namespace mta {

void buildSimplification(mlir::OpPassManager &pm);

/// From tensors to buffers, also in the arguments and results of functions.
void buildBufferization(mlir::OpPassManager &pm);

/// Buffers are freed, and copied where and how everything else runs.
void buildDeallocation(mlir::OpPassManager &pm);

/// From loops and memrefs to what the LLVM conversions take.
void buildHostLoops(mlir::OpPassManager &pm);

/// From there to the LLVM dialect, but for casts that `buildCleanup` removes.
void buildLLVMConversions(mlir::OpPassManager &pm);

void buildCleanup(mlir::OpPassManager &pm);

} // namespace mta

#endif // MTA_LIB_PIPELINES_HOSTLOWERING_H

//===- MTAToGPU.h - Attention as tile programs for GPUs ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_MTATOGPU_MTATOGPU_H
#define MTA_CONVERSION_MTATOGPU_MTATOGPU_H

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Pass/Pass.h"

namespace mta {
#define GEN_PASS_DECL_CHOOSEKERNELSCHEDULEPASS
#define GEN_PASS_DECL_CONVERTMTATOGPUPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

#endif // MTA_CONVERSION_MTATOGPU_MTATOGPU_H

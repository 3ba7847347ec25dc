//===- VectorUnits.h - What a processor computes with -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_PIPELINES_VECTORUNITS_H
#define MTA_PIPELINES_VECTORUNITS_H

#include "mlir/Support/LLVM.h"

namespace mta {

/// Whether a processor has a feature, by LLVM's name for it.
using FeatureTest = llvm::function_ref<bool(llvm::StringRef feature)>;

/// What code for a processor depends on.
struct VectorUnits {
  /// Bits of the widest vector registers; 128 where nothing is known.
  int64_t vectorBits = 128;
  /// Multiply-adds of f32 vectors that take the time of a dot product of bf16
  /// pairs, which does the work of two; 0 where there are none.
  int64_t pairCost = 0;
};

/// Of a processor with 64-bit x86 or another instruction set.
VectorUnits vectorUnitsOf(FeatureTest hasFeature);

/// Whether this machine has a feature.
bool thisMachineHas(llvm::StringRef feature);

} // namespace mta

#endif // MTA_PIPELINES_VECTORUNITS_H

//===- Passes.h - Conversion passes -----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_PASSES_H
#define MTA_CONVERSION_PASSES_H

#include "mta/Conversion/MTAToGPU/MTAToGPU.h"
#include "mta/Conversion/MTAToLinalg/MTAToLinalg.h"
#include "mta/Conversion/VectorToFragments/VectorToFragments.h"

namespace mta {
#define GEN_PASS_REGISTRATION
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

#endif // MTA_CONVERSION_PASSES_H

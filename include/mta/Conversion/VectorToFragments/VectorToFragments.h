//===- VectorToFragments.h - Tile programs on threads -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_VECTORTOFRAGMENTS_VECTORTOFRAGMENTS_H
#define MTA_CONVERSION_VECTORTOFRAGMENTS_VECTORTOFRAGMENTS_H

#include "mlir/Pass/Pass.h"

namespace mta {
#define GEN_PASS_DECL_ASSIGNLAYOUTSPASS
#define GEN_PASS_DECL_CONVERTVECTORTOFRAGMENTSPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

#endif // MTA_CONVERSION_VECTORTOFRAGMENTS_VECTORTOFRAGMENTS_H

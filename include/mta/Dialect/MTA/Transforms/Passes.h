//===- Passes.h - Passes between the levels ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_TRANSFORMS_PASSES_H
#define MTA_DIALECT_MTA_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mta {
#define GEN_PASS_DECL
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

#endif // MTA_DIALECT_MTA_TRANSFORMS_PASSES_H

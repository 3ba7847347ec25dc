//===- CEntry.h - Functions that C can call ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     func @f(tensor, ..) -> tensor
//       -> func @f.entry(memref, .., memref of the result)    tensors
//       -> llvm.func @f.entry(pointers, sizes, .., status)    LLVM dialect
//     llvm.func @f(pointers, sizes) -> status: checks, then calls f.entry
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_CENTRY_H
#define MTA_LIB_TARGET_CENTRY_H

#include "mta/Target/CHeader.h"

#include "mlir/IR/BuiltinOps.h"

namespace mta {

/// Adds to every public function `f` of tensors a function `f.entry` of memrefs
/// that writes its results to arguments, and makes `f` private.
void addDestinationFunctions(mlir::ModuleOp module);

/// Gives every function a last argument that points to an i32, 0 at first. A
/// failed allocation sets it to `CStatus::OutOfMemory`, frees what is allocated
/// and returns; so does everything up to the caller. Expects the LLVM dialect
/// with or without OpenMP.
llvm::LogicalResult checkAllocations(mlir::ModuleOp module);

/// Adds the function that C calls. Expects the results of the two above.
void addCEntry(mlir::ModuleOp module, const CFunction &signature);

} // namespace mta

#endif // MTA_LIB_TARGET_CENTRY_H

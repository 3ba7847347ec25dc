//===- Internal.h - What the C ABI shares between its files -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CAPI_INTERNAL_H
#define MTA_LIB_CAPI_INTERNAL_H

#include "JIT.h"

#include "mta-c/Compiler.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

struct MtaModule {
  MtaModule();

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> op;
};

struct MtaExecutable {
  std::unique_ptr<mta::capi::JIT> jit;
};

namespace mta::capi {

/// What `mtaLastError` returns on this thread.
void setLastError(std::string message);

/// Compiles for this machine; `symbols` are names that the code may refer to
/// beside those of the process, before which they take precedence. Null on
/// failure, with the last error set.
MtaExecutable *compile(const MtaModule *module, int optimizationLevel,
                       llvm::ArrayRef<std::pair<const char *, void *>> symbols);

} // namespace mta::capi

#endif // MTA_LIB_CAPI_INTERNAL_H

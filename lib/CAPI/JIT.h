//===- JIT.h - Machine code in this process ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_CAPI_JIT_H
#define MTA_LIB_CAPI_JIT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace mta::capi {

/// A module compiled to machine code. MLIR's ExecutionEngine does the same, but
/// prints what goes wrong to standard error.
class JIT {
public:
  /// Compiles `module`, which is in the LLVM dialect, at an optimization level
  /// of 0 to 3. `symbols` are names that the code may refer to beside those of
  /// the process.
  static llvm::Expected<std::unique_ptr<JIT>>
  create(mlir::ModuleOp module, int optimizationLevel,
         llvm::ArrayRef<std::pair<const char *, void *>> symbols);

  /// The same in two steps, with the machine code between them as the bytes of
  /// an object file, which this and equal processors run.
  static llvm::Expected<std::string> translate(mlir::ModuleOp module,
                                               int optimizationLevel);
  static llvm::Expected<std::unique_ptr<JIT>> load(llvm::StringRef code);

  /// The address of a function.
  llvm::Expected<void *> lookup(llvm::StringRef name);

private:
  JIT() = default;

  /// Adds what was reported since the last call to `error`.
  llvm::Error explain(llvm::Error error);

  llvm::Error createEngine(llvm::orc::JITTargetMachineBuilder builder);
  llvm::Error addModule(mlir::ModuleOp module, int optimizationLevel);
  llvm::Error addMachineCode(llvm::StringRef code);
  llvm::Error
  addSymbols(llvm::ArrayRef<std::pair<const char *, void *>> symbols);

  // Before the engine, which reports to it until it ends.
  std::string reports;
  std::unique_ptr<llvm::orc::LLJIT> engine;
};

} // namespace mta::capi

#endif // MTA_LIB_CAPI_JIT_H

//===- Object.h - From a module to an object file ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_OBJECT_H
#define MTA_TARGET_OBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "mta/Pipelines/VectorUnits.h"

#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mta {

/// What an object file is made for.
struct ObjectOptions {
  /// A processor as LLVM names it, or "native" for this one.
  std::string cpu = "native";
  /// Bits of a vector register; 0 for those of the processor.
  int64_t vectorBits = 0;
  /// Whether tiles run on the threads of OpenMP.
  bool threads = true;
};

/// An ELF object with position independent code, and the header that declares
/// its functions.
struct Object {
  std::string code;
  std::string header;
};

/// Fails with a diagnostic on operations that code generation for a processor
/// would end the process over: of other dialects than LLVM's and OpenMP's,
/// intrinsics that it has no instruction for, inline assembly.
llvm::LogicalResult verifyForProcessor(mlir::ModuleOp module,
                                       FeatureTest hasFeature);

/// Runs LLVM's pipeline of an optimization level of 0 to 3.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, int level);

/// The C header of the public functions of `module`, which stays as it is.
mlir::FailureOr<std::string> translateToHeader(mlir::ModuleOp module,
                                               const ObjectOptions &options);

/// Compiles `module` with `mta-cpu`, in place, to an object whose global
/// symbols are the public functions of the module, as `CHeader.h` describes
/// them.
mlir::FailureOr<Object> translateToObject(mlir::ModuleOp module,
                                          const ObjectOptions &options);

/// Links an object to a shared library. `linker` is a C compiler's driver or an
/// ELF linker; if empty, `cc` in PATH is. With `threads` the library needs
/// libomp.
mlir::FailureOr<std::string> linkSharedLibrary(mlir::Location loc,
                                               llvm::StringRef object,
                                               llvm::StringRef linker,
                                               bool threads);

} // namespace mta

#endif // MTA_TARGET_OBJECT_H

//===- PTX.h - From a module to PTX and cubin -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_PTX_H
#define MTA_TARGET_PTX_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace mta {

/// Fails with a diagnostic at `loc` unless the NVPTX backend knows `chip`, as
/// in "sm_80" or "sm_90a", and it is sm_80 or newer.
llvm::LogicalResult verifyChip(mlir::Location loc, llvm::StringRef chip);

/// The chip of a module's PTX, if all its binaries have PTX for one chip, the
/// same one; otherwise, as of a module that is not lowered yet, sm_80.
std::string findChip(mlir::ModuleOp module);

/// The PTX of one `gpu.binary`.
struct PTXModule {
  std::string name;
  std::string text;
};

struct PTXOptions {
  std::string chip = "sm_80";
  /// All kernels are in one text, else every kernel has one of its own.
  bool mergeKernels = true;
  /// Lower with `mta-reference-gpu` what else `mta-gpu` lowers.
  bool reference = false;
};

/// Translates a module of any level: with operations of the `mta` dialect it is
/// lowered with `mta-gpu`, in place; other loops and kernels become PTX as they
/// are. Fails with a diagnostic if the module has no kernel or if its PTX calls
/// functions that it does not define. What `mta-gpu` refuses gets a note that
/// names the reference.
mlir::FailureOr<llvm::SmallVector<PTXModule>>
translateToPTX(mlir::ModuleOp module, const PTXOptions &options);

/// Assembles PTX. `ptxas` is the program to call; if empty it is searched in
/// PATH. `flags` are passed to it. The diagnostics of ptxas go to the ones of
/// `loc`.
mlir::FailureOr<std::string>
assemblePTX(mlir::Location loc, llvm::StringRef ptx, llvm::StringRef chip,
            llvm::StringRef ptxas, llvm::ArrayRef<std::string> flags = {});

/// The version that ptxas says of itself, such as "release 13.0, V13.0.48".
/// `ptxas` is as for `assemblePTX`.
mlir::FailureOr<std::string> ptxasVersion(mlir::Location loc,
                                          llvm::StringRef ptxas);

/// Whether PATH has ptxas.
bool hasPtxas();

} // namespace mta

#endif // MTA_TARGET_PTX_H

//===- Bundle.h - Kernels with all that a program needs ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder for someone who has a GPU but not this compiler: PTX, cubins, a
// description in JSON, and a launcher in C.
//
//     functions of some modules -> one module -> PTX and contracts, by chip
//       -> kernel.ptx, kernel.json, kernel.h, kernel.c, README.txt
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_BUNDLE_H
#define MTA_TARGET_BUNDLE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace mta {

/// Functions of the same name in several inputs are variants of one.
struct BundleInput {
  /// What tells its variants from those of other inputs, as in "bf16.mlir".
  std::string file;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct BundleOptions {
  /// Targets, each with kernels of its own.
  std::vector<std::string> chips = {"sm_80"};
  /// The prefix of the launcher's functions; the first function's name if
  /// empty.
  std::string name;
  /// When there are cubins: never, if PATH has ptxas, or in any case.
  enum class Cubins { None, IfPossible, Required };
  Cubins cubins = Cubins::IfPossible;
  /// The ptxas to call, searched in PATH if empty, and its flags.
  std::string ptxas;
  std::vector<std::string> ptxasFlags;
};

struct BundleFile {
  std::string name;
  std::string contents;
};

/// The files of a bundle, which depend on nothing but the inputs, the options
/// and ptxas. Fails with a diagnostic on what has no launch contract, on names
/// that C has no use for, and on variants that differ in more than types and
/// sizes. The schema of the description is python/mta/bundle.schema.json.
mlir::FailureOr<std::vector<BundleFile>>
translateToBundle(std::vector<BundleInput> inputs,
                  const BundleOptions &options);

/// Writes files to a new folder beside `path` and renames that. What is there
/// is replaced if it is a bundle with nothing else in it, or an empty folder.
/// On failure `path` is as it was and `error` says what went wrong.
llvm::LogicalResult writeBundle(llvm::ArrayRef<BundleFile> files,
                                llvm::StringRef path, std::string &error);

} // namespace mta

#endif // MTA_TARGET_BUNDLE_H

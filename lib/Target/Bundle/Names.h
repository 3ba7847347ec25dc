//===- Names.h - Names in a launcher ----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_BUNDLE_NAMES_H
#define MTA_LIB_TARGET_BUNDLE_NAMES_H

#include "Model.h"

#include "llvm/ADT/StringSet.h"

namespace mta::bundle {

/// Gives names to the arguments of a C function. What the launcher and the
/// header call something else is not to be hidden by them.
class ArgumentNames {
public:
  ArgumentNames();

  /// `name` if C can use it and nothing else has it, else something like it or
  /// like `otherwise`.
  std::string add(llvm::StringRef name, llvm::StringRef otherwise);

private:
  llvm::StringSet<> taken;
};

/// Whether all names in a launcher are ones of C and C++ and differ; a
/// diagnostic at `loc` says which do not.
llvm::LogicalResult verifyNames(mlir::Location loc, const Model &model);

} // namespace mta::bundle

#endif // MTA_LIB_TARGET_BUNDLE_NAMES_H

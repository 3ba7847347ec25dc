//===- AtomicOutput.h - Files that appear whole or not at all ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_ATOMICOUTPUT_H
#define MTA_TARGET_ATOMICOUTPUT_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mta {

/// Writes `contents` to a temporary file beside `path` and renames it. On
/// failure `path` is as it was and `error` says what went wrong.
llvm::LogicalResult writeFileAtomically(llvm::StringRef path,
                                        llvm::StringRef contents,
                                        std::string &error);

/// Runs the `main` of a tool that writes the file of its option `-o`: hands it
/// a temporary file instead and renames that if the tool returns 0. Standard
/// output and devices are left as they are. Returns what `main` returns, or 1
/// if the file cannot be written.
int runWithAtomicOutput(int argc, char **argv,
                        llvm::function_ref<int(int, char **)> main);

} // namespace mta

#endif // MTA_TARGET_ATOMICOUTPUT_H

//===- SharedLibrary.cpp - Linking with the system's linker -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Object.h"

#include "ExternalProgram.h"

#include "mta/Target/OpenMPLibrary.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mta;

/// Whether a program is an ELF linker and not a compiler's driver, which knows
/// where the system's libraries are.
static bool isBareLinker(StringRef program) {
  StringRef name = llvm::sys::path::filename(program);
  return name == "ld" || name.starts_with("ld.") || name.starts_with("ld-") ||
         name.starts_with("lld") || name.starts_with("mold");
}

FailureOr<std::string> mta::linkSharedLibrary(Location loc, StringRef object,
                                              StringRef linker, bool threads) {
  auto program = findProgram(loc, linker, "cc", "a C compiler or linker");
  if (failed(program))
    return failure();
  TemporaryFile input("o"), output("so");
  if (failed(input.create(loc, object)) || failed(output.create(loc, "")))
    return failure();
  // Drivers of compilers take these, too.
  SmallVector<std::string> arguments = {"-shared", "-o", output.path(),
                                        input.path()};
  if (threads) {
    // The file has the soname that the library will look for.
    std::string library = findOpenMPLibrary();
    if (library.empty())
      return emitError(loc, "expects libomp.so.5 beside the compiler or where "
                            "it was built, but found none; use --no-threads");
    arguments.push_back(library);
  }
  if (!isBareLinker(*program))
    arguments.push_back("-lm");
  if (failed(runProgram(loc, *program, arguments, "the shared library")))
    return failure();
  return output.read();
}

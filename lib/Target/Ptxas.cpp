//===- Ptxas.cpp - Assembling PTX with ptxas --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/PTX.h"

#include "ExternalProgram.h"

#include "llvm/Support/Program.h"

using namespace mlir;
using namespace mta;

bool mta::hasPtxas() {
  return static_cast<bool>(llvm::sys::findProgramByName("ptxas"));
}

FailureOr<std::string> mta::ptxasVersion(Location loc, StringRef ptxas) {
  auto program = findProgram(loc, ptxas, "ptxas", "of the CUDA toolkit");
  if (failed(program))
    return failure();
  std::string text;
  if (failed(runProgram(loc, *program, {"--version"}, "its version", &text)))
    return failure();
  // "Cuda compilation tools, release 13.0, V13.0.48"
  StringRef release = StringRef(text).split("tools, ").second;
  if (release.empty())
    return emitError(loc) << "expects a ptxas that tells its version, but got '"
                          << StringRef(text).trim().split('\n').first
                          << "' from '" << *program << "'";
  return release.split('\n').first.str();
}

FailureOr<std::string> mta::assemblePTX(Location loc, StringRef ptx,
                                        StringRef chip, StringRef ptxas,
                                        ArrayRef<std::string> flags) {
  auto program = findProgram(loc, ptxas, "ptxas", "of the CUDA toolkit");
  if (failed(program))
    return failure();
  TemporaryFile input("ptx"), output("cubin");
  if (failed(input.create(loc, ptx)) || failed(output.create(loc, "")))
    return failure();
  SmallVector<std::string> arguments = {("-arch=" + chip).str(), input.path(),
                                        "-o", output.path()};
  llvm::append_range(arguments, flags);
  if (failed(runProgram(loc, *program, arguments, chip)))
    return failure();
  return output.read();
}

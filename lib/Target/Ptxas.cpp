//===- Ptxas.cpp - Assembling PTX with ptxas --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/PTX.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

static std::string readFile(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

FailureOr<std::string> mta::assemblePTX(Location loc, StringRef ptx,
                                        StringRef chip, StringRef ptxas) {
  auto program = llvm::sys::findProgramByName(ptxas.empty() ? "ptxas" : ptxas);
  // A path is not searched for, hence not checked either.
  if (!program || !llvm::sys::fs::can_execute(*program)) {
    InFlightDiagnostic diagnostic = emitError(loc);
    if (ptxas.empty())
      diagnostic << "expects ptxas, of the CUDA toolkit, in PATH, but found "
                    "none";
    else
      diagnostic << "expects a program at '" << ptxas << "', but found none";
    return diagnostic;
  }
  SmallString<128> input, output, log;
  int descriptor;
  llvm::scope_exit removeFiles([&] {
    for (StringRef path : {input, output, log})
      if (!path.empty())
        llvm::sys::fs::remove(path);
  });
  if (llvm::sys::fs::createTemporaryFile("mta", "ptx", descriptor, input) ||
      llvm::sys::fs::createTemporaryFile("mta", "cubin", output) ||
      llvm::sys::fs::createTemporaryFile("mta", "log", log))
    return emitError(loc, "cannot create temporary files");
  {
    llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << ptx;
    stream.close();
    if (stream.has_error()) {
      std::string message = stream.error().message();
      stream.clear_error();
      return emitError(loc) << "cannot write '" << input << "': " << message;
    }
  }
  std::string architecture = ("-arch=" + chip).str();
  std::optional<StringRef> redirects[] = {StringRef(), log.str(), log.str()};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(
      *program, {*program, architecture, input, "-o", output},
      /*Env=*/std::nullopt, redirects, /*SecondsToWait=*/0, /*MemoryLimit=*/0,
      &message);
  if (status != 0)
    return emitError(loc) << "'" << *program << "' failed for " << chip << ": "
                          << (message.empty() ? StringRef(readFile(log)).trim()
                                              : StringRef(message));
  return readFile(output);
}

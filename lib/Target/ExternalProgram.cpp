//===- ExternalProgram.cpp - Programs that translations call ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExternalProgram.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mta;

TemporaryFile::~TemporaryFile() {
  if (!file.empty())
    llvm::sys::fs::remove(file);
}

LogicalResult TemporaryFile::create(Location loc, StringRef contents) {
  int descriptor;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("mta", suffix, descriptor, file))
    return emitError(loc, "cannot create a temporary file: ") << code.message();
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << contents;
  stream.close();
  if (!stream.has_error())
    return success();
  std::string message = stream.error().message();
  stream.clear_error();
  return emitError(loc) << "cannot write '" << file << "': " << message;
}

std::string TemporaryFile::read() const {
  auto buffer = llvm::MemoryBuffer::getFile(file);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

FailureOr<std::string> mta::findProgram(Location loc, StringRef program,
                                        StringRef name, StringRef what) {
  auto found = llvm::sys::findProgramByName(program.empty() ? name : program);
  // A path is not searched for, hence not checked either.
  if (found && llvm::sys::fs::can_execute(*found))
    return *found;
  if (program.empty())
    return emitError(loc) << "expects " << name << ", " << what
                          << ", in PATH, but found none";
  return emitError(loc) << "expects a program at '" << program
                        << "', but found none";
}

LogicalResult mta::runProgram(Location loc, StringRef program,
                              ArrayRef<std::string> arguments,
                              StringRef purpose, std::string *printed) {
  TemporaryFile log("log");
  if (failed(log.create(loc, "")))
    return failure();
  SmallVector<StringRef> command = {program};
  llvm::append_range(command, arguments);
  std::string path = log.path(), message;
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(path),
                                          StringRef(path)};
  int status = llvm::sys::ExecuteAndWait(program, command, /*Env=*/std::nullopt,
                                         redirects, /*SecondsToWait=*/0,
                                         /*MemoryLimit=*/0, &message);
  if (status == 0 && printed)
    *printed = log.read();
  if (status == 0)
    return success();
  return emitError(loc) << "'" << program << "' failed for " << purpose << ": "
                        << (message.empty() ? StringRef(log.read()).trim().str()
                                            : message);
}

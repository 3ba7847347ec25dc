//===- ExternalProgram.h - Programs that translations call ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_EXTERNALPROGRAM_H
#define MTA_LIB_TARGET_EXTERNALPROGRAM_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallString.h"

#include <string>

namespace mta {

/// A file that is removed when this object ends.
class TemporaryFile {
public:
  explicit TemporaryFile(llvm::StringRef suffix) : suffix(suffix) {}
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile();

  /// Creates the file with `contents`.
  llvm::LogicalResult create(mlir::Location loc, llvm::StringRef contents);

  std::string path() const { return file.str().str(); }
  /// What it holds now.
  std::string read() const;

private:
  llvm::StringRef suffix;
  llvm::SmallString<128> file;
};

/// The program at the path `program`, or if that is empty the one called `name`
/// in PATH, which is `what`.
mlir::FailureOr<std::string> findProgram(mlir::Location loc,
                                         llvm::StringRef program,
                                         llvm::StringRef name,
                                         llvm::StringRef what);

/// Runs a program and waits for it. What it prints is part of the diagnostic
/// when it fails, which says what it failed `for`, and else goes to `printed`.
llvm::LogicalResult runProgram(mlir::Location loc, llvm::StringRef program,
                               llvm::ArrayRef<std::string> arguments,
                               llvm::StringRef purpose,
                               std::string *printed = nullptr);

} // namespace mta

#endif // MTA_LIB_TARGET_EXTERNALPROGRAM_H

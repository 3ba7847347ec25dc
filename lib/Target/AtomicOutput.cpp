//===- AtomicOutput.cpp - Files that appear whole or not at all -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/AtomicOutput.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace llvm;

/// A temporary file beside `path`, so that a rename stays on one file system.
static std::error_code createTemporary(StringRef path, int &descriptor,
                                       SmallVectorImpl<char> &temporary) {
  return sys::fs::createUniqueFile(path + ".%%%%%%%%.tmp", descriptor,
                                   temporary);
}

LogicalResult mta::writeFileAtomically(StringRef path, StringRef contents,
                                       std::string &error) {
  int descriptor;
  SmallString<128> temporary;
  std::error_code code = createTemporary(path, descriptor, temporary);
  if (!code) {
    sys::RemoveFileOnSignal(temporary);
    raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << contents;
    stream.close();
    code = stream.error();
    stream.clear_error();
    if (!code)
      code = sys::fs::rename(temporary, path);
    if (code)
      sys::fs::remove(temporary);
    sys::DontRemoveFileOnSignal(temporary);
  }
  if (!code)
    return success();
  error = ("cannot write '" + path + "': " + code.message()).str();
  return failure();
}

/// The index in `argv` of the value of `-o` and its offset there, or 0 if
/// there is none.
static std::pair<int, size_t> findOutput(int argc, char **argv) {
  for (int index = 1; index < argc; ++index) {
    StringRef argument = argv[index];
    if ((argument == "-o" || argument == "--o") && index + 1 < argc)
      return {index + 1, 0};
    for (StringRef prefix : {"-o=", "--o="})
      if (argument.starts_with(prefix))
        return {index, prefix.size()};
  }
  return {0, 0};
}

/// The temporary file of a tool that is running.
static std::string &pendingTemporary() {
  static std::string path;
  return path;
}

static void removePendingTemporary() {
  if (!pendingTemporary().empty())
    sys::fs::remove(pendingTemporary());
}

int mta::runWithAtomicOutput(int argc, char **argv,
                             function_ref<int(int, char **)> main) {
  auto [index, offset] = findOutput(argc, argv);
  std::string path = index ? argv[index] + offset : "-";
  sys::fs::file_status status;
  bool isOther = !sys::fs::status(path, status) &&
                 status.type() != sys::fs::file_type::regular_file;
  if (path == "-" || path.empty() || isOther)
    return main(argc, argv);

  int descriptor;
  SmallString<128> temporary;
  if (std::error_code code = createTemporary(path, descriptor, temporary)) {
    errs() << "error: cannot write '" << path << "': " << code.message()
           << "\n";
    return 1;
  }
  raw_fd_ostream(descriptor, /*shouldClose=*/true);
  sys::RemoveFileOnSignal(temporary);
  // Command line parsing exits on errors and on --help instead of returning.
  pendingTemporary() = temporary.str();
  std::atexit(removePendingTemporary);
  std::string replacement = std::string(argv[index], offset);
  replacement += temporary.str();
  SmallVector<char *> arguments(argv, argv + argc);
  arguments[index] = replacement.data();
  arguments.push_back(nullptr);
  int result = main(argc, arguments.data());
  std::error_code code;
  // A tool that only prints its help writes no file.
  if (result == 0 && sys::fs::exists(temporary))
    code = sys::fs::rename(temporary, path);
  if (code)
    errs() << "error: cannot write '" << path << "': " << code.message()
           << "\n";
  removePendingTemporary();
  pendingTemporary().clear();
  sys::DontRemoveFileOnSignal(temporary);
  return code ? 1 : result;
}

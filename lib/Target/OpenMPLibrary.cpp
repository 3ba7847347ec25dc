//===- OpenMPLibrary.cpp - The file of OpenMP's run time --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/OpenMPLibrary.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <dlfcn.h>

#ifndef MTA_OPENMP_LIBRARY
// A wheel carries the library and knows no other.
#define MTA_OPENMP_LIBRARY ""
#endif

std::string mta::findOpenMPLibrary() {
  // The binary that this function is in: a library, or a program.
  Dl_info binary;
  if (dladdr(reinterpret_cast<void *>(&findOpenMPLibrary), &binary)) {
    llvm::SmallString<128> path(binary.dli_fname);
    llvm::sys::path::remove_filename(path);
    llvm::sys::path::append(path, "libomp.so.5");
    if (llvm::sys::fs::exists(path))
      return path.str().str();
  }
  return llvm::sys::fs::exists(MTA_OPENMP_LIBRARY) ? MTA_OPENMP_LIBRARY : "";
}

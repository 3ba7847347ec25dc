//===- Npy.h - Arrays in NumPy files ----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTAPTXRUN_NPY_H
#define MTA_TOOLS_MTAPTXRUN_NPY_H

#include "mta/Emulator/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mta::ptxrun {

using emulator::Error;
using emulator::Expected;

/// An array as a .npy file holds it, in C order.
struct NpyArray {
  std::string descr; // NumPy's name of the type, such as "<f4"
  unsigned elementBytes = 0;
  std::vector<uint64_t> shape;
  std::vector<uint8_t> data;
};

/// The contents of a file.
Expected<std::string> readFile(const std::string &path);

/// Reads a .npy file of format version 1 to 3 with little-endian elements.
Expected<NpyArray> readNpy(const std::string &path);

/// Writes to a temporary file beside `path` and renames it. Returns "" or why
/// it failed.
std::string writeNpy(const std::string &path, const std::string &descr,
                     const std::vector<uint64_t> &shape, const void *data,
                     size_t bytes);

/// Writes `text` the same way.
std::string writeFile(const std::string &path, const std::string &text);

} // namespace mta::ptxrun

#endif // MTA_TOOLS_MTAPTXRUN_NPY_H

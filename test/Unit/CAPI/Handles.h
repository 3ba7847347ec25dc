//===- Handles.h - Owners of the objects of the C ABI -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TEST_UNIT_CAPI_HANDLES_H
#define MTA_TEST_UNIT_CAPI_HANDLES_H

#include "mta-c/Compiler.h"

#include <memory>
#include <string>

namespace mta::test {

struct Destroy {
  void operator()(MtaModule *module) const { mtaModuleDestroy(module); }
  void operator()(MtaExecutable *executable) const {
    mtaExecutableDestroy(executable);
  }
  void operator()(char *text) const { mtaFree(text); }
};

using Module = std::unique_ptr<MtaModule, Destroy>;
using Executable = std::unique_ptr<MtaExecutable, Destroy>;
using Text = std::unique_ptr<char, Destroy>;

inline Module parse(const std::string &text) {
  return Module(mtaModuleParse(text.data(), text.size(), "input.mlir"));
}

/// Whether the last error holds `text`.
inline bool failedWith(const std::string &text) {
  return std::string(mtaLastError()).find(text) != std::string::npos;
}

} // namespace mta::test

#endif // MTA_TEST_UNIT_CAPI_HANDLES_H

//===- Names.cpp - Names in a launcher -----------------------------------*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Names.h"

#include "mta/Target/CSignature.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// What the functions of the launcher and the header call something else.
static const char *const localNames[] = {
    "CHECK",     "EXPECT",          "NULL",         "Bundle",
    "Call",      "bundle",          "stream",       "call",
    "sizes",     "bytes",           "offsets",      "shape",
    "grid",      "parameters",      "tensors",      "checked",
    "workspace", "workspace_bytes", "buffers",      "variant",
    "ceildiv",   "floordiv",        "mod",          "isSize",
    "isInt32",   "isTensor",        "checkTensor",  "checkBuffer",
    "reserve",   "checkWorkspace",  "launchKernel", "int8_t",
    "int16_t",   "int32_t",         "int64_t",      "size_t",
    "uint8_t",   "uintptr_t",       "run",          "measure"};

ArgumentNames::ArgumentNames() {
  for (const char *name : localNames)
    taken.insert(name);
}

std::string ArgumentNames::add(StringRef name, StringRef otherwise) {
  // Macros are in capitals; the launcher's own variables are p0, p1, ..
  bool isMacro = name.size() > 2 && name == name.upper();
  bool isLocal = name.size() > 1 && name.starts_with("p") &&
                 llvm::all_of(name.drop_front(), llvm::isDigit);
  std::string base = isCIdentifier(name) && !isMacro && !isLocal
                         ? name.str()
                         : otherwise.str();
  std::string candidate = base;
  for (unsigned suffix = 2; !taken.insert(candidate).second; ++suffix)
    candidate = base + "_" + std::to_string(suffix);
  return candidate;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// What the launcher's template defines or takes from other headers than those
/// of the C library.
static const char *const launcherNames[] = {
    "Bundle",     "Call",          "Driver",        "Image",
    "Kernel",     "Launch",        "Measure",       "Variant",
    "ceildiv",    "checkBuffer",   "checkTensor",   "checkWorkspace",
    "choose",     "closeDriver",   "cubinRunsOn",   "dlclose",
    "dlopen",     "dlsym",         "findFunction",  "floordiv",
    "getBytes",   "getDevice",     "getDriverText", "getImages",
    "isInt32",    "isSize",        "isTensor",      "launchKernel",
    "loadBundle", "loadFunctions", "loadModule",    "measure",
    "mod",        "openDriver",    "reserve",       "run",
    "runsOn"};

/// All that the launcher calls by the names of functions and bundles.
static SmallVector<std::string> derivedNames(const Model &model) {
  SmallVector<std::string> names;
  auto add = [&](const std::string &name, ArrayRef<const char *> suffixes) {
    for (const char *suffix : suffixes)
      names.push_back(name + suffix);
  };
  add(model.name, {"_bundle", "_load", "_unload", "_status_text", "_chip"});
  for (const Variant &variant : model.variants) {
    add(variant.name,
        {"", "_workspace", "_match", "_measures", "_launches", "_variant"});
    for (const Image &image : model.images)
      add(variant.name + "_" + image.chip, {"_measure", "_launch"});
  }
  for (const Function &function : model.functions)
    add(function.name,
        {"_tensors", "_dispatch", "_dispatch_workspace", "_choose"});
  for (const Image &image : model.images)
    add(image.chip, {"_kernels", "_ptx", "_cubin"});
  return names;
}

LogicalResult bundle::verifyNames(Location loc, const Model &model) {
  llvm::StringSet<> names;
  for (const char *name : launcherNames)
    names.insert(name);
  auto add = [&](const std::string &name) -> LogicalResult {
    if (!isCFunctionName(name))
      return emitError(loc) << "expects functions and bundles with names that "
                               "C and C++ can use, but got '"
                            << name << "'";
    if (names.insert(name).second)
      return success();
    return emitError(loc) << "expects functions of different names, but the "
                             "launcher has '"
                          << name << "' twice";
  };
  return success(
      llvm::all_of(derivedNames(model), [&](const std::string &name) {
        return succeeded(add(name));
      }));
}

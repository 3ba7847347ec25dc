//===- Modules.cpp - cuModule*: modules and their functions -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace mta::standin;
using mta::emulator::EntryInfo;
namespace emulator = mta::emulator;
namespace hardware = mta::hardware;

static Driver &driver() { return Driver::get(); }

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// What the driver says of an image that is not PTX.
static CUresult refuseBinary(const char *image) {
  constexpr unsigned char elf[] = {0x7f, 'E', 'L', 'F'};
  constexpr unsigned char fatBinary[] = {0x50, 0xed, 0x55, 0xba};
  if (!std::memcmp(image, elf, 4) || !std::memcmp(image, fatBinary, 4))
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  return std::strstr(image, ".version") ? CUDA_SUCCESS
                                        : CUDA_ERROR_INVALID_IMAGE;
}

/// Whether PTX for `target` runs on an architecture (PTX ISA 11.1.2): newer
/// ones run older code; code for an architecture's own features, as sm_90a,
/// runs there alone, that of a family within its major number.
static bool runsOn(const std::string &target, unsigned architecture) {
  unsigned number = hardware::architectureNumber(target);
  if (target.back() == 'a')
    return number == architecture;
  bool isFamily = target.back() == 'f';
  return number <= architecture &&
         (!isFamily || number / 10 == architecture / 10);
}

CUresult Driver::load(const char *image, Context &context,
                      LoadedModule *&module, std::string &problem) {
  CUresult result = refuseBinary(image);
  if (result != CUDA_SUCCESS)
    return result;
  auto parsed = emulator::Module::parse(image, "<module>");
  if (!parsed) {
    problem = parsed.error().str();
    return CUDA_ERROR_INVALID_PTX;
  }
  unsigned architecture = context.device->limits.number;
  if (!runsOn(parsed->target(), architecture)) {
    problem = "PTX for " + parsed->target() + " does not run on sm_" +
              std::to_string(architecture);
    return CUDA_ERROR_INVALID_PTX;
  }
  note(parsed->target());
  module = modules.create(std::move(*parsed), &context);
  return CUDA_SUCCESS;
}

void Driver::unload(LoadedModule *module) {
  for (auto &[key, library] : libraries)
    library->modules.erase(module->context);
  modules.destroy(module);
}

CUresult Driver::functionOf(LoadedModule &module, const char *name,
                            Function *&function) {
  auto found = module.functions.find(name);
  if (found == module.functions.end()) {
    std::vector<EntryInfo> entries = module.code.entries();
    bool exists = std::any_of(entries.begin(), entries.end(),
                              [&](auto &entry) { return entry.name == name; });
    if (!exists)
      return CUDA_ERROR_NOT_FOUND;
    auto entry = module.code.check(name);
    if (!entry) {
      std::fprintf(stderr, "stand-in driver: %s\n",
                   entry.error().str().c_str());
      return CUDA_ERROR_INVALID_PTX;
    }
    int rest = DefaultShared - int(entry->staticSharedBytes);
    auto created = std::make_unique<Function>(Function{&module, *entry, rest});
    found = module.functions.emplace(name, std::move(created)).first;
  }
  function = found->second.get();
  return CUDA_SUCCESS;
}

/// Where the caller wants to read why an image cannot be loaded.
static void writeLog(const std::string &problem, unsigned count,
                     CUjit_option *options, void **values) {
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
      buffer = static_cast<char *>(values[i]);
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
      size = reinterpret_cast<uintptr_t>(values[i]);
  }
  if (buffer && size)
    std::snprintf(buffer, size, "%s", problem.c_str());
}

MTA_ENTRY cuModuleLoadDataEx(CUmodule *module, const void *image,
                             unsigned count, CUjit_option *options,
                             void **values) {
  return driver().callInContext("cuModuleLoadDataEx", [&](Context &context) {
    if (!module || !image)
      return CUDA_ERROR_INVALID_VALUE;
    LoadedModule *loaded = nullptr;
    std::string problem;
    CUresult result = driver().load(static_cast<const char *>(image), context,
                                    loaded, problem);
    writeLog(problem, count, options, values);
    *module = reinterpret_cast<CUmodule>(loaded);
    return result;
  });
}

MTA_ENTRY cuModuleLoadData(CUmodule *module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

MTA_ENTRY cuModuleUnload(CUmodule module) {
  return driver().callInContext("cuModuleUnload", [&](Context &context) {
    LoadedModule *found = driver().modules.find(module);
    if (!found || found->context != &context)
      return CUDA_ERROR_INVALID_HANDLE;
    driver().unload(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuModuleGetFunction(CUfunction *function, CUmodule module,
                              const char *name) {
  return driver().callInContext("cuModuleGetFunction", [&](Context &context) {
    LoadedModule *found = driver().modules.find(module);
    if (!function || !name)
      return CUDA_ERROR_INVALID_VALUE;
    if (!found || found->context != &context)
      return CUDA_ERROR_INVALID_HANDLE;
    driver().note(name);
    Function *entry = nullptr;
    CUresult result = driver().functionOf(*found, name, entry);
    *function = reinterpret_cast<CUfunction>(entry);
    return result;
  });
}

MTA_ENTRY cuModuleGetFunctionCount(unsigned *count, CUmodule module) {
  return driver().callInContext("cuModuleGetFunctionCount", [&](Context &) {
    LoadedModule *found = driver().modules.find(module);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    store(count, found->code.entries().size());
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes,
                               CUmodule module, const char *name) {
  return driver().callInContext("cuModuleGetGlobal", [&](Context &) {
    LoadedModule *found = driver().modules.find(module);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    size_t size = 0;
    void *variable = name ? found->code.variable(name, size) : nullptr;
    if (!variable)
      return CUDA_ERROR_NOT_FOUND;
    store(address, reinterpret_cast<uintptr_t>(variable));
    store(bytes, size);
    return CUDA_SUCCESS;
  });
}

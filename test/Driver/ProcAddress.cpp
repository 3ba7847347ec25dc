//===- ProcAddress.cpp - Entry points by name -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <dlfcn.h>

using namespace mta::standin;

/// Versions of a function after its first, and the version of the API that
/// brought them; their order is that of time.
namespace {
struct Successor {
  const char *name, *symbol;
  int since;
};
} // namespace

static constexpr Successor successors[] = {
    {"cuCtxCreate", "cuCtxCreate_v2", 3020},
    {"cuCtxCreate", "cuCtxCreate_v3", 11040},
    {"cuCtxCreate", "cuCtxCreate_v4", 12050},
    {"cuDeviceGetUuid", "cuDeviceGetUuid_v2", 11040},
    {"cuEventElapsedTime", "cuEventElapsedTime_v2", 12080},
    {"cuGetProcAddress", "cuGetProcAddress_v2", 12000},
};

/// This library, whatever else is loaded.
static void *self() {
  static void *library = [] {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void *>(&nameOf), &info))
      return static_cast<void *>(nullptr);
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  }();
  return library;
}

static void *find(const std::string &name, int version) {
  void *address = nullptr;
  bool hasSuccessors = false;
  for (const Successor &successor : successors)
    if (name == successor.name) {
      hasSuccessors = true;
      void *found = dlsym(self(), successor.symbol);
      if (found && successor.since <= version)
        address = found;
    }
  if (!address && !hasSuccessors)
    address = dlsym(self(), (name + "_v2").c_str());
  return address ? address : dlsym(self(), name.c_str());
}

MTA_ENTRY cuGetProcAddress_v2(const char *symbol, void **address, int version,
                              cuuint64_t,
                              CUdriverProcAddressQueryResult *status) {
  if (!symbol || !address)
    return CUDA_ERROR_INVALID_VALUE;
  *address = find(symbol, version);
  store(status, *address ? CU_GET_PROC_ADDRESS_SUCCESS
                         : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  return *address ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

MTA_ENTRY cuGetProcAddress(const char *symbol, void **address, int version,
                           cuuint64_t flags) {
  return cuGetProcAddress_v2(symbol, address, version, flags, nullptr);
}

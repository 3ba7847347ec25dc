//===- Libraries.cpp - cuLibrary*: code for every context -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <algorithm>
#include <cstdio>

using namespace mta::standin;
using mta::emulator::EntryInfo;

static Driver &driver() { return Driver::get(); }

CUresult Driver::moduleIn(Library &library, Context &context,
                          LoadedModule *&module) {
  auto found = library.modules.find(&context);
  if (found != library.modules.end()) {
    module = found->second;
    return CUDA_SUCCESS;
  }
  std::string problem;
  CUresult result = load(library.text.c_str(), context, module, problem);
  if (result == CUDA_SUCCESS)
    library.modules[&context] = module;
  return result;
}

CUresult Driver::functionIn(Kernel &kernel, Context &context,
                            Function *&function) {
  LoadedModule *module = nullptr;
  CUresult result = moduleIn(*kernel.library, context, module);
  return result == CUDA_SUCCESS
             ? functionOf(*module, kernel.name.c_str(), function)
             : result;
}

/// The code is loaded to a context when it is first used there; what is wrong
/// with its text is said at once.
MTA_ENTRY cuLibraryLoadData(CUlibrary *library, const void *code,
                            CUjit_option *, void **, unsigned,
                            CUlibraryOption *, void **, unsigned) {
  return driver().callInitialized("cuLibraryLoadData", [&] {
    if (!library || !code)
      return CUDA_ERROR_INVALID_VALUE;
    Context *context = Driver::current();
    if (!driver().contexts.find(context))
      return CUDA_ERROR_INVALID_CONTEXT;
    Library loaded;
    loaded.text = static_cast<const char *>(code);
    LoadedModule *module = nullptr;
    std::string problem;
    CUresult result =
        driver().load(loaded.text.c_str(), *context, module, problem);
    if (result != CUDA_SUCCESS)
      return result;
    loaded.entries = module->code.entries();
    loaded.modules[context] = module;
    *library = reinterpret_cast<CUlibrary>(
        driver().libraries.create(std::move(loaded)));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuLibraryUnload(CUlibrary library) {
  return driver().callInitialized("cuLibraryUnload", [&] {
    Library *found = driver().libraries.find(library);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    auto loaded = found->modules;
    for (auto &[context, module] : loaded)
      driver().unload(module);
    driver().kernels.destroyIf(
        [&](Kernel &kernel) { return kernel.library == found; });
    driver().libraries.destroy(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuLibraryGetKernel(CUkernel *kernel, CUlibrary library,
                             const char *name) {
  return driver().callInitialized("cuLibraryGetKernel", [&] {
    Library *found = driver().libraries.find(library);
    if (!kernel || !name)
      return CUDA_ERROR_INVALID_VALUE;
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    driver().note(name);
    for (auto &[key, known] : driver().kernels)
      if (known->library == found && known->name == name) {
        *kernel = reinterpret_cast<CUkernel>(known.get());
        return CUDA_SUCCESS;
      }
    bool exists = std::any_of(found->entries.begin(), found->entries.end(),
                              [&](auto &entry) { return entry.name == name; });
    if (!exists)
      return CUDA_ERROR_NOT_FOUND;
    *kernel = reinterpret_cast<CUkernel>(
        driver().kernels.create(Kernel{found, name}));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuLibraryGetKernelCount(unsigned *count, CUlibrary library) {
  return driver().callInitialized("cuLibraryGetKernelCount", [&] {
    Library *found = driver().libraries.find(library);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    store(count, found->entries.size());
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuLibraryGetModule(CUmodule *module, CUlibrary library) {
  return driver().callInContext("cuLibraryGetModule", [&](Context &context) {
    Library *found = driver().libraries.find(library);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    LoadedModule *loaded = nullptr;
    CUresult result = driver().moduleIn(*found, context, loaded);
    store(module, reinterpret_cast<CUmodule>(loaded));
    return result;
  });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

MTA_ENTRY cuKernelGetFunction(CUfunction *function, CUkernel kernel) {
  return driver().callInContext("cuKernelGetFunction", [&](Context &context) {
    Kernel *found = driver().kernels.find(kernel);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    Function *entry = nullptr;
    CUresult result = driver().functionIn(*found, context, entry);
    store(function, reinterpret_cast<CUfunction>(entry));
    return result;
  });
}

MTA_ENTRY cuKernelGetLibrary(CUlibrary *library, CUkernel kernel) {
  return driver().callInitialized("cuKernelGetLibrary", [&] {
    Kernel *found = driver().kernels.find(kernel);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    store(library, reinterpret_cast<CUlibrary>(found->library));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuKernelGetName(const char **name, CUkernel kernel) {
  return driver().callInitialized("cuKernelGetName", [&] {
    Kernel *found = driver().kernels.find(kernel);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    store(name, found->name.c_str());
    return CUDA_SUCCESS;
  });
}

//===- Functions.cpp - cuFunc*, cuKernel*: attributes -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <algorithm>

using namespace mta::standin;
namespace hardware = mta::hardware;

static Driver &driver() { return Driver::get(); }

CUresult Driver::resolve(const void *handle, Context &context,
                         Function *&function) {
  if (Kernel *kernel = kernels.find(handle))
    return functionIn(*kernel, context, function);
  for (auto &[key, module] : modules)
    for (auto &[name, known] : module->functions)
      if (known.get() == handle) {
        function = known.get();
        return module->context == &context ? CUDA_SUCCESS
                                           : CUDA_ERROR_INVALID_HANDLE;
      }
  return CUDA_ERROR_INVALID_HANDLE;
}

/// Runs `body` on the function of a handle in the current context.
static CUresult
callOnFunction(const char *name, const void *handle,
               const std::function<CUresult(Function &)> &body) {
  return driver().callInContext(name, [&](Context &context) {
    Function *function = nullptr;
    CUresult result = driver().resolve(handle, context, function);
    return result == CUDA_SUCCESS ? body(*function) : result;
  });
}

/// The most threads of a block of the function.
static int maxThreads(const Function &function) {
  const mta::emulator::EntryInfo &entry = function.entry;
  const uint32_t *limit =
      entry.requiredThreads[0] ? entry.requiredThreads : entry.maxThreads;
  uint64_t threads = uint64_t(limit[0]) * limit[1] * limit[2];
  return threads ? int(threads) : int(hardware::MaxThreadsPerBlock);
}

static CUresult getAttribute(const Function &function,
                             CUfunction_attribute attribute, int &value) {
  const std::string &target = function.module->code.target();
  value = 0;
  switch (int(attribute)) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    value = maxThreads(function);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    value = int(function.entry.staticSharedBytes);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    value = int(hardware::architectureNumber(target));
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    value = int(function.module->context->device->limits.number);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    value = function.dynamicShared;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    value = function.carveout;
    return CUDA_SUCCESS;
  default:
    // Registers, constants, local memory and clusters: an emulated function
    // has none of its own.
    return int(attribute) < 0 || int(attribute) > 15 ? CUDA_ERROR_INVALID_VALUE
                                                     : CUDA_SUCCESS;
  }
}

static CUresult setAttribute(Function &function, CUfunction_attribute attribute,
                             int value) {
  if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
    function.carveout = value;
    return value < -1 || value > 100 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
  }
  if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
    return CUDA_ERROR_INVALID_VALUE;
  driver().note(function.entry.name + " dynamic=" + std::to_string(value));
  uint32_t most = function.module->context->device->limits.blockBytes;
  if (value < 0 || uint64_t(value) + function.entry.staticSharedBytes > most)
    return CUDA_ERROR_INVALID_VALUE;
  function.dynamicShared = value;
  return CUDA_SUCCESS;
}

MTA_ENTRY cuFuncGetAttribute(int *value, CUfunction_attribute attribute,
                             CUfunction handle) {
  return callOnFunction("cuFuncGetAttribute", handle, [&](Function &function) {
    return value ? getAttribute(function, attribute, *value)
                 : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                             int value) {
  return callOnFunction("cuFuncSetAttribute", handle, [&](Function &function) {
    return setAttribute(function, attribute, value);
  });
}

MTA_ENTRY cuFuncGetModule(CUmodule *module, CUfunction handle) {
  return callOnFunction("cuFuncGetModule", handle, [&](Function &function) {
    store(module, reinterpret_cast<CUmodule>(function.module));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuFuncGetName(const char **name, CUfunction handle) {
  return callOnFunction("cuFuncGetName", handle, [&](Function &function) {
    store(name, function.entry.name.c_str());
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuFuncLoad(CUfunction handle) {
  return callOnFunction("cuFuncLoad", handle,
                        [](Function &) { return CUDA_SUCCESS; });
}

static CUresult getParameter(const char *name, const void *handle, size_t index,
                             size_t *offset, size_t *size) {
  return callOnFunction(name, handle, [&](Function &function) {
    if (index >= function.entry.parameters.size())
      return CUDA_ERROR_INVALID_VALUE;
    store(offset, function.entry.parameters[index].offset);
    store(size, function.entry.parameters[index].size);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset,
                             size_t *size) {
  return getParameter("cuFuncGetParamInfo", function, index, offset, size);
}

MTA_ENTRY cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t *offset,
                               size_t *size) {
  return getParameter("cuKernelGetParamInfo", kernel, index, offset, size);
}

//===----------------------------------------------------------------------===//
// Attributes of kernels: those of their functions on a device
//===----------------------------------------------------------------------===//

static CUresult callOnKernel(const char *name, CUkernel handle, CUdevice device,
                             const std::function<CUresult(Function &)> &body) {
  return driver().callInitialized(name, [&] {
    Kernel *kernel = driver().kernels.find(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    Context *context = Driver::current();
    if (!driver().contexts.find(context))
      return CUDA_ERROR_INVALID_CONTEXT;
    if (context->device->ordinal != device)
      return CUDA_ERROR_INVALID_DEVICE;
    Function *function = nullptr;
    CUresult result = driver().functionIn(*kernel, *context, function);
    return result == CUDA_SUCCESS ? body(*function) : result;
  });
}

MTA_ENTRY cuKernelGetAttribute(int *value, CUfunction_attribute attribute,
                               CUkernel kernel, CUdevice device) {
  return callOnKernel("cuKernelGetAttribute", kernel, device,
                      [&](Function &function) {
                        return value ? getAttribute(function, attribute, *value)
                                     : CUDA_ERROR_INVALID_VALUE;
                      });
}

MTA_ENTRY cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                               CUkernel kernel, CUdevice device) {
  return callOnKernel("cuKernelSetAttribute", kernel, device,
                      [&](Function &function) {
                        return setAttribute(function, attribute, value);
                      });
}

//===----------------------------------------------------------------------===//
// Occupancy: by threads and shared memory; registers are not known here
//===----------------------------------------------------------------------===//

MTA_ENTRY cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, CUfunction handle, int threads, size_t dynamicShared,
    unsigned) {
  return callOnFunction(
      "cuOccupancyMaxActiveBlocksPerMultiprocessor", handle,
      [&](Function &function) {
        const auto &limits = function.module->context->device->limits;
        if (!blocks || threads <= 0)
          return CUDA_ERROR_INVALID_VALUE;
        uint64_t shared = function.entry.staticSharedBytes + dynamicShared;
        uint64_t used = shared + hardware::ReservedBytesPerBlock;
        bool fits = threads <= maxThreads(function) &&
                    dynamicShared <= size_t(function.dynamicShared);
        uint64_t byThreads = limits.threads / unsigned(threads);
        uint64_t byShared = limits.multiprocessorBytes / used;
        *blocks =
            fits ? int(std::min({byThreads, byShared, uint64_t(limits.blocks)}))
                 : 0;
        return CUDA_SUCCESS;
      });
}

MTA_ENTRY cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                      CUfunction function,
                                                      int threads,
                                                      size_t dynamicShared) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
      blocks, function, threads, dynamicShared, 0);
}

//===- Contexts.cpp - cuCtx*: contexts and primary contexts -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <algorithm>

using namespace mta::standin;

static Driver &driver() { return Driver::get(); }

static CUcontext handle(Context *context) {
  return reinterpret_cast<CUcontext>(context);
}

void Driver::destroyContext(Context *context) {
  streams.destroyIf([&](Stream &stream) { return stream.context == context; });
  events.destroyIf([&](Event &event) { return event.context == context; });
  std::vector<LoadedModule *> loaded;
  for (auto &[key, module] : modules)
    if (module->context == context)
      loaded.push_back(module.get());
  for (LoadedModule *module : loaded)
    unload(module);
  std::vector<uintptr_t> owned;
  for (auto &[base, allocation] : allocations)
    if (allocation.context == context)
      owned.push_back(base);
  for (uintptr_t base : owned)
    release(base, allocations[base].isDevice);
  if (context->device->primary == context)
    context->device->primary = nullptr;
  contexts.destroy(context);
}

//===----------------------------------------------------------------------===//
// Contexts of the program
//===----------------------------------------------------------------------===//

static CUresult createContext(CUcontext *context, unsigned flags,
                              CUdevice ordinal) {
  return driver().callInitialized("cuCtxCreate", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result != CUDA_SUCCESS)
      return result;
    if (!context)
      return CUDA_ERROR_INVALID_VALUE;
    Context *created = driver().contexts.create(device, flags);
    Driver::stack().push_back(created);
    *context = handle(created);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) {
  return createContext(context, flags, device);
}

MTA_ENTRY cuCtxCreate_v4(CUcontext *context, CUctxCreateParams *,
                         unsigned flags, CUdevice device) {
  return createContext(context, flags, device);
}

MTA_ENTRY cuCtxDestroy_v2(CUcontext context) {
  return driver().callInitialized("cuCtxDestroy", [&] {
    Context *found = driver().contexts.find(context);
    if (!found || found == found->device->primary)
      return CUDA_ERROR_INVALID_CONTEXT;
    driver().destroyContext(found);
    std::vector<Context *> &stack = Driver::stack();
    if (!stack.empty() && stack.back() == found)
      stack.pop_back();
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxPushCurrent_v2(CUcontext context) {
  return driver().callInitialized("cuCtxPushCurrent", [&] {
    Context *found = driver().contexts.find(context);
    if (!found)
      return CUDA_ERROR_INVALID_CONTEXT;
    Driver::stack().push_back(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxPopCurrent_v2(CUcontext *context) {
  return driver().callInitialized("cuCtxPopCurrent", [&] {
    std::vector<Context *> &stack = Driver::stack();
    if (stack.empty())
      return CUDA_ERROR_INVALID_CONTEXT;
    store(context, handle(stack.back()));
    stack.pop_back();
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxSetCurrent(CUcontext context) {
  return driver().callInitialized("cuCtxSetCurrent", [&] {
    Context *found = driver().contexts.find(context);
    if (context && !found)
      return CUDA_ERROR_INVALID_CONTEXT;
    std::vector<Context *> &stack = Driver::stack();
    if (!stack.empty())
      stack.pop_back();
    if (found)
      stack.push_back(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxGetCurrent(CUcontext *context) {
  return driver().callInitialized("cuCtxGetCurrent", [&] {
    store(context, handle(Driver::current()));
    return context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuCtxGetDevice(CUdevice *device) {
  return driver().callInContext("cuCtxGetDevice", [&](Context &context) {
    store(device, context.device->ordinal);
    return device ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuCtxGetFlags(unsigned *flags) {
  return driver().callInContext("cuCtxGetFlags", [&](Context &context) {
    store(flags, context.flags);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxGetApiVersion(CUcontext context, unsigned *version) {
  return driver().callInitialized("cuCtxGetApiVersion", [&] {
    if (context && !driver().contexts.find(context))
      return CUDA_ERROR_INVALID_CONTEXT;
    store(version, 3020);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return driver().callInContext("cuCtxGetStreamPriorityRange", [&](Context &) {
    store(least, 0);
    store(greatest, -5);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuCtxSynchronize(void) {
  return driver().callInContext("cuCtxSynchronize",
                                [](Context &) { return CUDA_SUCCESS; });
}

//===----------------------------------------------------------------------===//
// Primary contexts
//===----------------------------------------------------------------------===//

MTA_ENTRY cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice ordinal) {
  return driver().callInitialized("cuDevicePrimaryCtxRetain", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result != CUDA_SUCCESS)
      return result;
    if (!context)
      return CUDA_ERROR_INVALID_VALUE;
    if (!device->primary)
      device->primary = driver().contexts.create(device, 0u);
    ++device->primaryRetained;
    *context = handle(device->primary);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDevicePrimaryCtxRelease_v2(CUdevice ordinal) {
  return driver().callInitialized("cuDevicePrimaryCtxRelease", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result != CUDA_SUCCESS)
      return result;
    if (!device->primaryRetained)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (--device->primaryRetained == 0)
      driver().destroyContext(device->primary);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDevicePrimaryCtxGetState(CUdevice ordinal, unsigned *flags,
                                     int *isActive) {
  return driver().callInitialized("cuDevicePrimaryCtxGetState", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result != CUDA_SUCCESS)
      return result;
    store(flags, device->primary ? device->primary->flags : 0);
    store(isActive, device->primary != nullptr);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDevicePrimaryCtxSetFlags_v2(CUdevice ordinal, unsigned flags) {
  return driver().callInitialized("cuDevicePrimaryCtxSetFlags", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result == CUDA_SUCCESS && device->primary)
      device->primary->flags = flags;
    return result;
  });
}

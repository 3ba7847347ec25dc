//===- Memory.cpp - cuMem*: allocations and what they are -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <cstdlib>
#include <cstring>

using namespace mta::standin;
using mta::emulator::Access;
using mta::emulator::MemoryRange;

/// Of allocations, as the driver's.
static constexpr size_t kAlignment = 256;

static Driver &driver() { return Driver::get(); }

CUresult Driver::allocate(Context &context, size_t bytes, bool isDevice,
                          unsigned flags, Pool *pool, void *&pointer) {
  if (!bytes)
    return CUDA_ERROR_INVALID_VALUE;
  Device &device = *context.device;
  if (isDevice && bytes > device.bytes - device.used)
    return CUDA_ERROR_OUT_OF_MEMORY;
  size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  pointer = std::aligned_alloc(kAlignment, rounded);
  if (!pointer)
    return CUDA_ERROR_OUT_OF_MEMORY;
  auto base = reinterpret_cast<uintptr_t>(pointer);
  note(std::to_string(bytes));
  // What nobody has written is not to be read by a kernel.
  context.memory.add(pointer, bytes, isDevice ? Access::Out : Access::InOut,
                     "allocation of " + std::to_string(bytes) + " bytes");
  allocations[base] = {base, bytes, &context, isDevice, false, pool, flags};
  if (isDevice)
    device.used += bytes;
  if (pool)
    pool->highest = std::max(pool->highest, pool->used += bytes);
  return CUDA_SUCCESS;
}

CUresult Driver::release(uintptr_t pointer, bool isDevice) {
  auto found = allocations.find(pointer);
  if (found == allocations.end() || found->second.isDevice != isDevice)
    return CUDA_ERROR_INVALID_VALUE;
  Allocation &allocation = found->second;
  allocation.context->memory.remove(reinterpret_cast<void *>(pointer));
  if (isDevice)
    allocation.context->device->used -= allocation.bytes;
  if (allocation.pool)
    allocation.pool->used -= allocation.bytes;
  if (!allocation.isRegistered)
    std::free(reinterpret_cast<void *>(pointer));
  allocations.erase(found);
  return CUDA_SUCCESS;
}

Allocation *Driver::find(uintptr_t address) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin())
    return nullptr;
  Allocation &allocation = std::prev(next)->second;
  return address - allocation.base < allocation.bytes ? &allocation : nullptr;
}

bool Driver::isOnDevice(uintptr_t address, size_t bytes) {
  if (Allocation *allocation = find(address))
    return bytes <= allocation->base + allocation->bytes - address;
  // Variables of modules.
  for (auto &[key, module] : modules)
    for (const std::string &name : module->code.variables()) {
      size_t size = 0;
      auto base =
          reinterpret_cast<uintptr_t>(module->code.variable(name, size));
      if (address - base < size && bytes <= base + size - address)
        return true;
    }
  return false;
}

void Driver::markWritten(uintptr_t address, size_t bytes) {
  Allocation *allocation = find(address);
  MemoryRange *range =
      allocation ? allocation->context->memory.find(address) : nullptr;
  if (range && range->initialized && bytes)
    range->initialized.mark(address - range->base, bytes);
}

//===----------------------------------------------------------------------===//
// Of the device
//===----------------------------------------------------------------------===//

MTA_ENTRY cuMemAlloc_v2(CUdeviceptr *pointer, size_t bytes) {
  return driver().callInContext("cuMemAlloc", [&](Context &context) {
    void *memory = nullptr;
    if (!pointer)
      return CUDA_ERROR_INVALID_VALUE;
    CUresult result =
        driver().allocate(context, bytes, true, 0, nullptr, memory);
    *pointer = reinterpret_cast<uintptr_t>(memory);
    return result;
  });
}

MTA_ENTRY cuMemFree_v2(CUdeviceptr pointer) {
  return driver().callInContext("cuMemFree", [&](Context &) {
    return pointer ? driver().release(pointer, true) : CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemGetInfo_v2(size_t *free, size_t *total) {
  return driver().callInContext("cuMemGetInfo", [&](Context &context) {
    store(free, context.device->bytes - context.device->used);
    store(total, context.device->bytes);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                  CUdeviceptr pointer) {
  return driver().callInContext("cuMemGetAddressRange", [&](Context &) {
    Allocation *found = driver().find(pointer);
    if (!found)
      return CUDA_ERROR_NOT_FOUND;
    store(base, found->base);
    store(bytes, found->bytes);
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// Of the host
//===----------------------------------------------------------------------===//

MTA_ENTRY cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags) {
  return driver().callInContext("cuMemHostAlloc", [&](Context &context) {
    return pointer ? driver().allocate(context, bytes, false, flags, nullptr,
                                       *pointer)
                   : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuMemAllocHost_v2(void **pointer, size_t bytes) {
  return cuMemHostAlloc(pointer, bytes, 0);
}

MTA_ENTRY cuMemFreeHost(void *pointer) {
  return driver().callInContext("cuMemFreeHost", [&](Context &) {
    return driver().release(reinterpret_cast<uintptr_t>(pointer), false);
  });
}

MTA_ENTRY cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags) {
  return driver().callInContext("cuMemHostRegister", [&](Context &context) {
    auto base = reinterpret_cast<uintptr_t>(pointer);
    if (!pointer || !bytes)
      return CUDA_ERROR_INVALID_VALUE;
    if (!context.memory.add(pointer, bytes, Access::InOut, "host memory"))
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    driver().allocations[base] = {base, bytes,   &context, false,
                                  true, nullptr, flags};
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemHostUnregister(void *pointer) {
  return driver().callInContext("cuMemHostUnregister", [&](Context &) {
    Allocation *found = driver().find(reinterpret_cast<uintptr_t>(pointer));
    if (!found || !found->isRegistered)
      return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    return driver().release(reinterpret_cast<uintptr_t>(pointer), false);
  });
}

MTA_ENTRY cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *pointer,
                                       unsigned) {
  return driver().callInContext("cuMemHostGetDevicePointer", [&](Context &) {
    Allocation *found = driver().find(reinterpret_cast<uintptr_t>(pointer));
    if (!result || !found || found->isDevice)
      return CUDA_ERROR_INVALID_VALUE;
    *result = reinterpret_cast<uintptr_t>(pointer);
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// What a pointer is
//===----------------------------------------------------------------------===//

/// Writes an attribute of a pointer into an allocation, or of one that is
/// nobody's: zeros.
static CUresult getAttribute(void *data, CUpointer_attribute attribute,
                             CUdeviceptr pointer, const Allocation *found) {
  auto write = [&](auto value) {
    std::memcpy(data, &value, sizeof value);
    return CUDA_SUCCESS;
  };
  switch (int(attribute)) {
  case CU_POINTER_ATTRIBUTE_CONTEXT:
    return write(found ? found->context : nullptr);
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    return write(!found            ? 0u
                 : found->isDevice ? unsigned(CU_MEMORYTYPE_DEVICE)
                                   : unsigned(CU_MEMORYTYPE_HOST));
  case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    return write(found ? pointer : CUdeviceptr(0));
  case CU_POINTER_ATTRIBUTE_HOST_POINTER:
    return write(found && !found->isDevice ? pointer : CUdeviceptr(0));
  case CU_POINTER_ATTRIBUTE_BUFFER_ID:
    return write(static_cast<unsigned long long>(found ? found->base : 0));
  case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    return write(0u);
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
    return write(found ? found->context->device->ordinal : -2);
  case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    return write(found ? CUdeviceptr(found->base) : CUdeviceptr(0));
  case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    return write(found ? found->bytes : size_t(0));
  case CU_POINTER_ATTRIBUTE_MAPPED:
    return write(found != nullptr);
  default:
    return CUDA_ERROR_NOT_SUPPORTED;
  }
}

MTA_ENTRY cuPointerGetAttribute(void *data, CUpointer_attribute attribute,
                                CUdeviceptr pointer) {
  return driver().callInitialized("cuPointerGetAttribute", [&] {
    Allocation *found = driver().find(pointer);
    return data && found ? getAttribute(data, attribute, pointer, found)
                         : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuPointerGetAttributes(unsigned count,
                                 CUpointer_attribute *attributes, void **data,
                                 CUdeviceptr pointer) {
  return driver().callInitialized("cuPointerGetAttributes", [&] {
    if (!count || !attributes || !data)
      return CUDA_ERROR_INVALID_VALUE;
    Allocation *found = driver().find(pointer);
    CUresult result = CUDA_SUCCESS;
    for (unsigned i = 0; i < count && result == CUDA_SUCCESS; ++i)
      result = getAttribute(data[i], attributes[i], pointer, found);
    return result;
  });
}

//===- Pools.cpp - cuMemPool*: memory in the order of streams ---*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <cstring>

using namespace mta::standin;

static Driver &driver() { return Driver::get(); }

static CUmemoryPool handle(Pool *pool) {
  return reinterpret_cast<CUmemoryPool>(pool);
}

static Pool *createPool(Device &device, const CUmemPoolProps *properties) {
  Pool created{&device, {}};
  if (properties)
    created.properties = *properties;
  return driver().pools.create(created);
}

static Pool *defaultPool(Device &device) {
  Pool *&pool = driver().defaultPools[&device];
  if (!pool)
    pool = createPool(device, nullptr);
  return pool;
}

static Pool *currentPool(Device &device) {
  auto found = driver().currentPools.find(&device);
  return found == driver().currentPools.end() ? defaultPool(device)
                                              : found->second;
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

static CUresult getPool(const char *name, CUmemoryPool *pool, CUdevice ordinal,
                        Pool *(*which)(Device &)) {
  return driver().callInitialized(name, [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    if (result == CUDA_SUCCESS)
      store(pool, handle(which(*device)));
    return result;
  });
}

MTA_ENTRY cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice device) {
  return getPool("cuDeviceGetDefaultMemPool", pool, device, defaultPool);
}

MTA_ENTRY cuDeviceGetMemPool(CUmemoryPool *pool, CUdevice device) {
  return getPool("cuDeviceGetMemPool", pool, device, currentPool);
}

MTA_ENTRY cuDeviceSetMemPool(CUdevice ordinal, CUmemoryPool pool) {
  return driver().callInitialized("cuDeviceSetMemPool", [&] {
    Device *device;
    CUresult result = driver().deviceOf(ordinal, device);
    Pool *found = driver().pools.find(pool);
    if (result != CUDA_SUCCESS)
      return result;
    if (!found || found->device != device)
      return CUDA_ERROR_INVALID_VALUE;
    driver().currentPools[device] = found;
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemPoolCreate(CUmemoryPool *pool,
                          const CUmemPoolProps *properties) {
  return driver().callInitialized("cuMemPoolCreate", [&] {
    Device *device;
    if (!pool || !properties)
      return CUDA_ERROR_INVALID_VALUE;
    if (properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE ||
        properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE)
      return CUDA_ERROR_NOT_SUPPORTED;
    CUresult result = driver().deviceOf(properties->location.id, device);
    if (result == CUDA_SUCCESS)
      *pool = handle(createPool(*device, properties));
    return result;
  });
}

MTA_ENTRY cuMemPoolDestroy(CUmemoryPool pool) {
  return driver().callInitialized("cuMemPoolDestroy", [&] {
    Pool *found = driver().pools.find(pool);
    if (!found || found == driver().defaultPools[found->device])
      return CUDA_ERROR_INVALID_VALUE;
    if (currentPool(*found->device) == found)
      driver().currentPools.erase(found->device);
    // Its memory lives until it is freed.
    for (auto &[base, allocation] : driver().allocations)
      if (allocation.pool == found)
        allocation.pool = nullptr;
    driver().pools.destroy(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemPoolTrimTo(CUmemoryPool pool, size_t) {
  return driver().callInitialized("cuMemPoolTrimTo", [&] {
    return driver().pools.find(pool) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

/// Attributes are ints, but for the numbers of bytes.
MTA_ENTRY cuMemPoolGetAttribute(CUmemoryPool pool,
                                CUmemPool_attribute attribute, void *value) {
  return driver().callInitialized("cuMemPoolGetAttribute", [&] {
    Pool *found = driver().pools.find(pool);
    if (!found || !value)
      return CUDA_ERROR_INVALID_VALUE;
    auto write = [&](auto result) {
      std::memcpy(value, &result, sizeof result);
      return CUDA_SUCCESS;
    };
    switch (int(attribute)) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
      return write(1);
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
      return write(found->releaseThreshold);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
      return write(found->used);
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      return write(found->highest);
    default:
      return CUDA_ERROR_INVALID_VALUE;
    }
  });
}

MTA_ENTRY cuMemPoolSetAttribute(CUmemoryPool pool,
                                CUmemPool_attribute attribute, void *value) {
  return driver().callInitialized("cuMemPoolSetAttribute", [&] {
    Pool *found = driver().pools.find(pool);
    if (!found || !value || int(attribute) < 1 || int(attribute) > 8)
      return CUDA_ERROR_INVALID_VALUE;
    // There is nothing to reuse: others do not matter.
    if (attribute == CU_MEMPOOL_ATTR_RELEASE_THRESHOLD)
      std::memcpy(&found->releaseThreshold, value,
                  sizeof found->releaseThreshold);
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// Memory from them
//===----------------------------------------------------------------------===//

static CUresult allocate(const char *name, CUdeviceptr *pointer, size_t bytes,
                         CUstream stream, CUmemoryPool given) {
  return driver().callInContext(name, [&](Context &context) {
    Pool *pool =
        given ? driver().pools.find(given) : currentPool(*context.device);
    if (!pointer || !pool)
      return CUDA_ERROR_INVALID_VALUE;
    if (!driver().isStream(stream))
      return CUDA_ERROR_INVALID_HANDLE;
    void *memory = nullptr;
    CUresult result = driver().allocate(context, bytes, true, 0, pool, memory);
    *pointer = reinterpret_cast<uintptr_t>(memory);
    return result;
  });
}

MTA_ENTRY cuMemAllocAsync(CUdeviceptr *pointer, size_t bytes, CUstream stream) {
  return allocate("cuMemAllocAsync", pointer, bytes, stream, nullptr);
}

MTA_ENTRY cuMemAllocFromPoolAsync(CUdeviceptr *pointer, size_t bytes,
                                  CUmemoryPool pool, CUstream stream) {
  return allocate("cuMemAllocFromPoolAsync", pointer, bytes, stream, pool);
}

MTA_ENTRY cuMemFreeAsync(CUdeviceptr pointer, CUstream stream) {
  return driver().callInContext("cuMemFreeAsync", [&](Context &) {
    if (!driver().isStream(stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return pointer ? driver().release(pointer, true) : CUDA_SUCCESS;
  });
}

//===- Devices.cpp - cuDevice*: what the devices are ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <cstdio>
#include <cstring>

using namespace mta::standin;
namespace hardware = mta::hardware;

/// Runs `body` on the device of a number.
static CUresult callOnDevice(const char *name, CUdevice ordinal,
                             const std::function<CUresult(Device &)> &body) {
  Driver &driver = Driver::get();
  return driver.callInitialized(name, [&] {
    Device *device;
    CUresult result = driver.deviceOf(ordinal, device);
    return result == CUDA_SUCCESS ? body(*device) : result;
  });
}

/// An attribute; 0 for features that an emulated device does not have.
static int attributeOf(const Device &device, CUdevice_attribute attribute) {
  const hardware::Architecture &limits = device.limits;
  switch (int(attribute)) {
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
    return hardware::MaxThreadsPerBlock;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
    return 64;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
    return 0x7fffffff;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
    return 65535;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
    return DefaultShared;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    return int(limits.blockBytes);
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
    return int(limits.multiprocessorBytes);
  case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK:
    return hardware::ReservedBytesPerBlock;
  case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
    return 32;
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR:
    return hardware::Registers;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: {
    const hardware::GpuFigures *gpu = hardware::findGpu(limits.number);
    return gpu ? int(gpu->multiprocessors) : 1;
  }
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
    return int(limits.threads);
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
    return int(limits.blocks);
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    return int(limits.number / 10);
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    return int(limits.number % 10);
  case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
  case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
    return 1;
  default:
    return 0;
  }
}

MTA_ENTRY cuDeviceGetCount(int *count) {
  Driver &driver = Driver::get();
  return driver.callInitialized("cuDeviceGetCount", [&] {
    store(count, driver.devices.size());
    return count ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuDeviceGet(CUdevice *device, int ordinal) {
  return callOnDevice("cuDeviceGet", ordinal, [&](Device &found) {
    store(device, found.ordinal);
    return device ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuDeviceGetName(char *name, int length, CUdevice ordinal) {
  return callOnDevice("cuDeviceGetName", ordinal, [&](Device &device) {
    if (!name || length <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    std::snprintf(name, size_t(length), "Emulated sm_%u", device.limits.number);
    return CUDA_SUCCESS;
  });
}

/// The chip and the number of the device: stable from run to run.
MTA_ENTRY cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice ordinal) {
  return callOnDevice("cuDeviceGetUuid", ordinal, [&](Device &device) {
    if (!uuid)
      return CUDA_ERROR_INVALID_VALUE;
    std::memset(uuid->bytes, 0, sizeof uuid->bytes);
    std::snprintf(uuid->bytes, sizeof uuid->bytes, "mta-sm%u-%d",
                  device.limits.number, device.ordinal);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDeviceGetUuid(CUuuid *uuid, CUdevice ordinal) {
  return cuDeviceGetUuid_v2(uuid, ordinal);
}

MTA_ENTRY cuDeviceTotalMem_v2(size_t *bytes, CUdevice ordinal) {
  return callOnDevice("cuDeviceTotalMem", ordinal, [&](Device &device) {
    store(bytes, device.bytes);
    return bytes ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

MTA_ENTRY cuDeviceGetAttribute(int *value, CUdevice_attribute attribute,
                               CUdevice ordinal) {
  return callOnDevice("cuDeviceGetAttribute", ordinal, [&](Device &device) {
    if (!value || int(attribute) < 1)
      return CUDA_ERROR_INVALID_VALUE;
    *value = attributeOf(device, attribute);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDeviceComputeCapability(int *major, int *minor, CUdevice ordinal) {
  return callOnDevice("cuDeviceComputeCapability", ordinal,
                      [&](Device &device) {
                        store(major, device.limits.number / 10);
                        store(minor, device.limits.number % 10);
                        return CUDA_SUCCESS;
                      });
}

MTA_ENTRY cuDeviceGetPCIBusId(char *text, int length, CUdevice ordinal) {
  return callOnDevice("cuDeviceGetPCIBusId", ordinal, [&](Device &device) {
    if (!text || length < 13)
      return CUDA_ERROR_INVALID_VALUE;
    std::snprintf(text, size_t(length), "0000:%02x:00.0", device.ordinal);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuDeviceCanAccessPeer(int *can, CUdevice ordinal, CUdevice peer) {
  return callOnDevice("cuDeviceCanAccessPeer", ordinal, [&](Device &) {
    Device *other;
    store(can, 0);
    return Driver::get().deviceOf(peer, other);
  });
}

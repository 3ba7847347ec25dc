//===- Launch.cpp - cuLaunch*: kernels in the emulator ----------*- C++ -*-===//
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
namespace hardware = mta::hardware;

static Driver &driver() { return Driver::get(); }

/// What a driver says to the shape of a launch (CUDA Driver API,
/// cuLaunchKernel; CUDA C++ Programming Guide, "Technical Specifications per
/// Compute Capability").
static CUresult checkShape(const Function &function,
                           const Driver::Launch &launch) {
  const EntryInfo &entry = function.entry;
  const uint32_t *block = launch.block, *grid = launch.grid;
  uint64_t threads = uint64_t(block[0]) * block[1] * block[2];
  if (!threads || !grid[0] || !grid[1] || !grid[2] || block[0] > 1024 ||
      block[1] > 1024 || block[2] > 64 ||
      threads > hardware::MaxThreadsPerBlock || grid[0] > 0x7fffffff ||
      grid[1] > 65535 || grid[2] > 65535)
    return CUDA_ERROR_INVALID_VALUE;
  if (entry.requiredThreads[0] &&
      !std::equal(block, block + 3, entry.requiredThreads))
    return CUDA_ERROR_INVALID_VALUE;
  uint64_t most =
      uint64_t(entry.maxThreads[0]) * entry.maxThreads[1] * entry.maxThreads[2];
  if (most && threads > most)
    return CUDA_ERROR_INVALID_VALUE;
  return launch.dynamicShared > uint64_t(function.dynamicShared)
             ? CUDA_ERROR_INVALID_VALUE
             : CUDA_SUCCESS;
}

/// The parameters as the entry lays them out: from an array of pointers to
/// them, or from `extra`, which has them in one buffer.
static CUresult pack(const EntryInfo &entry, void **parameters, void **extra,
                     std::vector<uint8_t> &bytes) {
  bytes.resize(entry.parameterBytes);
  if (parameters && extra)
    return CUDA_ERROR_INVALID_VALUE;
  if (extra) {
    const void *buffer = nullptr;
    size_t size = 0;
    for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
      if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER)
        buffer = extra[1];
      if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE)
        size = *static_cast<size_t *>(extra[1]);
    }
    if (size != bytes.size() || (size && !buffer))
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(bytes.data(), buffer, size);
    return CUDA_SUCCESS;
  }
  for (size_t i = 0; i < entry.parameters.size(); ++i) {
    if (!parameters || !parameters[i])
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(bytes.data() + entry.parameters[i].offset, parameters[i],
                entry.parameters[i].size);
  }
  return CUDA_SUCCESS;
}

static std::string triple(const char *name, const uint32_t (&numbers)[3]) {
  return std::string(name) + "=" + std::to_string(numbers[0]) + "," +
         std::to_string(numbers[1]) + "," + std::to_string(numbers[2]);
}

CUresult Driver::launch(Context &context, const void *handle,
                        const Launch &launch, void **parameters, void **extra) {
  Function *function = nullptr;
  CUresult result = resolve(handle, context, function);
  if (result != CUDA_SUCCESS)
    return result;
  const EntryInfo &entry = function->entry;
  char stream[32];
  std::snprintf(stream, sizeof stream, "stream=%p",
                static_cast<void *>(launch.stream));
  note(entry.name + " " + triple("grid", launch.grid) + " " +
       triple("block", launch.block) +
       " dynamic=" + std::to_string(launch.dynamicShared) + " " + stream);
  if (!isStream(launch.stream))
    return CUDA_ERROR_INVALID_HANDLE;
  emulator::LaunchConfig config;
  config.entry = entry.name;
  std::copy_n(launch.grid, 3, config.grid);
  std::copy_n(launch.block, 3, config.block);
  config.dynamicShared = launch.dynamicShared;
  config.async = async;
  if ((result = checkShape(*function, launch)) != CUDA_SUCCESS ||
      (result = pack(entry, parameters, extra, config.parameters)) !=
          CUDA_SUCCESS)
    return result;
  auto counters = function->module->code.launch(config, context.memory);
  if (!counters) {
    // As on a device: what is known when the kernel runs is an error of the
    // calls after this one.
    std::fprintf(stderr, "stand-in driver: kernel %s: %s\n", entry.name.c_str(),
                 counters.error().str().c_str());
    context.fault = CUDA_ERROR_ILLEGAL_ADDRESS;
  }
  return CUDA_SUCCESS;
}

MTA_ENTRY cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY,
                         unsigned gridZ, unsigned blockX, unsigned blockY,
                         unsigned blockZ, unsigned shared, CUstream stream,
                         void **parameters, void **extra) {
  return driver().callInContext("cuLaunchKernel", [&](Context &context) {
    Driver::Launch launch{
        {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream};
    return driver().launch(context, function, launch, parameters, extra);
  });
}

MTA_ENTRY cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                           void **parameters, void **extra) {
  return driver().callInContext("cuLaunchKernelEx", [&](Context &context) {
    if (!config || (config->numAttrs && !config->attrs))
      return CUDA_ERROR_INVALID_VALUE;
    for (unsigned i = 0; i < config->numAttrs; ++i) {
      const CUlaunchAttribute &attribute = config->attrs[i];
      const auto &cluster = attribute.value.clusterDim;
      // The emulator has no clusters of several blocks.
      if (attribute.id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION &&
          (cluster.x != 1 || cluster.y != 1 || cluster.z != 1))
        return CUDA_ERROR_NOT_SUPPORTED;
    }
    Driver::Launch launch{
        {config->gridDimX, config->gridDimY, config->gridDimZ},
        {config->blockDimX, config->blockDimY, config->blockDimZ},
        config->sharedMemBytes,
        config->hStream};
    return driver().launch(context, function, launch, parameters, extra);
  });
}

MTA_ENTRY cuLaunchCooperativeKernel(CUfunction, unsigned, unsigned, unsigned,
                                    unsigned, unsigned, unsigned, unsigned,
                                    CUstream, void **) {
  // Blocks of a grid do not wait for each other in the emulator.
  return driver().callInContext("cuLaunchCooperativeKernel", [](Context &) {
    return CUDA_ERROR_NOT_SUPPORTED;
  });
}

MTA_ENTRY cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data) {
  CUresult result = driver().callInContext("cuLaunchHostFunc", [&](Context &) {
    if (!function)
      return CUDA_ERROR_INVALID_VALUE;
    return driver().isStream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
  // Outside of the lock; such functions must not call the driver.
  if (result == CUDA_SUCCESS)
    function(data);
  return result;
}

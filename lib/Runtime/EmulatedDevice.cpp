//===- EmulatedDevice.cpp - A GPU for host code, emulated -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Runtime/EmulatedDevice.h"

#include <cstdlib>
#include <cstring>

using namespace mta::runtime;
using mta::emulator::Access;
using mta::emulator::EntryInfo;
using mta::emulator::LaunchConfig;

struct EmulatedDevice::Function {
  LoadedModule *module;
  EntryInfo entry;
};

struct EmulatedDevice::LoadedModule {
  explicit LoadedModule(emulator::Module module) : module(std::move(module)) {}

  emulator::Module module;
  std::map<std::string, Function> functions;
};

static thread_local EmulatedDevice *current = nullptr;

EmulatedDevice::Scope::Scope(EmulatedDevice &device) : previous(current) {
  current = &device;
}

EmulatedDevice::Scope::~Scope() { current = previous; }

EmulatedDevice::EmulatedDevice(const DeviceOptions &options)
    : options(options) {}

EmulatedDevice::~EmulatedDevice() = default;

void EmulatedDevice::fail(std::string message) {
  if (error.empty())
    error = std::move(message);
}

std::string EmulatedDevice::takeError() {
  std::string result = std::move(error);
  error.clear();
  return result;
}

EmulatedDevice::LoadedModule *EmulatedDevice::load(const char *ptx) {
  auto module = emulator::Module::parse(ptx, "<module>");
  if (!module) {
    fail(module.error().str());
    return nullptr;
  }
  auto loaded = std::make_unique<LoadedModule>(std::move(*module));
  LoadedModule *result = loaded.get();
  modules[result] = std::move(loaded);
  return result;
}

void EmulatedDevice::unload(LoadedModule *module) { modules.erase(module); }

EmulatedDevice::Function *EmulatedDevice::getFunction(LoadedModule *module,
                                                      const char *name) {
  if (!module)
    return nullptr;
  auto found = module->functions.find(name);
  if (found == module->functions.end()) {
    auto entry = module->module.check(name);
    if (!entry) {
      fail(entry.error().str());
      return nullptr;
    }
    found = module->functions.emplace(name, Function{module, *entry}).first;
  }
  return &found->second;
}

void EmulatedDevice::launch(Function *function, const uint32_t grid[3],
                            const uint32_t block[3], uint32_t dynamicShared,
                            void **parameters) {
  if (!function)
    return;
  std::vector<uint8_t> packed(function->entry.parameterBytes);
  void **value = parameters;
  for (const emulator::ParameterInfo &parameter : function->entry.parameters)
    std::memcpy(packed.data() + parameter.offset, *value++, parameter.size);
  launch(function, grid, block, dynamicShared, std::move(packed));
}

void EmulatedDevice::launch(Function *function, const uint32_t grid[3],
                            const uint32_t block[3], uint32_t dynamicShared,
                            std::vector<uint8_t> parameters) {
  if (!function || hasError())
    return;
  LaunchConfig config;
  config.entry = function->entry.name;
  std::memcpy(config.grid, grid, sizeof(config.grid));
  std::memcpy(config.block, block, sizeof(config.block));
  config.dynamicShared = dynamicShared;
  config.async = options.async;
  config.seed = options.seed;
  config.threads = options.threads;
  if (parameters.size() != function->entry.parameterBytes)
    return fail("kernel " + config.entry + ": expects " +
                std::to_string(function->entry.parameterBytes) +
                " bytes of parameters, but got " +
                std::to_string(parameters.size()));
  config.parameters = std::move(parameters);
  ++launches;
  auto counters = function->module->module.launch(config, memory);
  if (!counters)
    fail("kernel " + config.entry + ": " + counters.error().str());
}

void *EmulatedDevice::allocate(size_t bytes) {
  // An empty buffer has an address but nothing to access.
  void *pointer = std::malloc(bytes ? bytes : 1);
  if (!pointer)
    fail("cannot allocate " + std::to_string(bytes) + " bytes");
  else if (bytes)
    memory.add(pointer, bytes, Access::Out,
               "buffer of " + std::to_string(bytes) + " bytes");
  return pointer;
}

void EmulatedDevice::release(void *pointer) {
  memory.remove(pointer);
  std::free(pointer);
}

//===----------------------------------------------------------------------===//
// The functions that host code calls
//===----------------------------------------------------------------------===//

static void *moduleLoad(void *data, int) {
  return current->load(static_cast<const char *>(data));
}

static void moduleUnload(void *module) {
  // Unloading happens when the code is destroyed, whatever is current then.
  if (current)
    current->unload(static_cast<EmulatedDevice::LoadedModule *>(module));
}

static void *moduleGetFunction(void *module, const char *name) {
  return current->getFunction(
      static_cast<EmulatedDevice::LoadedModule *>(module), name);
}

static void launchKernel(void *function, int64_t gridX, int64_t gridY,
                         int64_t gridZ, int64_t blockX, int64_t blockY,
                         int64_t blockZ, int32_t shared, void *,
                         void **parameters, void **, size_t) {
  uint32_t grid[] = {uint32_t(gridX), uint32_t(gridY), uint32_t(gridZ)};
  uint32_t block[] = {uint32_t(blockX), uint32_t(blockY), uint32_t(blockZ)};
  current->launch(static_cast<EmulatedDevice::Function *>(function), grid,
                  block, uint32_t(shared), parameters);
}

/// Launches run at once, so one stream is like another.
static void *streamCreate() { return current; }
static void streamSynchronize(void *) {}
static void streamDestroy(void *) {}

static void *allocateHost(size_t bytes) { return current->allocate(bytes); }
static void releaseHost(void *pointer) { current->release(pointer); }

std::vector<Symbol> EmulatedDevice::symbols() {
  auto address = [](auto *function) {
    return reinterpret_cast<void *>(function);
  };
  return {{"mgpuModuleLoadJIT", address(moduleLoad)},
          {"mgpuModuleUnload", address(moduleUnload)},
          {"mgpuModuleGetFunction", address(moduleGetFunction)},
          {"mgpuLaunchKernel", address(launchKernel)},
          {"mgpuStreamCreate", address(streamCreate)},
          {"mgpuStreamSynchronize", address(streamSynchronize)},
          {"mgpuStreamDestroy", address(streamDestroy)},
          {"malloc", address(allocateHost)},
          {"free", address(releaseHost)}};
}

//===- Device.cpp - C ABI of the emulated GPU -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta-c/Device.h"

#include "Internal.h"
#include "mta/Runtime/EmulatedDevice.h"

#include <algorithm>
#include <optional>

using mta::capi::setLastError;
using mta::runtime::EmulatedDevice;

struct MtaDevice {
  explicit MtaDevice(const mta::runtime::DeviceOptions &options)
      : device(options) {}

  EmulatedDevice device;
  std::optional<EmulatedDevice::Scope> scope;
};

/// Takes the device's error to the caller; 0 if there is none.
static int reportError(MtaDevice *device) {
  bool failed = device->device.hasError();
  setLastError(device->device.takeError());
  return failed ? 1 : 0;
}

MtaDevice *mtaDeviceCreate(int lazyCopies, uint64_t seed, unsigned threads) {
  mta::runtime::DeviceOptions options;
  options.async = lazyCopies ? mta::emulator::AsyncMode::Lazy
                             : mta::emulator::AsyncMode::Eager;
  options.seed = seed;
  options.threads = threads;
  return new MtaDevice(options);
}

void mtaDeviceDestroy(MtaDevice *device) { delete device; }

int mtaDeviceRegister(MtaDevice *device, void *pointer, size_t size, int access,
                      const char *name) {
  using mta::emulator::Access;
  if (access < 0 || access > 2) {
    setLastError("error: expects an access of 0, 1 or 2, but got " +
                 std::to_string(access));
    return 1;
  }
  const Access modes[] = {Access::In, Access::Out, Access::InOut};
  bool added = device->device.memory.add(pointer, size, modes[access], name);
  setLastError(added ? ""
                     : std::string("error: buffer '") + name +
                           "' is empty or overlaps another one");
  return added ? 0 : 1;
}

int mtaDeviceUnregister(MtaDevice *device, void *pointer) {
  bool removed = device->device.memory.remove(pointer);
  setLastError(removed ? "" : "error: expects a registered buffer");
  return removed ? 0 : 1;
}

size_t mtaDeviceCountUnwritten(const MtaDevice *device, const void *pointer,
                               size_t count, size_t elementSize,
                               size_t *first) {
  uint64_t address = reinterpret_cast<uintptr_t>(pointer);
  const mta::emulator::MemoryRange *range = device->device.memory.find(address);
  if (!range || !range->initialized ||
      address + count * elementSize > range->base + range->size)
    return 0;
  const uint8_t *written = range->initialized.data() + (address - range->base);
  size_t unwritten = 0;
  for (size_t index = 0; index < count; ++index) {
    const uint8_t *element = written + index * elementSize;
    bool isWhole = std::all_of(element, element + elementSize,
                               [](uint8_t byte) { return byte != 0; });
    if (!isWhole && unwritten++ == 0)
      *first = index;
  }
  return unwritten;
}

MtaKernels *mtaDeviceLoad(MtaDevice *device, const char *ptx) {
  auto *kernels = reinterpret_cast<MtaKernels *>(device->device.load(ptx));
  if (!kernels)
    (void)reportError(device);
  return kernels;
}

void mtaDeviceLaunch(MtaDevice *device, MtaKernels *kernels, const char *entry,
                     const uint32_t grid[3], const uint32_t block[3],
                     uint32_t dynamicShared, const void *parameters,
                     size_t parameterBytes) {
  const auto *bytes = static_cast<const uint8_t *>(parameters);
  EmulatedDevice &emulated = device->device;
  emulated.launch(
      emulated.getFunction(
          reinterpret_cast<EmulatedDevice::LoadedModule *>(kernels), entry),
      grid, block, dynamicShared,
      std::vector<uint8_t>(bytes, bytes + parameterBytes));
}

MtaExecutable *mtaModuleCompileForDevice(const MtaModule *module,
                                         MtaDevice *device,
                                         int optimizationLevel) {
  EmulatedDevice::Scope scope(device->device);
  llvm::SmallVector<std::pair<const char *, void *>> symbols;
  for (const mta::runtime::Symbol &symbol : EmulatedDevice::symbols())
    symbols.emplace_back(symbol.name, symbol.address);
  MtaExecutable *executable =
      mta::capi::compile(module, optimizationLevel, symbols);
  if (executable && reportError(device)) {
    std::string message = mtaLastError();
    mtaExecutableDestroy(executable);
    setLastError(message);
    return nullptr;
  }
  return executable;
}

void mtaDeviceBegin(MtaDevice *device) {
  device->scope.emplace(device->device);
}

int mtaDeviceEnd(MtaDevice *device) {
  device->scope.reset();
  return reportError(device);
}

void mtaDeviceFree(MtaDevice *device, void *pointer) {
  device->device.release(pointer);
}

uint64_t mtaDeviceGetLaunches(const MtaDevice *device) {
  return device->device.getLaunches();
}

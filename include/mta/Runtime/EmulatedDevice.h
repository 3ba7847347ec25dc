//===- EmulatedDevice.h - A GPU for host code, emulated ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Host code that launches kernels, as `mta-host-to-llvm` makes it, calls a
// small run time: load a module, get a function, launch it. An EmulatedDevice
// answers these calls with the PTX emulator, over the host's own memory, so
// that a whole program of many kernels runs, checked, on a machine without a
// GPU.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_RUNTIME_EMULATEDDEVICE_H
#define MTA_RUNTIME_EMULATEDDEVICE_H

#include "mta/Emulator/Launch.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mta::runtime {

struct DeviceOptions {
  emulator::AsyncMode async = emulator::AsyncMode::Eager;
  /// Order of warps, see emulator::LaunchConfig.
  uint64_t seed = 0;
  /// Host threads; 0 stands for the number of cores.
  unsigned threads = 0;
};

/// A symbol of the run time, for the linker of a just-in-time compiler.
struct Symbol {
  const char *name;
  void *address;
};

/// An emulated GPU that shares memory with the host: what the host code
/// allocates is poisoned and reads of what no kernel wrote are refused; other
/// memory is accessible once it is registered in `memory`.
///
/// The run time's functions cannot fail, so the first error of a kernel stays
/// with the device and all later launches are skipped.
class EmulatedDevice {
public:
  explicit EmulatedDevice(const DeviceOptions &options);
  ~EmulatedDevice();
  EmulatedDevice(const EmulatedDevice &) = delete;

  emulator::MemorySpace memory;

  /// The first error, empty if there was none; taking it resets it.
  std::string takeError();
  bool hasError() const { return !error.empty(); }
  uint64_t getLaunches() const { return launches; }

  /// The functions that the host code calls, and its allocator. They act on the
  /// device that is current on the calling thread.
  static std::vector<Symbol> symbols();

  /// Makes a device current on this thread as long as it lives.
  class Scope {
  public:
    explicit Scope(EmulatedDevice &device);
    ~Scope();
    Scope(const Scope &) = delete;

  private:
    EmulatedDevice *previous;
  };

  // What the run time's functions do.
  struct Function;
  struct LoadedModule;
  LoadedModule *load(const char *ptx);
  void unload(LoadedModule *module);
  Function *getFunction(LoadedModule *module, const char *name);
  void launch(Function *function, const uint32_t grid[3],
              const uint32_t block[3], uint32_t dynamicShared,
              void **parameters);
  /// With all parameters as the entry lays them out.
  void launch(Function *function, const uint32_t grid[3],
              const uint32_t block[3], uint32_t dynamicShared,
              std::vector<uint8_t> parameters);
  void *allocate(size_t bytes);
  void release(void *pointer);

private:
  void fail(std::string message);

  DeviceOptions options;
  std::map<LoadedModule *, std::unique_ptr<LoadedModule>> modules;
  std::string error;
  uint64_t launches = 0;
};

} // namespace mta::runtime

#endif // MTA_RUNTIME_EMULATEDDEVICE_H

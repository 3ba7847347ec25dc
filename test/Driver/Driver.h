//===- Driver.h - A stand-in for the CUDA driver ----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A libcuda.so.1 for machines without a GPU: programs that use the driver API
// run as they are, with kernels in the PTX emulator. Memory of the device is
// memory of the host, poisoned until something writes it; launches and copies
// are done when the call returns. It checks what a driver checks, and kernels
// what the emulator checks: such a fault is printed, and stays with the context
// as CUDA_ERROR_ILLEGAL_ADDRESS would.
//
//   MTA_DRIVER_CHIP     the devices' target, sm_90 unless given
//   MTA_DRIVER_DEVICES  how many there are, 1 unless given
//   MTA_DRIVER_MEMORY   bytes of each, 16 GiB unless given
//   MTA_DRIVER_VERSION  of the driver API, 13000 unless given
//   MTA_DRIVER_ASYNC    `lazy`: asynchronous copies of kernels land late
//   MTA_DRIVER_LOG      a file to which every call is appended
//   MTA_DRIVER_FAIL     calls that fail instead: `cuLaunchKernel:2=719` is the
//                       second one, with that CUresult; several with commas
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TEST_DRIVER_DRIVER_H
#define MTA_TEST_DRIVER_DRIVER_H

#include "mta/Emulator/Launch.h"
#include "mta/Hardware/GPU.h"

#include <cuda.h>
// These are there in an older version, too.
#undef cuCtxCreate
#undef cuDeviceGetUuid
#undef cuEventElapsedTime
#undef cuGetProcAddress

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mta::standin {

/// Shared memory of a block that a function has without opting in (CUDA C++
/// Programming Guide, "Shared Memory").
inline constexpr int DefaultShared = 48 * 1024;

struct Context;

struct Device {
  int ordinal;
  hardware::Architecture limits;
  size_t bytes, used = 0;
  Context *primary = nullptr;
  unsigned primaryRetained = 0;
};

struct LoadedModule;
struct Function {
  LoadedModule *module;
  emulator::EntryInfo entry;
  /// What a launch may ask for, as the attribute says.
  int dynamicShared;
  int carveout = -1;
};

struct LoadedModule {
  LoadedModule(emulator::Module code, Context *context)
      : code(std::move(code)), context(context) {}

  emulator::Module code;
  Context *context;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

/// A library is loaded to a context when it is first used there.
struct Kernel;
struct Library {
  std::string text;
  std::vector<emulator::EntryInfo> entries;
  std::map<Context *, LoadedModule *> modules;
};
struct Kernel {
  Library *library;
  std::string name;
};

struct Stream {
  Context *context;
  unsigned flags;
  int priority;
};

struct Event {
  Context *context;
  unsigned flags;
  bool isRecorded = false;
  std::chrono::steady_clock::time_point time = {};
};

struct Pool {
  Device *device;
  CUmemPoolProps properties;
  cuuint64_t releaseThreshold = 0;
  cuuint64_t used = 0, highest = 0;
};

struct Allocation {
  uintptr_t base;
  size_t bytes;
  Context *context;
  bool isDevice;
  /// Of the caller: not to be freed.
  bool isRegistered;
  Pool *pool;
  unsigned flags;
};

struct Context {
  explicit Context(Device *device, unsigned flags)
      : device(device), flags(flags) {}

  Device *device;
  unsigned flags;
  emulator::MemorySpace memory;
  /// The fault that ended all work of this context.
  CUresult fault = CUDA_SUCCESS;
};

/// Objects that a program has handles of.
template <typename T> class Handles {
public:
  template <typename... Args> T *create(Args &&...args) {
    auto object = std::make_unique<T>(std::forward<Args>(args)...);
    T *handle = object.get();
    objects.emplace(handle, std::move(object));
    return handle;
  }
  /// The object of a handle, or null if it is none or destroyed.
  T *find(const void *handle) const {
    auto found = objects.find(handle);
    return found == objects.end() ? nullptr : found->second.get();
  }
  void destroy(T *object) { objects.erase(object); }
  template <typename Test> void destroyIf(Test test) {
    for (auto next = objects.begin(); next != objects.end();)
      next = test(*next->second) ? objects.erase(next) : std::next(next);
  }
  auto begin() const { return objects.begin(); }
  auto end() const { return objects.end(); }

private:
  std::map<const void *, std::unique_ptr<T>> objects;
};

/// The process' driver. One mutex guards all of it.
class Driver {
public:
  static Driver &get();

  /// Runs the body of an entry point of the API: locks, fails as
  /// MTA_DRIVER_FAIL asks for, and records the call.
  using Body = std::function<CUresult()>;
  CUresult call(const char *name, const Body &body);
  /// As `call`, after cuInit.
  CUresult callInitialized(const char *name, const Body &body);
  /// As `callInitialized`, with a current context that has no fault.
  CUresult callInContext(const char *name,
                         const std::function<CUresult(Context &)> &body);
  /// Adds to the record of the call in progress.
  void note(std::string text) { detail += " " + std::move(text); }

  CUresult initialize();
  CUresult deviceOf(CUdevice ordinal, Device *&device);

  /// The contexts that are current on this thread, the last one on top.
  static std::vector<Context *> &stack();
  static Context *current() {
    return stack().empty() ? nullptr : stack().back();
  }
  void destroyContext(Context *context);

  CUresult load(const char *image, Context &context, LoadedModule *&module,
                std::string &problem);
  CUresult functionOf(LoadedModule &module, const char *name,
                      Function *&function);
  /// The function of a handle that is a CUfunction or a CUkernel.
  CUresult resolve(const void *handle, Context &context, Function *&function);
  CUresult moduleIn(Library &library, Context &context, LoadedModule *&module);
  CUresult functionIn(Kernel &kernel, Context &context, Function *&function);
  void unload(LoadedModule *module);

  CUresult allocate(Context &context, size_t bytes, bool isDevice,
                    unsigned flags, Pool *pool, void *&pointer);
  CUresult release(uintptr_t pointer, bool isDevice);
  /// The allocation that holds `address`, or null.
  Allocation *find(uintptr_t address);
  /// Whether [address, address + bytes) is in one allocation of the device.
  bool isOnDevice(uintptr_t address, size_t bytes);
  /// Says that bytes have been written by a copy or a fill.
  void markWritten(uintptr_t address, size_t bytes);
  bool isStream(CUstream stream) const;

  struct Launch {
    uint32_t grid[3], block[3];
    uint32_t dynamicShared;
    CUstream stream;
  };
  CUresult launch(Context &context, const void *handle, const Launch &launch,
                  void **parameters, void **extra);

  int version = 13000;
  std::vector<Device> devices;
  Handles<Context> contexts;
  Handles<LoadedModule> modules;
  Handles<Library> libraries;
  Handles<Kernel> kernels;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Pool> pools;
  std::map<Device *, Pool *> defaultPools, currentPools;
  std::map<uintptr_t, Allocation> allocations;

private:
  Driver();
  CUresult injected(const char *name);
  void record(const char *name, CUresult result);

  std::recursive_mutex mutex;
  bool isInitialized = false;
  emulator::AsyncMode async = emulator::AsyncMode::Eager;
  std::string detail, logPath;
  std::map<std::string, std::map<unsigned, CUresult>> failures;
  std::map<std::string, unsigned> calls;
};

/// A result as text, `CUDA_ERROR_INVALID_VALUE` and what it means; null for an
/// unknown one.
const char *nameOf(CUresult result);
const char *textOf(CUresult result);

/// Stores a result for the caller, unless it wants none.
template <typename T, typename U> void store(T *place, U value) {
  if (place)
    *place = T(value);
}

} // namespace mta::standin

/// What the library exports; everything else in it is hidden.
#define MTA_ENTRY extern "C" __attribute__((visibility("default"))) CUresult

#endif // MTA_TEST_DRIVER_DRIVER_H

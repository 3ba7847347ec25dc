//===- Launch.h - Modules and launches of the PTX emulator ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   Expected<Module> module = Module::parse(text, "kernel.ptx");
//   MemorySpace memory;
//   memory.add(data, bytes, Access::InOut, "x");
//   LaunchConfig config;            // entry, grid, block, argument bytes
//   Expected<Counters> counters = module->launch(config, memory);
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_LAUNCH_H
#define MTA_EMULATOR_LAUNCH_H

#include "mta/Emulator/Counters.h"
#include "mta/Emulator/Error.h"
#include "mta/Emulator/Memory.h"
#include <functional>
#include <memory>
#include <string_view>

namespace mta::emulator {

/// One parameter of an entry; `offset` is within the block of parameters.
struct ParameterInfo {
  std::string name;
  /// PTX type, "b8" for structures passed by value.
  std::string type;
  uint32_t offset = 0, size = 0, align = 1;
  bool isArray = false;
};

struct EntryInfo {
  std::string name;
  std::vector<ParameterInfo> parameters;
  /// Bytes of all parameters.
  uint32_t parameterBytes = 0;
  /// From .reqntid and .maxntid; zeros if not given.
  uint32_t requiredThreads[3] = {0, 0, 0};
  uint32_t maxThreads[3] = {0, 0, 0};
  /// Shared memory that it declares; known once it is decoded, else 0.
  uint32_t staticSharedBytes = 0;
};

/// When the data of asynchronous copies arrive: at once, or at the wait.
enum class AsyncMode : uint8_t { Eager, Lazy };

struct LaunchConfig {
  std::string entry;
  uint32_t grid[3] = {1, 1, 1};
  uint32_t block[3] = {1, 1, 1};
  /// Bytes of dynamic shared memory.
  uint32_t dynamicShared = 0;
  /// The parameters as the entry lays them out (EntryInfo).
  std::vector<uint8_t> parameters;
  AsyncMode async = AsyncMode::Eager;
  /// Chooses the order of warps; 0 runs them in order of their index.
  uint64_t seed = 0;
  /// Host threads; 0 stands for the number of cores.
  unsigned threads = 0;
  /// Instructions that one warp may execute.
  uint64_t maxSteps = 100'000'000;
  /// Called now and then with the number of blocks done, of all.
  std::function<void(uint64_t done, uint64_t all)> progress;
};

struct ParsedModule;
struct Program;
class ModuleStorage;

/// A parsed PTX module with the memory of its .global and .const variables,
/// which keep their contents from launch to launch.
class Module {
public:
  static Expected<Module> parse(std::string_view text, std::string file);
  Module(Module &&) noexcept;
  Module &operator=(Module &&) noexcept;
  ~Module();

  /// "sm_80".
  const std::string &target() const;
  std::vector<EntryInfo> entries() const;
  /// The address and size of a .global or .const variable; null if there is
  /// none of that name.
  void *variable(const std::string &name, size_t &bytes) const;
  /// The names of these variables.
  std::vector<std::string> variables() const;
  /// Decodes an entry with all it calls, without running it.
  Expected<EntryInfo> check(const std::string &entry);

  /// Runs a kernel to its end. An Error names the instruction, its line, and
  /// the thread to blame. One launch at a time per module and memory.
  Expected<Counters> launch(const LaunchConfig &config, MemorySpace &memory);

private:
  explicit Module(std::unique_ptr<ModuleStorage> storage);
  std::unique_ptr<ModuleStorage> storage;
};

} // namespace mta::emulator

#endif // MTA_EMULATOR_LAUNCH_H

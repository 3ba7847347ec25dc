//===- Launch.cpp - Launching kernels -------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Emulator/Launch.h"
#include "Execution.h"
#include "ModuleStorage.h"
#include "Target.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace mta::emulator {

Counters collectCounters(const Program &program, const LaunchConfig &config,
                         const std::vector<PcCount> &counts);

namespace {
std::string triple(const uint32_t (&v)[3]) {
  return std::to_string(v[0]) + "x" + std::to_string(v[1]) + "x" +
         std::to_string(v[2]);
}

/// The reason why the target cannot launch this, or "".
std::string refuseShape(const Program &program, const LaunchConfig &config) {
  const Function &entry = *program.entry;
  uint64_t threads =
      uint64_t(config.block[0]) * config.block[1] * config.block[2];
  if (!config.grid[0] || !config.grid[1] || !config.grid[2] || !threads)
    return "expects a grid and a block that are not empty, but got " +
           triple(config.grid) + " and " + triple(config.block);
  if (config.block[0] > 1024 || config.block[1] > 1024 ||
      config.block[2] > 64 || threads > MaxThreadsPerBlock)
    return "a block of " + triple(config.block) +
           " is larger than 1024 threads, or than 1024x1024x64";
  if (config.grid[0] > 0x7fffffff || config.grid[1] > 65535 ||
      config.grid[2] > 65535)
    return "a grid of " + triple(config.grid) +
           " is larger than 2147483647x65535x65535";
  if (entry.requiredThreads[0] &&
      !std::equal(config.block, config.block + 3, entry.requiredThreads))
    return "'" + entry.name + "' requires blocks of " +
           triple(entry.requiredThreads) + ", but got " + triple(config.block);
  uint64_t most =
      uint64_t(entry.maxThreads[0]) * entry.maxThreads[1] * entry.maxThreads[2];
  if (most && threads > most)
    return "'" + entry.name + "' allows " + std::to_string(most) +
           " threads, but got " + std::to_string(threads);
  return "";
}

/// The reason why the target lacks the resources, or "".
std::string refuseResources(const Program &program,
                            const LaunchConfig &config) {
  const ParsedModule &module = *program.module;
  const hardware::Architecture *limits =
      hardware::findArchitecture(module.target);
  if (!limits)
    return "expects a target of sm_70 or later, but got " + module.targetName;
  if (program.staticShared > MaxStaticShared)
    return "'" + program.entry->name + "' declares " +
           std::to_string(program.staticShared) +
           " bytes of shared memory, but at most 49152 can be declared";
  uint64_t shared =
      uint64_t(program.dynamicSharedOffset) + config.dynamicShared;
  if (shared > limits->blockBytes)
    return "'" + program.entry->name + "' needs " + std::to_string(shared) +
           " bytes of shared memory, but " + module.targetName + " has " +
           std::to_string(limits->blockBytes) + " for a block";
  uint32_t registers = program.entry->maxRegisters;
  uint64_t threads =
      uint64_t(config.block[0]) * config.block[1] * config.block[2];
  uint64_t rounded = (threads + WarpSize - 1) / WarpSize * WarpSize;
  if (registers > MaxRegistersPerThread ||
      registers * rounded > RegistersPerBlock)
    return "'" + program.entry->name + "' asks for " +
           std::to_string(registers) + " registers in each of " +
           std::to_string(threads) + " threads, but " + module.targetName +
           " has 255 for a thread and 65536 for a block";
  return "";
}

/// Runs the blocks of a launch on host threads. Blocks start in order, and
/// after a fault those before it still finish, so that the reported fault is
/// always that of the first block.
class BlockQueue {
public:
  BlockQueue(const LaunchState &launch, uint64_t blocks)
      : launch(launch), blocks(blocks), counts(launch.program->code.size()) {}

  void run(unsigned threads);
  bool faulted() const { return faultBlock != UINT64_MAX; }
  const Error &error() const { return firstError; }
  const std::vector<PcCount> &total() const { return counts; }

private:
  void work();
  void finish(Block &block);
  void report(bool force);

  const LaunchState &launch;
  uint64_t blocks;
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> done{0};
  std::atomic<uint64_t> faultBlock{UINT64_MAX};
  std::mutex mutex;
  Error firstError;
  std::vector<PcCount> counts;
  std::chrono::steady_clock::time_point lastReport =
      std::chrono::steady_clock::now();
};

void BlockQueue::report(bool force) {
  const auto &progress = launch.config->progress;
  if (!progress)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  auto now = std::chrono::steady_clock::now();
  if (!force && now - lastReport < std::chrono::milliseconds(200))
    return;
  lastReport = now;
  progress(done, blocks);
}

void BlockQueue::work() {
  Block block(launch);
  while (true) {
    uint64_t index = next++;
    if (index >= blocks || index > faultBlock)
      break;
    block.run(index);
    ++done;
    report(false);
    if (!block.fault.raised)
      continue;
    std::lock_guard<std::mutex> lock(mutex);
    if (index < faultBlock) {
      faultBlock = index;
      firstError = describeFault(block);
    }
    break;
  }
  finish(block);
}

void BlockQueue::finish(Block &block) {
  std::lock_guard<std::mutex> lock(mutex);
  for (size_t pc = 0; pc < counts.size(); ++pc)
    counts[pc].add(block.counts[pc]);
}

void BlockQueue::run(unsigned threads) {
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i)
    workers.emplace_back([this] { work(); });
  work();
  for (std::thread &worker : workers)
    worker.join();
  report(true);
}
} // namespace

void PcCount::add(const PcCount &other) {
  warps += other.warps;
  lanes += other.lanes;
  requests += other.requests;
  sectors += other.sectors;
  globalBytes += other.globalBytes;
  wavefronts += other.wavefronts;
  idealWavefronts += other.idealWavefronts;
  sharedBytes += other.sharedBytes;
  divergent += other.divergent;
}

Expected<Counters> Module::launch(const LaunchConfig &config,
                                  MemorySpace &memory) {
  Expected<const Program *> found = storage->program(config.entry);
  if (!found)
    return found.error();
  const Program &program = **found;
  const std::string &file = storage->module.file;
  std::string refusal = refuseShape(program, config);
  if (refusal.empty())
    refusal = refuseResources(program, config);
  if (refusal.empty() && config.parameters.size() != program.parameterBytes)
    refusal = "expects " + std::to_string(program.parameterBytes) +
              " bytes of parameters, but got " +
              std::to_string(config.parameters.size());
  if (!refusal.empty())
    return Error{file, program.entry->line, refusal};
  LaunchState state;
  state.program = &program;
  state.config = &config;
  state.memory = &memory;
  state.moduleMemory = &storage->memory;
  memory.beginLaunch();
  storage->memory.beginLaunch();
  uint64_t blocks = uint64_t(config.grid[0]) * config.grid[1] * config.grid[2];
  unsigned threads =
      config.threads ? config.threads : std::thread::hardware_concurrency();
  threads = std::max<uint64_t>(1, std::min<uint64_t>(threads, blocks));
  BlockQueue queue(state, blocks);
  queue.run(threads);
  if (queue.faulted())
    return queue.error();
  Counters counters = collectCounters(program, config, queue.total());
  counters.uniqueBytesRead = memory.uniqueRead() + storage->memory.uniqueRead();
  counters.uniqueBytesWritten =
      memory.uniqueWritten() + storage->memory.uniqueWritten();
  return counters;
}

} // namespace mta::emulator

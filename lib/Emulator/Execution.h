//===- Execution.h - State of running warps and blocks ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One Block object serves one host thread for all the blocks it runs. A warp
// executes in groups of lanes that share a program counter; the group with the
// lowest one runs first and groups that meet become one again.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_EXECUTION_H
#define MTA_LIB_EMULATOR_EXECUTION_H

#include "Instruction.h"
#include "Mbarriers.h"
#include "SharedMemory.h"
#include "Warpgroups.h"
#include "mta/Emulator/Launch.h"
#include <memory>
#include <random>

namespace mta::emulator {

struct Block;

/// What every host thread of a launch shares.
struct LaunchState {
  const Program *program = nullptr;
  const LaunchConfig *config = nullptr;
  MemorySpace *memory = nullptr;
  MemorySpace *moduleMemory = nullptr;
};

/// Counters of one instruction on one host thread.
struct PcCount {
  uint64_t warps = 0, lanes = 0;
  uint64_t requests = 0, sectors = 0, globalBytes = 0;
  uint64_t wavefronts = 0, idealWavefronts = 0, sharedBytes = 0;
  uint64_t divergent = 0;

  void add(const PcCount &other);
};

/// The last address pattern of a memory instruction. Wavefronts and sectors
/// depend only on the differences between addresses and on the position within
/// a sector, so most executions find their answer here.
struct PatternCache {
  uint32_t mask = 0;
  uint32_t position = 0;
  uint32_t first = 0, second = 0; // results
  alignas(32) uint32_t delta[WarpSize];
};

/// The reason a launch stops.
struct Fault {
  bool raised = false;
  std::string message;
  uint32_t pc = UINT32_MAX;
  int warp = -1, lane = -1;
  bool hasAddress = false;
  uint64_t address = 0;
};

/// Lanes that share a program counter.
struct Group {
  enum class State : uint8_t { Ready, WaitingForLanes, AtBarrier, AtEvent };
  uint32_t pc = 0;
  uint32_t mask = 0;
  State state = State::Ready;
  uint8_t barrier = 0;
  /// The time limit of a wait is over.
  bool expired = false;
  /// The mbarrier that a group AtEvent waits for, or NoMbarrier.
  uint32_t mbarrier = 0;

  static constexpr uint32_t NoMbarrier = UINT32_MAX; // setmaxnreg
  static constexpr uint32_t ClusterBarrier = UINT32_MAX - 1;
};

/// One cp.async of a warp that has not landed.
struct PendingCopy {
  uint32_t mask = 0;
  uint32_t pc = 0;
  uint32_t bytes = 0;
  uint32_t destination[WarpSize];
  uint64_t source[WarpSize];
  uint8_t sourceBytes[WarpSize];
  uint32_t group[WarpSize];
};

/// One bulk copy out of shared memory that has not been waited for.
struct PendingBulk {
  BulkJob job;
  unsigned lane = 0;
  uint32_t group = 0;
  uint32_t pc = 0;
  bool isMoved = false;
};

struct Warp {
  Block *block = nullptr;
  std::byte *registers = nullptr;
  unsigned index = 0;
  uint32_t active = 0; // lanes that execute the present instruction
  Group current;
  std::vector<Group> parked;
  uint32_t initial = 0; // lanes that exist
  uint32_t live = 0;    // lanes that have not exited
  uint32_t carry = 0;   // the condition code, by lane
  bool done = false;
  uint64_t steps = 0;
  WarpClock clock;
  std::vector<uint32_t> returnStack; // [depth][lane]
  uint32_t depth[WarpSize];
  std::vector<PendingCopy> copies;
  uint32_t committed[WarpSize]; // groups of cp.async, by lane
  std::vector<PendingBulk> bulk;
  uint32_t bulkCommitted[WarpSize]; // bulk groups, by lane
  WarpgroupState warpgroup;
  uint32_t clusterArrived = 0; // lanes that arrived and have not waited
  uint32_t clusterPhase[WarpSize];
  /// Set by the handler of a Control::Await that cannot go on yet, with what
  /// it waits for; `expired` tells it not to wait any longer.
  bool blocked = false, expired = false;
  uint32_t awaited = Group::NoMbarrier;

  template <typename T> T *row(uint32_t offset) const {
    return reinterpret_cast<T *>(registers + offset);
  }
  uint32_t &predicate(uint32_t offset) const {
    return *reinterpret_cast<uint32_t *>(registers + offset);
  }

  /// Stops the launch. `lane` is -1 if the whole warp is to blame.
  void fail(const Instruction &inst, int lane, std::string message);
  void fail(const Instruction &inst, int lane, std::string message,
            uint64_t address);
};

/// One of the sixteen barriers of a block.
struct BarrierState {
  uint32_t arrived = 0;  // threads
  uint32_t expected = 0; // 0: all threads of the block
  uint32_t population = 0;
  bool all = true, any = false;
  /// Arrived lanes by warp, and the clocks they bring.
  std::vector<uint32_t> lanes;
  Knowledge known;
};
constexpr unsigned NumBarriers = 16;

/// barrier.cluster, for a cluster of one block.
struct ClusterBarrier {
  uint32_t phase = 0;
  std::vector<uint32_t> lanes; // that arrived, by warp
  Knowledge arriving, completed;
};

struct Block {
  explicit Block(const LaunchState &launch);

  /// Runs one block to its end or to a fault.
  void run(uint64_t linearIndex);

  const LaunchState &launch;
  const Program &program;
  uint64_t index = 0;
  uint32_t position[3] = {0, 0, 0};
  unsigned threads = 0;
  std::vector<Warp> warps;
  SharedMemory shared;
  std::vector<std::byte> local; // [thread][bytes]
  uint32_t localStride = 0;
  BarrierState barriers[NumBarriers];
  emulator::ClusterBarrier clusterBarrier;
  Mbarriers mbarriers;
  std::vector<WarpgroupLog> warpgroups;
  /// Registers of the block that no warp holds (setmaxnreg).
  uint32_t freeRegisters = 0;
  /// Counts what may let a waiting thread go on.
  uint64_t events = 0;
  uint32_t stamp = 1;
  Fault fault;
  std::vector<PcCount> counts;
  std::vector<PatternCache> patterns, sharedPatterns; // global and shared
  MemoryRange *lastRange = nullptr;
  std::mt19937_64 random;

  /// A fresh stamp for a synchronisation.
  uint32_t nextStamp();

private:
  friend class Interpreter;
  void prepare(uint64_t linearIndex);
  void fillSpecials(Warp &warp);
  bool finished() const;
  void reportDeadlock();
  /// Lets waits with a time limit time out; false if that has been in vain.
  bool expireWaits();
  /// Refuses an end with work in flight.
  void checkEnd();

  uint64_t eventsBefore = 0;
  unsigned expiries = 0;
  std::unique_ptr<std::byte[]> registerFile;
};

/// Runs `warp` until it blocks, ends, faults or has executed `quantum`
/// instructions. Returns true if it executed anything.
bool runWarp(Block &block, Warp &warp, uint64_t quantum);

/// Synchronisation that the interpreter shares with the block.
void arriveAtBarrier(Block &block, Warp &warp, const Instruction &inst);
void releaseBarriers(Block &block);
/// Ends the phase of the cluster's barrier if all threads have arrived.
void completeClusterBarrier(Block &block);
/// Makes the groups that wait for an event try again.
void wakeWaiting(Block &block);

/// "kernel.ptx:12: …" with instruction, source location and thread.
Error describeFault(const Block &block);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_EXECUTION_H

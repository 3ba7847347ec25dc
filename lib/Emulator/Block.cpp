//===- Block.cpp - Running one block --------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>

namespace mta::emulator {

Block::Block(const LaunchState &launch)
    : launch(launch), program(*launch.program) {
  const LaunchConfig &config = *launch.config;
  threads = config.block[0] * config.block[1] * config.block[2];
  unsigned numWarps = (threads + WarpSize - 1) / WarpSize;
  size_t size = (program.registerBytes + 63) & ~size_t(63);
  registerFile.reset(
      static_cast<std::byte *>(::operator new[](size * numWarps + 64)));
  auto base = reinterpret_cast<uintptr_t>(registerFile.get());
  auto *rows = reinterpret_cast<std::byte *>((base + 63) & ~uintptr_t(63));
  std::memset(rows, 0, size * numWarps);
  warps.resize(numWarps);
  for (unsigned w = 0; w < numWarps; ++w) {
    Warp &warp = warps[w];
    warp.block = this;
    warp.index = w;
    warp.registers = rows + size * w;
    warp.initial = (w + 1) * WarpSize <= threads
                       ? AllLanes
                       : (1u << (threads % WarpSize)) - 1;
    warp.returnStack.resize(size_t(program.maxCallDepth) * WarpSize);
    warp.predicate(program.truePredicate) = AllLanes;
    for (const ConstantRow &row : program.constants)
      for (unsigned lane = 0; lane < WarpSize; ++lane)
        std::memcpy(warp.registers + row.offset + lane * row.cell, row.bits,
                    row.cell);
  }
  localStride = (program.localBytes + program.callParamBytes + 15) & ~15u;
  local.resize(size_t(localStride) * numWarps * WarpSize);
  counts.resize(program.code.size());
  patterns.resize(program.code.size());
  sharedPatterns.resize(program.code.size());
  for (BarrierState &barrier : barriers) {
    barrier.lanes.resize(numWarps);
  }
}

void Block::prepare(uint64_t linearIndex) {
  const LaunchConfig &config = *launch.config;
  index = linearIndex;
  position[0] = linearIndex % config.grid[0];
  position[1] = linearIndex / config.grid[0] % config.grid[1];
  position[2] = linearIndex / config.grid[0] / config.grid[1];
  fault = {};
  stamp = 1;
  random.seed(config.seed * 0x9e3779b97f4a7c15 + linearIndex);
  shared.reset(program.dynamicSharedOffset + config.dynamicShared,
               warps.size());
  std::fill(local.begin(), local.end(), std::byte{0xff});
  for (BarrierState &barrier : barriers) {
    std::fill(barrier.lanes.begin(), barrier.lanes.end(), 0);
    barrier.known.reset(warps.size());
    barrier.arrived = barrier.expected = barrier.population = 0;
    barrier.all = true;
    barrier.any = false;
  }
  mbarriers.reset();
  clusterBarrier.phase = 0;
  clusterBarrier.lanes.assign(warps.size(), 0);
  clusterBarrier.arriving.reset(warps.size());
  clusterBarrier.completed.reset(warps.size());
  warpgroups.assign((warps.size() + 3) / 4, {});
  events = eventsBefore = expiries = 0;
  grantRegisters(*this);
  for (Warp &warp : warps) {
    warp.live = warp.initial;
    warp.current = {program.entryPc, warp.initial};
    warp.parked.clear();
    warp.done = false;
    warp.steps = 0;
    warp.clock.reset(warps.size());
    warp.clock.recompute(warp.index);
    warp.copies.clear();
    std::fill_n(warp.depth, WarpSize, 0);
    std::fill_n(warp.committed, WarpSize, 0);
    warp.bulk.clear();
    std::fill_n(warp.bulkCommitted, WarpSize, 0);
    warp.warpgroup.reset(program);
    warp.clusterArrived = 0;
    for (uint32_t mask : program.validityMasks)
      warp.predicate(mask) = 0;
    fillSpecials(warp);
  }
}

namespace {
/// The component that a name such as "tid.y" asks for.
unsigned component(const std::string &name) { return name.back() - 'x'; }

uint64_t laneMask(const std::string &kind, unsigned lane) {
  uint64_t below = (uint64_t(1) << lane) - 1, self = uint64_t(1) << lane;
  if (kind == "lanemask_eq")
    return self;
  if (kind == "lanemask_lt")
    return below;
  if (kind == "lanemask_le")
    return below | self;
  if (kind == "lanemask_gt")
    return AllLanes & ~(below | self);
  return AllLanes & ~below; // lanemask_ge
}

uint64_t specialValue(const std::string &name, const Block &block,
                      const Warp &warp, unsigned lane) {
  const LaunchConfig &config = *block.launch.config;
  uint32_t thread = warp.index * WarpSize + lane;
  if (name.rfind("tid.", 0) == 0) {
    uint32_t x = config.block[0], y = config.block[1];
    uint32_t values[] = {thread % x, thread / x % y, thread / x / y};
    return values[component(name)];
  }
  if (name.rfind("ntid.", 0) == 0)
    return config.block[component(name)];
  if (name.rfind("ctaid.", 0) == 0)
    return block.position[component(name)];
  if (name.rfind("nctaid.", 0) == 0)
    return config.grid[component(name)];
  if (name == "laneid")
    return lane;
  if (name == "warpid")
    return warp.index;
  if (name == "nwarpid")
    return block.warps.size();
  if (name == "nsmid")
    return 1;
  if (name == "dynamic_smem_size")
    return config.dynamicShared;
  if (name == "total_smem_size")
    return block.program.dynamicSharedOffset + config.dynamicShared;
  if (name.rfind("clusterid.", 0) == 0)
    return block.position[component(name)];
  if (name.rfind("nclusterid.", 0) == 0)
    return config.grid[component(name)];
  if (name.rfind("cluster_nctaid.", 0) == 0 || name == "cluster_nctarank")
    return 1;
  if (name.rfind("lanemask_", 0) == 0)
    return laneMask(name, lane);
  // smid, gridid, cluster_ctaid, cluster_ctarank: one multiprocessor, one
  // grid, clusters of one block.
  return 0;
}
} // namespace

void Block::fillSpecials(Warp &warp) {
  for (const SpecialRow &row : program.specials)
    for (unsigned lane = 0; lane < WarpSize; ++lane) {
      uint64_t value = specialValue(row.name, *this, warp, lane);
      std::memcpy(warp.registers + row.offset + lane * row.cell, &value,
                  row.cell);
    }
}

bool Block::finished() const {
  return std::all_of(warps.begin(), warps.end(),
                     [](const Warp &warp) { return warp.done; });
}

void Block::run(uint64_t linearIndex) {
  prepare(linearIndex);
  std::vector<unsigned> order(warps.size());
  for (unsigned w = 0; w < order.size(); ++w)
    order[w] = w;
  bool shuffles = launch.config->seed != 0;
  // Warps are also interrupted between barriers, so that one that spins on
  // another's result does not starve it.
  uint64_t quantum = uint64_t(1) << 16;
  while (!fault.raised) {
    if (shuffles) {
      std::shuffle(order.begin(), order.end(), random);
      quantum = 16 + random() % 1024;
    }
    bool progress = false;
    for (unsigned w : order) {
      if (!warps[w].done)
        progress |= runWarp(*this, warps[w], quantum);
      if (fault.raised)
        return;
    }
    if (finished())
      return checkEnd();
    if (!progress && !expireWaits())
      reportDeadlock();
  }
}

uint32_t Block::nextStamp() {
  if (stamp < SharedMemory::MaxClock)
    ++stamp;
  else if (!fault.raised)
    fault = {true, "the block synchronises more than 16 million times"};
  return stamp;
}

bool Block::expireWaits() {
  // A program may poll, and do something else when it is told to wait. One that
  // polls this often while nothing happens will never see a change.
  constexpr unsigned MaxExpiries = 256;
  if (events != eventsBefore)
    expiries = 0;
  eventsBefore = events;
  if (++expiries > MaxExpiries)
    return false;
  bool any = false;
  for (Warp &warp : warps)
    for (Group &group : warp.parked)
      if (group.state == Group::State::AtEvent &&
          group.mbarrier < Group::ClusterBarrier) {
        group.state = Group::State::Ready;
        any = group.expired = true;
      }
  return any;
}

void Block::checkEnd() {
  for (Warp &warp : warps) {
    if (!warp.warpgroup.pending.empty())
      return warp.fail(program.code[warp.warpgroup.pending.front().pc], -1,
                       "the block ends before wgmma.wait_group waits for this");
    for (const PendingBulk &copy : warp.bulk)
      return warp.fail(program.code[copy.pc], copy.lane,
                       "the block ends before cp.async.bulk.wait_group waits "
                       "for this copy out of its shared memory");
  }
  for (Mbarrier &object : mbarriers.all())
    landJobs(*this, object);
  checkWarpgroups(*this);
}

/// What a group of lanes that cannot go on waits for.
static std::string describeWait(const Block &block, const Group &group) {
  if (group.state == Group::State::AtBarrier) {
    const BarrierState &barrier = block.barriers[group.barrier];
    return " (barrier " + std::to_string(group.barrier) + ", " +
           std::to_string(barrier.arrived) + " of " +
           std::to_string(barrier.expected ? barrier.expected : block.threads) +
           " threads arrived)";
  }
  if (group.state != Group::State::AtEvent)
    return " (waits for other lanes of its warp)";
  if (group.mbarrier == Group::ClusterBarrier)
    return " (waits for the other threads of its cluster)";
  if (group.mbarrier == Group::NoMbarrier)
    return " (waits for registers, " + std::to_string(block.freeRegisters) +
           " are free)";
  char address[16];
  const Mbarrier &object = block.mbarriers.at(group.mbarrier);
  std::snprintf(address, sizeof address, "0x%x", object.offset);
  return std::string(" (mbarrier ") + address + ": " + describe(object) + ")";
}

void Block::reportDeadlock() {
  std::string text = "deadlock: no thread of the block can go on";
  for (const Warp &warp : warps) {
    for (const Group &group : warp.parked) {
      const Statement &statement = *program.statements[group.pc];
      char lanes[16];
      std::snprintf(lanes, sizeof lanes, "0x%08x", group.mask);
      text += "\n  warp " + std::to_string(warp.index) + " lanes " + lanes +
              " at line " + std::to_string(statement.line) + ": " +
              statement.text;
      text += describeWait(*this, group);
    }
    if (warp.done)
      text += "\n  warp " + std::to_string(warp.index) + " has ended";
  }
  fault = {true, text};
  for (const Warp &warp : warps)
    if (!warp.parked.empty() && fault.pc == UINT32_MAX)
      fault.pc = warp.parked.front().pc;
}

void Warp::fail(const Instruction &inst, int lane, std::string message) {
  if (block->fault.raised)
    return;
  block->fault = {true, std::move(message), inst.pc, int(index), lane};
}

void Warp::fail(const Instruction &inst, int lane, std::string message,
                uint64_t address) {
  if (block->fault.raised)
    return;
  fail(inst, lane, std::move(message));
  block->fault.hasAddress = true;
  block->fault.address = address;
}

Error describeFault(const Block &block) {
  const Fault &fault = block.fault;
  const ParsedModule &module = *block.program.module;
  Error error{module.file, 0, fault.message};
  const LaunchConfig &config = *block.launch.config;
  auto triple = [](uint32_t x, uint32_t y, uint32_t z) {
    return "(" + std::to_string(x) + "," + std::to_string(y) + "," +
           std::to_string(z) + ")";
  };
  if (fault.hasAddress) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx",
                  static_cast<unsigned long long>(fault.address));
    error.message += std::string(" (address ") + text + ")";
  }
  if (fault.pc != UINT32_MAX) {
    const Statement &statement = *block.program.statements[fault.pc];
    error.line = statement.line;
    error.message += "\n  instruction: " + statement.text;
    auto file = module.files.find(statement.location.file);
    if (statement.location.line && file != module.files.end())
      error.message += "\n  source: " + file->second + ":" +
                       std::to_string(statement.location.line);
  }
  error.message +=
      "\n  kernel " + block.program.entry->name + ", block " +
      triple(block.position[0], block.position[1], block.position[2]);
  if (fault.warp >= 0)
    error.message += ", warp " + std::to_string(fault.warp);
  if (fault.lane >= 0) {
    uint32_t thread = fault.warp * WarpSize + fault.lane;
    uint32_t x = config.block[0], y = config.block[1];
    error.message += ", lane " + std::to_string(fault.lane) + ", thread " +
                     triple(thread % x, thread / x % y, thread / x / y);
  }
  return error;
}

} // namespace mta::emulator

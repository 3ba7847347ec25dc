//===- Barriers.cpp - Barriers of a block ---------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.13.1, bar and barrier. A barrier without a thread count waits for
// all threads of the block that have not exited; with one, for that many
// threads, where a warp counts as 32 once all its remaining lanes have arrived.
//
//===----------------------------------------------------------------------===//

#include "Execution.h"
#include <algorithm>

namespace mta::emulator {

namespace {
/// The value of a uniform operand, or a fault.
bool uniformValue(Warp &warp, const Instruction &inst, uint32_t offset,
                  const char *what, uint32_t &value) {
  const uint32_t *row = warp.row<uint32_t>(offset);
  unsigned first = __builtin_ctz(warp.active);
  value = row[first];
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    if (row[lane] == value)
      continue;
    warp.fail(inst, lane, std::string(what) + " differs between lanes");
    return false;
  }
  return true;
}

bool isComplete(const Block &block, const BarrierState &barrier) {
  if (barrier.expected)
    return barrier.arrived >= barrier.expected;
  bool anyone = false;
  for (const Warp &warp : block.warps) {
    if (warp.live & ~barrier.lanes[warp.index])
      return false;
    anyone |= barrier.lanes[warp.index] != 0;
  }
  return anyone;
}

/// What a thread learns at the barrier: every access before an arrival. A
/// barrier of the whole block waits for a warp to arrive or exit, so there an
/// exit counts as an arrival.
void joinClocks(Block &block, const BarrierState &barrier, Warp &warp,
                uint32_t stamp) {
  warp.clock.known.join(barrier.known);
  AccessSet &ordered = warp.clock.known.ordered;
  for (const Warp &other : block.warps)
    if (!other.live && !barrier.expected)
      ordered.add(block.warps.size(), other.index, other.clock.now);
  warp.clock.synchronize(warp.index, stamp);
}

void writeReduction(Warp &warp, const Instruction &inst, uint32_t mask,
                    const BarrierState &barrier) {
  uint32_t all = barrier.all ? AllLanes : 0, any = barrier.any ? AllLanes : 0;
  switch (BarrierForm(inst.variant)) {
  case BarrierForm::RedPopc:
    for (uint32_t left = mask; left; left &= left - 1)
      warp.row<uint32_t>(inst.op[3])[__builtin_ctz(left)] = barrier.population;
    return;
  case BarrierForm::RedAnd:
  case BarrierForm::RedOr: {
    uint32_t value =
        BarrierForm(inst.variant) == BarrierForm::RedAnd ? all : any;
    uint32_t &result = warp.predicate(inst.op[3]);
    result = (result & ~mask) | (value & mask);
    return;
  }
  case BarrierForm::Sync:
  case BarrierForm::Arrive:
    return;
  }
}

void release(Block &block, unsigned id) {
  BarrierState &barrier = block.barriers[id];
  uint32_t stamp = block.nextStamp();
  ++block.events;
  for (Warp &warp : block.warps) {
    bool waited = false;
    for (Group &group : warp.parked) {
      if (group.state != Group::State::AtBarrier || group.barrier != id)
        continue;
      writeReduction(warp, block.program.code[group.pc], group.mask, barrier);
      group.state = Group::State::Ready;
      ++group.pc;
      waited = true;
    }
    if (waited)
      joinClocks(block, barrier, warp, stamp);
  }
  std::fill(barrier.lanes.begin(), barrier.lanes.end(), 0);
  barrier.known.reset(block.warps.size());
  barrier.arrived = barrier.expected = barrier.population = 0;
  barrier.all = true;
  barrier.any = false;
}
} // namespace

void arriveAtBarrier(Block &block, Warp &warp, const Instruction &inst) {
  uint32_t id = 0, count = 0;
  if (!uniformValue(warp, inst, inst.op[0], "the barrier", id))
    return;
  bool hasCount = inst.aux != 0;
  if (hasCount && !uniformValue(warp, inst, inst.op[1],
                                "the number of threads at the barrier", count))
    return;
  if (id >= NumBarriers) {
    warp.fail(inst, -1,
              "expects a barrier from 0 to 15, but got " + std::to_string(id));
    return;
  }
  if (hasCount && (count == 0 || count % WarpSize)) {
    warp.fail(inst, -1,
              "expects a multiple of 32 threads at the barrier, but "
              "got " +
                  std::to_string(count));
    return;
  }
  BarrierState &barrier = block.barriers[id];
  if (barrier.arrived && barrier.expected != count) {
    warp.fail(inst, -1,
              "barrier " + std::to_string(id) + " is in use for " +
                  std::to_string(barrier.expected ? barrier.expected
                                                  : block.threads) +
                  " threads, but got " +
                  std::to_string(count ? count : block.threads));
    return;
  }
  barrier.expected = count;
  barrier.arrived += warp.active == warp.live
                         ? WarpSize
                         : unsigned(__builtin_popcount(warp.active));
  barrier.lanes[warp.index] |= warp.active;
  warp.clock.mergeLanes();
  barrier.known.join(warp.clock.known);
  barrier.known.ordered.add(block.warps.size(), warp.index, warp.clock.now);
  if (BarrierForm(inst.variant) >= BarrierForm::RedPopc) {
    uint32_t predicate = warp.predicate(inst.op[2]) ^ uint32_t(inst.offset);
    barrier.population += __builtin_popcount(predicate & warp.active);
    barrier.all &= (predicate & warp.active) == warp.active;
    barrier.any |= (predicate & warp.active) != 0;
  }
  if (BarrierForm(inst.variant) == BarrierForm::Arrive) {
    // What this warp does from now on is not covered by the arrival.
    warp.clock.synchronize(warp.index, block.nextStamp());
  }
  for (Group &group : warp.parked)
    if (group.state == Group::State::AtBarrier && group.pc == inst.pc)
      group.barrier = id;
}

void completeClusterBarrier(Block &block) {
  ClusterBarrier &barrier = block.clusterBarrier;
  bool anyone = false;
  for (const Warp &warp : block.warps) {
    if (warp.live & ~barrier.lanes[warp.index])
      return;
    anyone |= barrier.lanes[warp.index] != 0;
  }
  if (!anyone)
    return;
  for (Mbarrier &object : block.mbarriers.all())
    object.published |= object.released;
  ++barrier.phase;
  ++block.events;
  barrier.lanes.assign(block.warps.size(), 0);
  barrier.completed.join(barrier.arriving);
  barrier.arriving.reset(block.warps.size());
  wakeWaiting(block);
}

void wakeWaiting(Block &block) {
  for (Warp &warp : block.warps)
    for (Group &group : warp.parked)
      if (group.state == Group::State::AtEvent)
        group.state = Group::State::Ready;
}

void releaseBarriers(Block &block) {
  for (unsigned id = 0; id < NumBarriers; ++id)
    if (block.barriers[id].arrived && isComplete(block, block.barriers[id]))
      release(block, id);
}

} // namespace mta::emulator

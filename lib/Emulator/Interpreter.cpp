//===- Interpreter.cpp - The loop that runs a warp ------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution.h"
#include <algorithm>

namespace mta::emulator {

namespace {
unsigned firstLane(uint32_t mask) { return __builtin_ctz(mask); }

/// Joins the groups that stand where the current one does, then makes the
/// lowest group that can run the current one.
void settle(Warp &warp) {
  for (size_t i = 0; i < warp.parked.size();) {
    Group &group = warp.parked[i];
    bool meets =
        group.pc == warp.current.pc && group.state != Group::State::AtBarrier;
    if (meets && warp.current.mask) {
      warp.current.mask |= group.mask;
      warp.parked.erase(warp.parked.begin() + i);
      continue;
    }
    ++i;
  }
  size_t best = warp.parked.size();
  uint32_t lowest = warp.current.mask ? warp.current.pc : UINT32_MAX;
  for (size_t i = 0; i < warp.parked.size(); ++i)
    if (warp.parked[i].state == Group::State::Ready &&
        warp.parked[i].pc < lowest) {
      best = i;
      lowest = warp.parked[i].pc;
    }
  if (best == warp.parked.size())
    return;
  Group next = warp.parked[best];
  if (warp.current.mask)
    warp.parked[best] = warp.current;
  else
    warp.parked.erase(warp.parked.begin() + best);
  warp.current = next;
  if (!warp.parked.empty())
    settle(warp);
}

/// Parks the current group and lets another one run.
void park(Warp &warp, Group::State state, uint8_t barrier = 0) {
  Group group = warp.current;
  group.state = state;
  group.barrier = barrier;
  warp.current.mask = 0;
  settle(warp);
  // Appended last, so that settle does not join the group with itself.
  warp.parked.push_back(group);
}

void wakeLanes(Warp &warp) {
  for (Group &group : warp.parked)
    if (group.state == Group::State::WaitingForLanes)
      group.state = Group::State::Ready;
}
} // namespace

/// Executes the control instructions of one warp.
class Interpreter {
public:
  Interpreter(Block &block, Warp &warp)
      : block(block), warp(warp), program(block.program) {}

  bool run(uint64_t quantum);

private:
  bool control(const Instruction &inst);
  void branch(const Instruction &inst);
  void branchIndexed(const Instruction &inst);
  void call(const Instruction &inst);
  void returnLanes();
  void exitLanes(uint32_t lanes);
  bool warpSync(const Instruction &inst);
  bool barrier(const Instruction &inst);
  bool await(const Instruction &inst);
  bool checkValidity(const Instruction &inst);
  void recordWrites(const Instruction &inst);
  void copyBytes(const std::vector<CallSite::Copy> &copies, uint32_t mask);
  void splitInactive();
  void divergeTo(uint32_t mask, uint32_t pc);

  Block &block;
  Warp &warp;
  const Program &program;
};

bool Interpreter::run(uint64_t quantum) {
  const Instruction *code = program.code.data();
  uint64_t limit = block.launch.config->maxSteps;
  uint64_t executed = 0;
  if (!warp.current.mask)
    settle(warp);
  while (warp.current.mask && executed < quantum) {
    const Instruction &inst = code[warp.current.pc];
    ++executed;
    if (++warp.steps > limit) {
      warp.fail(inst, -1,
                "step limit: a warp executed " + std::to_string(limit) +
                    " instructions");
      break;
    }
    warp.active =
        warp.current.mask & (warp.predicate(inst.guard) ^ inst.guardFlip);
    if (inst.tracksValidity && !checkValidity(inst))
      break;
    if (inst.control == Control::None) {
      PcCount &count = block.counts[inst.pc];
      ++count.warps;
      count.lanes += __builtin_popcount(warp.active);
      if (warp.active)
        inst.handler(warp, inst);
      if (inst.tracksValidity)
        recordWrites(inst);
      ++warp.current.pc;
    } else if (!control(inst)) {
      continue;
    }
    if (block.fault.raised)
      break;
    if (!warp.parked.empty())
      settle(warp);
  }
  warp.done = warp.live == 0;
  return executed != 0;
}

/// Returns false if the current group changed without executing `inst`.
bool Interpreter::control(const Instruction &inst) {
  // A group that has to wait executes its instruction again when it wakes.
  if (inst.control == Control::WarpSync && warp.active && !warpSync(inst))
    return false;
  if (inst.control == Control::Barrier && warp.active && !barrier(inst))
    return false;
  if (inst.control == Control::Await && warp.active && !await(inst))
    return false;
  PcCount &count = block.counts[inst.pc];
  ++count.warps;
  count.lanes += __builtin_popcount(warp.active);
  switch (inst.control) {
  case Control::Branch:
    branch(inst);
    return true;
  case Control::BranchIndexed:
    branchIndexed(inst);
    return true;
  case Control::Call:
    call(inst);
    return true;
  case Control::Return:
    returnLanes();
    return true;
  case Control::Exit:
    divergeTo(warp.active, warp.current.pc + 1);
    exitLanes(warp.active);
    return true;
  case Control::Trap:
    if (warp.active)
      warp.fail(inst, firstLane(warp.active), "trap");
    ++warp.current.pc;
    return true;
  case Control::WarpSync:
    if (warp.active)
      inst.handler(warp, inst);
    if (inst.tracksValidity)
      recordWrites(inst);
    ++warp.current.pc;
    return true;
  case Control::Await:
    if (inst.tracksValidity)
      recordWrites(inst);
    ++warp.current.pc;
    return true;
  case Control::Barrier:
    // barrier() parked the lanes that arrived; nobody was active otherwise.
    if (!warp.active)
      ++warp.current.pc;
    return true;
  case Control::None:
    break;
  }
  return true;
}

/// Leaves only `mask` in the current group; the other lanes continue at `pc`.
void Interpreter::divergeTo(uint32_t mask, uint32_t pc) {
  uint32_t others = warp.current.mask & ~mask;
  if (others)
    warp.parked.push_back({pc, others});
  warp.current.mask = mask;
}

/// Sends lanes whose guard is false past a synchronising instruction.
void Interpreter::splitInactive() {
  divergeTo(warp.active, warp.current.pc + 1);
}

void Interpreter::branch(const Instruction &inst) {
  uint32_t taken = warp.active;
  if (!taken) {
    ++warp.current.pc;
    return;
  }
  if (taken != warp.current.mask) {
    ++block.counts[inst.pc].divergent;
    divergeTo(taken, warp.current.pc + 1);
  }
  warp.current.pc = inst.target;
}

void Interpreter::branchIndexed(const Instruction &inst) {
  divergeTo(warp.active, warp.current.pc + 1);
  const uint32_t *index = warp.row<uint32_t>(inst.op[0]);
  const std::vector<uint32_t> &targets = program.branchTables[inst.target];
  uint32_t rest = warp.active;
  unsigned ways = 0;
  while (rest) {
    unsigned lane = firstLane(rest);
    if (index[lane] >= targets.size()) {
      warp.fail(inst, lane,
                "branch index " + std::to_string(index[lane]) +
                    " is beyond the " + std::to_string(targets.size()) +
                    " targets");
      return;
    }
    uint32_t same = 0;
    for (uint32_t left = rest; left; left &= left - 1)
      if (index[firstLane(left)] == index[lane])
        same |= 1u << firstLane(left);
    rest &= ~same;
    warp.parked.push_back({targets[index[lane]], same});
    ++ways;
  }
  block.counts[inst.pc].divergent += ways > 1;
  warp.current.mask = 0;
  settle(warp);
}

void Interpreter::copyBytes(const std::vector<CallSite::Copy> &copies,
                            uint32_t mask) {
  for (uint32_t left = mask; left; left &= left - 1) {
    std::byte *frame =
        block.local.data() +
        size_t(warp.index * WarpSize + firstLane(left)) * block.localStride +
        program.localBytes;
    for (const CallSite::Copy &copy : copies)
      std::copy_n(frame + copy.from, copy.bytes, frame + copy.to);
  }
}

void Interpreter::call(const Instruction &inst) {
  if (!warp.active) {
    ++warp.current.pc;
    return;
  }
  divergeTo(warp.active, warp.current.pc + 1);
  copyBytes(program.calls[inst.aux].arguments, warp.active);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = firstLane(left);
    warp.returnStack[warp.depth[lane]++ * WarpSize + lane] = inst.pc + 1;
  }
  warp.current.pc = inst.target;
}

/// `ret` of a device function goes back to each lane's caller; at the top it
/// ends the thread.
void Interpreter::returnLanes() {
  divergeTo(warp.active, warp.current.pc + 1);
  uint32_t ended = 0;
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = firstLane(left);
    if (warp.depth[lane] == 0)
      ended |= 1u << lane;
  }
  uint32_t rest = warp.active & ~ended;
  warp.current.mask = ended;
  if (ended)
    exitLanes(ended);
  while (rest) {
    unsigned lane = firstLane(rest);
    uint32_t site = warp.returnStack[(warp.depth[lane] - 1) * WarpSize + lane];
    uint32_t same = 0;
    for (uint32_t left = rest; left; left &= left - 1) {
      unsigned other = firstLane(left);
      if (warp.returnStack[(warp.depth[other] - 1) * WarpSize + other] == site)
        same |= 1u << other;
    }
    for (uint32_t left = same; left; left &= left - 1)
      --warp.depth[firstLane(left)];
    copyBytes(program.calls[program.code[site - 1].aux].results, same);
    rest &= ~same;
    warp.parked.push_back({site, same});
  }
  if (!warp.current.mask)
    settle(warp);
}

void Interpreter::exitLanes(uint32_t lanes) {
  warp.live &= ~lanes;
  warp.current.mask &= ~lanes;
  wakeLanes(warp);
  if (!warp.current.mask)
    settle(warp);
  releaseBarriers(block);
  completeClusterBarrier(block);
}

/// Waits until all lanes of the member mask are in the current group.
bool Interpreter::warpSync(const Instruction &inst) {
  const uint32_t *members = warp.row<uint32_t>(inst.op[0]);
  uint32_t mask = members[firstLane(warp.active)];
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = firstLane(left);
    if (members[lane] >> lane & 1)
      continue;
    warp.fail(inst, lane, "the lane is not in its own member mask");
    return true;
  }
  splitInactive();
  // Lanes with another mask form a synchronisation of their own.
  for (uint32_t left = warp.active; left; left &= left - 1)
    if (members[firstLane(left)] != mask)
      warp.active &= ~(1u << firstLane(left));
  divergeTo(warp.active, warp.current.pc);
  if ((mask & warp.live & ~warp.active) == 0)
    return true;
  park(warp, Group::State::WaitingForLanes);
  return false;
}

/// Arrives at a barrier of the block. An aligned barrier waits for the whole
/// warp first. Returns false if the group has to wait for lanes of its warp.
bool Interpreter::barrier(const Instruction &inst) {
  splitInactive();
  bool aligned = inst.count != 0;
  if (aligned && warp.active != warp.live) {
    park(warp, Group::State::WaitingForLanes);
    return false;
  }
  bool waits = BarrierForm(inst.variant) != BarrierForm::Arrive;
  if (waits)
    park(warp, Group::State::AtBarrier);
  arriveAtBarrier(block, warp, inst);
  if (!waits)
    ++warp.current.pc;
  releaseBarriers(block);
  if (!warp.current.mask)
    settle(warp);
  return true;
}

/// Executes an instruction that may have to wait. Returns false if the group
/// waits for an event; it then executes the instruction again.
bool Interpreter::await(const Instruction &inst) {
  warp.blocked = false;
  warp.expired = warp.current.expired;
  warp.current.expired = false;
  inst.handler(warp, inst);
  if (!warp.blocked || block.fault.raised)
    return true;
  splitInactive();
  warp.current.mbarrier = warp.awaited;
  park(warp, Group::State::AtEvent);
  return false;
}

bool Interpreter::checkValidity(const Instruction &inst) {
  const Validity &validity = program.validity[inst.pc];
  if (!validity.async.empty() && !checkAsyncRegisters(warp, inst, validity))
    return false;
  if (validity.propagates)
    return true;
  for (const ValidityUse &use : validity.reads) {
    // The guard itself is read by every lane of the group.
    bool isGuard = use.name.front() == '@';
    uint32_t readers = isGuard ? warp.current.mask : warp.active;
    if (use.isConditional)
      readers &= warp.predicate(use.condition) ^ use.flip;
    uint32_t missing = readers & ~warp.predicate(use.mask);
    if (!missing)
      continue;
    warp.fail(inst, firstLane(missing),
              "read of register " + use.name.substr(isGuard) +
                  ", which nothing wrote");
    return false;
  }
  return true;
}

void Interpreter::recordWrites(const Instruction &inst) {
  const Validity &validity = program.validity[inst.pc];
  uint32_t valid = AllLanes;
  if (validity.propagates)
    for (const ValidityUse &use : validity.reads)
      valid &= warp.predicate(use.mask);
  for (uint32_t offset : validity.writes) {
    uint32_t &mask = warp.predicate(offset);
    mask = (mask & ~warp.active) | (warp.active & valid);
  }
}

bool runWarp(Block &block, Warp &warp, uint64_t quantum) {
  return Interpreter(block, warp).run(quantum);
}

} // namespace mta::emulator

//===- Warpgroups.cpp - Work of wgmma in flight ---------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Warpgroups.h"
#include "Execution.h"
#include "Target.h"
#include <algorithm>

namespace mta::emulator {

void WarpgroupState::reset(const Program &program) {
  // Before the first wgmma there has to be a fence, too.
  registers.assign(program.asyncRegisters.size(), Accessed);
  kinds.assign(program.asyncRegisters.size(), 0);
  pending.clear();
  committed = 0;
  executed = 0;
}

void WarpgroupState::refresh(const Program &program) {
  for (uint8_t &state : registers)
    state &= Accessed;
  for (const PendingWgmma &wgmma : pending) {
    const WgmmaOperands &operands = program.wgmmas[wgmma.operands];
    for (uint32_t id : operands.accumulators)
      registers[id] |= Written;
    for (uint32_t id : operands.factors)
      registers[id] |= Read;
  }
}

bool checkAsyncRegisters(Warp &warp, const Instruction &inst,
                         const Validity &validity) {
  if (!warp.active)
    return true;
  WarpgroupState &state = warp.warpgroup;
  const Program &program = warp.block->program;
  for (const AsyncUse &use : validity.async) {
    uint8_t &flags = state.registers[use.id];
    bool isBusy = (flags & WarpgroupState::Written) ||
                  (use.isWrite && (flags & WarpgroupState::Read));
    flags |= WarpgroupState::Accessed;
    if (!isBusy)
      continue;
    warp.fail(inst, -1,
              std::string(use.isWrite ? "write to" : "read of") + " register " +
                  program.asyncRegisters[use.id] +
                  ", which a wgmma that is not waited for " +
                  (flags & WarpgroupState::Written ? "writes" : "reads"));
    return false;
  }
  return true;
}

void grantRegisters(Block &block) {
  const Program &program = block.program;
  if (!program.setsRegisters)
    return;
  // What the assembler chooses: .maxnreg, or what fits the register file with
  // the threads and blocks that the entry announces, in steps of 8.
  const Function &entry = *program.entry;
  uint32_t count = entry.maxRegisters;
  if (!count) {
    uint32_t threads =
        entry.maxThreads[0] * entry.maxThreads[1] * entry.maxThreads[2];
    if (!threads)
      threads = entry.requiredThreads[0] * entry.requiredThreads[1] *
                entry.requiredThreads[2];
    if (!threads)
      threads = block.threads;
    count = RegistersPerBlock / threads / std::max(entry.minBlocks, 1u);
    count = std::min(count, MaxRegistersPerThread) / 8 * 8;
  }
  for (Warp &warp : block.warps)
    warp.warpgroup.registerCount = count;
  block.freeRegisters = 0;
}

void checkWarpgroups(Block &block) {
  for (Warp &warp : block.warps) {
    const Warp &first =
        block.warps[warp.index / WarpgroupWarps * WarpgroupWarps];
    if (warp.warpgroup.registerCount != first.warpgroup.registerCount)
      block.fault = {true, "the warps of a warpgroup set different numbers of "
                           "registers: warp " +
                               std::to_string(first.index) + " " +
                               std::to_string(first.warpgroup.registerCount) +
                               ", warp " + std::to_string(warp.index) + " " +
                               std::to_string(warp.warpgroup.registerCount)};
    uint64_t mine = warp.warpgroup.executed, others = first.warpgroup.executed;
    if (mine == others || block.fault.raised)
      continue;
    block.fault = {true, "the warps of a warpgroup execute different numbers "
                         "of wgmma: warp " +
                             std::to_string(first.index) + " " +
                             std::to_string(others) + ", warp " +
                             std::to_string(warp.index) + " " +
                             std::to_string(mine)};
  }
}

} // namespace mta::emulator

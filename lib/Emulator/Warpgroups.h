//===- Warpgroups.h - Work of wgmma in flight -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warpgroup is four warps with consecutive indices, the first a multiple of
// four. Warp w computes rows 16 w to 16 w + 15 of a wgmma, so the warps need
// not meet; they only have to execute the same operations.
//
// Registers. Those that some wgmma has as operands have a state in each warp:
//
//   accessed  by another instruction since wgmma.fence: a wgmma may not use it
//   written   by a wgmma that is not waited for: nobody else may use it
//   read      by a wgmma that is not waited for: nobody may write it
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_WARPGROUPS_H
#define MTA_LIB_EMULATOR_WARPGROUPS_H

#include "SharedMemory.h"
#include <deque>

namespace mta::emulator {

struct Block;

constexpr unsigned WarpgroupWarps = 4;

/// A wgmma of one warp that has not been waited for.
struct PendingWgmma {
  uint32_t pc = 0;
  uint32_t group = 0;
  uint32_t operands = 0; // index in Program::wgmmas
  std::vector<SharedRange> reads;
};

/// What a warp knows about its wgmmas.
struct WarpgroupState {
  static constexpr uint8_t Accessed = 1, Written = 2, Read = 4;
  std::vector<uint8_t> registers; // by id
  std::vector<uint32_t> kinds;    // of the wgmma that writes it, by id
  std::vector<PendingWgmma> pending;
  uint32_t committed = 0; // groups
  uint64_t executed = 0;  // wgmmas
  uint32_t registerCount = 0;

  void reset(const Program &program);
  /// Recomputes which registers are in flight from `pending`.
  void refresh(const Program &program);
};

/// The operations of a warpgroup, so that its warps can be compared.
struct WarpgroupLog {
  struct Entry {
    uint32_t pc = 0;
    uint64_t a = 0, b = 0; // descriptors
  };
  uint64_t first = 0; // index of the first entry that is kept
  std::deque<Entry> entries;
};

/// Checks and records an access to registers that wgmma uses; false after a
/// fault.
bool checkAsyncRegisters(Warp &warp, const Instruction &inst,
                         const Validity &validity);
/// Gives the warps of a block the registers they start with.
void grantRegisters(Block &block);
/// Refuses warps of a warpgroup that executed different numbers of wgmmas.
void checkWarpgroups(Block &block);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_WARPGROUPS_H

//===- MemoryAccess.h - Checked access to memory ----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every load, store, atomic and asynchronous copy goes through these checks,
// which also count sectors and wavefronts.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_MEMORYACCESS_H
#define MTA_LIB_EMULATOR_MEMORYACCESS_H

#include "Execution.h"

namespace mta::emulator {

enum class AccessKind : uint8_t { Read, Write, Atomic };

/// The addresses of one memory instruction, by lane.
struct LaneAddresses {
  uint32_t mask = 0;
  unsigned bytes = 0; // accessed by each lane
  alignas(64) uint64_t address[WarpSize];
};

/// Reads the address operand `row` and adds the instruction's offset.
void loadAddresses(const Warp &warp, const Instruction &inst, uint32_t row,
                   LaneAddresses &result);

/// The part of generic addresses that lies in `space`; the result has
/// addresses within that space.
LaneAddresses selectSpace(const LaneAddresses &all, Space space);

/// Checks and counts an access to global memory. After true, lane l may touch
/// `bytes` bytes at reinterpret_cast<uint8_t *>(address[l]).
bool accessGlobal(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes, AccessKind kind);

/// Checks and counts one contiguous access of a bulk copy to global memory.
bool accessGlobalRun(Warp &warp, const Instruction &inst, unsigned lane,
                     uint64_t address, uint64_t bytes, AccessKind kind);

/// Checks and counts an access to shared memory. `values`, if given, are what
/// a store writes, `bytes` for each lane; lanes of one store that overlap are
/// then compared. After true, lane l may touch block.shared.data() +
/// address[l].
bool accessShared(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes, AccessKind kind,
                  const std::byte *values);

/// Checks an access to the thread's local memory and returns where it is; null
/// after a fault.
std::byte *accessLocal(Warp &warp, const Instruction &inst, unsigned lane,
                       uint64_t address, unsigned bytes);

/// Checks an access to the parameters of the kernel.
const std::byte *accessParameter(Warp &warp, const Instruction &inst,
                                 unsigned lane, uint64_t address,
                                 unsigned bytes);

/// Counts sectors of a global access.
void countSectors(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes);
/// Counts an access of the asynchronous proxy to shared memory, 128 bytes in a
/// wavefront: what the layout costs beyond that is not published.
void countSharedBytes(Warp &warp, const Instruction &inst, uint64_t bytes);
/// Counts wavefronts of a shared access.
void countWavefronts(Warp &warp, const Instruction &inst,
                     const LaneAddresses &lanes);

/// Describes a refusal by the shared memory's shadow.
void reportShared(Warp &warp, const Instruction &inst, unsigned lane,
                  const SharedFault &fault, const char *what);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_MEMORYACCESS_H

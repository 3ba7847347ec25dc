//===- SharedMemory.h - Shared memory of one block, with its checks --*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared memory with a shadow per granule (4 bytes until a narrower access
// happens, then 2 or 1): who wrote it last and when, and when each warp read
// it last.
//
// Time. Every barrier and warp synchronisation takes a fresh stamp from one
// counter of the block. A warp's clock is the stamp of its last
// synchronisation; `known[w]` is the latest clock of warp w whose accesses are
// ordered before what this warp does now. An access of warp w at clock c is
// ordered before an access of warp u if c <= known_u[w]. Within one warp,
// accesses of different lanes are ordered only by a synchronisation between
// them (bar.warp.sync or a barrier): shuffles, votes and mma.sync exchange
// registers and do not order memory (CUDA C++ Programming Guide, warp shuffle
// functions: "do not imply a memory barrier").
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_SHAREDMEMORY_H
#define MTA_LIB_EMULATOR_SHAREDMEMORY_H

#include "Instruction.h"
#include <cstddef>
#include <string>
#include <vector>

namespace mta::emulator {

/// What a warp knows about the order of events, see above.
struct WarpClock {
  uint32_t now = 1;
  /// The least of `known` over the other warps: accesses up to this stamp are
  /// ordered, whoever made them.
  uint32_t knownByAll = 0;
  std::vector<uint32_t> known;

  void recompute(unsigned self);
};

/// One access of one lane.
struct SharedAccess {
  unsigned warp = 0, lane = 0;
  uint32_t offset = 0, bytes = 0;
  uint32_t pc = 0;
  bool isStrong = false;
};

/// Why an access was refused.
struct SharedFault {
  enum class Kind : uint8_t { None, Unwritten, InFlight, WriteRace, ReadRace };
  Kind kind = Kind::None;
  uint32_t offset = 0;
  unsigned otherWarp = 0;
  int otherLane = 0; // -1: several lanes
  uint32_t otherPc = UINT32_MAX;
};

class SharedMemory {
public:
  /// Prepares for a new block; contents and shadow are cleared.
  void reset(uint32_t bytes, unsigned warps);

  std::byte *data() { return memory.data(); }
  uint32_t size() const { return bytes; }
  /// Bytes that one shadow entry stands for.
  uint32_t granuleBytes() const { return 1u << granuleBits; }

  /// Checks and records a read; false with `fault` set if it is refused.
  bool read(const SharedAccess &access, const WarpClock &clock,
            SharedFault &fault);

  /// Checks and records a write. A second lane of the same warp instruction
  /// that writes the same granule calls `sameInstruction` of the caller:
  /// returns false with fault.otherLane and Kind::WriteRace; the caller may
  /// forgive equal values.
  bool write(const SharedAccess &access, const WarpClock &clock,
             SharedFault &fault);

  /// Marks the destination of an asynchronous copy: any access before
  /// `completeAsync` is refused.
  bool beginAsync(const SharedAccess &access, const WarpClock &clock,
                  SharedFault &fault);
  void completeAsync(const SharedAccess &access, const WarpClock &clock);

private:
  // Packing of a write entry: clock, pc, thread, strong, in flight. Zero means
  // that nothing wrote the granule. In-flight granules have the largest clock,
  // so that the check for order catches them.
  static constexpr unsigned ClockShift = 40, PcShift = 16, ThreadShift = 6;
  static constexpr uint64_t StrongBit = 1, InFlightClock = 0xffffff;

public:
  /// Clocks reach this only in a block with 16 million synchronisations.
  static constexpr uint32_t MaxClock = InFlightClock - 1;

private:
  static uint64_t pack(const SharedAccess &access, uint32_t clock) {
    return uint64_t(clock) << ClockShift |
           uint64_t(access.pc & 0xffffff) << PcShift |
           uint64_t(access.warp * WarpSize + access.lane) << ThreadShift |
           (access.isStrong ? StrongBit : 0);
  }
  static unsigned warpOf(uint64_t entry) { return entry >> 11 & 31; }
  static unsigned laneOf(uint64_t entry) { return entry >> 6 & 31; }
  static uint32_t clockOf(uint64_t entry) { return entry >> ClockShift; }

  // A read entry: clock << 7 | strong << 6 | lane, or lane 32 for several.
  static constexpr unsigned ReadClockShift = 7, ReadStrongBit = 64;
  static constexpr unsigned SeveralLanes = 32;

  void refine(uint32_t offset, uint32_t count);
  bool checkWriter(uint64_t entry, uint32_t granule, const SharedAccess &access,
                   const WarpClock &clock, SharedFault &fault) const;
  bool checkReaders(uint32_t granule, const SharedAccess &access,
                    const WarpClock &clock, SharedFault &fault) const;

  uint32_t bytes = 0;
  unsigned warps = 0;
  unsigned granuleBits = 2;
  uint32_t granules = 0;
  std::vector<std::byte> memory;
  std::vector<uint64_t> writes;
  std::vector<uint32_t> reads; // [warp][granule]
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_SHAREDMEMORY_H

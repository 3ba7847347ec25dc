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
// it last. Clocks.h says when an access is ordered before another.
//
// The asynchronous proxy (bulk copies, wgmma) writes and reads behind the back
// of the threads. What it writes is a transfer: in flight, then landed at a
// stamp that those learn who wait on the mbarrier it completes on. What it
// reads is in flight, too, until the group it belongs to is waited for.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_SHAREDMEMORY_H
#define MTA_LIB_EMULATOR_SHAREDMEMORY_H

#include "Clocks.h"
#include "Instruction.h"
#include <cstddef>
#include <string>
#include <vector>

namespace mta::emulator {

/// One access of one lane.
struct SharedAccess {
  unsigned warp = 0, lane = 0;
  uint32_t offset = 0, bytes = 0;
  uint32_t pc = 0;
  bool isStrong = false;
};

/// Why an access was refused.
struct SharedFault {
  enum class Kind : uint8_t {
    None,
    Unwritten,
    InFlight,  // a copy has not landed
    WriteRace, // with a write
    ReadRace,  // with a read
    CopyRace,  // with a bulk copy that landed
    AsyncRead, // the asynchronous proxy still reads
    Unfenced,  // written by the generic proxy, without a proxy fence
    Mbarrier,  // part of an mbarrier
  };
  Kind kind = Kind::None;
  uint32_t offset = 0;
  unsigned otherWarp = 0;
  int otherLane = 0; // -1: several lanes
  uint32_t otherPc = UINT32_MAX;
};

/// Bytes of shared memory.
struct SharedRange {
  uint32_t offset = 0, bytes = 0;
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

  /// A new bulk copy into shared memory; `mbarrier` is what it completes on.
  uint32_t addTransfer(const SharedAccess &issuer, uint32_t mbarrier);
  /// Checks a write by the asynchronous proxy and puts it in flight.
  bool beginTransfer(uint32_t transfer, const SharedAccess &access,
                     const WarpClock &clock, SharedFault &fault);
  void landTransfer(uint32_t transfer, uint32_t stamp) {
    transfers[transfer].landed = stamp;
  }
  /// Checks a read by the asynchronous proxy; it is in flight until endReads.
  bool beginRead(const SharedAccess &access, const WarpClock &clock,
                 SharedFault &fault);
  /// Ends a read of a warp; `lane` issued it, 32 or more stands for all lanes.
  void endRead(unsigned warp, unsigned lane, SharedRange range, uint32_t now);
  /// Marks a read of a warp as in flight again, after the end of another that
  /// overlaps it.
  void keepRead(unsigned warp, SharedRange range);

  /// Marks the eight bytes of an mbarrier, or gives them back.
  void markMbarrier(const SharedAccess &access);
  void unmarkMbarrier(const SharedAccess &access, const WarpClock &clock);

private:
  // Packing of a write entry: clock, pc, thread, strong. Zero means that
  // nothing wrote the granule. What is in flight, a transfer (the place of the
  // pc is its index) or an mbarrier has a clock beyond all others, so that the
  // check for order catches it.
  static constexpr unsigned ClockShift = 40, PcShift = 16, ThreadShift = 6;
  static constexpr uint64_t StrongBit = 1, InFlightClock = 0xffffff;
  static constexpr uint64_t TransferClock = 0xfffffe, MbarrierClock = 0xfffffd;

public:
  /// Clocks reach this only in a block with 16 million synchronisations.
  static constexpr uint32_t MaxClock = MbarrierClock - 1;

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
  // Lane 33 stands for the warp as one: reads of wgmma.
  static constexpr unsigned SeveralLanes = 32, WholeWarp = 33;
  static constexpr uint32_t ReadInFlight = ~0u << ReadClockShift | WholeWarp;

  struct Transfer {
    uint32_t pc = 0, mbarrier = 0;
    uint32_t landed = 0; // the stamp; 0: in flight
    uint8_t warp = 0, lane = 0;
  };

  void refine(uint32_t offset, uint32_t count);
  bool checkWriter(uint64_t entry, uint32_t granule, const SharedAccess &access,
                   const WarpClock &clock, SharedFault &fault) const;
  bool checkReader(uint32_t entry, unsigned warp, uint32_t granule,
                   const SharedAccess &access, const WarpClock &clock,
                   SharedFault &fault) const;
  bool checkReaders(uint32_t granule, const SharedAccess &access,
                    const WarpClock &clock, SharedFault &fault) const;
  /// What is no plain write: in flight, a transfer, an mbarrier.
  bool checkSpecial(uint64_t entry, unsigned lane, const WarpClock &clock,
                    SharedFault &fault) const;
  /// Whether a write by the generic proxy is visible to the asynchronous one.
  bool checkFence(uint64_t entry, uint32_t granule, const SharedAccess &access,
                  const WarpClock &clock, SharedFault &fault) const;
  /// The granules of a range, made whole.
  void granulesOf(uint32_t offset, uint32_t count, uint32_t &first,
                  uint32_t &last);

  std::vector<Transfer> transfers;
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

//===- SharedMemory.cpp - Shared memory of one block, with its checks -----===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedMemory.h"
#include <algorithm>

namespace mta::emulator {

void SharedMemory::reset(uint32_t newBytes, unsigned newWarps) {
  bytes = newBytes;
  warps = newWarps;
  granules = (bytes + (1u << granuleBits) - 1) >> granuleBits;
  memory.assign((bytes + 63) & ~63u, std::byte{0xff});
  writes.assign(granules, 0);
  reads.assign(size_t(granules) * warps, 0);
  transfers.clear();
}

/// Splits every granule so that [offset, offset + count) consists of whole
/// ones; the parts inherit the state.
void SharedMemory::refine(uint32_t offset, uint32_t count) {
  unsigned wanted = granuleBits;
  while (wanted && ((offset | count) & ((1u << wanted) - 1)))
    --wanted;
  unsigned shift = granuleBits - wanted;
  if (!shift)
    return;
  uint32_t finer = (bytes + (1u << wanted) - 1) >> wanted;
  std::vector<uint64_t> newWrites(finer);
  std::vector<uint32_t> newReads(size_t(finer) * warps);
  for (uint32_t g = 0; g < finer; ++g)
    newWrites[g] = writes[g >> shift];
  for (unsigned w = 0; w < warps; ++w)
    for (uint32_t g = 0; g < finer; ++g)
      newReads[size_t(w) * finer + g] =
          reads[size_t(w) * granules + (g >> shift)];
  writes = std::move(newWrites);
  reads = std::move(newReads);
  granules = finer;
  granuleBits = wanted;
}

bool SharedMemory::checkSpecial(uint64_t entry, unsigned lane,
                                const WarpClock &clock,
                                SharedFault &fault) const {
  uint32_t written = clockOf(entry);
  fault.otherWarp = warpOf(entry);
  fault.otherLane = laneOf(entry);
  fault.otherPc = entry >> PcShift & 0xffffff;
  fault.kind = SharedFault::Kind::InFlight;
  if (written == MbarrierClock)
    fault.kind = SharedFault::Kind::Mbarrier;
  if (written != TransferClock)
    return false;
  const Transfer &transfer = transfers[fault.otherPc];
  if (transfer.landed &&
      clock.knowsCopy(lane, transfer.mbarrier, transfer.landed)) {
    fault.kind = SharedFault::Kind::None;
    return true;
  }
  fault.otherWarp = transfer.warp;
  fault.otherLane = transfer.lane;
  fault.otherPc = transfer.pc;
  if (transfer.landed)
    fault.kind = SharedFault::Kind::CopyRace;
  return false;
}

bool SharedMemory::checkWriter(uint64_t entry, uint32_t granule,
                               const SharedAccess &access,
                               const WarpClock &clock,
                               SharedFault &fault) const {
  uint32_t written = clockOf(entry);
  if (written > MaxClock) {
    fault.offset = granule << granuleBits;
    return checkSpecial(entry, access.lane, clock, fault);
  }
  unsigned warp = warpOf(entry), lane = laneOf(entry);
  if (clock.orders(access.warp, access.lane, warp, lane, written) ||
      (access.isStrong && (entry & StrongBit)))
    return true;
  fault.kind = SharedFault::Kind::WriteRace;
  fault.offset = granule << granuleBits;
  fault.otherWarp = warp;
  fault.otherLane = lane;
  fault.otherPc = entry >> PcShift & 0xffffff;
  return false;
}

bool SharedMemory::read(const SharedAccess &access, const WarpClock &clock,
                        SharedFault &fault) {
  if ((access.offset | access.bytes) & ((1u << granuleBits) - 1))
    refine(access.offset, access.bytes);
  uint32_t first = access.offset >> granuleBits;
  uint32_t last = (access.offset + access.bytes - 1) >> granuleBits;
  // One comparison decides the common case: all granules were written, and
  // before the last synchronisation that everybody took part in.
  uint64_t newest = 0, oldest = ~uint64_t(0);
  for (uint32_t g = first; g <= last; ++g) {
    newest = std::max(newest, writes[g]);
    oldest = std::min(oldest, writes[g]);
  }
  if (oldest == 0 || clockOf(newest) > clock.knownByAll) {
    for (uint32_t g = first; g <= last; ++g) {
      if (!writes[g]) {
        fault.kind = SharedFault::Kind::Unwritten;
        fault.offset = g << granuleBits;
        return false;
      }
      if (!checkWriter(writes[g], g, access, clock, fault))
        return false;
    }
  }
  uint32_t stamp =
      clock.now << ReadClockShift | (access.isStrong ? ReadStrongBit : 0);
  uint32_t *own = reads.data() + size_t(access.warp) * granules;
  for (uint32_t g = first; g <= last; ++g) {
    uint32_t old = own[g];
    if ((old >> ReadClockShift) != clock.now) {
      own[g] = old == ReadInFlight ? old : stamp | access.lane;
      continue;
    }
    // Several reads count as strong only if all of them are.
    bool several = (old & (ReadStrongBit - 1)) != access.lane;
    own[g] = (clock.now << ReadClockShift) | (stamp & old & ReadStrongBit) |
             (several ? SeveralLanes : access.lane);
  }
  return true;
}

/// One read that is not known to be ordered by everybody: rare, and kept out of
/// the loops.
__attribute__((noinline)) bool
SharedMemory::checkReader(uint32_t entry, unsigned warp, uint32_t granule,
                          const SharedAccess &access, const WarpClock &clock,
                          SharedFault &fault) const {
  unsigned lane = entry & (ReadStrongBit - 1);
  bool inFlight = entry == ReadInFlight;
  bool ordered = clock.orders(access.warp, access.lane, warp, lane,
                              entry >> ReadClockShift) ||
                 (lane == WholeWarp && warp == access.warp);
  if (!inFlight && (ordered || (access.isStrong && (entry & ReadStrongBit))))
    return true;
  fault.kind =
      inFlight ? SharedFault::Kind::AsyncRead : SharedFault::Kind::ReadRace;
  fault.offset = granule << granuleBits;
  fault.otherWarp = warp;
  fault.otherLane = lane >= SeveralLanes ? -1 : int(lane);
  fault.otherPc = UINT32_MAX;
  return false;
}

inline bool SharedMemory::checkReaders(uint32_t granule,
                                       const SharedAccess &access,
                                       const WarpClock &clock,
                                       SharedFault &fault) const {
  const uint32_t *entry = reads.data() + granule;
  for (unsigned w = 0; w < warps; ++w, entry += granules)
    if (*entry >> ReadClockShift > clock.knownByAll &&
        !checkReader(*entry, w, granule, access, clock, fault))
      return false;
  return true;
}

bool SharedMemory::write(const SharedAccess &access, const WarpClock &clock,
                         SharedFault &fault) {
  if ((access.offset | access.bytes) & ((1u << granuleBits) - 1))
    refine(access.offset, access.bytes);
  uint32_t first = access.offset >> granuleBits;
  uint32_t last = (access.offset + access.bytes - 1) >> granuleBits;
  uint64_t entry = pack(access, clock.now);
  for (uint32_t g = first; g <= last; ++g) {
    if (clockOf(writes[g]) > clock.knownByAll &&
        !checkWriter(writes[g], g, access, clock, fault))
      return false;
    if (!checkReaders(g, access, clock, fault))
      return false;
    // A strong write does not hide a plain one of the same lane that nothing
    // has ordered yet: others race with the plain one.
    bool hidesPlain = access.isStrong && !(writes[g] & StrongBit) &&
                      warpOf(writes[g]) == access.warp &&
                      clockOf(writes[g]) == clock.now;
    if (!hidesPlain)
      writes[g] = entry;
  }
  return true;
}

bool SharedMemory::beginAsync(const SharedAccess &access,
                              const WarpClock &clock, SharedFault &fault) {
  if (!write(access, clock, fault))
    return false;
  uint32_t first = access.offset >> granuleBits;
  uint32_t last = (access.offset + access.bytes - 1) >> granuleBits;
  for (uint32_t g = first; g <= last; ++g)
    writes[g] |= InFlightClock << ClockShift;
  return true;
}

void SharedMemory::completeAsync(const SharedAccess &access,
                                 const WarpClock &clock) {
  if ((access.offset | access.bytes) & ((1u << granuleBits) - 1))
    refine(access.offset, access.bytes);
  uint32_t first = access.offset >> granuleBits;
  uint32_t last = (access.offset + access.bytes - 1) >> granuleBits;
  std::fill(writes.begin() + first, writes.begin() + last + 1,
            pack(access, clock.now));
}

//===----------------------------------------------------------------------===//
// The asynchronous proxy
//===----------------------------------------------------------------------===//

void SharedMemory::granulesOf(uint32_t offset, uint32_t count, uint32_t &first,
                              uint32_t &last) {
  if ((offset | count) & ((1u << granuleBits) - 1))
    refine(offset, count);
  first = offset >> granuleBits;
  last = (offset + count - 1) >> granuleBits;
}

uint32_t SharedMemory::addTransfer(const SharedAccess &issuer,
                                   uint32_t mbarrier) {
  transfers.push_back(
      {issuer.pc, mbarrier, 0, uint8_t(issuer.warp), uint8_t(issuer.lane)});
  return transfers.size() - 1;
}

bool SharedMemory::checkFence(uint64_t entry, uint32_t granule,
                              const SharedAccess &access,
                              const WarpClock &clock,
                              SharedFault &fault) const {
  uint32_t written = clockOf(entry);
  if (!entry || written > MaxClock)
    return true;
  unsigned warp = warpOf(entry), lane = laneOf(entry);
  if (clock.isFenced(access.lane, warp, lane, written))
    return true;
  fault.kind = SharedFault::Kind::Unfenced;
  fault.offset = granule << granuleBits;
  fault.otherWarp = warp;
  fault.otherLane = lane;
  fault.otherPc = entry >> PcShift & 0xffffff;
  return false;
}

bool SharedMemory::beginTransfer(uint32_t transfer, const SharedAccess &access,
                                 const WarpClock &clock, SharedFault &fault) {
  uint32_t first, last;
  granulesOf(access.offset, access.bytes, first, last);
  uint64_t entry = TransferClock << ClockShift | uint64_t(transfer & 0xffffff)
                                                     << PcShift;
  for (uint32_t g = first; g <= last; ++g) {
    if (writes[g] && !checkWriter(writes[g], g, access, clock, fault))
      return false;
    if (!checkReaders(g, access, clock, fault) ||
        !checkFence(writes[g], g, access, clock, fault))
      return false;
    writes[g] = entry;
  }
  return true;
}

bool SharedMemory::beginRead(const SharedAccess &access, const WarpClock &clock,
                             SharedFault &fault) {
  uint32_t first, last;
  granulesOf(access.offset, access.bytes, first, last);
  uint32_t *own = reads.data() + size_t(access.warp) * granules;
  for (uint32_t g = first; g <= last; ++g) {
    if (!writes[g]) {
      fault.kind = SharedFault::Kind::Unwritten;
      fault.offset = g << granuleBits;
      return false;
    }
    if (!checkWriter(writes[g], g, access, clock, fault) ||
        !checkFence(writes[g], g, access, clock, fault))
      return false;
    own[g] = ReadInFlight;
  }
  return true;
}

void SharedMemory::endRead(unsigned warp, unsigned lane, SharedRange range,
                           uint32_t now) {
  uint32_t first, last;
  granulesOf(range.offset, range.bytes, first, last);
  uint32_t *own = reads.data() + size_t(warp) * granules;
  for (uint32_t g = first; g <= last; ++g)
    if (own[g] == ReadInFlight)
      own[g] = now << ReadClockShift | (lane < WarpSize ? lane : WholeWarp);
}

void SharedMemory::keepRead(unsigned warp, SharedRange range) {
  uint32_t first, last;
  granulesOf(range.offset, range.bytes, first, last);
  uint32_t *own = reads.data() + size_t(warp) * granules;
  std::fill(own + first, own + last + 1, ReadInFlight);
}

void SharedMemory::markMbarrier(const SharedAccess &access) {
  uint32_t first, last;
  granulesOf(access.offset, access.bytes, first, last);
  std::fill(writes.begin() + first, writes.begin() + last + 1,
            pack(access, 0) | MbarrierClock << ClockShift);
}

void SharedMemory::unmarkMbarrier(const SharedAccess &access,
                                  const WarpClock &clock) {
  uint32_t first, last;
  granulesOf(access.offset, access.bytes, first, last);
  std::fill(writes.begin() + first, writes.begin() + last + 1,
            pack(access, clock.now));
}

} // namespace mta::emulator

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

void WarpClock::recompute(unsigned self) {
  knownByAll = UINT32_MAX;
  for (unsigned w = 0; w < known.size(); ++w)
    if (w != self)
      knownByAll = std::min(knownByAll, known[w]);
  // Own accesses at the present clock are not ordered between lanes.
  knownByAll = std::min(knownByAll, now - 1);
}

void SharedMemory::reset(uint32_t newBytes, unsigned newWarps) {
  bytes = newBytes;
  warps = newWarps;
  granules = (bytes + (1u << granuleBits) - 1) >> granuleBits;
  memory.assign((bytes + 63) & ~63u, std::byte{0xff});
  writes.assign(granules, 0);
  reads.assign(size_t(granules) * warps, 0);
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

bool SharedMemory::checkWriter(uint64_t entry, uint32_t granule,
                               const SharedAccess &access,
                               const WarpClock &clock,
                               SharedFault &fault) const {
  uint32_t written = clockOf(entry);
  unsigned warp = warpOf(entry), lane = laneOf(entry);
  if (written != InFlightClock) {
    bool ordered = warp == access.warp
                       ? written < clock.now || lane == access.lane
                       : written <= clock.known[warp];
    if (ordered || (access.isStrong && (entry & StrongBit)))
      return true;
  }
  fault.kind = written == InFlightClock ? SharedFault::Kind::InFlight
                                        : SharedFault::Kind::WriteRace;
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
      own[g] = stamp | access.lane;
      continue;
    }
    // Several reads count as strong only if all of them are.
    bool several = (old & (ReadStrongBit - 1)) != access.lane;
    own[g] = (clock.now << ReadClockShift) | (stamp & old & ReadStrongBit) |
             (several ? SeveralLanes : access.lane);
  }
  return true;
}

bool SharedMemory::checkReaders(uint32_t granule, const SharedAccess &access,
                                const WarpClock &clock,
                                SharedFault &fault) const {
  const uint32_t *entry = reads.data() + granule;
  for (unsigned w = 0; w < warps; ++w, entry += granules) {
    uint32_t at = *entry >> ReadClockShift;
    if (at <= clock.knownByAll)
      continue;
    unsigned lane = *entry & (ReadStrongBit - 1);
    bool ordered = w == access.warp ? at < clock.now || lane == access.lane
                                    : at <= clock.known[w];
    if (ordered || (access.isStrong && (*entry & ReadStrongBit)))
      continue;
    fault.kind = SharedFault::Kind::ReadRace;
    fault.offset = granule << granuleBits;
    fault.otherWarp = w;
    fault.otherLane = lane == SeveralLanes ? -1 : int(lane);
    fault.otherPc = UINT32_MAX;
    return false;
  }
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

} // namespace mta::emulator

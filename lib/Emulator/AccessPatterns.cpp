//===- AccessPatterns.cpp - Counting sectors and wavefronts ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Global memory moves in sectors of 32 bytes. Shared memory has 32 banks of 4
// bytes; an access of up to 4 bytes a lane is one phase of 32 lanes, of 8 bytes
// two phases of 16, of 16 bytes four phases of 8. A phase takes as many
// wavefronts as the busiest bank has different words. (CUDA C++ Programming
// Guide, "Shared Memory" of compute capability 5.x and later; phases of wide
// accesses as measured by the profilers.)
//
//===----------------------------------------------------------------------===//

#include "MemoryAccess.h"
#include <algorithm>
#include <cstring>

namespace mta::emulator {

namespace {
constexpr unsigned SectorBytes = 32, Banks = 32, BankBytes = 4;

/// Looks the pattern up; fills the entry's key if it is new.
bool known(PatternCache &cache, const LaneAddresses &lanes, uint32_t position) {
  unsigned first = __builtin_ctz(lanes.mask);
  uint64_t base = lanes.address[first];
  alignas(32) uint32_t delta[WarpSize];
  uint64_t high = 0;
  for (unsigned lane = 0; lane < WarpSize; ++lane) {
    uint64_t d = lanes.mask >> lane & 1 ? lanes.address[lane] - base : 0;
    delta[lane] = d;
    high |= (d + 0x80000000u) >> 32;
  }
  bool same = cache.mask == lanes.mask && cache.position == position && !high &&
              !std::memcmp(cache.delta, delta, sizeof delta);
  if (same)
    return true;
  // Distances beyond 2 GiB do not fit the key and are never cached.
  cache.mask = high ? 0 : lanes.mask;
  cache.position = position;
  std::memcpy(cache.delta, delta, sizeof delta);
  return false;
}

unsigned distinctSectors(const LaneAddresses &lanes) {
  uint64_t sectors[WarpSize * 2];
  unsigned count = 0;
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    uint64_t address = lanes.address[__builtin_ctz(left)];
    uint64_t last = (address + lanes.bytes - 1) / SectorBytes;
    for (uint64_t s = address / SectorBytes; s <= last; ++s)
      sectors[count++] = s;
  }
  std::sort(sectors, sectors + count);
  return std::unique(sectors, sectors + count) - sectors;
}

/// The most different words that one bank has to deliver in a phase.
unsigned phaseWavefronts(const LaneAddresses &lanes, unsigned firstLane,
                         unsigned numLanes) {
  uint32_t words[Banks][WarpSize];
  uint8_t count[Banks] = {};
  unsigned worst = 0;
  unsigned perLane = std::max(1u, lanes.bytes / BankBytes);
  for (unsigned lane = firstLane; lane < firstLane + numLanes; ++lane) {
    if (!(lanes.mask >> lane & 1))
      continue;
    for (unsigned i = 0; i < perLane; ++i) {
      uint32_t word = lanes.address[lane] / BankBytes + i;
      uint32_t *bank = words[word % Banks];
      uint8_t &used = count[word % Banks];
      if (std::find(bank, bank + used, word) != bank + used)
        continue;
      bank[used++] = word;
      worst = std::max<unsigned>(worst, used);
    }
  }
  return worst;
}
} // namespace

void countSectors(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes) {
  PatternCache &cache = warp.block->patterns[inst.pc];
  uint32_t position = lanes.address[__builtin_ctz(lanes.mask)] % SectorBytes;
  if (!known(cache, lanes, position))
    cache.first = distinctSectors(lanes);
  PcCount &count = warp.block->counts[inst.pc];
  ++count.requests;
  count.sectors += cache.first;
  count.globalBytes += __builtin_popcount(lanes.mask) * lanes.bytes;
}

void countWavefronts(Warp &warp, const Instruction &inst,
                     const LaneAddresses &lanes) {
  PatternCache &cache = warp.block->sharedPatterns[inst.pc];
  uint32_t position = lanes.address[__builtin_ctz(lanes.mask)] % BankBytes + 64;
  if (!known(cache, lanes, position)) {
    unsigned phaseLanes = lanes.bytes <= 4 ? 32 : 128 / lanes.bytes;
    cache.first = cache.second = 0;
    for (unsigned lane = 0; lane < WarpSize; lane += phaseLanes) {
      unsigned wavefronts = phaseWavefronts(lanes, lane, phaseLanes);
      cache.first += wavefronts;
      cache.second += wavefronts != 0;
    }
  }
  PcCount &count = warp.block->counts[inst.pc];
  count.wavefronts += cache.first;
  count.idealWavefronts += cache.second;
  count.sharedBytes += __builtin_popcount(lanes.mask) * lanes.bytes;
}

void countSharedBytes(Warp &warp, const Instruction &inst, uint64_t bytes) {
  PcCount &count = warp.block->counts[inst.pc];
  uint64_t wavefronts = (bytes + Banks * BankBytes - 1) / (Banks * BankBytes);
  count.wavefronts += wavefronts;
  count.idealWavefronts += wavefronts;
  count.sharedBytes += bytes;
}

} // namespace mta::emulator

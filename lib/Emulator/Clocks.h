//===- Clocks.h - What is ordered before what -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Time. Every synchronisation takes a fresh stamp from one counter of the
// block. A warp's clock is the stamp of its last synchronisation. An access of
// warp w at clock c is ordered before what a thread does now if that thread's
// knowledge covers (w, lane, c). Within one warp, accesses of different lanes
// are ordered only by a synchronisation between them (bar.warp.sync, a barrier
// or an mbarrier): shuffles, votes and mma.sync exchange registers and do not
// order memory (CUDA C++ Programming Guide, warp shuffle functions: "do not
// imply a memory barrier").
//
// Knowledge is kept for a warp as a whole, because almost every synchronisation
// is one of all its lanes. What single lanes release (an elected thread arrives
// at an mbarrier) or acquire (an elected thread waits) is kept beside it, until
// the warp synchronises.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_CLOCKS_H
#define MTA_LIB_EMULATOR_CLOCKS_H

#include <cstdint>
#include <vector>

namespace mta::emulator {

/// Accesses: of each warp those of all lanes up to one stamp, and those of some
/// lanes up to a later one.
struct AccessSet {
  struct Part {
    uint32_t stamp = 0, lanes = 0;
  };
  std::vector<uint32_t> all; // by warp; empty: no accesses
  std::vector<Part> parts;   // by warp, or empty

  /// `lane` may be 32 or more, which stands for several lanes.
  bool covers(unsigned warp, unsigned lane, uint32_t stamp) const {
    if (warp >= all.size())
      return false;
    if (stamp <= all[warp])
      return true;
    return !parts.empty() && stamp <= parts[warp].stamp && lane < 32 &&
           (parts[warp].lanes >> lane & 1);
  }
  void reset(unsigned warps) {
    all.assign(warps, 0);
    parts.clear();
  }
  void clear() {
    all.clear();
    parts.clear();
  }
  void add(unsigned warps, unsigned warp, uint32_t stamp);
  void addLanes(unsigned warps, unsigned warp, uint32_t stamp, uint32_t lanes);
  void join(const AccessSet &other);
};

/// What a thread, a barrier or an mbarrier knows.
struct Knowledge {
  /// Accesses that come before.
  AccessSet ordered;
  /// Accesses of the generic proxy that a proxy fence has made visible to the
  /// asynchronous one.
  AccessSet fenced;
  /// By mbarrier: bulk copies that completed up to this stamp.
  std::vector<uint32_t> copies;

  bool covers(uint32_t mbarrier, uint32_t stamp) const {
    return mbarrier < copies.size() && stamp <= copies[mbarrier];
  }
  void learnCopies(uint32_t mbarrier, uint32_t stamp);
  void join(const Knowledge &other);
  void reset(unsigned warps);
};

/// What a warp and its lanes know.
struct WarpClock {
  uint32_t now = 1;
  /// Accesses of this warp before this stamp are ordered between its lanes.
  uint32_t synced = 1;
  /// Accesses up to this stamp are ordered, whoever made them.
  uint32_t knownByAll = 0;
  Knowledge known;
  /// Lanes that know more than the warp, and what.
  uint32_t ahead = 0;
  std::vector<Knowledge> lanes; // by lane, or empty

  void reset(unsigned warps);
  void recompute(unsigned self);

  bool isAhead(unsigned lane) const { return lane < 32 && (ahead >> lane & 1); }
  /// Whether an access of another thread is before what `lane` does now.
  bool orders(unsigned self, unsigned lane, unsigned warp, unsigned otherLane,
              uint32_t stamp) const {
    if (warp == self && (stamp < synced || otherLane == lane))
      return true;
    return known.ordered.covers(warp, otherLane, stamp) ||
           (isAhead(lane) &&
            lanes[lane].ordered.covers(warp, otherLane, stamp));
  }
  bool isFenced(unsigned lane, unsigned warp, unsigned otherLane,
                uint32_t stamp) const {
    return known.fenced.covers(warp, otherLane, stamp) ||
           (isAhead(lane) && lanes[lane].fenced.covers(warp, otherLane, stamp));
  }
  bool knowsCopy(unsigned lane, uint32_t mbarrier, uint32_t stamp) const {
    return known.covers(mbarrier, stamp) ||
           (isAhead(lane) && lanes[lane].covers(mbarrier, stamp));
  }

  /// Adds what `active` lanes have done and know to `target`. The caller then
  /// takes a fresh stamp, which later accesses have.
  void release(unsigned self, uint32_t active, uint32_t live,
               Knowledge &target) const;
  void acquire(unsigned self, uint32_t active, uint32_t live,
               const Knowledge &source);
  /// A proxy fence by `active` lanes.
  void fence(unsigned self, uint32_t active, uint32_t live);
  /// All lanes synchronise at `stamp`: the warp learns what its lanes know.
  void synchronize(unsigned self, uint32_t stamp);
  /// The part of synchronize that concerns knowledge.
  void mergeLanes();

private:
  Knowledge &ofLane(unsigned lane);
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_CLOCKS_H

//===- Clocks.cpp - What is ordered before what ---------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Clocks.h"
#include <algorithm>

namespace mta::emulator {

void AccessSet::add(unsigned warps, unsigned warp, uint32_t stamp) {
  if (all.empty())
    all.assign(warps, 0);
  all[warp] = std::max(all[warp], stamp);
}

/// Two sets of lanes with different stamps become one with the later stamp:
/// this can hide a race between lanes of one warp, and never invents one.
void AccessSet::addLanes(unsigned warps, unsigned warp, uint32_t stamp,
                         uint32_t lanes) {
  if (all.empty())
    all.assign(warps, 0);
  if (stamp <= all[warp] || !lanes)
    return;
  if (parts.empty())
    parts.resize(warps);
  Part &part = parts[warp];
  part.lanes = part.stamp <= all[warp] ? lanes : part.lanes | lanes;
  part.stamp = std::max(part.stamp, stamp);
}

void AccessSet::join(const AccessSet &other) {
  if (other.all.empty())
    return;
  if (all.empty())
    all.assign(other.all.size(), 0);
  for (size_t w = 0; w < all.size(); ++w)
    all[w] = std::max(all[w], other.all[w]);
  for (size_t w = 0; w < other.parts.size(); ++w)
    addLanes(all.size(), w, other.parts[w].stamp, other.parts[w].lanes);
}

void Knowledge::learnCopies(uint32_t mbarrier, uint32_t stamp) {
  if (mbarrier >= copies.size())
    copies.resize(mbarrier + 1);
  copies[mbarrier] = std::max(copies[mbarrier], stamp);
}

void Knowledge::join(const Knowledge &other) {
  ordered.join(other.ordered);
  fenced.join(other.fenced);
  for (size_t i = 0; i < other.copies.size(); ++i)
    learnCopies(i, other.copies[i]);
}

void Knowledge::reset(unsigned warps) {
  ordered.reset(warps);
  fenced.clear();
  copies.clear();
}

void WarpClock::reset(unsigned warps) {
  now = synced = 1;
  known.reset(warps);
  ahead = 0;
}

void WarpClock::recompute(unsigned self) {
  knownByAll = UINT32_MAX;
  const std::vector<uint32_t> &all = known.ordered.all;
  for (unsigned w = 0; w < all.size(); ++w)
    if (w != self)
      knownByAll = std::min(knownByAll, all[w]);
  // Own accesses since the last synchronisation are not ordered between lanes.
  knownByAll = std::min(knownByAll, synced - 1);
}

Knowledge &WarpClock::ofLane(unsigned lane) {
  lanes.resize(32);
  if (!isAhead(lane)) {
    lanes[lane].ordered.clear();
    lanes[lane].fenced.clear();
    lanes[lane].copies.clear();
    ahead |= 1u << lane;
  }
  return lanes[lane];
}

void WarpClock::release(unsigned self, uint32_t active, uint32_t live,
                        Knowledge &target) const {
  unsigned warps = known.ordered.all.size();
  target.join(known);
  for (uint32_t left = active & ahead; left; left &= left - 1)
    target.join(lanes[__builtin_ctz(left)]);
  if (active == live)
    return target.ordered.add(warps, self, now);
  target.ordered.add(warps, self, synced - 1);
  target.ordered.addLanes(warps, self, now, active);
}

void WarpClock::acquire(unsigned self, uint32_t active, uint32_t live,
                        const Knowledge &source) {
  if (active == live) {
    known.join(source);
    return recompute(self);
  }
  for (uint32_t left = active; left; left &= left - 1)
    ofLane(__builtin_ctz(left)).join(source);
}

void WarpClock::fence(unsigned self, uint32_t active, uint32_t live) {
  unsigned warps = known.ordered.all.size();
  if (active == live) {
    known.fenced.join(known.ordered);
    known.fenced.add(warps, self, now);
    for (uint32_t left = ahead; left; left &= left - 1) {
      Knowledge &own = lanes[__builtin_ctz(left)];
      own.fenced.join(own.ordered);
    }
    return;
  }
  for (uint32_t left = active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Knowledge &own = ofLane(lane);
    own.fenced.join(known.ordered);
    own.fenced.join(own.ordered);
    own.fenced.add(warps, self, synced - 1);
    own.fenced.addLanes(warps, self, now, 1u << lane);
  }
}

void WarpClock::mergeLanes() {
  for (uint32_t left = ahead; left; left &= left - 1)
    known.join(lanes[__builtin_ctz(left)]);
  ahead = 0;
}

void WarpClock::synchronize(unsigned self, uint32_t stamp) {
  mergeLanes();
  now = synced = stamp;
  recompute(self);
}

} // namespace mta::emulator

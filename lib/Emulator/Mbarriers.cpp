//===- Mbarriers.cpp - Mbarrier objects of a block ------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution.h"

namespace mta::emulator {

Mbarrier *Mbarriers::find(uint32_t offset) {
  auto found = slots.find(offset);
  if (found == slots.end() || !objects[found->second].valid)
    return nullptr;
  return &objects[found->second];
}

bool Mbarriers::overlaps(uint32_t offset) const {
  auto found = slots.lower_bound(offset < 8 ? 0 : offset - 7);
  for (; found != slots.end() && found->first < offset + 8; ++found)
    if (objects[found->second].valid)
      return true;
  return false;
}

Mbarrier &Mbarriers::create(uint32_t offset) {
  auto [found, isNew] = slots.emplace(offset, objects.size());
  if (isNew)
    objects.emplace_back();
  else
    objects[found->second] = Mbarrier();
  Mbarrier &object = objects[found->second];
  object.valid = true;
  object.offset = offset;
  return object;
}

void completePhases(Block &block, Mbarrier &object) {
  ++block.events;
  if (object.pending || object.tx)
    return;
  ++object.phase;
  object.pending = object.expected;
  object.completed.join(object.arriving);
  object.completed.learnCopies(block.mbarriers.slotOf(object),
                               block.nextStamp());
  object.arriving.reset(block.warps.size());
  wakeWaiting(block);
}

void landLoad(Block &block, Mbarrier &object, const BulkJob &job) {
  moveData(block, job);
  block.shared.landTransfer(job.transfer, block.nextStamp());
  object.tx -= job.bytes;
  completePhases(block, object);
}

void landJobs(Block &block, Mbarrier &object) {
  std::vector<BulkJob> jobs = std::move(object.jobs);
  object.jobs.clear();
  for (const BulkJob &job : jobs)
    landLoad(block, object, job);
}

std::string describe(const Mbarrier &object) {
  return "phase " + std::to_string(object.phase) + ", " +
         std::to_string(object.pending) + " of " +
         std::to_string(object.expected) + " arrivals pending, tx-count " +
         std::to_string(object.tx);
}

} // namespace mta::emulator

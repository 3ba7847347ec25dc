//===- Mbarriers.h - Mbarrier objects of a block ----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.13.15. The object is opaque to the kernel, so its state lives
// here and its eight bytes of shared memory only say that it is there.
//
//   phase n:  pending arrivals -> 0 and tx-count -> 0   =>   phase n + 1
//
// A wait learns what the arrivals of all completed phases released, and the
// bulk copies that completed on the mbarrier before its phase did.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_MBARRIERS_H
#define MTA_LIB_EMULATOR_MBARRIERS_H

#include "SharedMemory.h"
#include "TensorMap.h"
#include <map>

namespace mta::emulator {

struct Block;
struct Warp;

/// A bulk copy whose checks are done and whose data have not moved.
struct BulkJob {
  enum class Kind : uint8_t { Load, Store, Reduce };
  Kind kind = Kind::Load;
  ReduceOp reduce = ReduceOp::None;
  Type type = Type::None; // of a reduction
  bool isTensor = false;
  uint32_t shared = 0; // offset in shared memory
  uint32_t bytes = 0;
  uint64_t global = 0;
  TensorMap map;
  int32_t start[5] = {0, 0, 0, 0, 0};
  uint32_t transfer = 0; // of a load
};

struct Mbarrier {
  bool valid = false;
  /// Whether the asynchronous proxy may use it: fenced since its init.
  bool fenced = false;
  /// fence.mbarrier_init has released the init, so that a barrier of the
  /// cluster orders it even if its arrivals are relaxed; one has.
  bool released = false, published = false;
  uint32_t offset = 0;
  uint32_t expected = 0; // arrivals of a phase
  uint32_t pending = 0;  // arrivals that the present phase waits for
  int64_t tx = 0;        // bytes that it waits for
  uint64_t phase = 0;
  SharedAccess init;
  uint32_t initStamp = 0;
  Knowledge arriving;  // from the present phase
  Knowledge completed; // for those who wait
  std::vector<BulkJob> jobs;

  static constexpr uint32_t MaxCount = (1 << 20) - 1;
};

/// All mbarriers of one block; a slot is never used for another address.
class Mbarriers {
public:
  void reset() {
    objects.clear();
    slots.clear();
  }
  /// The valid mbarrier at `offset`, or null.
  Mbarrier *find(uint32_t offset);
  /// Whether the eight bytes at `offset` overlap a valid one.
  bool overlaps(uint32_t offset) const;
  /// The object for a new mbarrier at `offset`; its slot is kept.
  Mbarrier &create(uint32_t offset);
  uint32_t slotOf(const Mbarrier &object) const {
    return &object - objects.data();
  }
  const Mbarrier &at(uint32_t slot) const { return objects[slot]; }
  std::vector<Mbarrier> &all() { return objects; }

private:
  std::vector<Mbarrier> objects;
  std::map<uint32_t, uint32_t> slots;
};

/// Ends the phase if nothing is pending, and wakes those who wait.
void completePhases(Block &block, Mbarrier &object);
/// Moves the data of copies that have not landed (AsyncMode::Lazy).
void landJobs(Block &block, Mbarrier &object);
/// Lands one load: moves its data and subtracts its bytes from the tx-count.
void landLoad(Block &block, Mbarrier &object, const BulkJob &job);
/// Moves the data of a copy; everything has been checked.
void moveData(Block &block, const BulkJob &job);
/// "phase 3, 1 of 2 arrivals pending, tx-count 128"
std::string describe(const Mbarrier &object);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_MBARRIERS_H

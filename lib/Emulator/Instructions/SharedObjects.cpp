//===- SharedObjects.cpp - Addresses of what lies in shared memory --------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SharedObjects.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

Space acceptShared(Decoder &d, bool *cluster) {
  if (cluster)
    *cluster = false;
  if (d.accept("shared") || d.accept("shared::cta"))
    return Space::Shared;
  if (!d.accept("shared::cluster"))
    return Space::Generic;
  if (cluster)
    *cluster = true;
  return Space::Shared;
}

void sharedOperand(Decoder &d, Space space) {
  d.address(space);
  if (d.failed())
    return;
  int64_t offset = d.inst.offset;
  if (offset < INT32_MIN || offset > INT32_MAX)
    return d.fail("expects an offset of 32 bits");
  d.append(uint32_t(offset));
  d.append((d.inst.addressCell == 8 ? 1 : 0) |
           (space == Space::Generic ? 2 : 0));
  d.inst.offset = 0;
}

bool sharedAddress(Warp &warp, const Instruction &inst, unsigned first,
                   unsigned lane, uint32_t &offset) {
  uint32_t flags = inst.op[first + 2];
  uint64_t address = flags & 1 ? warp.row<uint64_t>(inst.op[first])[lane]
                               : warp.row<uint32_t>(inst.op[first])[lane];
  address += int64_t(int32_t(inst.op[first + 1]));
  bool inside = flags & 2 ? (address & WindowMask) == SharedWindow
                          : (address & WindowMask) == 0;
  offset = uint32_t(address);
  if (inside)
    return true;
  warp.fail(inst, lane, "expects an address in shared memory", address);
  return false;
}

Mbarrier *mbarrierOf(Warp &warp, const Instruction &inst, unsigned first,
                     unsigned lane) {
  uint32_t offset = 0;
  if (!sharedAddress(warp, inst, first, lane, offset))
    return nullptr;
  if (offset % 8) {
    warp.fail(inst, lane, "misaligned mbarrier", offset);
    return nullptr;
  }
  Mbarrier *object = warp.block->mbarriers.find(offset);
  if (!object) {
    warp.fail(inst, lane, "expects an mbarrier that has been initialised",
              offset);
    return nullptr;
  }
  if (object->published ||
      warp.clock.orders(warp.index, lane, object->init.warp, object->init.lane,
                        object->initStamp))
    return object;
  warp.fail(inst, lane,
            "the use of an mbarrier is not ordered after its mbarrier.init by "
            "warp " +
                std::to_string(object->init.warp) + ", lane " +
                std::to_string(object->init.lane),
            offset);
  return nullptr;
}

bool expectBytes(Warp &warp, const Instruction &inst, unsigned lane,
                 Mbarrier &object, int64_t bytes) {
  object.tx += bytes;
  if (object.tx >= -int64_t(Mbarrier::MaxCount) &&
      object.tx <= int64_t(Mbarrier::MaxCount))
    return true;
  warp.fail(inst, lane,
            "the tx-count of an mbarrier leaves its range of 2^20 - 1: " +
                describe(object),
            object.offset);
  return false;
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- Fence.cpp - membar and fence ---------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.13.4. A fence without a synchronisation orders nothing for the
// checks, so those of the generic proxy do nothing. A proxy fence makes what
// the thread has written, and what others wrote before in the order of
// synchronisations, visible to the asynchronous proxy.
//
//===----------------------------------------------------------------------===//

#include "SharedObjects.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

void doNothing(Warp &, const Instruction &) {}

/// Lets the asynchronous proxy use the mbarriers whose init comes before.
void fenceMbarriers(Warp &warp, bool releases) {
  for (Mbarrier &object : warp.block->mbarriers.all())
    for (uint32_t left = warp.active; left; left &= left - 1)
      if (warp.clock.orders(warp.index, __builtin_ctz(left), object.init.warp,
                            object.init.lane, object.initStamp)) {
        object.fenced = true;
        object.released |= releases;
      }
}

void initFenceHandler(Warp &warp, const Instruction &) {
  fenceMbarriers(warp, true);
}

void proxyFenceHandler(Warp &warp, const Instruction &) {
  warp.clock.fence(warp.index, warp.active, warp.live);
  fenceMbarriers(warp, false);
  // Later writes need a fence of their own.
  warp.clock.now = warp.block->nextStamp();
}

void decodeMembar(Decoder &d) {
  d.expectAny({"cta", "gl", "sys"});
  d.finish(Class::Fence, doNothing);
}

/// fence.proxy.async{.space}, fence.proxy.alias and the fences for tensor maps
/// in global memory, which the emulator reads when a copy is issued.
void decodeProxy(Decoder &d) {
  int kind = d.expectAny({"async", "alias", "tensormap::generic"});
  if (kind == 1) {
    d.require(70, 7, 5, "fence.proxy.alias");
    return d.finish(Class::Fence, doNothing);
  }
  if (kind == 2) {
    d.require(90, 8, 3, "fence.proxy.tensormap");
    bool acquires = d.expectAny({"release", "acquire"}) == 1;
    d.expectAny({"cta", "cluster", "gpu", "sys"});
    if (acquires) {
      d.address(Space::Generic);
      d.immediate(128, 128, "a size");
    }
    return d.finish(Class::Fence, doNothing);
  }
  d.require(90, 8, 0, "fence.proxy.async");
  int space =
      d.acceptAny({"global", "shared", "shared::cta", "shared::cluster"});
  d.finish(Class::Fence, space == 0 ? doNothing : proxyFenceHandler);
}

void decodeFence(Decoder &d) {
  if (d.accept("proxy"))
    return decodeProxy(d);
  if (d.accept("mbarrier_init")) {
    d.require(90, 8, 0, "fence.mbarrier_init");
    d.expect("release");
    d.expect("cluster");
    return d.finish(Class::Fence, initFenceHandler);
  }
  int kind = d.acceptAny({"sc", "acq_rel", "acquire", "release"});
  if (kind >= 2)
    d.require(90, 8, 6, "fence.acquire and fence.release");
  int scope = d.expectAny({"cta", "gpu", "sys", "cluster"});
  if (scope == 3)
    d.require(90, 7, 8, "scope .cluster");
  d.finish(Class::Fence, doNothing);
}

} // namespace

void registerFence(InstructionTable &table) {
  table.add("membar", Domain::Any, decodeMembar);
  table.add("fence", Domain::Any, decodeFence);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

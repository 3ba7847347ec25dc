//===- Mbarrier.cpp - mbarrier --------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.13.15. The state that an arrival returns is opaque to kernels;
// here it is the phase, and below it the pending arrivals in 20 bits, which
// mbarrier.pending_count reads.
//
//===----------------------------------------------------------------------===//

#include "SharedObjects.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

constexpr unsigned PendingBits = 20;

/// Bits of Instruction::variant.
enum : uint8_t { Relaxed = 1, NoComplete = 2, Drop = 4, ByParity = 8 };

/// Whether the count of an operand is in the range of counts.
bool countOf(Warp &warp, const Instruction &inst, unsigned lane, uint32_t row,
             uint32_t &count) {
  count = warp.row<uint32_t>(row)[lane];
  if (count >= 1 && count <= Mbarrier::MaxCount)
    return true;
  warp.fail(inst, lane,
            "expects a count from 1 to 1048575, but got " +
                std::to_string(count));
  return false;
}

/// op = address (3), count.
void initHandler(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint32_t offset = 0, count = 0;
    if (!sharedAddress(warp, inst, 0, lane, offset) ||
        !countOf(warp, inst, lane, inst.op[3], count))
      return;
    if (offset % 8)
      return warp.fail(inst, lane, "misaligned mbarrier", offset);
    if (uint64_t(offset) + 8 > block.shared.size())
      return warp.fail(inst, lane, "mbarrier outside shared memory", offset);
    if (block.mbarriers.overlaps(offset))
      return warp.fail(inst, lane,
                       "the mbarrier is initialised already: expects "
                       "mbarrier.inval in between",
                       offset);
    SharedAccess access;
    access.warp = warp.index;
    access.lane = lane;
    access.offset = offset;
    access.bytes = 8;
    access.pc = inst.pc;
    SharedFault fault;
    if (!block.shared.write(access, warp.clock, fault))
      return reportShared(warp, inst, lane, fault, "write");
    block.shared.markMbarrier(access);
    Mbarrier &object = block.mbarriers.create(offset);
    object.expected = object.pending = count;
    object.init = access;
    object.initStamp = warp.clock.now;
    object.arriving.reset(block.warps.size());
    object.completed.reset(block.warps.size());
  }
}

void invalHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 0, lane);
    if (!object)
      return;
    if (!object->jobs.empty() || object->tx)
      return warp.fail(inst, lane,
                       "mbarrier.inval while copies are in flight: " +
                           describe(*object),
                       object->offset);
    object->valid = false;
    SharedAccess access = object->init;
    access.warp = warp.index;
    access.lane = lane;
    access.pc = inst.pc;
    warp.block->shared.unmarkMbarrier(access, warp.clock);
  }
}

/// The arrivals of one lane; false after a fault.
bool arrive(Warp &warp, const Instruction &inst, unsigned lane,
            Mbarrier &object, uint32_t count) {
  bool drops = inst.variant & Drop;
  if (count > object.pending || (drops && count > object.expected)) {
    warp.fail(inst, lane,
              "more arrivals than the mbarrier expects: " +
                  std::to_string(count) + " at " + describe(object),
              object.offset);
    return false;
  }
  object.pending -= count;
  if (drops)
    object.expected -= count;
  if ((inst.variant & NoComplete) && !object.pending && !object.tx) {
    warp.fail(inst, lane,
              "an arrival with .noComplete completes the phase: " +
                  describe(object),
              object.offset);
    return false;
  }
  return true;
}

/// op = state, address (3), count, bytes.
void arriveHandler(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  uint64_t *state = warp.row<uint64_t>(inst.op[0]);
  const uint32_t *bytes = warp.row<uint32_t>(inst.op[5]);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 1, lane);
    uint32_t count = 0;
    if (!object || !countOf(warp, inst, lane, inst.op[4], count) ||
        !expectBytes(warp, inst, lane, *object, bytes[lane]))
      return;
    state[lane] = object->phase << PendingBits | object->pending;
    if (!(inst.variant & Relaxed))
      warp.clock.release(warp.index, warp.active, warp.live, object->arriving);
    if (!arrive(warp, inst, lane, *object, count))
      return;
    completePhases(block, *object);
  }
  // What this warp does from now on is not covered by the arrival.
  if (!(inst.variant & Relaxed))
    warp.clock.now = block.nextStamp();
}

/// expect_tx and complete_tx; op = address (3), bytes; variant: 1 to complete.
void txHandler(Warp &warp, const Instruction &inst) {
  const uint32_t *bytes = warp.row<uint32_t>(inst.op[3]);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 0, lane);
    int64_t change = inst.variant ? -int64_t(bytes[lane]) : bytes[lane];
    if (!object || !expectBytes(warp, inst, lane, *object, change))
      return;
    completePhases(*warp.block, *object);
  }
}

/// Whether the phase that a lane asks for is complete; false after a fault.
bool isComplete(Warp &warp, const Instruction &inst, unsigned lane,
                const Mbarrier &object, bool &complete) {
  if (inst.variant & ByParity) {
    uint32_t parity = warp.row<uint32_t>(inst.op[4])[lane];
    complete = (object.phase & 1) != parity;
    if (parity < 2)
      return true;
    warp.fail(inst, lane,
              "expects a phase parity of 0 or 1, but got " +
                  std::to_string(parity));
    return false;
  }
  uint64_t phase = warp.row<uint64_t>(inst.op[4])[lane] >> PendingBits;
  complete = phase + 1 == object.phase;
  if (complete || phase == object.phase)
    return true;
  warp.fail(inst, lane,
            "expects the state of the present or the preceding phase, but got "
            "that of phase " +
                std::to_string(phase) + " at " + describe(object),
            object.offset);
  return false;
}

/// test_wait and try_wait; op = predicate, address (3), state or parity. Both
/// wait until the phase completes or nothing else can happen: when a thread
/// looks is not specified, and this way it looks late.
void waitHandler(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  uint32_t passed = 0, slot = 0;
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 1, lane);
    if (!object)
      return;
    landJobs(block, *object);
    bool complete = false;
    if (!isComplete(warp, inst, lane, *object, complete))
      return;
    slot = block.mbarriers.slotOf(*object);
    passed |= uint32_t(complete) << lane;
  }
  if (!passed && !warp.expired) {
    warp.blocked = true;
    warp.awaited = slot;
    return;
  }
  writePredicate(warp, inst.op[0], passed);
  for (uint32_t left = inst.variant & Relaxed ? 0 : passed; left;) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 1, lane);
    uint32_t same = 0;
    for (uint32_t rest = left; rest; rest &= rest - 1)
      if (mbarrierOf(warp, inst, 1, __builtin_ctz(rest)) == object)
        same |= rest & -rest;
    warp.clock.acquire(warp.index, same, warp.live, object->completed);
    left &= ~same;
  }
}

void pendingCountHandler(Warp &warp, const Instruction &inst) {
  const uint64_t *state = warp.row<uint64_t>(inst.op[1]);
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned l) {
    return uint32_t(state[l]) & Mbarrier::MaxCount;
  });
}

/// cp.async.mbarrier.arrive: the arrival happens when the lane's cp.async have
/// landed. The emulator lets them land now: nobody can tell, as those who wait
/// for the arrival come later in any case. variant: .noinc.
void copyArriveHandler(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  completeCopies(warp);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    Mbarrier *object = mbarrierOf(warp, inst, 0, lane);
    if (!object)
      return;
    // Without .noinc the pending count is incremented before: no change.
    bool counts = inst.variant;
    if (counts && !object->pending)
      return warp.fail(inst, lane,
                       "more arrivals than the mbarrier expects: 1 at " +
                           describe(*object),
                       object->offset);
    object->pending -= counts;
    warp.clock.release(warp.index, warp.active, warp.live, object->arriving);
    completePhases(block, *object);
  }
  warp.clock.now = block.nextStamp();
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void decodeInit(Decoder &d) {
  Space space = acceptShared(d);
  d.expectType({Type::B64});
  sharedOperand(d, space);
  d.source(Type::U32);
  d.finish(Class::Mbarrier, initHandler);
}

void decodeInval(Decoder &d) {
  Space space = acceptShared(d);
  d.expectType({Type::B64});
  sharedOperand(d, space);
  d.finish(Class::Mbarrier, invalHandler);
}

/// {.sem{.scope}}; the scope may be .cta or .cluster.
void acceptSemantics(Decoder &d, const char *ordered) {
  bool relaxed = d.accept("relaxed");
  if (relaxed) {
    d.require(90, 8, 0, ".relaxed on mbarrier");
    d.inst.variant |= Relaxed;
  }
  if (!relaxed && !d.accept(ordered))
    return;
  if (d.acceptAny({"cta", "cluster"}) == 1)
    d.require(90, 8, 0, "scope .cluster");
}

void decodeArrive(Decoder &d, bool drops) {
  bool expects = d.accept("expect_tx");
  if (expects)
    d.require(90, 8, 0, "mbarrier.arrive.expect_tx");
  d.inst.variant = drops ? Drop : 0;
  acceptSemantics(d, "release");
  if (!expects && d.accept("noComplete"))
    d.inst.variant |= NoComplete;
  bool cluster = false;
  Space space = acceptShared(d, &cluster);
  d.expectType({Type::B64});
  const Operand *result = nullptr;
  const Operand *next = d.nextOperand();
  if (next && next->kind != Operand::Kind::Address)
    result = d.takeOperand();
  if (cluster && result && result->kind != Operand::Kind::Sink)
    return d.fail("an arrival on .shared::cluster returns no state: expects "
                  "'_'");
  if (!cluster && !result)
    return d.fail("expects a destination for the state");
  d.pushDestination(result ? *result : Operand(), Type::B64, nullptr);
  sharedOperand(d, space);
  bool hasMore = d.operandsLeft();
  if ((d.inst.variant & NoComplete) && !hasMore)
    return d.fail("expects a count with .noComplete");
  // One arrival with bytes, or arrivals without.
  if (!expects && hasMore)
    d.source(Type::U32);
  else
    d.constantOperand(1, 4);
  if (expects)
    d.source(Type::U32);
  else
    d.constantOperand(0, 4);
  d.finish(Class::Mbarrier, arriveHandler);
}

void decodeTx(Decoder &d, bool completes) {
  d.require(90, 8, 0, "mbarrier.expect_tx and .complete_tx");
  if (d.accept("relaxed"))
    d.acceptAny({"cta", "cluster"});
  Space space = acceptShared(d);
  d.expectType({Type::B64});
  sharedOperand(d, space);
  d.source(Type::U32);
  d.inst.variant = completes;
  d.finish(Class::Mbarrier, txHandler);
}

void decodeWait(Decoder &d, bool tries) {
  if (tries)
    d.require(90, 7, 8, "mbarrier.try_wait");
  if (d.accept("parity")) {
    d.require(80, 7, 1, "mbarrier.test_wait.parity");
    d.inst.variant = ByParity;
  }
  acceptSemantics(d, "acquire");
  bool cluster = false;
  Space space = acceptShared(d, &cluster);
  if (cluster)
    return d.fail("expects an mbarrier of this block to wait for: "
                  ".shared::cta or a generic address");
  d.expectType({Type::B64});
  d.destination(Type::Pred);
  sharedOperand(d, space);
  d.source(d.inst.variant & ByParity ? Type::U32 : Type::B64);
  // The time limit decides nothing here, see waitHandler.
  if (tries && d.operandsLeft())
    d.source(Type::U32);
  d.inst.control = Control::Await;
  d.finish(Class::Mbarrier, waitHandler);
}

void decodePendingCount(Decoder &d) {
  d.expectType({Type::B64});
  d.destination(Type::U32);
  d.source(Type::B64);
  d.finish(Class::Mbarrier, pendingCountHandler);
}

void decodeMbarrier(Decoder &d) {
  d.require(80, 7, 0, "mbarrier");
  int which =
      d.expectAny({"init", "inval", "arrive", "arrive_drop", "expect_tx",
                   "complete_tx", "test_wait", "try_wait", "pending_count"});
  switch (which) {
  case 0:
    return decodeInit(d);
  case 1:
    return decodeInval(d);
  case 2:
  case 3:
    return decodeArrive(d, which == 3);
  case 4:
  case 5:
    return decodeTx(d, which == 5);
  case 6:
  case 7:
    return decodeWait(d, which == 7);
  default:
    return decodePendingCount(d);
  }
}

} // namespace

/// cp.async.mbarrier.arrive{.noinc}{.shared{::cta}}.b64 [a]
void decodeCopyArrive(Decoder &d) {
  d.expect("arrive");
  d.inst.variant = d.accept("noinc");
  Space space = acceptShared(d);
  d.expectType({Type::B64});
  sharedOperand(d, space);
  d.finish(Class::Mbarrier, copyArriveHandler);
}

void registerMbarrier(InstructionTable &table) {
  table.add("mbarrier", Domain::Any, decodeMbarrier);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

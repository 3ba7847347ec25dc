//===- AsyncCopy.cpp - cp.async -------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.9.25.3, non-bulk copies. Every lane has groups of its own. A
// destination is in flight from the copy to the wait that covers it, whenever
// the data arrive: `eager` moves them at once, `lazy` at the wait.
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "Families.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

void moveData(Warp &warp, const PendingCopy &copy, unsigned lane) {
  std::byte *target = warp.block->shared.data() + copy.destination[lane];
  unsigned given = copy.sourceBytes[lane];
  std::memcpy(target, reinterpret_cast<const void *>(copy.source[lane]), given);
  std::memset(target + given, 0, copy.bytes - given);
}

SharedAccess accessOf(const Warp &warp, const PendingCopy &copy,
                      unsigned lane) {
  SharedAccess access;
  access.warp = warp.index;
  access.lane = lane;
  access.offset = copy.destination[lane];
  access.bytes = copy.bytes;
  access.pc = copy.pc;
  return access;
}

/// Reads the sizes of the sources; false after a fault.
bool loadSizes(Warp &warp, const Instruction &inst, PendingCopy &copy) {
  const uint32_t *sizes = warp.row<uint32_t>(inst.op[2]);
  uint32_t ignored = warp.predicate(inst.op[3]) ^ inst.aux;
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    if (sizes[lane] > copy.bytes) {
      warp.fail(inst, lane,
                "expects a source of at most " + std::to_string(copy.bytes) +
                    " bytes, but got " + std::to_string(sizes[lane]));
      return false;
    }
    copy.sourceBytes[lane] = ignored >> lane & 1 ? 0 : sizes[lane];
  }
  return true;
}

/// Checks the sources that are read at all. Partial sources are rare and are
/// checked lane by lane with the bytes that are read.
bool checkSources(Warp &warp, const Instruction &inst,
                  const PendingCopy &copy) {
  LaneAddresses whole;
  whole.bytes = copy.bytes;
  std::copy_n(copy.source, WarpSize, whole.address);
  for (uint32_t left = copy.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    unsigned given = copy.sourceBytes[lane];
    if (given == copy.bytes)
      whole.mask |= 1u << lane;
    if (given == copy.bytes || given == 0)
      continue;
    LaneAddresses partial;
    partial.bytes = 1;
    partial.mask = 1u << lane;
    for (unsigned byte = 0; byte < given; ++byte) {
      partial.address[lane] = copy.source[lane] + byte;
      if (!accessGlobal(warp, inst, partial, AccessKind::Read))
        return false;
    }
  }
  return !whole.mask || accessGlobal(warp, inst, whole, AccessKind::Read);
}

bool beginCopies(Warp &warp, const Instruction &inst, const PendingCopy &copy) {
  LaneAddresses targets;
  targets.mask = copy.mask;
  targets.bytes = copy.bytes;
  SharedMemory &shared = warp.block->shared;
  for (uint32_t left = copy.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint64_t offset = targets.address[lane] = copy.destination[lane];
    if (offset % copy.bytes) {
      warp.fail(inst, lane, "misaligned destination of an asynchronous copy",
                offset);
      return false;
    }
    if (offset + copy.bytes > shared.size()) {
      warp.fail(inst, lane,
                "asynchronous copy out of bounds: the block has " +
                    std::to_string(shared.size()) + " bytes of shared memory",
                offset);
      return false;
    }
    SharedFault fault;
    if (shared.beginAsync(accessOf(warp, copy, lane), warp.clock, fault))
      continue;
    reportShared(warp, inst, lane, fault, "asynchronous write");
    return false;
  }
  countWavefronts(warp, inst, targets);
  return true;
}

/// op = destination, source, size of the source, ignore-source predicate.
void copyHandler(Warp &warp, const Instruction &inst) {
  warp.copies.emplace_back();
  PendingCopy &copy = warp.copies.back();
  copy.mask = warp.active;
  copy.pc = inst.pc;
  copy.bytes = inst.width;
  std::copy_n(warp.committed, WarpSize, copy.group);
  const std::byte *target = warp.row<std::byte>(inst.op[0]);
  const uint64_t *source = warp.row<uint64_t>(inst.op[1]);
  uint64_t targetOffset = uint32_t(inst.offset);
  for (unsigned lane = 0; lane < WarpSize; ++lane) {
    uint32_t base;
    std::memcpy(&base, target + lane * inst.cell, sizeof base);
    copy.destination[lane] = base + targetOffset;
    copy.source[lane] = source[lane] + int64_t(int32_t(inst.target));
  }
  if (!loadSizes(warp, inst, copy) || !checkSources(warp, inst, copy) ||
      !beginCopies(warp, inst, copy))
    return;
  if (warp.block->launch.config->async != AsyncMode::Eager)
    return;
  for (uint32_t left = copy.mask; left; left &= left - 1)
    moveData(warp, copy, __builtin_ctz(left));
}

void commitHandler(Warp &warp, const Instruction &) {
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    warp.committed[lane] += warp.active >> lane & 1;
}

/// Completes the copies of all but the newest `keep` groups; with UINT32_MAX
/// also those that are not in a group yet.
void complete(Warp &warp, bool all, uint32_t keep) {
  bool lazy = warp.block->launch.config->async == AsyncMode::Lazy;
  for (PendingCopy &copy : warp.copies) {
    for (uint32_t left = copy.mask & warp.active; left; left &= left - 1) {
      unsigned lane = __builtin_ctz(left);
      // Group g is among the newest if g + keep >= committed.
      bool due =
          all || uint64_t(copy.group[lane]) + keep < warp.committed[lane];
      if (!due)
        continue;
      if (lazy)
        moveData(warp, copy, lane);
      warp.block->shared.completeAsync(accessOf(warp, copy, lane), warp.clock);
      copy.mask &= ~(1u << lane);
    }
  }
  warp.copies.erase(
      std::remove_if(warp.copies.begin(), warp.copies.end(),
                     [](const PendingCopy &copy) { return !copy.mask; }),
      warp.copies.end());
}

void waitHandler(Warp &warp, const Instruction &inst) {
  complete(warp, inst.variant, inst.aux);
}

/// A 32-bit part of the offset of an address operand.
uint32_t takeOffset(Decoder &d) {
  int64_t offset = d.inst.offset;
  if (offset < INT32_MIN || offset > INT32_MAX)
    d.fail("expects an offset of 32 bits");
  return offset;
}

void decodeCopy(Decoder &d, bool bypassesL1) {
  if (!d.accept("shared"))
    d.expect("shared::cta");
  d.expect("global");
  if (d.nextModifier() == "L2::cache_hint")
    return d.fail("L2::cache_hint is not supported");
  d.acceptAny({"L2::64B", "L2::128B", "L2::256B"});
  d.address(Space::Shared);
  uint32_t targetOffset = takeOffset(d);
  d.inst.cell = d.inst.addressCell;
  d.address(Space::Global);
  d.inst.target = takeOffset(d);
  d.inst.offset = targetOffset;
  int64_t bytes = d.immediate(4, 16, "a number of bytes");
  if ((bytes != 4 && bytes != 8 && bytes != 16) || (bypassesL1 && bytes != 16))
    return d.fail("expects 4, 8 or 16 bytes, and 16 with .cg");
  d.inst.width = bytes;
  d.inst.count = 1;
  const Operand *next = d.nextOperand();
  bool ignores = next && next->kind == Operand::Kind::Register &&
                 d.declaration(next->index).type == Type::Pred;
  if (next && !ignores)
    d.source(Type::U32);
  else
    d.constantOperand(bytes, 4);
  if (ignores) {
    d.require(80, 8, 0, "an ignore-src predicate");
    d.inst.aux = d.predicateSource();
  } else {
    d.append(d.predicateRow(false));
  }
  d.finish(Class::AsyncCopy, copyHandler);
}

void decodeCp(Decoder &d) {
  if (d.accept("reduce")) {
    d.expect("async");
    d.expect("bulk");
    return decodeBulkReduce(d);
  }
  d.expect("async");
  d.require(80, 7, 0, "cp.async");
  if (d.accept("commit_group"))
    return d.finish(Class::AsyncCopy, commitHandler);
  if (d.accept("wait_all")) {
    d.inst.variant = 1;
    return d.finish(Class::AsyncCopy, waitHandler);
  }
  if (d.accept("wait_group")) {
    d.inst.aux = d.immediate(0, INT32_MAX, "a number of groups");
    return d.finish(Class::AsyncCopy, waitHandler);
  }
  if (d.accept("mbarrier"))
    return decodeCopyArrive(d);
  if (d.accept("bulk"))
    return decodeBulk(d);
  int kind = d.expectAny({"ca", "cg"});
  decodeCopy(d, kind == 1);
}

} // namespace

void completeCopies(Warp &warp) { complete(warp, true, 0); }

void registerAsyncCopy(InstructionTable &table) {
  table.add("cp", Domain::Any, decodeCp);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

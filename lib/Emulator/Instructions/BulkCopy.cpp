//===- BulkCopy.cpp - cp.async.bulk and its groups ------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.9.25.4. A copy into shared memory subtracts its bytes from the
// tx-count of an mbarrier when it lands; a copy out of it is waited for in
// groups of the thread that issued it. `eager` moves the data at once, `lazy`
// when somebody looks at the mbarrier, or at the wait for the group.
//
//===----------------------------------------------------------------------===//

#include "Bulk.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

namespace {
bool isLazy(const Warp &warp) {
  return warp.block->launch.config->async == AsyncMode::Lazy;
}

/// Whether the job's part of shared memory exists and is aligned.
bool checkRange(Warp &warp, const Instruction &inst, unsigned lane,
                const BulkJob &job) {
  // A tile has to start at a multiple of 128 bytes (PTX ISA 5.5.6).
  uint32_t align = job.isTensor ? 128 : 16;
  if (job.shared % align) {
    warp.fail(inst, lane,
              "expects an address in shared memory that is a multiple of " +
                  std::to_string(align),
              job.shared);
    return false;
  }
  uint32_t size = warp.block->shared.size();
  if (job.shared <= size && job.bytes <= size - job.shared)
    return true;
  warp.fail(inst, lane,
            "bulk copy of " + std::to_string(job.bytes) +
                " bytes out of bounds: the block has " + std::to_string(size) +
                " bytes of shared memory",
            job.shared);
  return false;
}

SharedAccess accessOf(const Warp &warp, const Instruction &inst, unsigned lane,
                      const BulkJob &job) {
  SharedAccess access;
  access.warp = warp.index;
  access.lane = lane;
  access.offset = job.shared;
  access.bytes = job.bytes;
  access.pc = inst.pc;
  return access;
}
} // namespace

void issueLoad(Warp &warp, const Instruction &inst, unsigned lane,
               unsigned mbarrier, BulkJob job) {
  Block &block = *warp.block;
  Mbarrier *object = mbarrierOf(warp, inst, mbarrier, lane);
  if (!object || !checkRange(warp, inst, lane, job))
    return;
  if (!object->fenced)
    return warp.fail(inst, lane,
                     "expects fence.mbarrier_init or fence.proxy.async between "
                     "mbarrier.init and this use by the asynchronous proxy",
                     object->offset);
  SharedAccess access = accessOf(warp, inst, lane, job);
  job.transfer =
      block.shared.addTransfer(access, block.mbarriers.slotOf(*object));
  SharedFault fault;
  if (!block.shared.beginTransfer(job.transfer, access, warp.clock, fault))
    return reportShared(warp, inst, lane, fault, "asynchronous write");
  countSharedBytes(warp, inst, job.bytes);
  if (isLazy(warp)) {
    object->jobs.push_back(job);
    return;
  }
  if (object->tx - int64_t(job.bytes) < -int64_t(Mbarrier::MaxCount)) {
    expectBytes(warp, inst, lane, *object, -int64_t(job.bytes));
    return;
  }
  landLoad(block, *object, job);
}

void issueStore(Warp &warp, const Instruction &inst, unsigned lane,
                BulkJob job) {
  Block &block = *warp.block;
  if (!checkRange(warp, inst, lane, job))
    return;
  SharedFault fault;
  if (!block.shared.beginRead(accessOf(warp, inst, lane, job), warp.clock,
                              fault))
    return reportShared(warp, inst, lane, fault, "asynchronous read");
  countSharedBytes(warp, inst, job.bytes);
  PendingBulk pending;
  pending.lane = lane;
  pending.group = warp.bulkCommitted[lane];
  pending.pc = inst.pc;
  pending.isMoved = !isLazy(warp);
  if (pending.isMoved)
    moveData(block, job);
  pending.job = std::move(job);
  warp.bulk.push_back(std::move(pending));
}

bool acceptCacheHint(Decoder &d) { return d.accept("L2::cache_hint"); }

void cachePolicy(Decoder &d, bool hinted) {
  if (hinted)
    d.source(Type::B64);
}

bool acceptLoadCompletion(Decoder &d) {
  d.expect("mbarrier::complete_tx::bytes");
  return d.accept("multicast::cluster");
}

bool checkMulticast(Warp &warp, const Instruction &inst, unsigned lane,
                    uint32_t row) {
  uint16_t mask = warp.row<uint16_t>(row)[lane];
  if (mask == 1)
    return true;
  warp.fail(inst, lane,
            "expects a multicast to the one block of the cluster, but got "
            "mask " +
                std::to_string(mask));
  return false;
}

ReduceOp expectReduction(Decoder &d) {
  return ReduceOp(
      1 + d.expectAny({"add", "min", "max", "inc", "dec", "and", "or", "xor"}));
}

namespace {
/// The number of bytes of a plain copy; false after a fault.
bool sizeOf(Warp &warp, const Instruction &inst, unsigned lane, uint32_t row,
            BulkJob &job) {
  job.bytes = warp.row<uint32_t>(row)[lane];
  if (job.bytes && job.bytes % 16 == 0)
    return true;
  warp.fail(inst, lane,
            "expects a positive multiple of 16 bytes, but got " +
                std::to_string(job.bytes));
  return false;
}

/// The global address from inst.op[row], with the offset in inst.op[row + 1].
bool globalOf(Warp &warp, const Instruction &inst, unsigned lane, unsigned row,
              BulkJob &job, AccessKind kind) {
  job.global = warp.row<uint64_t>(inst.op[row])[lane] +
               int64_t(int32_t(inst.op[row + 1]));
  if (job.global % 16 == 0)
    return accessGlobalRun(warp, inst, lane, job.global, job.bytes, kind);
  warp.fail(inst, lane,
            "misaligned global address of a bulk copy: expects a "
            "multiple of 16",
            job.global);
  return false;
}

/// op = destination (3), source, offset, size, mbarrier (3), mask if aux.
void loadHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    BulkJob job;
    if (!sizeOf(warp, inst, lane, inst.op[5], job) ||
        !sharedAddress(warp, inst, 0, lane, job.shared) ||
        (inst.aux && !checkMulticast(warp, inst, lane, inst.op[9])) ||
        !globalOf(warp, inst, lane, 3, job, AccessKind::Read))
      return;
    issueLoad(warp, inst, lane, 6, job);
  }
}

/// op = destination, offset, source (3), size. variant: ReduceOp.
void storeHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    BulkJob job;
    job.reduce = ReduceOp(inst.variant);
    job.kind = inst.variant ? BulkJob::Kind::Reduce : BulkJob::Kind::Store;
    job.type = Type(inst.aux);
    if (!sizeOf(warp, inst, lane, inst.op[5], job) ||
        !sharedAddress(warp, inst, 2, lane, job.shared) ||
        !globalOf(warp, inst, lane, 0, job,
                  inst.variant ? AccessKind::Atomic : AccessKind::Write))
      return;
    issueStore(warp, inst, lane, job);
  }
}

void prefetchHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    BulkJob job;
    if (!sizeOf(warp, inst, lane, inst.op[2], job))
      return;
  }
}

void commitHandler(Warp &warp, const Instruction &) {
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    warp.bulkCommitted[lane] += warp.active >> lane & 1;
}

/// Completes the lanes' groups but the newest inst.aux.
void waitHandler(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  auto isDue = [&](const PendingBulk &copy) {
    return (warp.active >> copy.lane & 1) &&
           uint64_t(copy.group) + inst.aux < warp.bulkCommitted[copy.lane];
  };
  for (PendingBulk &copy : warp.bulk) {
    if (!isDue(copy))
      continue;
    if (!copy.isMoved)
      moveData(block, copy.job);
    block.shared.endRead(warp.index, copy.lane,
                         {copy.job.shared, copy.job.bytes}, warp.clock.now);
  }
  warp.bulk.erase(std::remove_if(warp.bulk.begin(), warp.bulk.end(), isDue),
                  warp.bulk.end());
  for (const PendingBulk &copy : warp.bulk)
    block.shared.keepRead(warp.index, {copy.job.shared, copy.job.bytes});
}

/// [a] in global memory: row and offset.
void globalOperand(Decoder &d) {
  d.address(Space::Global);
  if (d.inst.offset < INT32_MIN || d.inst.offset > INT32_MAX)
    return d.fail("expects an offset of 32 bits");
  d.append(uint32_t(d.inst.offset));
  d.inst.offset = 0;
}

void decodeLoad(Decoder &d, bool cluster) {
  if (!cluster)
    d.require(90, 8, 6, "cp.async.bulk to .shared::cta");
  if (d.accept("shared::cta"))
    return d.fail("cp.async.bulk between blocks of a cluster is not supported");
  d.expect("global");
  bool multicast = acceptLoadCompletion(d);
  bool hinted = acceptCacheHint(d);
  sharedOperand(d, Space::Shared);
  globalOperand(d);
  d.source(Type::U32);
  sharedOperand(d, Space::Shared);
  d.inst.aux = multicast;
  if (multicast)
    d.source(Type::B16);
  cachePolicy(d, hinted);
  d.finish(Class::BulkLoad, loadHandler);
}

void storeOperands(Decoder &d, bool hinted) {
  globalOperand(d);
  sharedOperand(d, Space::Shared);
  d.source(Type::U32);
  cachePolicy(d, hinted);
}

void decodeStore(Decoder &d) {
  d.expect("shared::cta");
  d.expect("bulk_group");
  bool hinted = acceptCacheHint(d);
  if (d.nextModifier() == "cp_mask")
    return d.fail("cp.async.bulk with .cp_mask is not supported");
  storeOperands(d, hinted);
  d.finish(Class::BulkStore, storeHandler);
}

void decodePrefetch(Decoder &d) {
  if (d.accept("tensor"))
    return decodeTensor(d, true, false);
  d.expect("L2");
  d.expect("global");
  bool hinted = acceptCacheHint(d);
  globalOperand(d);
  d.source(Type::U32);
  cachePolicy(d, hinted);
  d.finish(Class::Other, prefetchHandler);
}

/// Whether a reduction has a type (PTX ISA 9.7.9.25.5.2, table of types).
bool hasType(ReduceOp op, Type type) {
  bool isHalf = type == Type::F16 || type == Type::BF16;
  bool isWhole = type == Type::U32 || type == Type::S32 || type == Type::U64;
  switch (op) {
  case ReduceOp::Add:
    return isHalf || isWhole || type == Type::F32 || type == Type::F64;
  case ReduceOp::Min:
  case ReduceOp::Max:
    return isHalf || isWhole || type == Type::S64;
  case ReduceOp::Inc:
  case ReduceOp::Dec:
    return type == Type::U32;
  default:
    return type == Type::B32 || type == Type::B64;
  }
}
} // namespace

void decodeBulkReduce(Decoder &d) {
  d.require(90, 8, 0, "cp.reduce.async.bulk");
  if (d.accept("tensor"))
    return decodeTensor(d, false, true);
  if (d.nextModifier() == "shared::cluster")
    return d.fail("cp.reduce.async.bulk to .shared::cluster is not supported");
  d.expect("global");
  d.expect("shared::cta");
  d.expect("bulk_group");
  bool hinted = acceptCacheHint(d);
  ReduceOp op = expectReduction(d);
  bool keepsSubnormals = d.accept("noftz");
  Type type = d.anyType();
  bool isHalf = type == Type::F16 || type == Type::BF16;
  if (!d.failed() && !hasType(op, type))
    return d.fail("this reduction does not have type '." +
                  std::string(typeName(type)) + "'");
  if (keepsSubnormals != (isHalf && op == ReduceOp::Add))
    return d.fail("expects .noftz with .add of .f16 and .bf16, and only there");
  d.inst.variant = uint8_t(op);
  d.inst.aux = uint32_t(type);
  storeOperands(d, hinted);
  d.finish(Class::BulkReduce, storeHandler);
}

void decodeBulk(Decoder &d) {
  d.require(90, 8, 0, "cp.async.bulk");
  if (d.accept("commit_group"))
    return d.finish(Class::AsyncCopy, commitHandler);
  if (d.accept("wait_group")) {
    d.accept("read");
    d.inst.aux = d.immediate(0, INT32_MAX, "a number of groups");
    return d.finish(Class::AsyncCopy, waitHandler);
  }
  if (d.accept("tensor"))
    return decodeTensor(d, false, false);
  if (d.accept("prefetch"))
    return decodePrefetch(d);
  int target = d.expectAny({"shared::cluster", "shared::cta", "global"});
  if (target == 2)
    return decodeStore(d);
  decodeLoad(d, target == 0);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

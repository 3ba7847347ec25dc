//===- Cluster.cpp - Clusters of one block --------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Without cluster dimensions a block is a cluster of its own (PTX ISA 2.2.1),
// so these instructions have a meaning for it: the address of a block's shared
// memory in the cluster is its own, and the barrier of the cluster is one of
// all threads of the block.
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

/// mapa: op = d, a, rank.
template <typename T> void mapHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  const uint32_t *rank = warp.row<uint32_t>(inst.op[2]);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    if (rank[lane])
      return warp.fail(inst, lane,
                       "expects rank 0 of a cluster of one block, but got " +
                           std::to_string(rank[lane]));
  }
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) { return a[l]; });
}

void decodeMap(Decoder &d) {
  d.require(90, 7, 8, "mapa");
  d.accept("shared::cluster");
  Type type = d.expectType({Type::U32, Type::U64});
  d.destination(type);
  d.source(type);
  d.source(Type::U32);
  d.finish(Class::Integer,
           type == Type::U32 ? mapHandler<uint32_t> : mapHandler<uint64_t>);
}

void rankHandler(Warp &warp, const Instruction &inst) {
  writeLanes<uint32_t>(warp, inst.op[0], [](unsigned) { return 0u; });
}

void decodeRank(Decoder &d) {
  d.require(90, 7, 8, "getctarank");
  d.accept("shared::cluster");
  Type type = d.expectType({Type::U32, Type::U64});
  d.destination(Type::U32);
  d.source(type);
  d.finish(Class::Integer, rankHandler);
}

/// variant: .relaxed.
void arriveHandler(Warp &warp, const Instruction &inst) {
  if (uint32_t twice = warp.active & warp.clusterArrived)
    return warp.fail(inst, __builtin_ctz(twice),
                     "barrier.cluster.arrive twice without a wait");
  emulator::ClusterBarrier &barrier = warp.block->clusterBarrier;
  warp.clusterArrived |= warp.active;
  for (uint32_t left = warp.active; left; left &= left - 1)
    warp.clusterPhase[__builtin_ctz(left)] = barrier.phase;
  barrier.lanes[warp.index] |= warp.active;
  if (!inst.variant) {
    warp.clock.release(warp.index, warp.active, warp.live, barrier.arriving);
    warp.clock.now = warp.block->nextStamp();
  }
  completeClusterBarrier(*warp.block);
}

void waitHandler(Warp &warp, const Instruction &inst) {
  emulator::ClusterBarrier &barrier = warp.block->clusterBarrier;
  if (uint32_t missing = warp.active & ~warp.clusterArrived)
    return warp.fail(inst, __builtin_ctz(missing),
                     "barrier.cluster.wait without an arrive");
  for (uint32_t left = warp.active; left; left &= left - 1)
    if (warp.clusterPhase[__builtin_ctz(left)] == barrier.phase) {
      warp.blocked = true;
      warp.awaited = Group::ClusterBarrier;
      return;
    }
  warp.clusterArrived &= ~warp.active;
  warp.clock.acquire(warp.index, warp.active, warp.live, barrier.completed);
}

} // namespace

void decodeClusterBarrier(Decoder &d) {
  d.require(90, 7, 8, "barrier.cluster");
  bool waits = d.expectAny({"arrive", "wait"}) == 1;
  if (waits)
    d.accept("acquire");
  else
    d.inst.variant = d.acceptAny({"release", "relaxed"}) == 1;
  d.accept("aligned");
  if (waits)
    d.inst.control = Control::Await;
  d.finish(Class::Barrier, waits ? waitHandler : arriveHandler);
}

void registerCluster(InstructionTable &table) {
  table.add("mapa", Domain::Any, decodeMap);
  table.add("getctarank", Domain::Any, decodeRank);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

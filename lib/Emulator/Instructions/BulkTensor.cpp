//===- BulkTensor.cpp - cp.async.bulk.tensor ------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.9.25.5, tile mode. Elements outside the tensor are filled by a
// load and skipped by a store; the bytes that a load subtracts from the
// tx-count are those of the whole box.
//
//===----------------------------------------------------------------------===//

#include "Bulk.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

namespace {
/// The map at a generic address, in parameters, constants or global memory.
bool loadMap(Warp &warp, const Instruction &inst, unsigned lane,
             uint64_t address, TensorMap &map) {
  if (address % 64) {
    warp.fail(inst, lane, "misaligned tensor map: expects a multiple of 64",
              address);
    return false;
  }
  const uint8_t *bytes = nullptr;
  if ((address & WindowMask) == ParamWindow) {
    const auto &parameters = warp.block->launch.config->parameters;
    uint64_t offset = address - ParamWindow;
    if (offset + TensorMapBytes <= parameters.size())
      bytes = parameters.data() + offset;
  } else {
    const LaunchState &launch = warp.block->launch;
    const MemoryRange *range = launch.memory->find(address);
    if (!range)
      range = launch.moduleMemory->find(address);
    if (range && address - range->base + TensorMapBytes <= range->size)
      bytes = reinterpret_cast<const uint8_t *>(address);
  }
  if (!bytes) {
    warp.fail(inst, lane,
              "expects a tensor map in a parameter, constant or global memory",
              address);
    return false;
  }
  if (decodeTensorMap(bytes, map))
    return true;
  warp.fail(inst, lane,
            "expects a tensor map that the emulator's host interface made",
            address);
  return false;
}

Type reduceType(TensorType type) {
  static constexpr Type Types[] = {Type::U8,  Type::U16, Type::U32, Type::S32,
                                   Type::U64, Type::S64, Type::F16, Type::F32,
                                   Type::F64, Type::BF16};
  return Types[unsigned(type)];
}

/// Whether elements of a tensor can be reduced so (the operations of
/// cp.reduce.async.bulk; bits are those of unsigned integers).
bool canReduce(ReduceOp op, Type type) {
  if (typeBytes(type) < 2 || type == Type::U16)
    return false;
  bool isReal = isFloat(type);
  switch (op) {
  case ReduceOp::Add:
    return type != Type::S64;
  case ReduceOp::Min:
  case ReduceOp::Max:
    return type != Type::F32 && type != Type::F64;
  case ReduceOp::Inc:
  case ReduceOp::Dec:
    return type == Type::U32;
  default:
    return !isReal;
  }
}

/// Map and coordinates of a lane; op = map, offset, coordinates….
bool tensorOf(Warp &warp, const Instruction &inst, unsigned lane,
              unsigned first, BulkJob &job) {
  job.isTensor = true;
  uint64_t address = warp.row<uint64_t>(inst.op[first])[lane] +
                     int64_t(int32_t(inst.op[first + 1]));
  if (!loadMap(warp, inst, lane, address, job.map))
    return false;
  if (job.map.rank != inst.count) {
    warp.fail(inst, lane,
              "expects a tensor of rank " + std::to_string(inst.count) +
                  ", but the map has " + std::to_string(job.map.rank));
    return false;
  }
  for (unsigned i = 0; i < inst.count; ++i)
    job.start[i] = warp.row<int32_t>(inst.op[first + 2 + i])[lane];
  job.bytes = job.map.boxBytes();
  return true;
}

/// Checks and counts what the box touches of global memory.
bool checkPieces(Warp &warp, const Instruction &inst, unsigned lane,
                 const BulkJob &job, AccessKind kind) {
  for (const TensorPiece &piece : job.map.pieces(job.start))
    if (piece.inside &&
        !accessGlobalRun(warp, inst, lane, piece.global, piece.bytes, kind))
      return false;
  return true;
}

/// op = shared (3), mbarrier (3), map, offset, coordinates, mask if aux.
void loadHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    BulkJob job;
    if (!sharedAddress(warp, inst, 0, lane, job.shared) ||
        !tensorOf(warp, inst, lane, 6, job) ||
        (inst.aux &&
         !checkMulticast(warp, inst, lane, inst.op[8 + inst.count])) ||
        !checkPieces(warp, inst, lane, job, AccessKind::Read))
      return;
    issueLoad(warp, inst, lane, 3, job);
  }
}

/// op = shared (3), map, offset, coordinates. variant: ReduceOp.
void storeHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    BulkJob job;
    job.reduce = ReduceOp(inst.variant);
    bool reduces = job.reduce != ReduceOp::None;
    job.kind = reduces ? BulkJob::Kind::Reduce : BulkJob::Kind::Store;
    if (!sharedAddress(warp, inst, 0, lane, job.shared) ||
        !tensorOf(warp, inst, lane, 3, job))
      return;
    job.type = reduceType(job.map.type);
    if (reduces && !canReduce(job.reduce, job.type))
      return warp.fail(inst, lane,
                       "this reduction does not have elements of type '." +
                           std::string(typeName(job.type)) + "'");
    if (!checkPieces(warp, inst, lane, job,
                     reduces ? AccessKind::Atomic : AccessKind::Write))
      return;
    issueStore(warp, inst, lane, job);
  }
}

void prefetchHandler(Warp &warp, const Instruction &inst) {
  for (uint32_t left = warp.active; left; left &= left - 1) {
    BulkJob job;
    if (!tensorOf(warp, inst, __builtin_ctz(left), 0, job))
      return;
  }
}

/// prefetch.tensormap; op = address, offset.
void prefetchMapHandler(Warp &warp, const Instruction &inst) {
  uint64_t window = inst.space == Space::Param ? ParamWindow : 0;
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    TensorMap map;
    uint64_t address = warp.row<uint64_t>(inst.op[0])[lane] + inst.offset;
    if (!loadMap(warp, inst, lane, address + window, map))
      return;
  }
}

/// [map, {x, y, …}] of `rank` coordinates.
void tensorOperand(Decoder &d, const Operand *operand, unsigned rank) {
  bool ok = operand && operand->kind == Operand::Kind::Address &&
            operand->elements.size() == 2 &&
            operand->elements[1].kind == Operand::Kind::Vector &&
            operand->elements[1].elements.size() == rank;
  if (!ok)
    return d.fail("expects [map, {…}] with " + std::to_string(rank) +
                  " coordinates");
  if (operand->offset < INT32_MIN || operand->offset > INT32_MAX)
    return d.fail("expects an offset of 32 bits");
  d.pushSource(operand->elements[0], Type::B64, nullptr);
  d.append(uint32_t(operand->offset));
  for (const Operand &coordinate : operand->elements[1].elements)
    d.pushSource(coordinate, Type::B32, nullptr);
}

unsigned acceptDimensions(Decoder &d) {
  return 1 + d.expectAny({"1d", "2d", "3d", "4d", "5d"});
}

/// .tile, the default; the others are refused.
void acceptMode(Decoder &d) {
  std::string_view next = d.nextModifier();
  if (next.rfind("im2col", 0) == 0 || next.rfind("tile::", 0) == 0)
    return d.fail("tensor copies with ." + std::string(next) +
                  " are not supported");
  d.accept("tile");
}

void decodeLoad(Decoder &d, bool cluster) {
  if (!cluster)
    d.require(90, 8, 6, "cp.async.bulk.tensor to .shared::cta");
  d.expect("global");
  acceptMode(d);
  bool multicast = acceptLoadCompletion(d);
  if (d.nextModifier().rfind("cta_group", 0) == 0)
    return d.fail(".cta_group needs .target sm_100a");
  bool hinted = acceptCacheHint(d);
  sharedOperand(d, Space::Shared);
  const Operand *tensor = d.takeOperand();
  sharedOperand(d, Space::Shared);
  if (d.failed())
    return;
  tensorOperand(d, tensor, d.inst.count);
  d.inst.aux = multicast;
  if (multicast)
    d.source(Type::B16);
  cachePolicy(d, hinted);
  d.finish(Class::BulkLoad, loadHandler);
}

void decodeStore(Decoder &d, bool reduces) {
  d.expect("shared::cta");
  if (reduces)
    d.inst.variant = uint8_t(expectReduction(d));
  acceptMode(d);
  d.expect("bulk_group");
  bool hinted = acceptCacheHint(d);
  const Operand *tensor = d.takeOperand();
  sharedOperand(d, Space::Shared);
  if (d.failed())
    return;
  tensorOperand(d, tensor, d.inst.count);
  cachePolicy(d, hinted);
  d.finish(reduces ? Class::BulkReduce : Class::BulkStore, storeHandler);
}

void decodeTensorPrefetch(Decoder &d) {
  d.expect("L2");
  d.expect("global");
  acceptMode(d);
  bool hinted = acceptCacheHint(d);
  tensorOperand(d, d.takeOperand(), d.inst.count);
  cachePolicy(d, hinted);
  d.finish(Class::Other, prefetchHandler);
}
} // namespace

void decodeTensor(Decoder &d, bool prefetches, bool reduces) {
  d.inst.count = acceptDimensions(d);
  if (prefetches)
    return decodeTensorPrefetch(d);
  int target = reduces ? 2 : d.acceptAny({"shared::cluster", "shared::cta"});
  if (target == 0 || target == 1)
    return decodeLoad(d, target == 0);
  d.expect("global");
  decodeStore(d, reduces);
}

void decodePrefetchMap(Decoder &d) {
  d.require(90, 8, 0, "prefetch.tensormap");
  Space space = d.accept("param") ? Space::Param : Space::Generic;
  if (space == Space::Generic)
    d.accept("const");
  d.expect("tensormap");
  d.address(space);
  d.finish(Class::Other, prefetchMapHandler);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

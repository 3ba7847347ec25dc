//===- MemoryAccess.cpp - Checked access to memory ------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryAccess.h"
#include <algorithm>
#include <cstring>

namespace mta::emulator {

void loadAddresses(const Warp &warp, const Instruction &inst, uint32_t row,
                   LaneAddresses &result) {
  result.mask = warp.active;
  result.bytes = unsigned(inst.width) * inst.count;
  if (inst.addressCell == 8) {
    const uint64_t *base = warp.row<uint64_t>(row);
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      result.address[lane] = base[lane] + inst.offset;
    return;
  }
  const uint32_t *base = warp.row<uint32_t>(row);
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    result.address[lane] = base[lane] + inst.offset;
}

LaneAddresses selectSpace(const LaneAddresses &all, Space space) {
  uint64_t window = space == Space::Shared  ? SharedWindow
                    : space == Space::Local ? LocalWindow
                    : space == Space::Param ? ParamWindow
                                            : 0;
  LaneAddresses result;
  result.bytes = all.bytes;
  for (unsigned lane = 0; lane < WarpSize; ++lane) {
    uint64_t high = all.address[lane] & WindowMask;
    bool other =
        high == SharedWindow || high == LocalWindow || high == ParamWindow;
    bool inside = window ? high == window : !other;
    result.address[lane] = all.address[lane] - window;
    result.mask |= (all.mask >> lane & (inside ? 1u : 0u)) << lane;
  }
  return result;
}

namespace {
const char *verb(AccessKind kind) {
  return kind == AccessKind::Read    ? "read"
         : kind == AccessKind::Write ? "write"
                                     : "atomic access";
}

/// Vector accesses are aligned to the whole vector (PTX ISA 5.4.4).
bool checkAlignment(Warp &warp, const Instruction &inst,
                    const LaneAddresses &lanes, const char *space) {
  uint64_t low = lanes.bytes - 1;
  uint64_t bad = 0;
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    bad |= lanes.mask >> lane & 1 ? lanes.address[lane] & low : 0;
  if (!bad)
    return true;
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    if (!(lanes.address[lane] & low))
      continue;
    warp.fail(inst, lane,
              std::string("misaligned ") + space + " access of " +
                  std::to_string(lanes.bytes) + " bytes",
              lanes.address[lane]);
    return false;
  }
  return true;
}

void failOutOfBounds(Warp &warp, const Instruction &inst, unsigned lane,
                     uint64_t address, uint64_t bytes, AccessKind kind) {
  const MemorySpace &memory = *warp.block->launch.memory;
  std::string text = std::string("global ") + verb(kind) + " of " +
                     std::to_string(bytes) + " bytes out of bounds";
  if (const std::string *name = memory.released(address)) {
    text += ": " + *name + " has been released";
  } else if (const MemoryRange *range = memory.find(address)) {
    text += ": it runs past the end of " + range->name;
  } else if (const MemoryRange *before = memory.before(address)) {
    uint64_t past = address - (before->base + before->size);
    if (past < (1 << 20))
      text += ": " + std::to_string(past) + " bytes past the end of " +
              before->name;
  }
  warp.fail(inst, lane, text, address);
}

MemoryRange *findRange(Block &block, uint64_t address) {
  MemoryRange *range = block.lastRange;
  if (range && address - range->base < range->size)
    return range;
  range = block.launch.memory->find(address);
  if (!range)
    range = block.launch.moduleMemory->find(address);
  if (range)
    block.lastRange = range;
  return range;
}

bool checkInitialized(Warp &warp, const Instruction &inst, unsigned lane,
                      const MemoryRange &range, uint64_t offset,
                      unsigned bytes) {
  const uint8_t *map = range.initialized.data() + offset;
  for (unsigned i = 0; i < bytes; ++i) {
    if (map[i])
      continue;
    warp.fail(inst, lane,
              "read of global memory that nothing wrote: byte " +
                  std::to_string(offset + i) + " of " + range.name,
              range.base + offset + i);
    return false;
  }
  return true;
}

/// One contiguous piece of global memory.
bool accessPiece(Warp &warp, const Instruction &inst, unsigned lane,
                 MemoryRange &range, uint64_t offset, unsigned bytes,
                 AccessKind kind) {
  if (kind != AccessKind::Write) {
    if (range.initialized &&
        !checkInitialized(warp, inst, lane, range, offset, bytes))
      return false;
    range.read.mark(offset, bytes);
  }
  if (kind == AccessKind::Read)
    return true;
  if (range.access == Access::In) {
    warp.fail(inst, lane,
              std::string("global ") + verb(kind) + " to " + range.name +
                  ", which is only an input",
              range.base + offset);
    return false;
  }
  range.written.mark(offset, bytes);
  if (range.initialized)
    range.initialized.mark(offset, bytes);
  return true;
}

/// Whether all lanes together touch one run of bytes in the order of lanes.
bool isContiguous(const LaneAddresses &lanes) {
  if (lanes.mask != AllLanes)
    return false;
  uint64_t different = 0;
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    different |=
        lanes.address[lane] ^ (lanes.address[0] + uint64_t(lane) * lanes.bytes);
  return !different;
}
} // namespace

bool accessGlobal(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes, AccessKind kind) {
  if (!checkAlignment(warp, inst, lanes, "global"))
    return false;
  Block &block = *warp.block;
  if (isContiguous(lanes)) {
    MemoryRange *range = findRange(block, lanes.address[0]);
    unsigned all = lanes.bytes * WarpSize;
    if (range && lanes.address[0] - range->base + all <= range->size) {
      countSectors(warp, inst, lanes);
      return accessPiece(warp, inst, 0, *range, lanes.address[0] - range->base,
                         all, kind);
    }
  }
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint64_t address = lanes.address[lane];
    MemoryRange *range = findRange(block, address);
    if (!range || address - range->base + lanes.bytes > range->size) {
      failOutOfBounds(warp, inst, lane, address, lanes.bytes, kind);
      return false;
    }
    if (!accessPiece(warp, inst, lane, *range, address - range->base,
                     lanes.bytes, kind))
      return false;
  }
  countSectors(warp, inst, lanes);
  return true;
}

bool accessGlobalRun(Warp &warp, const Instruction &inst, unsigned lane,
                     uint64_t address, uint64_t bytes, AccessKind kind) {
  constexpr uint64_t SectorBytes = 32;
  MemoryRange *range = findRange(*warp.block, address);
  if (!range || bytes > range->size - (address - range->base)) {
    failOutOfBounds(warp, inst, lane, address, bytes, kind);
    return false;
  }
  PcCount &count = warp.block->counts[inst.pc];
  ++count.requests;
  count.sectors +=
      (address + bytes - 1) / SectorBytes - address / SectorBytes + 1;
  count.globalBytes += bytes;
  return accessPiece(warp, inst, lane, *range, address - range->base, bytes,
                     kind);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

void reportShared(Warp &warp, const Instruction &inst, unsigned lane,
                  const SharedFault &fault, const char *what) {
  std::string other =
      "warp " + std::to_string(fault.otherWarp) +
      (fault.otherLane < 0 ? std::string(", several lanes")
                           : ", lane " + std::to_string(fault.otherLane));
  const auto &statements = warp.block->program.statements;
  if (fault.otherPc < statements.size())
    other += ", at line " + std::to_string(statements[fault.otherPc]->line) +
             ": " + statements[fault.otherPc]->text;
  std::string text;
  switch (fault.kind) {
  case SharedFault::Kind::Unwritten:
    text = "read of shared memory that nothing wrote";
    break;
  case SharedFault::Kind::InFlight:
    text = std::string("shared ") + what +
           " before the asynchronous copy that fills it is waited for; copied "
           "by " +
           other;
    break;
  case SharedFault::Kind::WriteRace:
    text = std::string("race on shared memory: this ") + what +
           " is not ordered after a write by " + other;
    break;
  case SharedFault::Kind::ReadRace:
    text = std::string("race on shared memory: this ") + what +
           " is not ordered after a read by " + other;
    break;
  case SharedFault::Kind::CopyRace:
    text = std::string("race on shared memory: this ") + what +
           " is not ordered after the bulk copy that fills it: expects a wait "
           "for its mbarrier; copied by " +
           other;
    break;
  case SharedFault::Kind::AsyncRead:
    text = std::string("shared ") + what +
           " before the asynchronous read of it is waited for, by warp " +
           std::to_string(fault.otherWarp);
    break;
  case SharedFault::Kind::Unfenced:
    text = std::string("expects fence.proxy.async between this ") + what +
           " and the write by " + other;
    break;
  case SharedFault::Kind::Mbarrier:
    text = std::string("shared ") + what + " of an mbarrier, initialised by " +
           other;
    break;
  case SharedFault::Kind::None:
    break;
  }
  warp.fail(inst, lane, text, fault.offset);
}

namespace {
/// Whether the refused write repeats what another lane of the same
/// instruction writes to the same bytes.
bool writesSameValue(const SharedFault &fault, const SharedAccess &access,
                     const LaneAddresses &lanes, const std::byte *values,
                     uint32_t granule) {
  if (!values || fault.kind != SharedFault::Kind::WriteRace ||
      fault.otherPc != access.pc || fault.otherWarp != access.warp)
    return false;
  unsigned other = fault.otherLane;
  if (!(lanes.mask >> other & 1))
    return false;
  for (uint32_t i = 0; i < granule; ++i) {
    uint64_t mine = fault.offset + i - access.offset;
    uint64_t theirs = fault.offset + i - lanes.address[other];
    if (mine >= lanes.bytes || theirs >= lanes.bytes ||
        values[size_t(access.lane) * lanes.bytes + mine] !=
            values[size_t(other) * lanes.bytes + theirs])
      return false;
  }
  return true;
}

bool checkSharedLane(Warp &warp, const Instruction &inst,
                     const LaneAddresses &lanes, SharedAccess &access,
                     AccessKind kind, const std::byte *values) {
  SharedMemory &shared = warp.block->shared;
  SharedFault fault;
  if (kind != AccessKind::Write && !shared.read(access, warp.clock, fault)) {
    reportShared(warp, inst, access.lane, fault, verb(kind));
    return false;
  }
  if (kind == AccessKind::Read)
    return true;
  if (shared.write(access, warp.clock, fault))
    return true;
  // Piece by piece, so that every overlapping granule is compared.
  uint32_t granule = shared.granuleBytes();
  SharedAccess piece = access;
  piece.bytes = granule;
  for (uint32_t i = 0; i < access.bytes; i += granule) {
    piece.offset = access.offset + i;
    fault = {};
    if (shared.write(piece, warp.clock, fault))
      continue;
    SharedAccess whole = access;
    if (writesSameValue(fault, whole, lanes, values, granule))
      continue;
    reportShared(warp, inst, access.lane, fault, verb(kind));
    return false;
  }
  return true;
}
} // namespace

bool accessShared(Warp &warp, const Instruction &inst,
                  const LaneAddresses &lanes, AccessKind kind,
                  const std::byte *values) {
  if (!checkAlignment(warp, inst, lanes, "shared"))
    return false;
  SharedMemory &shared = warp.block->shared;
  SharedAccess access;
  access.warp = warp.index;
  access.bytes = lanes.bytes;
  access.pc = inst.pc;
  access.isStrong = inst.isStrong;
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint64_t address = lanes.address[lane];
    if (address + lanes.bytes > shared.size() || address > shared.size()) {
      warp.fail(inst, lane,
                std::string("shared ") + verb(kind) + " of " +
                    std::to_string(lanes.bytes) +
                    " bytes out of bounds: the block has " +
                    std::to_string(shared.size()) + " bytes",
                address);
      return false;
    }
    access.lane = lane;
    access.offset = address;
    if (!checkSharedLane(warp, inst, lanes, access, kind, values))
      return false;
  }
  countWavefronts(warp, inst, lanes);
  return true;
}

//===----------------------------------------------------------------------===//
// Local memory and parameters
//===----------------------------------------------------------------------===//

std::byte *accessLocal(Warp &warp, const Instruction &inst, unsigned lane,
                       uint64_t address, unsigned bytes) {
  Block &block = *warp.block;
  const Program &program = block.program;
  if (address & (bytes - 1)) {
    warp.fail(inst, lane,
              "misaligned local access of " + std::to_string(bytes) + " bytes",
              address);
    return nullptr;
  }
  std::byte *thread = block.local.data() +
                      size_t(warp.index * WarpSize + lane) * block.localStride;
  if (address < program.localBytes && address + bytes <= program.localBytes)
    return thread + address;
  uint64_t parameter = address - CallParamBase;
  if (parameter < program.callParamBytes &&
      parameter + bytes <= program.callParamBytes)
    return thread + program.localBytes + parameter;
  warp.fail(inst, lane,
            "local access of " + std::to_string(bytes) +
                " bytes out of bounds: the thread has " +
                std::to_string(program.localBytes) + " bytes",
            address);
  return nullptr;
}

const std::byte *accessParameter(Warp &warp, const Instruction &inst,
                                 unsigned lane, uint64_t address,
                                 unsigned bytes) {
  const auto &parameters = warp.block->launch.config->parameters;
  if (address & (bytes - 1)) {
    warp.fail(inst, lane,
              "misaligned parameter access of " + std::to_string(bytes) +
                  " bytes",
              address);
    return nullptr;
  }
  if (address <= parameters.size() && bytes <= parameters.size() - address)
    return reinterpret_cast<const std::byte *>(parameters.data()) + address;
  warp.fail(inst, lane,
            "parameter access of " + std::to_string(bytes) +
                " bytes out of bounds: the kernel has " +
                std::to_string(parameters.size()) + " bytes",
            address);
  return nullptr;
}

} // namespace mta::emulator

//===- LoadStore.cpp - ld and st ------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.9.8 to 9.7.9.12. One vector of one lane is moved at once;
// between, the values of all lanes are in an array [lane][element].
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct B128 {
  uint64_t low, high;
};

/// The values one instruction moves.
template <typename T, unsigned N> struct Values {
  alignas(64) T value[WarpSize][N];
  std::byte *of(unsigned lane) {
    return reinterpret_cast<std::byte *>(value[lane]);
  }
};

/// Writes elements to registers whose cells may be wider than the elements.
template <typename T, unsigned N>
void toRegisters(Warp &warp, const Instruction &inst, const uint32_t *op,
                 const Values<T, N> &values) {
  for (unsigned i = 0; i < N; ++i) {
    if (inst.cell == sizeof(T)) {
      writeLanes<T>(warp, op[i],
                    [&](unsigned l) { return values.value[l][i]; });
      continue;
    }
    if constexpr (sizeof(T) < 8) {
      using S = std::make_signed_t<T>;
      auto extend = [&](unsigned l) -> uint64_t {
        T value = values.value[l][i];
        return inst.isSigned ? uint64_t(int64_t(S(value))) : uint64_t(value);
      };
      if (inst.cell == 2)
        writeLanes<uint16_t>(warp, op[i], extend);
      else if (inst.cell == 4)
        writeLanes<uint32_t>(warp, op[i], extend);
      else
        writeLanes<uint64_t>(warp, op[i], extend);
    }
  }
}

/// Reads elements from registers; of a wider cell, the low part.
template <typename T, unsigned N>
void fromRegisters(Warp &warp, const Instruction &inst, const uint32_t *op,
                   Values<T, N> &values) {
  for (unsigned i = 0; i < N; ++i) {
    const std::byte *row = warp.row<std::byte>(op[i]);
    if (inst.cell == sizeof(T)) {
      const T *typed = reinterpret_cast<const T *>(row);
      for (unsigned l = 0; l < WarpSize; ++l)
        values.value[l][i] = typed[l];
    } else {
      for (unsigned l = 0; l < WarpSize; ++l)
        std::memcpy(&values.value[l][i], row + l * inst.cell, sizeof(T));
    }
  }
}

template <typename T, unsigned N>
bool loadGlobal(Warp &warp, const Instruction &inst, const LaneAddresses &lanes,
                Values<T, N> &values) {
  if (!accessGlobal(warp, inst, lanes, AccessKind::Read))
    return false;
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    std::memcpy(values.of(lane),
                reinterpret_cast<const void *>(lanes.address[lane]),
                sizeof(T) * N);
  }
  return true;
}

template <typename T, unsigned N>
bool loadShared(Warp &warp, const Instruction &inst, const LaneAddresses &lanes,
                Values<T, N> &values) {
  if (!accessShared(warp, inst, lanes, AccessKind::Read, nullptr))
    return false;
  const std::byte *memory = warp.block->shared.data();
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    std::memcpy(values.of(lane), memory + lanes.address[lane], sizeof(T) * N);
  }
  return true;
}

template <typename T, unsigned N>
bool loadPrivate(Warp &warp, const Instruction &inst,
                 const LaneAddresses &lanes, Values<T, N> &values) {
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint64_t address = lanes.address[lane];
    const std::byte *memory =
        inst.space == Space::Param && address < CallParamBase
            ? accessParameter(warp, inst, lane, address, lanes.bytes)
            : accessLocal(warp, inst, lane, address, lanes.bytes);
    if (!memory)
      return false;
    std::memcpy(values.of(lane), memory, sizeof(T) * N);
  }
  return true;
}

/// Loads from generic addresses, space by space.
template <typename T, unsigned N>
bool loadGeneric(Warp &warp, const Instruction &inst,
                 const LaneAddresses &lanes, Values<T, N> &values) {
  LaneAddresses part = selectSpace(lanes, Space::Global);
  if (part.mask && !loadGlobal(warp, inst, part, values))
    return false;
  if (part.mask == lanes.mask)
    return true;
  part = selectSpace(lanes, Space::Shared);
  if (part.mask && !loadShared(warp, inst, part, values))
    return false;
  part = selectSpace(lanes, Space::Local);
  if (part.mask && !loadPrivate(warp, inst, part, values))
    return false;
  part = selectSpace(lanes, Space::Param);
  Instruction asParameter = inst;
  asParameter.space = Space::Param;
  return !part.mask || loadPrivate(warp, asParameter, part, values);
}

/// op: address, then the destinations.
template <typename T, unsigned N>
void loadHandler(Warp &warp, const Instruction &inst) {
  LaneAddresses lanes;
  loadAddresses(warp, inst, inst.op[0], lanes);
  Values<T, N> values;
  bool ok = false;
  switch (inst.space) {
  case Space::Global:
  case Space::Const:
    ok = loadGlobal(warp, inst, lanes, values);
    break;
  case Space::Shared:
    ok = loadShared(warp, inst, lanes, values);
    break;
  case Space::Local:
  case Space::Param:
    ok = loadPrivate(warp, inst, lanes, values);
    break;
  default:
    ok = loadGeneric(warp, inst, lanes, values);
  }
  if (ok)
    toRegisters<T, N>(warp, inst, inst.op + 1, values);
}

template <typename T, unsigned N>
bool storeGlobal(Warp &warp, const Instruction &inst,
                 const LaneAddresses &lanes, Values<T, N> &values) {
  if (!accessGlobal(warp, inst, lanes, AccessKind::Write))
    return false;
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    std::memcpy(reinterpret_cast<void *>(lanes.address[lane]), values.of(lane),
                sizeof(T) * N);
  }
  return true;
}

template <typename T, unsigned N>
bool storeShared(Warp &warp, const Instruction &inst,
                 const LaneAddresses &lanes, Values<T, N> &values) {
  if (!accessShared(warp, inst, lanes, AccessKind::Write, values.of(0)))
    return false;
  std::byte *memory = warp.block->shared.data();
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    std::memcpy(memory + lanes.address[lane], values.of(lane), sizeof(T) * N);
  }
  return true;
}

template <typename T, unsigned N>
bool storeLocal(Warp &warp, const Instruction &inst, const LaneAddresses &lanes,
                Values<T, N> &values) {
  for (uint32_t left = lanes.mask; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    if (inst.space == Space::Param && lanes.address[lane] < CallParamBase) {
      warp.fail(inst, lane, "store to a kernel parameter");
      return false;
    }
    std::byte *memory =
        accessLocal(warp, inst, lane, lanes.address[lane], lanes.bytes);
    if (!memory)
      return false;
    std::memcpy(memory, values.of(lane), sizeof(T) * N);
  }
  return true;
}

/// op: address, then the sources.
template <typename T, unsigned N>
void storeHandler(Warp &warp, const Instruction &inst) {
  LaneAddresses lanes;
  loadAddresses(warp, inst, inst.op[0], lanes);
  Values<T, N> values;
  fromRegisters<T, N>(warp, inst, inst.op + 1, values);
  switch (inst.space) {
  case Space::Global:
    storeGlobal(warp, inst, lanes, values);
    return;
  case Space::Shared:
    storeShared(warp, inst, lanes, values);
    return;
  case Space::Local:
  case Space::Param:
    storeLocal(warp, inst, lanes, values);
    return;
  default:
    break;
  }
  LaneAddresses part = selectSpace(lanes, Space::Global);
  if (part.mask && !storeGlobal(warp, inst, part, values))
    return;
  part = selectSpace(lanes, Space::Shared);
  if (part.mask && !storeShared(warp, inst, part, values))
    return;
  part = selectSpace(lanes, Space::Local);
  if (part.mask && !storeLocal(warp, inst, part, values))
    return;
  part = selectSpace(lanes, Space::Param);
  if (part.mask)
    warp.fail(inst, __builtin_ctz(part.mask), "store to a kernel parameter");
}

template <typename T> Handler handlerOf(bool loads, unsigned count) {
  switch (count) {
  case 1:
    return loads ? loadHandler<T, 1> : storeHandler<T, 1>;
  case 2:
    return loads ? loadHandler<T, 2> : storeHandler<T, 2>;
  case 4:
    return loads ? loadHandler<T, 4> : storeHandler<T, 4>;
  default:
    return loads ? loadHandler<T, 8> : storeHandler<T, 8>;
  }
}

Handler handlerFor(bool loads, unsigned width, unsigned count) {
  switch (width) {
  case 1:
    return handlerOf<uint8_t>(loads, count);
  case 2:
    return handlerOf<uint16_t>(loads, count);
  case 4:
    return handlerOf<uint32_t>(loads, count);
  case 8:
    return handlerOf<uint64_t>(loads, count);
  default:
    return loads ? loadHandler<B128, 1> : storeHandler<B128, 1>;
  }
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void acceptScope(Decoder &d) {
  if (d.expectAny({"cta", "gpu", "sys", "cluster"}) == 3)
    d.require(90, 7, 8, "scope .cluster");
}

/// .weak, .volatile, .relaxed.scope, .acquire.scope / .release.scope, .mmio
void acceptOrdering(Decoder &d, const char *ordered) {
  if (d.accept("weak"))
    return;
  if (d.accept("volatile")) {
    d.inst.isStrong = true;
  } else if (d.accept("relaxed") || d.accept(ordered)) {
    d.inst.isStrong = true;
    acceptScope(d);
  } else if (d.accept("mmio")) {
    d.require(70, 8, 2, ".mmio");
    d.expect("relaxed");
    d.expect("sys");
    d.inst.isStrong = true;
  }
}

Space acceptSpace(Decoder &d) {
  static const std::pair<const char *, Space> Names[] = {
      {"global", Space::Global},      {"shared", Space::Shared},
      {"shared::cta", Space::Shared}, {"shared::cluster", Space::Shared},
      {"local", Space::Local},        {"const", Space::Const},
      {"param", Space::Param},        {"param::entry", Space::Param},
      {"param::func", Space::Param}};
  for (auto [name, space] : Names)
    if (d.accept(name))
      return space;
  return Space::Generic;
}

/// Cache operators and hints change nothing that is executed.
void acceptCaching(Decoder &d, bool loads) {
  if (loads)
    d.acceptAny({"ca", "cg", "cs", "lu", "cv"});
  else
    d.acceptAny({"wb", "cg", "cs", "wt"});
  if (loads && d.accept("nc") && d.inst.space != Space::Global)
    d.fail("expects .nc only on .global");
  d.acceptAny({"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
               "L1::evict_last", "L1::no_allocate"});
  d.acceptAny({"L2::evict_last", "L2::evict_first", "L2::evict_normal"});
  if (d.nextModifier() == "L2::cache_hint")
    d.fail("L2::cache_hint is not supported");
  if (loads)
    d.acceptAny({"L2::64B", "L2::128B", "L2::256B"});
}

unsigned acceptVector(Decoder &d) {
  static constexpr unsigned Counts[] = {2, 4, 8};
  int index = d.acceptAny({"v2", "v4", "v8"});
  return index < 0 ? 1 : Counts[index];
}

Type memoryType(Decoder &d) {
  return d.expectType({Type::B8, Type::B16, Type::B32, Type::B64, Type::B128,
                       Type::U8, Type::U16, Type::U32, Type::U64, Type::S8,
                       Type::S16, Type::S32, Type::S64, Type::F32, Type::F64});
}

void checkVector(Decoder &d, unsigned bytes) {
  if (bytes == 32) {
    d.require(100, 8, 8, "an access of 32 bytes a lane");
    if (d.inst.space != Space::Global)
      d.fail("expects an access of 32 bytes a lane only on .global");
  } else if (bytes > 32 || d.inst.count == 8) {
    d.fail("a lane cannot access a vector of " + std::to_string(bytes) +
           " bytes");
  }
}

/// The registers of a vector, or the one register; all of one width.
void valueOperands(Decoder &d, const Operand &operand, Type type, bool loads) {
  unsigned count = d.inst.count;
  const Operand *elements = &operand;
  if (operand.kind == Operand::Kind::Vector) {
    elements = operand.elements.data();
    if (operand.elements.size() != count)
      return d.fail("expects a vector of " + std::to_string(count) +
                    ", but got one of " +
                    std::to_string(operand.elements.size()));
  } else if (count != 1) {
    return d.fail("expects a vector of " + std::to_string(count));
  }
  for (unsigned i = 0; i < count; ++i) {
    unsigned cell = 0;
    bool isSink = elements[i].kind == Operand::Kind::Sink;
    if (isSink && loads && type != Type::B128)
      d.pushDestination(elements[i], Type::B64, nullptr); // any cell fits
    else if (loads)
      d.pushDestination(elements[i], type, &cell);
    else
      d.pushSource(elements[i], type, &cell);
    if (d.inst.cell && cell != d.inst.cell && !isSink)
      return d.fail("expects registers of one width in a vector");
    if (!isSink)
      d.inst.cell = cell;
  }
  if (!d.inst.cell)
    d.inst.cell = typeBytes(type);
}

Class classOf(Space space, bool loads) {
  switch (space) {
  case Space::Shared:
    return loads ? Class::LoadShared : Class::StoreShared;
  case Space::Local:
    return Class::Local;
  case Space::Param:
  case Space::Const:
    return Class::Parameter;
  default:
    return loads ? Class::LoadGlobal : Class::StoreGlobal;
  }
}

void decodeAccess(Decoder &d, bool loads) {
  if (!loads && (d.nextModifier() == "async" || d.nextModifier() == "bulk"))
    return d.fail("st." + std::string(d.nextModifier()) + " is not supported");
  acceptOrdering(d, loads ? "acquire" : "release");
  d.inst.space = acceptSpace(d);
  if (!loads && d.inst.space == Space::Const)
    d.fail("cannot store to .const");
  acceptCaching(d, loads);
  d.inst.count = acceptVector(d);
  Type type = memoryType(d);
  if (type == Type::B128)
    d.require(70, 8, 3, "type .b128");
  d.inst.width = typeBytes(type);
  d.inst.isSigned = isSigned(type);
  checkVector(d, d.inst.width * d.inst.count);
  if (d.failed())
    return;
  const Operand *values = loads ? d.takeOperand() : nullptr;
  d.address(d.inst.space);
  if (!loads)
    values = d.takeOperand();
  if (!values || d.failed())
    return;
  valueOperands(d, *values, type, loads);
  d.finish(classOf(d.inst.space, loads),
           handlerFor(loads, d.inst.width, d.inst.count));
}

void decodeLd(Decoder &d) { decodeAccess(d, true); }
void decodeSt(Decoder &d) { decodeAccess(d, false); }

/// ldu: a load that is the same for all lanes; only a hint.
void decodeLdu(Decoder &d) {
  d.inst.space = d.accept("global") ? Space::Global : Space::Generic;
  d.inst.count = acceptVector(d);
  Type type = memoryType(d);
  d.inst.width = typeBytes(type);
  d.inst.isSigned = isSigned(type);
  checkVector(d, d.inst.width * d.inst.count);
  const Operand *values = d.takeOperand();
  d.address(d.inst.space);
  if (!values || d.failed())
    return;
  valueOperands(d, *values, type, true);
  d.finish(Class::LoadGlobal, handlerFor(true, d.inst.width, d.inst.count));
}

} // namespace

void registerLoadStore(InstructionTable &table) {
  table.add("ld", Domain::Any, decodeLd);
  table.add("st", Domain::Any, decodeSt);
  table.add("ldu", Domain::Any, decodeLdu);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

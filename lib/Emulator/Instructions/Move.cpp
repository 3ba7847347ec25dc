//===- Move.cpp - mov, cvta, isspacep and predicates ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct B128 {
  uint64_t low, high;
};

template <typename T> void moveHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) { return a[l]; });
}

void movePredicate(Warp &warp, const Instruction &inst) {
  writePredicate(warp, inst.op[0],
                 warp.predicate(inst.op[1]) ^ uint32_t(inst.offset));
}

/// mov.b64 d, {a, b}: op[1] is the least significant part.
template <typename D, typename S>
void packHandler(Warp &warp, const Instruction &inst) {
  constexpr unsigned Parts = sizeof(D) / sizeof(S);
  writeLanes<D>(warp, inst.op[0], [&](unsigned l) {
    S parts[Parts];
    for (unsigned i = 0; i < Parts; ++i)
      parts[i] = warp.row<S>(inst.op[1 + i])[l];
    D whole;
    std::memcpy(&whole, parts, sizeof whole);
    return whole;
  });
}

template <typename D, typename S>
void unpackHandler(Warp &warp, const Instruction &inst) {
  constexpr unsigned Parts = sizeof(S) / sizeof(D);
  // The source may be one of the destinations.
  S whole[WarpSize];
  std::memcpy(whole, warp.row<S>(inst.op[Parts]), sizeof whole);
  for (unsigned i = 0; i < Parts; ++i)
    writeLanes<D>(warp, inst.op[i], [&](unsigned l) {
      D part;
      std::memcpy(&part,
                  reinterpret_cast<const char *>(&whole[l]) + i * sizeof(D),
                  sizeof part);
      return part;
    });
}

/// Clocks count the instructions of the warp: deterministic, monotonic.
template <typename T> void clockHandler(Warp &warp, const Instruction &inst) {
  uint64_t value = warp.steps >> inst.aux;
  writeLanes<T>(warp, inst.op[0], [=](unsigned) { return T(value); });
}

Handler packFor(unsigned whole, unsigned part) {
  switch (whole * 100 + part) {
  case 201:
    return packHandler<uint16_t, uint8_t>;
  case 401:
    return packHandler<uint32_t, uint8_t>;
  case 402:
    return packHandler<uint32_t, uint16_t>;
  case 802:
    return packHandler<uint64_t, uint16_t>;
  case 804:
    return packHandler<uint64_t, uint32_t>;
  case 1604:
    return packHandler<B128, uint32_t>;
  case 1608:
    return packHandler<B128, uint64_t>;
  default:
    return nullptr;
  }
}

Handler unpackFor(unsigned whole, unsigned part) {
  switch (whole * 100 + part) {
  case 201:
    return unpackHandler<uint8_t, uint16_t>;
  case 401:
    return unpackHandler<uint8_t, uint32_t>;
  case 402:
    return unpackHandler<uint16_t, uint32_t>;
  case 802:
    return unpackHandler<uint16_t, uint64_t>;
  case 804:
    return unpackHandler<uint32_t, uint64_t>;
  case 1604:
    return unpackHandler<uint32_t, B128>;
  case 1608:
    return unpackHandler<uint64_t, B128>;
  default:
    return nullptr;
  }
}

Type bitsType(unsigned bytes) {
  return bytes == 1   ? Type::B8
         : bytes == 2 ? Type::B16
         : bytes == 4 ? Type::B32
         : bytes == 8 ? Type::B64
                      : Type::B128;
}

/// mov with a vector on one side.
void decodePack(Decoder &d, Type type, bool packs, size_t parts) {
  unsigned whole = typeBytes(type);
  unsigned part = parts ? whole / parts : 0;
  Handler handler = packs ? packFor(whole, part) : unpackFor(whole, part);
  if (!isBits(type) || parts * part != whole || !handler)
    return d.fail("cannot move between ." + std::string(typeName(type)) +
                  " and a vector of " + std::to_string(parts));
  if (packs) {
    d.destination(type);
    d.sourceVector(bitsType(part), parts);
  } else {
    d.destinationVector(bitsType(part), parts);
    d.source(type);
  }
  d.finish(Class::Move, handler);
}

bool isClock(const std::string &name) {
  return name == "clock" || name == "clock64" || name == "clock_hi" ||
         name == "globaltimer" || name == "globaltimer_lo" ||
         name == "globaltimer_hi";
}

void decodeClock(Decoder &d, Type type) {
  std::string name = d.statement->operands[1].name;
  bool wide = name == "clock64" || name == "globaltimer";
  if (typeBits(type) != (wide ? 64u : 32u))
    return d.fail("'%" + name + "' does not fit ." +
                  std::string(typeName(type)));
  d.destination(type);
  d.takeOperand();
  bool high = name == "clock_hi" || name == "globaltimer_hi";
  d.inst.aux = high ? 32 : 0;
  d.finish(Class::Move, wide ? clockHandler<uint64_t> : clockHandler<uint32_t>);
}

void decodeMov(Decoder &d) {
  if (d.nextModifier() == "pred") {
    d.anyType();
    d.uses.isMove = true;
    d.destination(Type::Pred);
    d.inst.offset = d.predicateSource();
    return d.finish(Class::Move, movePredicate);
  }
  Type type =
      d.expectType({Type::B16, Type::B32, Type::B64, Type::B128, Type::U16,
                    Type::U32, Type::U64, Type::S16, Type::S32, Type::S64,
                    Type::F16, Type::BF16, Type::F32, Type::F64});
  const auto &operands = d.statement->operands;
  if (d.failed() || operands.size() != 2)
    return d.fail("expects 2 operands, but got " +
                  std::to_string(operands.size()));
  d.uses.isMove = true;
  bool packs = operands[1].kind == Operand::Kind::Vector;
  bool unpacks = operands[0].kind == Operand::Kind::Vector;
  if (packs || unpacks)
    return decodePack(d, type, packs, operands[packs].elements.size());
  if (operands[1].kind == Operand::Kind::Special && isClock(operands[1].name))
    return decodeClock(d, type);
  d.destination(type);
  d.source(type);
  switch (typeBytes(type)) {
  case 2:
    return d.finish(Class::Move, moveHandler<uint16_t>);
  case 4:
    return d.finish(Class::Move, moveHandler<uint32_t>);
  case 8:
    return d.finish(Class::Move, moveHandler<uint64_t>);
  default:
    return d.finish(Class::Move, moveHandler<B128>);
  }
}

//===----------------------------------------------------------------------===//
// Generic addresses (PTX ISA 9.7.9.21, 9.7.9.22)
//===----------------------------------------------------------------------===//

/// Global and constant addresses are generic already.
uint64_t windowOf(Space space) {
  switch (space) {
  case Space::Shared:
    return SharedWindow;
  case Space::Local:
    return LocalWindow;
  case Space::Param:
    return ParamWindow;
  default:
    return 0;
  }
}

void addWindow(Warp &warp, const Instruction &inst) {
  const uint64_t *a = warp.row<uint64_t>(inst.op[1]);
  uint64_t window = inst.offset;
  writeLanes<uint64_t>(warp, inst.op[0],
                       [=](unsigned l) { return a[l] + window; });
}

Space acceptSpace(Decoder &d) {
  if (d.accept("global"))
    return Space::Global;
  if (d.accept("shared") || d.accept("shared::cta") ||
      d.accept("shared::cluster"))
    return Space::Shared;
  if (d.accept("local"))
    return Space::Local;
  if (d.accept("const"))
    return Space::Const;
  if (d.accept("param") || d.accept("param::entry"))
    return Space::Param;
  d.fail("expects a state space, but got '." + std::string(d.nextModifier()) +
         "'");
  return Space::Global;
}

void decodeCvta(Decoder &d) {
  bool to = d.accept("to");
  Space space = acceptSpace(d);
  d.expectType({Type::U64});
  d.destination(Type::B64);
  d.source(Type::B64);
  uint64_t window = windowOf(space);
  d.inst.offset = to ? 0 - window : window;
  d.finish(Class::Integer, addWindow);
}

void isSpaceHandler(Warp &warp, const Instruction &inst) {
  const uint64_t *a = warp.row<uint64_t>(inst.op[1]);
  uint64_t window = inst.offset;
  writePredicate(warp, inst.op[0], maskOf([=](unsigned l) {
                   uint64_t high = a[l] & WindowMask;
                   bool other = high == SharedWindow || high == LocalWindow ||
                                high == ParamWindow;
                   return window ? high == window : !other;
                 }));
}

void decodeIsSpace(Decoder &d) {
  Space space = acceptSpace(d);
  if (space == Space::Const)
    d.fail("isspacep.const cannot be told from isspacep.global here");
  d.destination(Type::Pred);
  d.source(Type::B64);
  d.inst.offset = windowOf(space);
  d.finish(Class::Integer, isSpaceHandler);
}

} // namespace

void registerMove(InstructionTable &table) {
  table.add("mov", Domain::Any, decodeMov);
  table.add("cvta", Domain::Any, decodeCvta);
  table.add("isspacep", Domain::Any, decodeIsSpace);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

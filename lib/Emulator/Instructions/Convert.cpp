//===- Convert.cpp - cvt --------------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.9.23. A general conversion goes lane by lane through a 64-bit
// integer or a double, which hold every source exactly. The frequent pairs have
// loops of their own.
//
//===----------------------------------------------------------------------===//

#include "../Rounding.h"
#include "../SmallFloat.h"
#include "Families.h"
#include <algorithm>
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

/// Bits of Instruction::variant. The types are in aux, the rounding mode in
/// count, the bytes of the destination's cell in cell, of the source's in
/// width.
enum Flag : uint8_t { Ftz = 1, Sat = 2, Relu = 4, Integral = 8, Finite = 16 };

Type targetOf(const Instruction &inst) { return Type(inst.aux >> 8); }
Type sourceOf(const Instruction &inst) { return Type(inst.aux & 0xff); }

template <typename T>
T lowPart(const std::byte *row, unsigned cell, unsigned lane) {
  T value;
  std::memcpy(&value, row + lane * cell, sizeof value);
  return value;
}

/// The integer in one lane of a source row, extended to 64 bits.
int64_t integerAt(const std::byte *row, unsigned cell, unsigned lane,
                  Type type) {
  switch (type) {
  case Type::U8:
    return lowPart<uint8_t>(row, cell, lane);
  case Type::U16:
    return lowPart<uint16_t>(row, cell, lane);
  case Type::U32:
    return lowPart<uint32_t>(row, cell, lane);
  case Type::S8:
    return lowPart<int8_t>(row, cell, lane);
  case Type::S16:
    return lowPart<int16_t>(row, cell, lane);
  case Type::S32:
    return lowPart<int32_t>(row, cell, lane);
  default:
    return lowPart<int64_t>(row, cell, lane);
  }
}

/// The floating-point value in one lane.
double floatAt(const std::byte *row, unsigned cell, unsigned lane, Type type) {
  switch (type) {
  case Type::F16:
    return halfToFloat(lowPart<uint16_t>(row, cell, lane));
  case Type::BF16:
    return bfloatToFloat(lowPart<uint16_t>(row, cell, lane));
  case Type::F64:
    return lowPart<double>(row, cell, lane);
  default:
    return lowPart<float>(row, cell, lane);
  }
}

/// Calls convert(row, lane) for the active lanes and stores the resulting bits.
template <typename F>
void eachLane(Warp &warp, const Instruction &inst, F convert) {
  const std::byte *source = warp.row<std::byte>(inst.op[1]);
  std::byte *target = warp.row<std::byte>(inst.op[0]);
  for (uint32_t left = warp.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctz(left);
    uint64_t bits = convert(source, lane);
    std::memcpy(target + lane * inst.cell, &bits, inst.cell);
  }
}

/// The least and largest value of an integer type.
void limits(Type type, int64_t &low, uint64_t &high) {
  unsigned bits = typeBits(type);
  low = isSigned(type) ? INT64_MIN >> (64 - bits) : 0;
  high = ~uint64_t(0) >> (64 - bits + isSigned(type));
}

/// The low bits of a value, extended to the cell as the type says.
uint64_t extended(Type type, uint64_t bits) {
  unsigned shift = 64 - typeBits(type);
  return isSigned(type) ? uint64_t(int64_t(bits << shift) >> shift)
                        : bits << shift >> shift;
}

void integerToInteger(Warp &warp, const Instruction &inst) {
  Type to = targetOf(inst), from = sourceOf(inst);
  int64_t low;
  uint64_t high;
  limits(to, low, high);
  eachLane(warp, inst, [&](const std::byte *row, unsigned lane) {
    int64_t value = integerAt(row, inst.width, lane, from);
    if (inst.variant & Sat) {
      if (isSigned(from) && value < 0)
        value = std::max(value, low);
      else if (uint64_t(value) > high)
        value = high;
    }
    return extended(to, value);
  });
}

/// Rounds to an integer and clamps to its range. NaN gives 0, or for 64 bits
/// the top bit alone.
uint64_t toInteger(double value, Type to, Rounding mode) {
  int64_t low;
  uint64_t high;
  limits(to, low, high);
  if (value != value)
    return typeBits(to) == 64 ? uint64_t(1) << 63 : 0;
  double integral = roundToIntegral(value, mode);
  if (integral <= double(low))
    return low;
  if (integral >= double(high))
    return high;
  return isSigned(to) ? uint64_t(int64_t(integral)) : uint64_t(integral);
}

void floatToInteger(Warp &warp, const Instruction &inst) {
  Type to = targetOf(inst), from = sourceOf(inst);
  eachLane(warp, inst, [&](const std::byte *row, unsigned lane) {
    double value = floatAt(row, inst.width, lane, from);
    if ((inst.variant & Ftz) && from == Type::F32)
      value = flush(float(value));
    return extended(to, toInteger(value, to, Rounding(inst.count)));
  });
}

const FloatFormat &formatOf(Type type) {
  switch (type) {
  case Type::F16:
    return HalfFormat;
  case Type::BF16:
    return BfloatFormat;
  case Type::TF32:
    return TF32Format;
  case Type::E4M3:
    return E4M3Format;
  default:
    return E5M2Format;
  }
}

/// The bits of a value in a format below single precision. tf32 occupies the
/// upper bits of its register.
uint32_t smallBits(double value, Type to, Rounding mode, uint8_t flags) {
  if ((flags & Relu) && value <= 0)
    value = 0;
  if (flags & Sat) // to [0, 1], NaN to 0
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  uint32_t bits = roundTo(formatOf(to), value, mode, flags & Finite);
  return to == Type::TF32 ? bits << 13 : bits;
}

/// The bits of a value in a floating-point type.
uint64_t floatBits(double value, Type to, Rounding mode, uint8_t flags) {
  if (flags & Integral)
    value = roundToIntegral(value, mode);
  if (to != Type::F32 && to != Type::F64)
    return smallBits(value, to, mode, flags);
  if (flags & Sat)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if (to == Type::F64)
    return bitsOf(value);
  float result =
      mode == Rounding::Nearest ? float(value) : toFloatRounded(value, mode);
  return bitsOf(canonical(flags & Ftz ? flush(result) : result));
}

void floatToFloat(Warp &warp, const Instruction &inst) {
  Type to = targetOf(inst), from = sourceOf(inst);
  eachLane(warp, inst, [&](const std::byte *row, unsigned lane) {
    double value = floatAt(row, inst.width, lane, from);
    if ((inst.variant & Ftz) && from == Type::F32)
      value = flush(float(value));
    return floatBits(value, to, Rounding(inst.count), inst.variant);
  });
}

uint64_t integerToFloatBits(int64_t value, bool isUnsigned, Type to,
                            Rounding mode) {
  if (to == Type::F64)
    return bitsOf(isUnsigned ? toDoubleRounded(uint64_t(value), mode)
                             : toDoubleRounded(value, mode));
  if (to == Type::F32)
    return bitsOf(isUnsigned ? toFloatRounded(uint64_t(value), mode)
                             : toFloatRounded(value, mode));
  // Rounding to odd keeps what the second rounding needs to know.
  double odd = isUnsigned ? toDoubleRounded(uint64_t(value), Rounding::Zero)
                          : toDoubleRounded(value, Rounding::Zero);
  bool exact =
      isUnsigned ? uint64_t(odd) == uint64_t(value) : int64_t(odd) == value;
  if (!exact)
    odd = doubleOf(bitsOf(odd) | 1);
  return smallBits(odd, to, mode, 0);
}

void integerToFloat(Warp &warp, const Instruction &inst) {
  Type to = targetOf(inst), from = sourceOf(inst);
  bool isUnsigned = from == Type::U64;
  eachLane(warp, inst, [&](const std::byte *row, unsigned lane) {
    int64_t value = integerAt(row, inst.width, lane, from);
    if (inst.variant & Sat)
      value = isUnsigned ? value != 0 : value > 0;
    return integerToFloatBits(value, isUnsigned, to, Rounding(inst.count));
  });
}

//===----------------------------------------------------------------------===//
// Frequent pairs
//===----------------------------------------------------------------------===//

template <typename D, typename S>
void plainCast(Warp &warp, const Instruction &inst) {
  const S *a = warp.row<S>(inst.op[1]);
  writeLanes<D>(warp, inst.op[0], [=](unsigned l) { return D(a[l]); });
}
template <float (*Convert)(uint16_t)>
void widen(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  writeLanes<float>(warp, inst.op[0],
                    [=](unsigned l) { return canonical(Convert(a[l])); });
}
template <uint16_t (*Convert)(float)>
void narrow(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  writeLanes<uint16_t>(warp, inst.op[0],
                       [=](unsigned l) { return Convert(a[l]); });
}
/// cvt.rn.x2.f32 d, a, b: a becomes the upper half.
template <uint16_t (*Convert)(float)>
void narrowPair(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  const float *b = warp.row<float>(inst.op[2]);
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned l) {
    return uint32_t(Convert(a[l])) << 16 | Convert(b[l]);
  });
}

/// Any packed narrowing; aux is the element's type.
void packGeneric(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  const float *b = warp.row<float>(inst.op[2]);
  Type element = Type(inst.aux);
  unsigned bits = typeBits(element);
  Rounding mode = Rounding(inst.count);
  auto pack = [=](unsigned l) {
    return smallBits(a[l], element, mode, inst.variant) << bits |
           smallBits(b[l], element, mode, inst.variant);
  };
  if (bits == 8)
    writeLanes<uint16_t>(warp, inst.op[0], pack);
  else
    writeLanes<uint32_t>(warp, inst.op[0], pack);
}

/// e4m3x2 and e5m2x2 to f16x2.
void unpackBytes(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  const FloatFormat &format = formatOf(Type(inst.aux));
  writeLanes<uint32_t>(warp, inst.op[0], [&](unsigned l) {
    uint32_t halves = 0;
    for (unsigned i = 0; i < 2; ++i) {
      double value = valueOf(format, a[l] >> (8 * i) & 0xff);
      halves |= smallBits(value, Type::F16, Rounding::Nearest, inst.variant)
                << (16 * i);
    }
    return halves;
  });
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

struct Modes {
  int rounding = -1; // of Rounding
  bool integral = false;
  uint8_t flags = 0;
};

Modes acceptModes(Decoder &d) {
  Modes modes;
  modes.rounding = d.acceptAny({"rn", "rz", "rm", "rp", "rna"});
  if (modes.rounding < 0) {
    modes.rounding = d.acceptAny({"rni", "rzi", "rmi", "rpi"});
    modes.integral = modes.rounding >= 0;
  }
  modes.flags |= d.accept("satfinite") ? Finite : 0;
  modes.flags |= d.accept("relu") ? Relu : 0;
  modes.flags |= d.accept("ftz") ? Ftz : 0;
  modes.flags |= d.accept("sat") ? Sat : 0;
  return modes;
}

/// cvt.rn.{f16x2,bf16x2,e4m3x2,e5m2x2}.f32 d, a, b
void decodePacked(Decoder &d, Type to, const Modes &modes) {
  Type element = to == Type::F16x2    ? Type::F16
                 : to == Type::BF16x2 ? Type::BF16
                 : to == Type::E4M3x2 ? Type::E4M3
                                      : Type::E5M2;
  bool isByte = typeBits(element) == 8;
  d.expectType({Type::F32});
  if (isByte)
    d.require(89, 8, 1, "conversion to 8-bit floating point");
  else
    d.require(80, 7, 0, "conversion to packed halves");
  if (modes.integral ||
      (modes.rounding != 0 && (modes.rounding != 1 || isByte)))
    d.fail("expects rounding mode .rn or .rz");
  if (isByte != bool(modes.flags & Finite) || (modes.flags & (Ftz | Sat)))
    d.fail("expects .satfinite with 8-bit floating point, and only there");
  d.destination(to);
  d.source(Type::F32);
  d.source(Type::F32);
  d.inst.aux = uint32_t(element);
  d.inst.count = modes.rounding;
  d.inst.variant = modes.flags;
  bool plain = modes.rounding == 0 && modes.flags == 0;
  d.finish(Class::Convert, plain && to == Type::F16x2 ? narrowPair<floatToHalf>
                           : plain && to == Type::BF16x2
                               ? narrowPair<floatToBfloat>
                               : packGeneric);
}

/// cvt.rn.f16x2.{e4m3x2,e5m2x2} d, a
void decodeUnpack(Decoder &d, const Modes &modes) {
  Type from = d.expectType({Type::E4M3x2, Type::E5M2x2});
  d.require(89, 8, 1, "conversion from 8-bit floating point");
  if (modes.rounding != 0 || modes.integral || (modes.flags & ~Relu))
    d.fail("expects rounding mode .rn");
  d.destination(Type::F16x2);
  d.source(from);
  d.inst.aux = uint32_t(from == Type::E4M3x2 ? Type::E4M3 : Type::E5M2);
  d.inst.variant = modes.flags;
  d.finish(Class::Convert, unpackBytes);
}

Handler fastFloat(Type to, Type from) {
  if (from == Type::F32 && to == Type::F16)
    return narrow<floatToHalf>;
  if (from == Type::F32 && to == Type::BF16)
    return narrow<floatToBfloat>;
  if (from == Type::F16 && to == Type::F32)
    return widen<halfToFloat>;
  if (from == Type::BF16 && to == Type::F32)
    return widen<bfloatToFloat>;
  if (to == Type::F32 && from == Type::S32)
    return plainCast<float, int32_t>;
  if (to == Type::F32 && from == Type::U32)
    return plainCast<float, uint32_t>;
  return nullptr;
}

Handler fastInteger(Type to, Type from) {
  if (isFloat(to) || isFloat(from))
    return nullptr;
  unsigned wide = typeBits(to), narrow = typeBits(from);
  if (wide == 64 && from == Type::U32)
    return plainCast<uint64_t, uint32_t>;
  if (wide == 64 && from == Type::S32)
    return plainCast<int64_t, int32_t>;
  if (wide == 32 && narrow == 64)
    return plainCast<uint32_t, uint64_t>;
  if (wide == 32 && from == Type::U16)
    return plainCast<uint32_t, uint16_t>;
  if (wide == 32 && from == Type::S16)
    return plainCast<int32_t, int16_t>;
  if (wide == 16 && narrow == 32)
    return plainCast<uint16_t, uint32_t>;
  return nullptr;
}

Handler handlerFor(const Instruction &inst, Type to, Type from) {
  bool simple = inst.variant == 0 && Rounding(inst.count) == Rounding::Nearest;
  bool exact = inst.cell == typeBytes(to) && inst.width == typeBytes(from);
  Handler fast = simple && exact ? fastFloat(to, from) : nullptr;
  if (!fast && simple && exact)
    fast = fastInteger(to, from);
  return fast                           ? fast
         : isFloat(to) && isFloat(from) ? floatToFloat
         : isFloat(to)                  ? integerToFloat
         : isFloat(from)                ? floatToInteger
                                        : integerToInteger;
}

/// Which rounding modifiers a pair of types needs.
void checkRounding(Decoder &d, Type to, Type from, const Modes &modes) {
  bool hasMode = modes.rounding >= 0;
  bool toInteger = isFloat(from) && !isFloat(to);
  bool sameFloat = isFloat(from) && from == to;
  bool narrows =
      isFloat(to) && !sameFloat &&
      (!isFloat(from) || typeBits(from) > typeBits(to) || to == Type::TF32 ||
       (typeBits(from) == 16 && typeBits(to) == 16));
  if (toInteger && !modes.integral)
    d.fail("expects an integer rounding mode such as .rzi");
  if (modes.integral && !toInteger && !sameFloat)
    d.fail("expects no integer rounding mode");
  if (narrows && (!hasMode || modes.integral))
    d.fail("expects a rounding mode such as .rn");
  if (hasMode && !modes.integral && !narrows)
    d.fail("expects no rounding mode");
  bool small = to == Type::F16 || to == Type::BF16 || to == Type::TF32;
  if ((modes.flags & (Relu | Finite)) && !(small && from == Type::F32))
    d.fail("expects .relu and .satfinite only from .f32 to a smaller type");
  if (modes.rounding == 4 && to != Type::TF32)
    d.fail("expects .rna only with .tf32");
  if ((modes.flags & Ftz) && to != Type::F32 && from != Type::F32)
    d.fail("expects .ftz only with .f32");
}

void requireTypes(Decoder &d, Type to, Type from) {
  if (to == Type::BF16 || to == Type::TF32)
    d.require(80, 7, 0, "conversion to bf16 and tf32");
  bool rare = (from == Type::BF16 && to != Type::F32) ||
              (to == Type::BF16 && from != Type::F32);
  if (rare)
    d.require(90, 7, 8, "this conversion of bf16");
  else if (from == Type::BF16)
    d.require(80, 7, 1, "conversion from bf16");
}

Type scalarType(Decoder &d, bool isTarget) {
  if (isTarget && d.nextModifier() == "tf32")
    return d.anyType();
  return d.expectType({Type::U8, Type::U16, Type::U32, Type::U64, Type::S8,
                       Type::S16, Type::S32, Type::S64, Type::F16, Type::BF16,
                       Type::F32, Type::F64});
}

void decodeCvt(Decoder &d) {
  if (d.nextModifier() == "pack")
    return d.fail("cvt.pack is not supported");
  Modes modes = acceptModes(d);
  for (Type packed : {Type::F16x2, Type::BF16x2, Type::E4M3x2, Type::E5M2x2}) {
    if (!d.accept(typeName(packed)))
      continue;
    bool unpacks = packed == Type::F16x2 && d.nextModifier() != "f32";
    return unpacks ? decodeUnpack(d, modes) : decodePacked(d, packed, modes);
  }
  Type to = scalarType(d, true), from = scalarType(d, false);
  checkRounding(d, to, from, modes);
  requireTypes(d, to, from);
  // Only integers may be in wider registers.
  d.inst.cell = typeBytes(to);
  if (isFloat(to))
    d.destination(to);
  else
    d.inst.cell = d.wideDestination(to);
  d.inst.width = typeBytes(from);
  if (isFloat(from))
    d.source(from);
  else
    d.inst.width = d.wideSource(from);
  bool sameFloat = isFloat(to) && to == from;
  d.inst.aux = uint32_t(to) << 8 | uint32_t(from);
  d.inst.count = std::max(modes.rounding, 0);
  d.inst.variant = modes.flags | (sameFloat && modes.integral ? Integral : 0);
  d.finish(Class::Convert, handlerFor(d.inst, to, from));
}

} // namespace

void registerConvert(InstructionTable &table) {
  table.add("cvt", Domain::Any, decodeCvt);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- Integer.cpp - Integer arithmetic -----------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.1. Signed overflow wraps; the library is compiled with -fwrapv.
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include <algorithm>
#include <limits>
#include <type_traits>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

template <typename T> using Unsigned = std::make_unsigned_t<T>;

struct Add {
  template <typename T> static T apply(T a, T b) {
    return Unsigned<T>(a) + Unsigned<T>(b);
  }
};
struct Sub {
  template <typename T> static T apply(T a, T b) {
    return Unsigned<T>(a) - Unsigned<T>(b);
  }
};
struct AddSat {
  static int32_t apply(int32_t a, int32_t b) {
    return std::clamp<int64_t>(int64_t(a) + b, INT32_MIN, INT32_MAX);
  }
};
struct SubSat {
  static int32_t apply(int32_t a, int32_t b) {
    return std::clamp<int64_t>(int64_t(a) - b, INT32_MIN, INT32_MAX);
  }
};
struct Min {
  template <typename T> static T apply(T a, T b) { return a < b ? a : b; }
};
struct Max {
  template <typename T> static T apply(T a, T b) { return a > b ? a : b; }
};
struct MinRelu {
  static int32_t apply(int32_t a, int32_t b) {
    return std::max(std::min(a, b), 0);
  }
};
struct MaxRelu {
  static int32_t apply(int32_t a, int32_t b) {
    return std::max(std::max(a, b), 0);
  }
};
/// Division by zero yields all ones, and the dividend as remainder, as the
/// hardware's expansion does; the ISA leaves it unspecified.
struct Div {
  template <typename T> static T apply(T a, T b) {
    if (b == 0)
      return T(-1);
    if (std::is_signed_v<T> && b == T(-1))
      return Unsigned<T>(0) - Unsigned<T>(a);
    return a / b;
  }
};
struct Rem {
  template <typename T> static T apply(T a, T b) {
    if (b == 0)
      return a;
    if (std::is_signed_v<T> && b == T(-1))
      return 0;
    return a % b;
  }
};
struct Abs {
  template <typename T> static T apply(T a) {
    return a < 0 ? T(Unsigned<T>(0) - Unsigned<T>(a)) : a;
  }
};
struct Neg {
  template <typename T> static T apply(T a) {
    return Unsigned<T>(0) - Unsigned<T>(a);
  }
};
struct Sad {
  template <typename T> static T apply(T a, T b, T c) {
    Unsigned<T> difference = a < b ? Unsigned<T>(b) - Unsigned<T>(a)
                                   : Unsigned<T>(a) - Unsigned<T>(b);
    return Unsigned<T>(c) + difference;
  }
};
/// Both halves of a word at once.
template <typename T, typename F> struct Halves {
  static uint32_t apply(uint32_t a, uint32_t b) {
    uint16_t low = F::template apply<T>(T(a), T(b));
    uint16_t high = F::template apply<T>(T(a >> 16), T(b >> 16));
    return low | uint32_t(high) << 16;
  }
};

template <typename T, typename F> Handler binaryOf() {
  return binaryHandler<T, T, T, F>;
}

/// The handler of F for an integer type.
template <typename F> Handler binaryFor(Type type) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return binaryOf<uint16_t, F>();
  case Type::U32:
  case Type::B32:
    return binaryOf<uint32_t, F>();
  case Type::U64:
  case Type::B64:
    return binaryOf<uint64_t, F>();
  case Type::S16:
    return binaryOf<int16_t, F>();
  case Type::S32:
    return binaryOf<int32_t, F>();
  case Type::S64:
    return binaryOf<int64_t, F>();
  case Type::U16x2:
    return binaryOf<uint32_t, Halves<uint16_t, F>>();
  case Type::S16x2:
    return binaryOf<uint32_t, Halves<int16_t, F>>();
  default:
    return nullptr;
  }
}

template <typename F> Handler signedUnaryFor(Type type) {
  switch (type) {
  case Type::S16:
    return unaryHandler<int16_t, int16_t, F>;
  case Type::S32:
    return unaryHandler<int32_t, int32_t, F>;
  default:
    return unaryHandler<int64_t, int64_t, F>;
  }
}

Type integerType(Decoder &d) {
  return d.expectType(
      {Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64});
}

Type integerOrPackedType(Decoder &d) {
  Type type = d.expectType({Type::U16, Type::U32, Type::U64, Type::S16,
                            Type::S32, Type::S64, Type::U16x2, Type::S16x2});
  if (type == Type::U16x2 || type == Type::S16x2)
    d.require(90, 8, 0, "packed 16-bit integer arithmetic");
  return type;
}

void binaryOperands(Decoder &d, Type type, Handler handler) {
  d.destination(type);
  d.source(type);
  d.source(type);
  d.finish(Class::Integer, handler);
}

//===----------------------------------------------------------------------===//
// Carry chains (PTX ISA 9.7.2); the carry is one bit of each lane
//===----------------------------------------------------------------------===//

/// d = a + b (+ carry), or a - b (- borrow) as a + ~b + !borrow.
template <typename T, bool Subtract>
void carryHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  bool usesCarry = inst.variant & 1, setsCarry = inst.variant & 2;
  uint32_t in = usesCarry ? warp.carry : 0, out = 0;
  T result[WarpSize];
  for (unsigned l = 0; l < WarpSize; ++l) {
    T c = in >> l & 1, x = a[l], y = b[l];
    T partial = Subtract ? x - y : x + y;
    result[l] = Subtract ? partial - c : partial + c;
    bool overflow = Subtract ? (x < y || partial < c)
                             : (partial < x || result[l] < partial);
    out |= uint32_t(overflow) << l;
  }
  if (setsCarry)
    warp.carry = (warp.carry & ~warp.active) | (out & warp.active);
  writeLanes<T>(warp, inst.op[0], [&](unsigned l) { return result[l]; });
}

template <bool Subtract> void decodeCarry(Decoder &d, bool usesCarry) {
  bool setsCarry = d.accept("cc");
  Type type = d.expectType(
      {Type::U32, Type::S32, Type::B32, Type::U64, Type::S64, Type::B64});
  d.inst.variant = usesCarry | setsCarry << 1;
  binaryOperands(d, type,
                 typeBits(type) == 32 ? carryHandler<uint32_t, Subtract>
                                      : carryHandler<uint64_t, Subtract>);
}

void decodeAddc(Decoder &d) { decodeCarry<false>(d, true); }
void decodeSubc(Decoder &d) { decodeCarry<true>(d, true); }

void decodeAdd(Decoder &d) {
  if (d.nextModifier() == "cc")
    return decodeCarry<false>(d, false);
  if (d.accept("sat"))
    return binaryOperands(d, d.expectType({Type::S32}),
                          binaryOf<int32_t, AddSat>());
  Type type = integerOrPackedType(d);
  binaryOperands(d, type, binaryFor<Add>(type));
}

void decodeSub(Decoder &d) {
  if (d.nextModifier() == "cc")
    return decodeCarry<true>(d, false);
  if (d.accept("sat"))
    return binaryOperands(d, d.expectType({Type::S32}),
                          binaryOf<int32_t, SubSat>());
  Type type = integerType(d);
  binaryOperands(d, type, binaryFor<Sub>(type));
}

template <typename F, typename Relu> void decodeMinMax(Decoder &d) {
  if (d.accept("relu")) {
    d.require(90, 8, 0, ".relu of an integer");
    return binaryOperands(d, d.expectType({Type::S32}),
                          binaryOf<int32_t, Relu>());
  }
  Type type = integerOrPackedType(d);
  binaryOperands(d, type, binaryFor<F>(type));
}

template <typename F> void decodeDivRem(Decoder &d) {
  Type type = integerType(d);
  binaryOperands(d, type, binaryFor<F>(type));
}

template <typename F> void decodeSignedUnary(Decoder &d) {
  Type type = d.expectType({Type::S16, Type::S32, Type::S64});
  d.destination(type);
  d.source(type);
  d.finish(Class::Integer, signedUnaryFor<F>(type));
}

template <typename T> Handler sadOf() {
  return ternaryHandler<T, T, T, T, Sad>;
}

void decodeSad(Decoder &d) {
  Type type = integerType(d);
  d.destination(type);
  for (unsigned i = 0; i < 3; ++i)
    d.source(type);
  Handler handler = type == Type::U16   ? sadOf<uint16_t>()
                    : type == Type::U32 ? sadOf<uint32_t>()
                    : type == Type::U64 ? sadOf<uint64_t>()
                    : type == Type::S16 ? sadOf<int16_t>()
                    : type == Type::S32 ? sadOf<int32_t>()
                                        : sadOf<int64_t>();
  d.finish(Class::Integer, handler);
}

} // namespace

void registerInteger(InstructionTable &table) {
  table.add("add", Domain::Integer, decodeAdd);
  table.add("sub", Domain::Integer, decodeSub);
  table.add("addc", Domain::Integer, decodeAddc);
  table.add("subc", Domain::Integer, decodeSubc);
  table.add("min", Domain::Integer, decodeMinMax<Min, MinRelu>);
  table.add("max", Domain::Integer, decodeMinMax<Max, MaxRelu>);
  table.add("div", Domain::Integer, decodeDivRem<Div>);
  table.add("rem", Domain::Integer, decodeDivRem<Rem>);
  table.add("abs", Domain::Integer, decodeSignedUnary<Abs>);
  table.add("neg", Domain::Integer, decodeSignedUnary<Neg>);
  table.add("sad", Domain::Integer, decodeSad);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- IntegerWide.cpp - Integer products ---------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mul, mad, madc, mul24, mad24, dp4a and dp2a (PTX ISA 9.7.1, 9.7.2).
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include <algorithm>
#include <type_traits>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

enum class Part { Low, High, Wide };

template <typename T> struct WideOf;
template <> struct WideOf<uint16_t> {
  using type = uint32_t;
};
template <> struct WideOf<int16_t> {
  using type = int32_t;
};
template <> struct WideOf<uint32_t> {
  using type = uint64_t;
};
template <> struct WideOf<int32_t> {
  using type = int64_t;
};
template <> struct WideOf<uint64_t> {
  using type = unsigned __int128;
};
template <> struct WideOf<int64_t> {
  using type = __int128;
};

/// The type of the result of a product of Ts.
template <typename T, Part P>
using ResultOf =
    std::conditional_t<P == Part::Wide, typename WideOf<T>::type, T>;

template <typename T, Part P> ResultOf<T, P> multiply(T a, T b) {
  using Wide = typename WideOf<T>::type;
  if constexpr (P == Part::Low)
    return std::make_unsigned_t<T>(a) * uint64_t(std::make_unsigned_t<T>(b));
  Wide product = Wide(a) * Wide(b);
  if constexpr (P == Part::High)
    return product >> (8 * sizeof(T));
  return product;
}

template <typename T, Part P> struct Mul {
  static ResultOf<T, P> apply(T a, T b) { return multiply<T, P>(a, b); }
};
template <typename T, Part P> struct Mad {
  using R = ResultOf<T, P>;
  static R apply(T a, T b, R c) {
    using U = std::make_unsigned_t<R>;
    return U(multiply<T, P>(a, b)) + U(c);
  }
};

template <typename T, Part P> Handler productOf(bool adds) {
  using R = ResultOf<T, P>;
  return adds ? ternaryHandler<R, T, T, R, Mad<T, P>>
              : binaryHandler<R, T, T, Mul<T, P>>;
}

template <typename T> Handler productOf(Part part, bool adds) {
  if (part == Part::Low)
    return productOf<T, Part::Low>(adds);
  if (part == Part::High)
    return productOf<T, Part::High>(adds);
  if constexpr (sizeof(T) < 8)
    return productOf<T, Part::Wide>(adds);
  return nullptr;
}

Handler productFor(Type type, Part part, bool adds) {
  switch (type) {
  case Type::U16:
    return productOf<uint16_t>(part, adds);
  case Type::S16:
    return productOf<int16_t>(part, adds);
  case Type::U32:
    return productOf<uint32_t>(part, adds);
  case Type::S32:
    return productOf<int32_t>(part, adds);
  case Type::U64:
    return productOf<uint64_t>(part, adds);
  default:
    return productOf<int64_t>(part, adds);
  }
}

Type doubled(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  default:
    return Type::S64;
  }
}

struct MadSat {
  static int32_t apply(int32_t a, int32_t b, int32_t c) {
    int64_t high = int64_t(a) * b >> 32;
    return std::clamp<int64_t>(high + c, INT32_MIN, INT32_MAX);
  }
};

/// mad.cc and madc: the product's part plus c plus the carry.
template <typename T> void madCarry(Warp &warp, const Instruction &inst) {
  using U = std::make_unsigned_t<T>;
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  const U *c = warp.row<U>(inst.op[3]);
  bool usesCarry = inst.variant & 1, setsCarry = inst.variant & 2;
  bool high = inst.variant & 4;
  U result[WarpSize];
  uint32_t out = 0;
  for (unsigned l = 0; l < WarpSize; ++l) {
    U product = high ? multiply<T, Part::High>(a[l], b[l])
                     : multiply<T, Part::Low>(a[l], b[l]);
    U in = usesCarry ? warp.carry >> l & 1 : 0;
    U partial = product + c[l];
    result[l] = partial + in;
    out |= uint32_t(partial < product || result[l] < partial) << l;
  }
  if (setsCarry)
    warp.carry = (warp.carry & ~warp.active) | (out & warp.active);
  writeLanes<U>(warp, inst.op[0], [&](unsigned l) { return result[l]; });
}

void decodeMadCarry(Decoder &d, Part part, bool usesCarry) {
  bool setsCarry = d.accept("cc");
  if (part == Part::Wide)
    d.fail("expects .lo or .hi with a carry");
  Type type = d.expectType({Type::U32, Type::S32, Type::U64, Type::S64});
  d.destination(type);
  for (unsigned i = 0; i < 3; ++i)
    d.source(type);
  d.inst.variant = usesCarry | setsCarry << 1 | (part == Part::High) << 2;
  Handler handler = type == Type::U32   ? madCarry<uint32_t>
                    : type == Type::S32 ? madCarry<int32_t>
                    : type == Type::U64 ? madCarry<uint64_t>
                                        : madCarry<int64_t>;
  d.finish(Class::Integer, handler);
}

void decodeProduct(Decoder &d, bool adds) {
  Part part = Part(d.expectAny({"lo", "hi", "wide"}));
  if (adds && d.nextModifier() == "cc")
    return decodeMadCarry(d, part, false);
  bool saturates = adds && part == Part::High && d.accept("sat");
  Type type = saturates ? d.expectType({Type::S32})
                        : d.expectType({Type::U16, Type::U32, Type::U64,
                                        Type::S16, Type::S32, Type::S64});
  Handler handler =
      saturates ? ternaryHandler<int32_t, int32_t, int32_t, int32_t, MadSat>
                : productFor(type, part, adds);
  if (!handler)
    return d.fail("expects .wide only with 16-bit and 32-bit types");
  Type result = part == Part::Wide ? doubled(type) : type;
  d.destination(result);
  d.source(type);
  d.source(type);
  if (adds)
    d.source(result);
  d.finish(Class::Integer, handler);
}

void decodeMul(Decoder &d) { decodeProduct(d, false); }
void decodeMad(Decoder &d) { decodeProduct(d, true); }
void decodeMadc(Decoder &d) {
  Part part = Part(d.expectAny({"lo", "hi", "wide"}));
  decodeMadCarry(d, part, true);
}

/// The 48-bit product of the low 24 bits, sign- or zero-extended.
template <typename T, bool High> struct Mul24 {
  static T extend(T value) {
    return T(std::make_unsigned_t<T>(value) << 8) >> 8;
  }
  static T apply(T a, T b) {
    auto product = typename WideOf<T>::type(extend(a)) * extend(b);
    return High ? product >> 16 : product;
  }
};
template <typename T, bool High> struct Mad24 {
  static T apply(T a, T b, T c) {
    return std::make_unsigned_t<T>(Mul24<T, High>::apply(a, b)) +
           std::make_unsigned_t<T>(c);
  }
};

template <typename T> Handler product24(bool high, bool adds) {
  if (adds)
    return high ? ternaryHandler<T, T, T, T, Mad24<T, true>>
                : ternaryHandler<T, T, T, T, Mad24<T, false>>;
  return high ? binaryHandler<T, T, T, Mul24<T, true>>
              : binaryHandler<T, T, T, Mul24<T, false>>;
}

template <bool Adds> void decode24(Decoder &d) {
  bool high = d.expectAny({"lo", "hi"}) == 1;
  Type type = d.expectType({Type::U32, Type::S32});
  d.destination(type);
  for (unsigned i = 0; i < 2 + Adds; ++i)
    d.source(type);
  d.finish(Class::Integer, type == Type::U32 ? product24<uint32_t>(high, Adds)
                                             : product24<int32_t>(high, Adds));
}

/// dp4a and dp2a: signedness of a in variant bit 0, of b in bit 1, the high
/// half of b in bit 2, two-way in bit 3.
void dotHandler(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[1]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[2]);
  const uint32_t *c = warp.row<uint32_t>(inst.op[3]);
  bool aSigned = inst.variant & 1, bSigned = inst.variant & 2;
  unsigned first = inst.variant & 4 ? 16 : 0;
  bool two = inst.variant & 8;
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned l) {
    uint32_t sum = c[l];
    for (unsigned i = 0; i < (two ? 2 : 4); ++i) {
      uint32_t x = two ? a[l] >> (16 * i) & 0xffff : a[l] >> (8 * i) & 0xff;
      uint32_t y = b[l] >> (first + 8 * i) & 0xff;
      if (aSigned)
        x = two ? int32_t(int16_t(x)) : int32_t(int8_t(x));
      if (bSigned)
        y = int32_t(int8_t(y));
      sum += x * y;
    }
    return sum;
  });
}

template <bool Two> void decodeDot(Decoder &d) {
  bool high = Two && d.expectAny({"lo", "hi"}) == 1;
  Type a = d.expectType({Type::U32, Type::S32});
  Type b = d.expectType({Type::U32, Type::S32});
  for (unsigned i = 0; i < 4; ++i)
    i ? d.source(Type::B32) : d.destination(Type::B32);
  d.inst.variant =
      (a == Type::S32) | (b == Type::S32) << 1 | high << 2 | Two << 3;
  d.finish(Class::Integer, dotHandler);
}

} // namespace

void registerIntegerWide(InstructionTable &table) {
  table.add("mul", Domain::Integer, decodeMul);
  table.add("mad", Domain::Integer, decodeMad);
  table.add("madc", Domain::Integer, decodeMadc);
  table.add("mul24", Domain::Integer, decode24<false>);
  table.add("mad24", Domain::Integer, decode24<true>);
  table.add("dp4a", Domain::Integer, decodeDot<false>);
  table.add("dp2a", Domain::Integer, decodeDot<true>);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

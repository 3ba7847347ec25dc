//===- Bits.cpp - Logic, shifts and bit fields ----------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.7, 9.7.8 and the bit instructions of 9.7.1.
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include <algorithm>
#include <type_traits>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct And {
  template <typename T> static T apply(T a, T b) { return a & b; }
};
struct Or {
  template <typename T> static T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <typename T> static T apply(T a, T b) { return a ^ b; }
};
struct Not {
  template <typename T> static T apply(T a) { return ~a; }
};
struct LogicalNot {
  template <typename T> static T apply(T a) { return a == 0; }
};
/// Shift amounts are clamped to the width.
struct ShiftLeft {
  template <typename T> static T apply(T a, uint32_t b) {
    return b < 8 * sizeof(T) ? T(a << b) : T(0);
  }
};
struct ShiftRight {
  template <typename T> static T apply(T a, uint32_t b) {
    constexpr uint32_t Last = 8 * sizeof(T) - 1;
    if (std::is_signed_v<T>)
      return a >> std::min(b, Last);
    return b <= Last ? T(a >> b) : T(0);
  }
};

template <typename F> void predicateLogic(Warp &warp, const Instruction &inst) {
  uint32_t a = warp.predicate(inst.op[1]) ^ uint32_t(inst.offset);
  uint32_t b = warp.predicate(inst.op[2]) ^ inst.aux;
  writePredicate(warp, inst.op[0], F::apply(a, b));
}

void predicateNot(Warp &warp, const Instruction &inst) {
  writePredicate(warp, inst.op[0],
                 ~(warp.predicate(inst.op[1]) ^ uint32_t(inst.offset)));
}

template <typename F> void decodeLogic(Decoder &d) {
  Type type = d.expectType({Type::Pred, Type::B16, Type::B32, Type::B64});
  d.destination(type);
  if (type == Type::Pred) {
    d.inst.offset = d.predicateSource();
    d.inst.aux = d.predicateSource();
    return d.finish(Class::Integer, predicateLogic<F>);
  }
  d.source(type);
  d.source(type);
  d.finish(Class::Integer,
           type == Type::B16 ? binaryHandler<uint16_t, uint16_t, uint16_t, F>
           : type == Type::B32
               ? binaryHandler<uint32_t, uint32_t, uint32_t, F>
               : binaryHandler<uint64_t, uint64_t, uint64_t, F>);
}

template <typename F> void decodeNot(Decoder &d) {
  bool allowsPredicate = std::is_same_v<F, Not>;
  Type type = d.nextModifier() == "pred" && allowsPredicate
                  ? d.anyType()
                  : d.expectType({Type::B16, Type::B32, Type::B64});
  d.destination(type);
  if (type == Type::Pred) {
    d.inst.offset = d.predicateSource();
    return d.finish(Class::Integer, predicateNot);
  }
  d.source(type);
  d.finish(Class::Integer,
           type == Type::B16   ? unaryHandler<uint16_t, uint16_t, F>
           : type == Type::B32 ? unaryHandler<uint32_t, uint32_t, F>
                               : unaryHandler<uint64_t, uint64_t, F>);
}

template <typename F, typename T> Handler shiftOf() {
  return binaryHandler<T, T, uint32_t, F>;
}

void decodeShl(Decoder &d) {
  Type type = d.expectType({Type::B16, Type::B32, Type::B64});
  d.destination(type);
  d.source(type);
  d.source(Type::U32);
  d.finish(Class::Integer, type == Type::B16 ? shiftOf<ShiftLeft, uint16_t>()
                           : type == Type::B32
                               ? shiftOf<ShiftLeft, uint32_t>()
                               : shiftOf<ShiftLeft, uint64_t>());
}

void decodeShr(Decoder &d) {
  Type type =
      d.expectType({Type::B16, Type::B32, Type::B64, Type::U16, Type::U32,
                    Type::U64, Type::S16, Type::S32, Type::S64});
  d.destination(type);
  d.source(type);
  d.source(Type::U32);
  bool isArithmetic = isSigned(type);
  Handler handler =
      typeBits(type) == 16   ? (isArithmetic ? shiftOf<ShiftRight, int16_t>()
                                             : shiftOf<ShiftRight, uint16_t>())
      : typeBits(type) == 32 ? (isArithmetic ? shiftOf<ShiftRight, int32_t>()
                                             : shiftOf<ShiftRight, uint32_t>())
                             : (isArithmetic ? shiftOf<ShiftRight, int64_t>()
                                             : shiftOf<ShiftRight, uint64_t>());
  d.finish(Class::Integer, handler);
}

/// shf: the funnel [b:a] shifted; variant bit 0 right, bit 1 wrap.
template <bool Right, bool Wrap> struct Funnel {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    uint64_t both = uint64_t(b) << 32 | a;
    uint32_t n = Wrap ? c & 31 : std::min(c, 32u);
    return Right ? both >> n : (both << n) >> 32;
  }
};

void decodeShf(Decoder &d) {
  bool right = d.expectAny({"l", "r"}) == 1;
  bool wrap = d.expectAny({"clamp", "wrap"}) == 1;
  d.expectType({Type::B32});
  d.destination(Type::B32);
  for (unsigned i = 0; i < 3; ++i)
    d.source(Type::B32);
  using U = uint32_t;
  Handler handler = right ? (wrap ? ternaryHandler<U, U, U, U, Funnel<1, 1>>
                                  : ternaryHandler<U, U, U, U, Funnel<1, 0>>)
                          : (wrap ? ternaryHandler<U, U, U, U, Funnel<0, 1>>
                                  : ternaryHandler<U, U, U, U, Funnel<0, 0>>);
  d.finish(Class::Integer, handler);
}

/// lop3: bit i of the table is the result for a, b, c = bits 2, 1, 0 of i.
void lop3Handler(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[1]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[2]);
  const uint32_t *c = warp.row<uint32_t>(inst.op[3]);
  uint32_t term[8];
  for (unsigned i = 0; i < 8; ++i)
    term[i] = inst.aux >> i & 1 ? AllLanes : 0;
  writeLanes<uint32_t>(warp, inst.op[0], [&](unsigned l) {
    uint32_t x = a[l], y = b[l], z = c[l], result = 0;
    for (unsigned i = 0; i < 8; ++i)
      result |=
          (i & 4 ? x : ~x) & (i & 2 ? y : ~y) & (i & 1 ? z : ~z) & term[i];
    return result;
  });
}

void decodeLop3(Decoder &d) {
  if (d.nextModifier() == "or" || d.nextModifier() == "and")
    return d.fail("lop3 with a predicate result is not supported");
  d.expectType({Type::B32});
  d.destination(Type::B32);
  for (unsigned i = 0; i < 3; ++i)
    d.source(Type::B32);
  d.inst.aux = d.immediate(0, 255, "a lookup table");
  d.finish(Class::Integer, lop3Handler);
}

/// prmt: the low three bits of a selector choose a byte of [b:a], bit 3 copies
/// its sign over the byte.
uint32_t permute(uint32_t a, uint32_t b, uint32_t selectors) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t selector = selectors >> (4 * i) & 15;
    uint32_t byte = bytes >> (8 * (selector & 7)) & 0xff;
    if (selector & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}

/// The selectors of a mode for each value of the control's low two bits
/// (PTX ISA 9.7.9.7, tables of prmt).
constexpr uint32_t PermuteModes[6][4] = {
    {0x3210, 0x4321, 0x5432, 0x6543}, // f4e
    {0x5670, 0x6701, 0x7012, 0x0123}, // b4e
    {0x0000, 0x1111, 0x2222, 0x3333}, // rc8
    {0x3210, 0x3211, 0x3222, 0x3333}, // ecl
    {0x0000, 0x1110, 0x2210, 0x3210}, // ecr
    {0x1010, 0x3232, 0x1010, 0x3232}, // rc16
};

void permuteHandler(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[1]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[2]);
  const uint32_t *c = warp.row<uint32_t>(inst.op[3]);
  unsigned mode = inst.variant;
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned l) {
    uint32_t selectors = mode ? PermuteModes[mode - 1][c[l] & 3] : c[l];
    return permute(a[l], b[l], selectors);
  });
}

void decodePrmt(Decoder &d) {
  d.expectType({Type::B32});
  d.inst.variant = 1 + d.acceptAny({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
  d.destination(Type::B32);
  for (unsigned i = 0; i < 3; ++i)
    d.source(Type::B32);
  d.finish(Class::Integer, permuteHandler);
}

template <typename T> struct ExtractField {
  static T apply(T a, uint32_t position, uint32_t length) {
    constexpr unsigned Bits = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    if (length == 0)
      return 0;
    using U = std::make_unsigned_t<T>;
    // Bits beyond the word repeat the sign of a signed value.
    U sign = std::is_signed_v<T>
                 ? U(a) >> std::min(position + length - 1, Bits - 1) & 1
                 : 0;
    U field = position < Bits ? U(a) >> position : 0;
    unsigned kept = position < Bits ? std::min(length, Bits - position) : 0;
    U mask = kept >= Bits ? ~U(0) : (U(1) << kept) - 1;
    return (field & mask) | (sign ? ~mask : U(0));
  }
};

template <typename T> Handler extractOf() {
  return ternaryHandler<T, T, uint32_t, uint32_t, ExtractField<T>>;
}

void decodeBfe(Decoder &d) {
  Type type = d.expectType({Type::U32, Type::U64, Type::S32, Type::S64});
  d.destination(type);
  d.source(type);
  d.source(Type::U32);
  d.source(Type::U32);
  d.finish(Class::Integer, type == Type::U32   ? extractOf<uint32_t>()
                           : type == Type::U64 ? extractOf<uint64_t>()
                           : type == Type::S32 ? extractOf<int32_t>()
                                               : extractOf<int64_t>());
}

template <typename T> void insertHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  const uint32_t *c = warp.row<uint32_t>(inst.op[3]);
  const uint32_t *n = warp.row<uint32_t>(inst.op[4]);
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    constexpr unsigned Bits = 8 * sizeof(T);
    unsigned position = c[l] & 0xff, length = n[l] & 0xff;
    if (position >= Bits || length == 0)
      return b[l];
    T mask = (length >= Bits ? ~T(0) : (T(1) << length) - 1) << position;
    return T((b[l] & ~mask) | (a[l] << position & mask));
  });
}

void decodeBfi(Decoder &d) {
  Type type = d.expectType({Type::B32, Type::B64});
  d.destination(type);
  d.source(type);
  d.source(type);
  d.source(Type::U32);
  d.source(Type::U32);
  d.finish(Class::Integer, type == Type::B32 ? insertHandler<uint32_t>
                                             : insertHandler<uint64_t>);
}

/// The most significant bit that differs from the sign, or the shift that
/// would bring it to the top; all ones if there is none.
template <typename T, bool Amount> struct FindBit {
  static uint32_t apply(T a) {
    using U = std::make_unsigned_t<T>;
    U bits = std::is_signed_v<T> && a < 0 ? ~U(a) : U(a);
    if (!bits)
      return AllLanes;
    uint32_t position = 63 - __builtin_clzll(bits);
    return Amount ? 8 * sizeof(T) - 1 - position : position;
  }
};

template <typename T> Handler findOf(bool amount) {
  return amount ? unaryHandler<uint32_t, T, FindBit<T, true>>
                : unaryHandler<uint32_t, T, FindBit<T, false>>;
}

void decodeBfind(Decoder &d) {
  bool amount = d.accept("shiftamt");
  Type type = d.expectType({Type::U32, Type::U64, Type::S32, Type::S64});
  d.destination(Type::U32);
  d.source(type);
  d.finish(Class::Integer, type == Type::U32   ? findOf<uint32_t>(amount)
                           : type == Type::U64 ? findOf<uint64_t>(amount)
                           : type == Type::S32 ? findOf<int32_t>(amount)
                                               : findOf<int64_t>(amount));
}

struct Reverse {
  template <typename T> static T apply(T a) {
    T result = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i)
      result |= (a >> i & 1) << (8 * sizeof(T) - 1 - i);
    return result;
  }
};
struct CountLeading {
  template <typename T> static uint32_t apply(T a) {
    return a ? __builtin_clzll(a) - (64 - 8 * sizeof(T)) : 8 * sizeof(T);
  }
};
struct CountOnes {
  template <typename T> static uint32_t apply(T a) {
    return __builtin_popcountll(a);
  }
};

template <typename F, bool Counts> void decodeBitUnary(Decoder &d) {
  Type type = d.expectType({Type::B32, Type::B64});
  d.destination(Counts ? Type::U32 : type);
  d.source(type);
  bool narrow = type == Type::B32;
  if constexpr (Counts)
    d.finish(Class::Integer, narrow ? unaryHandler<uint32_t, uint32_t, F>
                                    : unaryHandler<uint32_t, uint64_t, F>);
  else
    d.finish(Class::Integer, narrow ? unaryHandler<uint32_t, uint32_t, F>
                                    : unaryHandler<uint64_t, uint64_t, F>);
}

/// fns: the position of the n-th set bit from `base` upwards (n > 0) or
/// downwards (n < 0); base itself if set for n = 0.
struct FindNth {
  static uint32_t apply(uint32_t mask, uint32_t base, int32_t n) {
    base &= 31;
    if (n == 0)
      return mask >> base & 1 ? base : AllLanes;
    int step = n > 0 ? 1 : -1, left = std::abs(n);
    for (int bit = base; bit >= 0 && bit < 32; bit += step)
      if (mask >> bit & 1 && --left == 0)
        return bit;
    return AllLanes;
  }
};

void decodeFns(Decoder &d) {
  d.expectType({Type::B32});
  d.destination(Type::B32);
  for (unsigned i = 0; i < 3; ++i)
    d.source(Type::B32);
  d.finish(Class::Integer,
           ternaryHandler<uint32_t, uint32_t, uint32_t, int32_t, FindNth>);
}

struct MaskClamp {
  static uint32_t apply(uint32_t a, uint32_t b) {
    if (a > 31)
      return 0;
    uint64_t ones = b > 31 ? AllLanes : (uint64_t(1) << b) - 1;
    return ones << a;
  }
};
struct MaskWrap {
  static uint32_t apply(uint32_t a, uint32_t b) {
    return MaskClamp::apply(a & 31, b & 31);
  }
};

void decodeBmsk(Decoder &d) {
  bool wrap = d.expectAny({"clamp", "wrap"}) == 1;
  d.require(70, 7, 6, "bmsk");
  d.expectType({Type::B32});
  d.destination(Type::B32);
  d.source(Type::B32);
  d.source(Type::B32);
  using U = uint32_t;
  d.finish(Class::Integer, wrap ? binaryHandler<U, U, U, MaskWrap>
                                : binaryHandler<U, U, U, MaskClamp>);
}

/// szext: keeps the low b bits and extends them.
template <typename T, bool Wrap> struct Extend {
  static T apply(T a, uint32_t b) {
    uint32_t bits = Wrap ? b & 31 : std::min(b, 32u);
    if (bits == 32)
      return a;
    if (bits == 0)
      return 0;
    return T(uint32_t(a) << (32 - bits)) >> (32 - bits);
  }
};

void decodeSzext(Decoder &d) {
  bool wrap = d.expectAny({"clamp", "wrap"}) == 1;
  d.require(70, 7, 6, "szext");
  Type type = d.expectType({Type::U32, Type::S32});
  d.destination(type);
  d.source(type);
  d.source(Type::U32);
  using U = uint32_t;
  using S = int32_t;
  Handler handler = type == Type::U32
                        ? (wrap ? binaryHandler<U, U, U, Extend<U, true>>
                                : binaryHandler<U, U, U, Extend<U, false>>)
                        : (wrap ? binaryHandler<S, S, U, Extend<S, true>>
                                : binaryHandler<S, S, U, Extend<S, false>>);
  d.finish(Class::Integer, handler);
}

} // namespace

void registerBits(InstructionTable &table) {
  table.add("and", Domain::Any, decodeLogic<And>);
  table.add("or", Domain::Any, decodeLogic<Or>);
  table.add("xor", Domain::Any, decodeLogic<Xor>);
  table.add("not", Domain::Any, decodeNot<Not>);
  table.add("cnot", Domain::Any, decodeNot<LogicalNot>);
  table.add("shl", Domain::Any, decodeShl);
  table.add("shr", Domain::Any, decodeShr);
  table.add("shf", Domain::Any, decodeShf);
  table.add("lop3", Domain::Any, decodeLop3);
  table.add("prmt", Domain::Any, decodePrmt);
  table.add("bfe", Domain::Any, decodeBfe);
  table.add("bfi", Domain::Any, decodeBfi);
  table.add("bfind", Domain::Any, decodeBfind);
  table.add("brev", Domain::Any, decodeBitUnary<Reverse, false>);
  table.add("clz", Domain::Any, decodeBitUnary<CountLeading, true>);
  table.add("popc", Domain::Any, decodeBitUnary<CountOnes, true>);
  table.add("fns", Domain::Any, decodeFns);
  table.add("bmsk", Domain::Any, decodeBmsk);
  table.add("szext", Domain::Any, decodeSzext);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

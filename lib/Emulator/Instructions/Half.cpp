//===- Half.cpp - Arithmetic in f16 and bf16, single and packed -----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.4. A row of packed pairs is a row of twice as many elements. Sums
// and products of two elements are exact enough in single precision for one
// more rounding to be correct; fma rounds to odd on the way.
//
//===----------------------------------------------------------------------===//

#include "../SmallFloat.h"
#include "Families.h"
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct HalfType {
  static constexpr uint16_t One = 0x3c00, SmallestNormal = 0x0400;
  static float widen(uint16_t bits) { return halfToFloat(bits); }
  static uint16_t narrow(float value) { return floatToHalf(value); }
};
struct BfloatType {
  static constexpr uint16_t One = 0x3f80, SmallestNormal = 0x0080;
  static float widen(uint16_t bits) { return bfloatToFloat(bits); }
  static uint16_t narrow(float value) { return floatToBfloat(value); }
};

enum Flag : uint8_t { Ftz = 1, Sat = 2, Relu = 4, Propagate = 8, XorSign = 16 };

template <typename H> uint16_t flushBits(uint16_t bits) {
  return (bits & 0x7fff) < H::SmallestNormal ? bits & 0x8000 : bits;
}

/// .sat clamps to [0, 1] with NaN to 0; .relu clamps to 0 and keeps NaN.
template <typename H> uint16_t finish(uint16_t bits, uint8_t flags) {
  if (flags & Ftz)
    bits = flushBits<H>(bits);
  if (flags & Sat) {
    float value = H::widen(bits);
    bits = value > 0 ? (value < 1 ? bits : H::One) : 0;
  }
  if ((flags & Relu) && (bits & 0x8000))
    bits = 0;
  return bits;
}

/// Writes compute(element) for the elements of active lanes.
template <unsigned N, typename F>
void writeElements(Warp &warp, uint32_t offset, F compute) {
  using Cell = std::conditional_t<N == 1, uint16_t, uint32_t>;
  alignas(64) uint16_t results[WarpSize * N];
  for (unsigned e = 0; e < WarpSize * N; ++e)
    results[e] = compute(e);
  const Cell *cells = reinterpret_cast<const Cell *>(results);
  writeLanes<Cell>(warp, offset, [=](unsigned l) { return cells[l]; });
}

struct Add {
  static float apply(float a, float b) { return a + b; }
};
struct Sub {
  static float apply(float a, float b) { return a - b; }
};
struct Mul {
  static float apply(float a, float b) { return a * b; }
};

template <typename H, unsigned N, typename F>
void arithmeticHandler(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  const uint16_t *b = warp.row<uint16_t>(inst.op[2]);
  uint8_t flags = inst.variant;
  writeElements<N>(warp, inst.op[0], [=](unsigned e) {
    uint16_t x = flags & Ftz ? flushBits<H>(a[e]) : a[e];
    uint16_t y = flags & Ftz ? flushBits<H>(b[e]) : b[e];
    return finish<H>(H::narrow(F::apply(H::widen(x), H::widen(y))), flags);
  });
}

/// The sum in double precision, rounded to odd: the last bit is set if
/// anything was lost, so that a later rounding cannot be misled.
double sumToOdd(double a, double b) {
  double sum = a + b;
  double part = sum - a;
  double lost = (a - (sum - part)) + (b - part);
  uint64_t bits = bitsOf(sum);
  bool finite = (bits >> 52 & 0x7ff) != 0x7ff;
  if (finite && lost != 0 && !(bits & 1))
    bits += (lost > 0) != (sum < 0) ? 1 : -1;
  return doubleOf(bits);
}

float narrowToOdd(double value) {
  float result = float(value);
  double lost = value - double(result);
  uint32_t bits = bitsOf(result);
  bool finite = (bits >> 23 & 0xff) != 0xff;
  if (finite && lost != 0 && !(bits & 1))
    bits += (lost > 0) != bool(bits >> 31) ? 1 : -1;
  return floatOf(bits);
}

template <typename H, unsigned N>
void fmaHandler(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  const uint16_t *b = warp.row<uint16_t>(inst.op[2]);
  const uint16_t *c = warp.row<uint16_t>(inst.op[3]);
  uint8_t flags = inst.variant;
  writeElements<N>(warp, inst.op[0], [=](unsigned e) {
    uint16_t x = flags & Ftz ? flushBits<H>(a[e]) : a[e];
    uint16_t y = flags & Ftz ? flushBits<H>(b[e]) : b[e];
    uint16_t z = flags & Ftz ? flushBits<H>(c[e]) : c[e];
    double product = double(H::widen(x)) * double(H::widen(y));
    double sum = sumToOdd(product, double(H::widen(z)));
    return finish<H>(H::narrow(narrowToOdd(sum)), flags);
  });
}

template <typename H, bool IsMin>
uint16_t minMax(uint16_t a, uint16_t b, uint8_t flags) {
  uint16_t x = flags & Ftz ? flushBits<H>(a) : a;
  uint16_t y = flags & Ftz ? flushBits<H>(b) : b;
  uint16_t sign = (x ^ y) & 0x8000;
  if (flags & XorSign) {
    x &= 0x7fff;
    y &= 0x7fff;
  }
  float left = H::widen(x), right = H::widen(y);
  bool leftNaN = left != left, rightNaN = right != right;
  if ((leftNaN && rightNaN) || ((flags & Propagate) && (leftNaN || rightNaN)))
    return HalfNaN;
  bool tie = left == right && bool(x & 0x8000) == IsMin;
  bool first = IsMin ? left < right : left > right;
  uint16_t result = rightNaN || (!leftNaN && (first || tie)) ? x : y;
  return flags & XorSign ? result | sign : result;
}

template <typename H, unsigned N, bool IsMin>
void minMaxHandler(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  const uint16_t *b = warp.row<uint16_t>(inst.op[2]);
  uint8_t flags = inst.variant;
  writeElements<N>(warp, inst.op[0], [=](unsigned e) {
    return minMax<H, IsMin>(a[e], b[e], flags);
  });
}

template <typename H, unsigned N, bool IsNeg>
void signHandler(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  uint8_t flags = inst.variant;
  writeElements<N>(warp, inst.op[0], [=](unsigned e) {
    uint16_t x = flags & Ftz ? flushBits<H>(a[e]) : a[e];
    return uint16_t(IsNeg ? x ^ 0x8000 : x & 0x7fff);
  });
}

template <typename H, unsigned N, bool IsTanh>
void specialHandler(Warp &warp, const Instruction &inst) {
  const uint16_t *a = warp.row<uint16_t>(inst.op[1]);
  uint8_t flags = inst.variant;
  writeElements<N>(warp, inst.op[0], [=](unsigned e) {
    float x = H::widen(flags & Ftz ? flushBits<H>(a[e]) : a[e]);
    float value = IsTanh ? std::tanh(x) : std::exp2(x);
    return finish<H>(H::narrow(value), flags);
  });
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

Type halfType(Decoder &d) {
  return d.expectType({Type::F16, Type::F16x2, Type::BF16, Type::BF16x2});
}
bool isBfloat(Type type) { return type == Type::BF16 || type == Type::BF16x2; }

/// Picks the instance of a handler for one of the four types.
template <template <typename, unsigned> class H> Handler handlerFor(Type type) {
  switch (type) {
  case Type::F16:
    return H<HalfType, 1>::handler;
  case Type::F16x2:
    return H<HalfType, 2>::handler;
  case Type::BF16:
    return H<BfloatType, 1>::handler;
  default:
    return H<BfloatType, 2>::handler;
  }
}

template <typename F> struct Arithmetic {
  template <typename H, unsigned N> struct Of {
    static constexpr Handler handler = arithmeticHandler<H, N, F>;
  };
};
template <typename H, unsigned N> struct Fma {
  static constexpr Handler handler = fmaHandler<H, N>;
};
template <bool IsMin> struct MinMax {
  template <typename H, unsigned N> struct Of {
    static constexpr Handler handler = minMaxHandler<H, N, IsMin>;
  };
};
template <bool IsNeg> struct Sign {
  template <typename H, unsigned N> struct Of {
    static constexpr Handler handler = signHandler<H, N, IsNeg>;
  };
};
template <bool IsTanh> struct SpecialOf {
  template <typename H, unsigned N> struct Of {
    static constexpr Handler handler = specialHandler<H, N, IsTanh>;
  };
};

void operandsOf(Decoder &d, Type type, unsigned sources, uint8_t flags) {
  d.inst.variant = flags;
  d.destination(type);
  for (unsigned i = 0; i < sources; ++i)
    d.source(type);
}

template <typename F> void decodeArithmetic(Decoder &d) {
  d.accept("rn");
  uint8_t flags = (d.accept("ftz") ? Ftz : 0) | (d.accept("sat") ? Sat : 0);
  Type type = halfType(d);
  if (isBfloat(type)) {
    d.require(90, 7, 8, "add, sub and mul of bf16");
    if (flags)
      d.fail("expects .ftz and .sat only with f16");
  }
  operandsOf(d, type, 2, flags);
  d.finish(Class::Half, handlerFor<Arithmetic<F>::template Of>(type));
}

void decodeFma(Decoder &d) {
  d.expect("rn");
  uint8_t flags = d.accept("ftz") ? Ftz : 0;
  flags |= d.accept("sat") ? Sat : 0;
  flags |= d.accept("relu") ? Relu : 0;
  if (d.nextModifier() == "oob")
    d.fail("fma.oob is not supported");
  Type type = halfType(d);
  if (isBfloat(type) && (flags & (Ftz | Sat)))
    d.fail("expects .ftz and .sat only with f16");
  if (isBfloat(type) || (flags & Relu))
    d.require(80, 7, 0, "fma of bf16 or with .relu");
  operandsOf(d, type, 3, flags);
  d.finish(Class::Half, handlerFor<Fma>(type));
}

template <bool IsMin> void decodeMinMax(Decoder &d) {
  uint8_t flags = d.accept("ftz") ? Ftz : 0;
  flags |= d.accept("NaN") ? Propagate : 0;
  if (d.accept("xorsign")) {
    d.expect("abs");
    d.require(86, 7, 2, ".xorsign.abs");
    flags |= XorSign;
  }
  Type type = halfType(d);
  if (isBfloat(type) && (flags & Ftz))
    d.fail("expects .ftz only with f16");
  d.require(80, 7, 0, "min and max of halves");
  operandsOf(d, type, 2, flags);
  d.finish(Class::Half, handlerFor<MinMax<IsMin>::template Of>(type));
}

template <bool IsNeg> void decodeSign(Decoder &d) {
  uint8_t flags = d.accept("ftz") ? Ftz : 0;
  Type type = halfType(d);
  if (isBfloat(type)) {
    d.require(80, 7, 0, "abs and neg of bf16");
    if (flags)
      d.fail("expects .ftz only with f16");
  }
  operandsOf(d, type, 1, flags);
  d.finish(Class::Half, handlerFor<Sign<IsNeg>::template Of>(type));
}

template <bool IsTanh> void decodeSpecial(Decoder &d) {
  d.expect("approx");
  uint8_t flags = d.accept("ftz") ? Ftz : 0;
  Type type = halfType(d);
  if (isBfloat(type)) {
    d.require(90, 7, 8, "ex2 and tanh of bf16");
    if (!IsTanh && !flags)
      d.fail("expects .ftz in ex2 of bf16");
  } else {
    d.require(75, 7, 0, "ex2 and tanh of f16");
  }
  if (flags && (IsTanh || !isBfloat(type)))
    d.fail("expects .ftz only in ex2 of bf16");
  operandsOf(d, type, 1, flags);
  d.finish(Class::Special, handlerFor<SpecialOf<IsTanh>::template Of>(type));
}

} // namespace

void registerHalf(InstructionTable &table) {
  table.add("add", Domain::Half, decodeArithmetic<Add>);
  table.add("sub", Domain::Half, decodeArithmetic<Sub>);
  table.add("mul", Domain::Half, decodeArithmetic<Mul>);
  table.add("fma", Domain::Half, decodeFma);
  table.add("min", Domain::Half, decodeMinMax<true>);
  table.add("max", Domain::Half, decodeMinMax<false>);
  table.add("abs", Domain::Half, decodeSign<false>);
  table.add("neg", Domain::Half, decodeSign<true>);
  table.add("ex2", Domain::Half, decodeSpecial<false>);
  table.add("tanh", Domain::Half, decodeSpecial<true>);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

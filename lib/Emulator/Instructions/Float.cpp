//===- Float.cpp - Arithmetic in single and double precision --------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.3. Single-precision results that are NaN are canonical.
//
//===----------------------------------------------------------------------===//

#include "../Rounding.h"
#include "../SmallFloat.h"
#include "Families.h"
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

/// Single precision with optional flush of subnormals and saturation; double
/// precision ignores both.
template <bool Ftz, bool Sat> struct Finish {
  static float in(float value) { return Ftz ? flush(value) : value; }
  static float out(float value) {
    value = Ftz ? flush(value) : value;
    if (Sat) // NaN becomes +0
      return value > 0 ? (value < 1 ? value : 1.0f) : 0.0f;
    return canonical(value);
  }
  static double in(double value) { return value; }
  static double out(double value) { return value; }
};

struct Add {
  template <typename T> static T apply(T a, T b) { return a + b; }
  template <typename T> static T apply(T a, T b, Rounding m) {
    return addRounded(a, b, m);
  }
};
struct Sub {
  template <typename T> static T apply(T a, T b) { return a - b; }
  template <typename T> static T apply(T a, T b, Rounding m) {
    return addRounded(a, -b, m);
  }
};
struct Mul {
  template <typename T> static T apply(T a, T b) { return a * b; }
  template <typename T> static T apply(T a, T b, Rounding m) {
    return mulRounded(a, b, m);
  }
};
struct Div {
  template <typename T> static T apply(T a, T b) { return a / b; }
  template <typename T> static T apply(T a, T b, Rounding m) {
    return divRounded(a, b, m);
  }
};

template <typename T, typename F, bool Ftz, bool Sat>
void nearestHandler(Warp &warp, const Instruction &inst) {
  using X = Finish<Ftz, Sat>;
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    return X::out(F::apply(X::in(a[l]), X::in(b[l])));
  });
}

template <typename T, typename F, bool Ftz, bool Sat>
void directedHandler(Warp &warp, const Instruction &inst) {
  using X = Finish<Ftz, Sat>;
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  Rounding mode = Rounding(inst.variant);
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    return X::out(F::apply(X::in(a[l]), X::in(b[l]), mode));
  });
}

/// fma for all lanes; std::fma becomes one instruction where the host has it.
template <typename T, bool Ftz, bool Sat>
void fmaHandler(Warp &warp, const Instruction &inst) {
  using X = Finish<Ftz, Sat>;
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  const T *c = warp.row<T>(inst.op[3]);
  Rounding mode = Rounding(inst.variant);
  if (mode != Rounding::Nearest) {
    writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
      return X::out(fmaRounded(X::in(a[l]), X::in(b[l]), X::in(c[l]), mode));
    });
    return;
  }
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    return X::out(std::fma(X::in(a[l]), X::in(b[l]), X::in(c[l])));
  });
}

struct Modes {
  Rounding rounding = Rounding::Nearest;
  bool explicitRounding = false;
  bool ftz = false, sat = false;
};

Modes acceptModes(Decoder &d) {
  Modes modes;
  int index = d.acceptAny({"rn", "rz", "rm", "rp"});
  modes.explicitRounding = index >= 0;
  modes.rounding = index < 0 ? Rounding::Nearest : Rounding(index);
  modes.ftz = d.accept("ftz");
  modes.sat = d.accept("sat");
  return modes;
}

Type floatType(Decoder &d, const Modes &modes) {
  Type type = d.expectType({Type::F32, Type::F64});
  if (type == Type::F64 && (modes.ftz || modes.sat))
    d.fail("expects .ftz and .sat only with .f32");
  return type;
}

template <typename F, bool Directed> Handler arithmeticOf(const Modes &m) {
  auto pick = [](auto ftz, auto sat) -> Handler {
    constexpr bool Ftz = decltype(ftz)::value, Sat = decltype(sat)::value;
    return Directed ? directedHandler<float, F, Ftz, Sat>
                    : nearestHandler<float, F, Ftz, Sat>;
  };
  if (m.ftz)
    return m.sat ? pick(std::true_type(), std::true_type())
                 : pick(std::true_type(), std::false_type());
  return m.sat ? pick(std::false_type(), std::true_type())
               : pick(std::false_type(), std::false_type());
}

template <typename F> Handler arithmeticFor(Type type, const Modes &modes) {
  bool directed = modes.rounding != Rounding::Nearest;
  if (type == Type::F64)
    return directed ? directedHandler<double, F, false, false>
                    : nearestHandler<double, F, false, false>;
  return directed ? arithmeticOf<F, true>(modes)
                  : arithmeticOf<F, false>(modes);
}

void operandsOf(Decoder &d, Type type, unsigned sources) {
  d.destination(type);
  for (unsigned i = 0; i < sources; ++i)
    d.source(type);
}

Class classFor(Type type) {
  return type == Type::F64 ? Class::Float64 : Class::Float32;
}

template <typename F> void decodeArithmetic(Decoder &d) {
  Modes modes = acceptModes(d);
  Type type = floatType(d, modes);
  d.inst.variant = uint8_t(modes.rounding);
  operandsOf(d, type, 2);
  d.finish(classFor(type), arithmeticFor<F>(type, modes));
}

/// div.approx and div.full are within 2 ulp; the correctly rounded quotient is
/// one of the results they may give.
void decodeDiv(Decoder &d) {
  bool approximate = d.acceptAny({"approx", "full"}) >= 0;
  Modes modes = acceptModes(d);
  Type type = floatType(d, modes);
  if (approximate && (modes.explicitRounding || type == Type::F64))
    d.fail("expects .approx and .full only with .f32, without a rounding mode");
  if (!approximate && !modes.explicitRounding)
    d.fail("expects .approx, .full or a rounding mode");
  if (modes.sat)
    d.fail("expects no .sat");
  d.inst.variant = uint8_t(modes.rounding);
  operandsOf(d, type, 2);
  d.finish(classFor(type), arithmeticFor<Div>(type, modes));
}

Handler fmaFor(Type type, const Modes &m) {
  if (type == Type::F64)
    return fmaHandler<double, false, false>;
  if (m.ftz)
    return m.sat ? fmaHandler<float, true, true>
                 : fmaHandler<float, true, false>;
  return m.sat ? fmaHandler<float, false, true>
               : fmaHandler<float, false, false>;
}

void decodeFma(Decoder &d) {
  Modes modes = acceptModes(d);
  if (!modes.explicitRounding)
    d.fail("expects a rounding mode");
  Type type = floatType(d, modes);
  d.inst.variant = uint8_t(modes.rounding);
  operandsOf(d, type, 3);
  d.finish(classFor(type), fmaFor(type, modes));
}

struct Abs {
  static float apply(float a) { return std::fabs(a); }
  static double apply(double a) { return std::fabs(a); }
};
struct Neg {
  static float apply(float a) { return -a; }
  static double apply(double a) { return -a; }
};

template <typename F, bool Ftz>
void signHandler(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  writeLanes<float>(warp, inst.op[0], [=](unsigned l) {
    return F::apply(Ftz ? flush(a[l]) : a[l]);
  });
}

template <typename F> void decodeSign(Decoder &d) {
  Modes modes;
  modes.ftz = d.accept("ftz");
  Type type = floatType(d, modes);
  operandsOf(d, type, 1);
  d.finish(classFor(type), type == Type::F64 ? unaryHandler<double, double, F>
                           : modes.ftz       ? signHandler<F, true>
                                             : signHandler<F, false>);
}

/// min and max: -0 is less than +0; a single NaN gives the other operand, or
/// NaN with .NaN; .xorsign gives the product of the signs to the result.
template <bool IsMin, bool Ftz>
void minMaxHandler(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  const float *b = warp.row<float>(inst.op[2]);
  const float *c = warp.row<float>(inst.op[inst.count == 3 ? 3 : 2]);
  bool propagates = inst.variant & 1, absolute = inst.variant & 2;
  auto least = [=](float x, float y) {
    bool first = IsMin ? x < y : x > y;
    bool signs = std::signbit(x) == IsMin; // decides between -0 and +0
    float result = first || (x == y && signs) ? x : y;
    result = x != x ? y : result;
    result = y != y ? x : result;
    bool anyNaN = x != x || y != y;
    uint32_t bits = bitsOf(canonical(result));
    return floatOf(propagates && anyNaN ? CanonicalNaN : bits);
  };
  writeLanes<float>(warp, inst.op[0], [=](unsigned l) {
    float x = Ftz ? flush(a[l]) : a[l], y = Ftz ? flush(b[l]) : b[l];
    if (!absolute) {
      float result = least(x, y);
      return inst.count == 3 ? least(result, Ftz ? flush(c[l]) : c[l]) : result;
    }
    float result = least(std::fabs(x), std::fabs(y));
    uint32_t sign = (bitsOf(x) ^ bitsOf(y)) & 0x80000000;
    return result != result ? result : floatOf(bitsOf(result) | sign);
  });
}

template <bool IsMin> struct MinMaxDouble {
  static double apply(double x, double y) {
    if (x != x)
      return y;
    if (y != y)
      return x;
    bool first = IsMin ? x < y : x > y;
    return first || (x == y && std::signbit(x) == IsMin) ? x : y;
  }
};

template <bool IsMin> void decodeMinMax(Decoder &d) {
  Modes modes;
  modes.ftz = d.accept("ftz");
  bool propagates = d.accept("NaN");
  bool xorsign = d.accept("xorsign");
  if (xorsign)
    d.expect("abs");
  if (propagates)
    d.require(80, 7, 0, ".NaN");
  if (xorsign)
    d.require(86, 7, 2, ".xorsign.abs");
  Type type = floatType(d, modes);
  if (type == Type::F64 && (propagates || xorsign))
    d.fail("expects .NaN and .xorsign only with .f32");
  unsigned sources = d.operandsLeft() == 4 ? 3 : 2;
  if (sources == 3) {
    d.require(100, 8, 8, "min and max of three operands");
    if (type == Type::F64 || xorsign)
      d.fail("expects three operands only with .f32 without .xorsign");
  }
  d.inst.variant = propagates | xorsign << 1;
  d.inst.count = sources;
  operandsOf(d, type, sources);
  Handler handler =
      type == Type::F64
          ? binaryHandler<double, double, double, MinMaxDouble<IsMin>>
      : modes.ftz ? minMaxHandler<IsMin, true>
                  : minMaxHandler<IsMin, false>;
  d.finish(classFor(type), handler);
}

/// copysign d, a, b: the magnitude of b with the sign of a.
template <typename T> struct CopySign {
  static T apply(T a, T b) {
    constexpr T Sign = T(1) << (8 * sizeof(T) - 1);
    return (a & Sign) | (b & ~Sign);
  }
};

void decodeCopysign(Decoder &d) {
  Type type = d.expectType({Type::F32, Type::F64});
  operandsOf(d, type, 2);
  d.finish(
      classFor(type),
      type == Type::F32
          ? binaryHandler<uint32_t, uint32_t, uint32_t, CopySign<uint32_t>>
          : binaryHandler<uint64_t, uint64_t, uint64_t, CopySign<uint64_t>>);
}

template <typename T> void testHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  unsigned test = inst.variant;
  writePredicate(warp, inst.op[0], maskOf([=](unsigned l) {
                   int kind = std::fpclassify(a[l]);
                   bool results[] = {kind != FP_INFINITE && kind != FP_NAN,
                                     kind == FP_INFINITE,
                                     kind != FP_NAN,
                                     kind == FP_NAN,
                                     kind == FP_NORMAL,
                                     kind == FP_SUBNORMAL};
                   return results[test];
                 }));
}

void decodeTestp(Decoder &d) {
  d.inst.variant = d.expectAny(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = d.expectType({Type::F32, Type::F64});
  d.destination(Type::Pred);
  d.source(type);
  d.finish(classFor(type),
           type == Type::F32 ? testHandler<float> : testHandler<double>);
}

} // namespace

void registerFloat(InstructionTable &table) {
  table.add("add", Domain::Float, decodeArithmetic<Add>);
  table.add("sub", Domain::Float, decodeArithmetic<Sub>);
  table.add("mul", Domain::Float, decodeArithmetic<Mul>);
  table.add("div", Domain::Float, decodeDiv);
  table.add("fma", Domain::Float, decodeFma);
  table.add("mad", Domain::Float, decodeFma);
  table.add("abs", Domain::Float, decodeSign<Abs>);
  table.add("neg", Domain::Float, decodeSign<Neg>);
  table.add("min", Domain::Float, decodeMinMax<true>);
  table.add("max", Domain::Float, decodeMinMax<false>);
  table.add("copysign", Domain::Float, decodeCopysign);
  table.add("testp", Domain::Float, decodeTestp);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

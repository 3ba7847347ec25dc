//===- FloatSpecial.cpp - Reciprocals, roots and transcendentals ----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.3.13 to 9.7.3.23. Approximate instructions are computed in double
// precision and rounded once, which is within the errors the ISA allows.
//
//===----------------------------------------------------------------------===//

#include "../Rounding.h"
#include "../SmallFloat.h"
#include "Families.h"
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct Rcp {
  static double apply(double a) { return 1 / a; }
};
struct Sqrt {
  static double apply(double a) { return std::sqrt(a); }
};
struct Rsqrt {
  static double apply(double a) { return 1 / std::sqrt(a); }
};
struct Sin {
  static double apply(double a) { return std::sin(a); }
};
struct Cos {
  static double apply(double a) { return std::cos(a); }
};
struct Lg2 {
  static double apply(double a) { return std::log2(a); }
};
struct Ex2 {
  static double apply(double a) { return std::exp2(a); }
};
struct Tanh {
  static double apply(double a) { return std::tanh(a); }
};

template <typename F, bool Ftz>
void approximateHandler(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  writeLanes<float>(warp, inst.op[0], [=](unsigned l) {
    float value = F::apply(Ftz ? flush(a[l]) : a[l]);
    return canonical(Ftz ? flush(value) : value);
  });
}

/// 2^x by the Taylor series of exp(x ln 2) on [-1/2, 1/2], with an error below
/// 2^-31 before the rounding to single precision; the ISA allows 2^-22. Unlike
/// the library's it becomes vector code.
struct FastEx2 {
  static float apply(float a) {
    float limited = a < -150.0f ? -150.0f : (a > 129.0f ? 129.0f : a);
    limited = a != a ? 0.0f : limited;
    double x = limited;
    double whole = x + 0x1.8p52;
    uint64_t steps = bitsOf(whole);
    double r = x - (whole - 0x1.8p52);
    double p = 1.3215486790144307e-6;
    p = p * r + 1.5252733804059841e-5;
    p = p * r + 1.5403530393381608e-4;
    p = p * r + 1.3333558146428443e-3;
    p = p * r + 9.6181291076284772e-3;
    p = p * r + 5.5504108664821580e-2;
    p = p * r + 2.4022650695910072e-1;
    p = p * r + 6.9314718055994531e-1;
    p = p * r + 1.0;
    double scale = doubleOf((steps + 1023) << 52);
    float value = float(p * scale);
    return a != a ? a : value;
  }
};

template <bool Ftz> void ex2Handler(Warp &warp, const Instruction &inst) {
  const float *a = warp.row<float>(inst.op[1]);
  writeLanes<float>(warp, inst.op[0], [=](unsigned l) {
    float value = FastEx2::apply(Ftz ? flush(a[l]) : a[l]);
    return canonical(Ftz ? flush(value) : value);
  });
}

template <typename F> Handler approximateOf(bool ftz) {
  return ftz ? approximateHandler<F, true> : approximateHandler<F, false>;
}

void unaryOperands(Decoder &d, Type type, Handler handler) {
  d.destination(type);
  d.source(type);
  d.finish(Class::Special, handler);
}

template <typename F> void decodeApproximate(Decoder &d) {
  d.expect("approx");
  bool ftz = d.accept("ftz");
  unaryOperands(d, d.expectType({Type::F32}), approximateOf<F>(ftz));
}

void decodeEx2(Decoder &d) {
  d.expect("approx");
  bool ftz = d.accept("ftz");
  unaryOperands(d, d.expectType({Type::F32}),
                ftz ? ex2Handler<true> : ex2Handler<false>);
}

void decodeTanh(Decoder &d) {
  d.expect("approx");
  d.require(75, 7, 0, "tanh");
  unaryOperands(d, d.expectType({Type::F32}), approximateOf<Tanh>(false));
}

//===----------------------------------------------------------------------===//
// Correctly rounded rcp and sqrt
//===----------------------------------------------------------------------===//

template <typename T> T reciprocal(T a, Rounding mode) {
  return divRounded(T(1), a, mode);
}

template <typename T, bool Root, bool Ftz>
void roundedHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  Rounding mode = Rounding(inst.variant);
  bool nearest = mode == Rounding::Nearest;
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    T x = a[l];
    if constexpr (Ftz)
      x = flush(x);
    T value = Root ? (nearest ? std::sqrt(x) : sqrtRounded(x, mode))
                   : (nearest ? 1 / x : reciprocal(x, mode));
    if constexpr (Ftz)
      value = flush(value);
    if constexpr (sizeof(T) == 4)
      value = canonical(value);
    return value;
  });
}

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 give the upper word of the
/// result only.
template <bool Root> void upperWord(Warp &warp, const Instruction &inst) {
  const uint64_t *a = warp.row<uint64_t>(inst.op[1]);
  writeLanes<uint64_t>(warp, inst.op[0], [=](unsigned l) {
    uint64_t bits = a[l] & WindowMask;
    if ((bits & 0x7ff0000000000000) == 0)
      bits &= uint64_t(1) << 63;
    double x = doubleOf(bits);
    uint64_t result = bitsOf(Root ? 1 / std::sqrt(x) : 1 / x) & WindowMask;
    if ((result & 0x7ff0000000000000) == 0)
      result &= uint64_t(1) << 63;
    return result;
  });
}

template <typename F, bool Root> void decodeRounded(Decoder &d) {
  bool approximate = d.accept("approx");
  int mode = approximate ? 0 : d.expectAny({"rn", "rz", "rm", "rp"});
  bool ftz = d.accept("ftz");
  Type type = d.expectType({Type::F32, Type::F64});
  d.inst.variant = mode;
  if (approximate && type == Type::F64) {
    if (Root || !ftz)
      d.fail("expects .approx with .f32, or rcp.approx.ftz.f64");
    return unaryOperands(d, type, upperWord<false>);
  }
  if (type == Type::F64)
    return ftz ? d.fail("expects no .ftz with .f64")
               : unaryOperands(d, type, roundedHandler<double, Root, false>);
  unaryOperands(d, type,
                approximate ? approximateOf<F>(ftz)
                : ftz       ? roundedHandler<float, Root, true>
                            : roundedHandler<float, Root, false>);
}

void decodeRsqrt(Decoder &d) {
  d.expect("approx");
  bool ftz = d.accept("ftz");
  Type type = d.expectType({Type::F32, Type::F64});
  if (type == Type::F32)
    return unaryOperands(d, type, approximateOf<Rsqrt>(ftz));
  unaryOperands(d, type,
                ftz ? upperWord<true> : unaryHandler<double, double, Rsqrt>);
}

} // namespace

void registerFloatSpecial(InstructionTable &table) {
  table.add("rcp", Domain::Float, decodeRounded<Rcp, false>);
  table.add("sqrt", Domain::Float, decodeRounded<Sqrt, true>);
  table.add("rsqrt", Domain::Float, decodeRsqrt);
  table.add("sin", Domain::Float, decodeApproximate<Sin>);
  table.add("cos", Domain::Float, decodeApproximate<Cos>);
  table.add("lg2", Domain::Float, decodeApproximate<Lg2>);
  table.add("ex2", Domain::Float, decodeEx2);
  table.add("tanh", Domain::Float, decodeTanh);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

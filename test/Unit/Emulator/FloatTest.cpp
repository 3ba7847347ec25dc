//===- FloatTest.cpp - Single and double precision against hand tables ----===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include <cmath>
#include <limits>

using namespace mta::emulator::test;

static std::string hex(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "0f%08X", bits);
  return buffer;
}
/// The bits of %f1 after `opcode %f1, operands…`.
static uint32_t bits(const std::string &opcode,
                     std::initializer_list<float> operands) {
  std::string text = opcode + " %f1";
  for (float operand : operands)
    text += ", " + hex(operand);
  return words(text + ";\nst.global.f32 [%rd0], %f1;", 1, "sm_100")[0];
}
static float value(const std::string &opcode,
                   std::initializer_list<float> operands) {
  return asFloat(bits(opcode, operands));
}

constexpr float Tiny = 1e-40f; // subnormal
constexpr float NaN = std::numeric_limits<float>::quiet_NaN();
constexpr float Infinity = std::numeric_limits<float>::infinity();

TEST(Float, DirectedRounding) {
  float ulp = std::ldexp(1.0f, -23);
  EXPECT_EQ(value("add.rn.f32", {1.0f, ulp / 4}), 1.0f);
  EXPECT_EQ(value("add.rp.f32", {1.0f, ulp / 4}), 1.0f + ulp);
  EXPECT_EQ(value("add.rm.f32", {-1.0f, -ulp / 4}), -1.0f - ulp);
  EXPECT_EQ(value("add.rz.f32", {-1.0f, -ulp / 4}), -1.0f);
  EXPECT_EQ(bits("div.rz.f32", {1.0f, 3.0f}), 0x3eaaaaaau);
  EXPECT_EQ(bits("div.rn.f32", {1.0f, 3.0f}), 0x3eaaaaabu);
}

TEST(Float, FlushKeepsTheSign) {
  EXPECT_EQ(bits("add.ftz.f32", {-Tiny, 0.0f}), 0u);
  EXPECT_EQ(bits("mul.ftz.f32", {-Tiny, 1.0f}), 0x80000000u);
  EXPECT_NE(bits("mul.f32", {-Tiny, 1.0f}), 0x80000000u);
}

TEST(Float, SaturateTurnsNaNIntoZero) {
  EXPECT_EQ(value("add.sat.f32", {3.0f, 4.0f}), 1.0f);
  EXPECT_EQ(value("add.sat.f32", {-3.0f, -4.0f}), 0.0f);
  EXPECT_EQ(bits("add.sat.f32", {NaN, 1.0f}), 0u);
}

TEST(Float, NaNIsCanonical) {
  EXPECT_EQ(bits("sub.f32", {Infinity, Infinity}), 0x7fffffffu);
}

TEST(Float, FmaRoundsOnce) {
  float x = 1 + std::ldexp(1.0f, -12);
  EXPECT_EQ(value("fma.rn.f32", {x, x, -1.0f}),
            std::ldexp(1.0f, -11) + std::ldexp(1.0f, -24));
}

TEST(Float, MinAndMax) {
  EXPECT_EQ(bits("min.f32", {0.0f, -0.0f}), 0x80000000u);
  EXPECT_EQ(bits("max.f32", {-0.0f, 0.0f}), 0u);
  EXPECT_EQ(value("max.f32", {NaN, 2.0f}), 2.0f);
  EXPECT_EQ(bits("max.NaN.f32", {NaN, 2.0f}), 0x7fffffffu);
  EXPECT_EQ(value("min.xorsign.abs.f32", {-3.0f, 2.0f}), -2.0f);
  EXPECT_EQ(value("max.f32", {1.0f, 5.0f, 3.0f}), 5.0f);
}

TEST(Float, Special) {
  EXPECT_EQ(value("ex2.approx.f32", {10.0f}), 1024.0f);
  EXPECT_EQ(value("ex2.approx.f32", {-Infinity}), 0.0f);
  EXPECT_EQ(value("ex2.approx.f32", {200.0f}), Infinity);
  EXPECT_EQ(value("lg2.approx.f32", {8.0f}), 3.0f);
  EXPECT_EQ(value("rcp.approx.f32", {0.0f}), Infinity);
  EXPECT_EQ(value("rsqrt.approx.f32", {0.25f}), 2.0f);
  EXPECT_EQ(value("sqrt.rn.f32", {2.25f}), 1.5f);
  EXPECT_EQ(bits("sqrt.approx.f32", {-1.0f}), 0x7fffffffu);
  EXPECT_EQ(value("tanh.approx.f32", {Infinity}), 1.0f);
  EXPECT_EQ(value("cos.approx.f32", {0.0f}), 1.0f);
}

/// PTX ISA 9.7.3.21 bounds the error at 2 ulp; one rounding stays at half.
TEST(Float, Ex2IsWithinItsError) {
  double worst = 0;
  for (int i = -1000; i <= 1000; ++i) {
    float x = i * 0.0917f;
    double exact = std::exp2(double(x));
    if (exact < 1e-38)
      continue;
    double error = std::fabs(value("ex2.approx.f32", {x}) - exact) / exact;
    worst = std::max(worst, error);
  }
  EXPECT_LE(worst, std::ldexp(1.0, -23));
}

TEST(Float, CopySignTakesTheSignOfTheFirst) {
  EXPECT_EQ(value("copysign.f32", {-1.0f, 5.0f}), -5.0f);
}

TEST(Float, Classification) {
  EXPECT_EQ(predicate("testp.subnormal.f32 %p1, " + hex(Tiny) + ";"), 1u);
  EXPECT_EQ(predicate("testp.normal.f32 %p1, " + hex(Tiny) + ";"), 0u);
  EXPECT_EQ(predicate("testp.notanumber.f32 %p1, " + hex(NaN) + ";"), 1u);
}

TEST(Float, ComparisonsWithNaN) {
  std::string operands = " %p1, " + hex(NaN) + ", " + hex(1.0f) + ";";
  EXPECT_EQ(predicate("setp.lt.f32" + operands), 0u);
  EXPECT_EQ(predicate("setp.ltu.f32" + operands), 1u);
  EXPECT_EQ(predicate("setp.ne.f32" + operands), 0u);
  EXPECT_EQ(predicate("setp.neu.f32" + operands), 1u);
  EXPECT_EQ(predicate("setp.equ.f32" + operands), 1u);
  EXPECT_EQ(predicate("setp.nan.f32" + operands), 1u);
  EXPECT_EQ(predicate("setp.num.f32" + operands), 0u);
}

TEST(Float, DoublePrecision) {
  // 1/3 to nearest and upwards.
  EXPECT_EQ(wide("div.rn.f64 %fd1, 0d3FF0000000000000, 0d4008000000000000;\n"
                 "mov.b64 %rd1, %fd1;"),
            0x3fd5555555555555u);
  EXPECT_EQ(wide("div.rp.f64 %fd1, 0d3FF0000000000000, 0d4008000000000000;\n"
                 "mov.b64 %rd1, %fd1;"),
            0x3fd5555555555556u);
  EXPECT_EQ(wide("fma.rn.f64 %fd1, 0d4000000000000000, 0d4008000000000000, "
                 "0d3FF0000000000000;\nmov.b64 %rd1, %fd1;"),
            0x401c000000000000u);
}

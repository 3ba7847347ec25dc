//===- ConvertTest.cpp - Conversions against hand tables ------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator::test;

TEST(Convert, IntegersExtendAndTruncate) {
  EXPECT_EQ(wide("cvt.s64.s32 %rd1, -1;"), ~uint64_t(0));
  EXPECT_EQ(wide("cvt.u64.u32 %rd1, -1;"), 0xffffffffull);
  EXPECT_EQ(word("mov.b32 %r2, 0x1ff;\ncvt.u32.u8 %r1, %r2;"), 0xffu);
  EXPECT_EQ(word("mov.b32 %r2, 0x1ff;\ncvt.s32.s8 %r1, %r2;"), 0xffffffffu);
}

TEST(Convert, IntegersSaturate) {
  EXPECT_EQ(word("cvt.sat.u8.s32 %r1, 300;"), 255u);
  EXPECT_EQ(word("cvt.sat.u8.s32 %r1, -300;"), 0u);
  EXPECT_EQ(word("cvt.sat.s8.s32 %r1, -300;"), 0xffffff80u);
  EXPECT_EQ(word("cvt.sat.s32.u32 %r1, 0xffffffff;"), 0x7fffffffu);
}

TEST(Convert, FloatToIntegerRoundsAsAsked) {
  EXPECT_EQ(word("cvt.rni.s32.f32 %r1, 0f40200000;"), 2u); // 2.5
  EXPECT_EQ(word("cvt.rpi.s32.f32 %r1, 0f40200000;"), 3u);
  EXPECT_EQ(word("cvt.rzi.s32.f32 %r1, 0fC0200000;"), uint32_t(-2));
  EXPECT_EQ(word("cvt.rmi.s32.f32 %r1, 0fC0200000;"), uint32_t(-3));
}

TEST(Convert, FloatToIntegerClamps) {
  EXPECT_EQ(word("cvt.rzi.s32.f32 %r1, 0f7F800000;"), 0x7fffffffu);
  EXPECT_EQ(word("cvt.rzi.u32.f32 %r1, 0fBF800000;"), 0u);
  EXPECT_EQ(word("cvt.rzi.s32.f32 %r1, 0f7FC00000;"), 0u); // NaN
  EXPECT_EQ(wide("cvt.rzi.s64.f32 %rd1, 0f7FC00000;"), uint64_t(1) << 63);
}

TEST(Convert, IntegerToFloatRounds) {
  // 16777217 lies between two values of single precision.
  std::string store = "\nmov.b32 %r1, %f1;";
  EXPECT_EQ(word("cvt.rn.f32.u32 %f1, 16777217;" + store), 0x4b800000u);
  EXPECT_EQ(word("cvt.rp.f32.u32 %f1, 16777217;" + store), 0x4b800001u);
  EXPECT_EQ(word("cvt.rn.f32.s32 %f1, -1;" + store), 0xbf800000u);
  EXPECT_EQ(half("cvt.rn.f16.s32 %h1, 65520;"), 0x7c00);
  EXPECT_EQ(half("cvt.rz.f16.s32 %h1, 65520;"), 0x7bff);
}

TEST(Convert, HalfFormats) {
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f3F800000;"), 0x3c00);
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f477FF000;"), 0x7c00); // 65520
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f477FEFFF;"), 0x7bff);
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f33800000;"), 0x0001); // 2^-24
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f33000000;"), 0x0000); // 2^-25: tie
  EXPECT_EQ(half("cvt.rn.f16.f32 %h1, 0f7FC00000;"), 0x7fff);
  EXPECT_EQ(half("cvt.rn.bf16.f32 %h1, 0f3F808000;"), 0x3f80); // tie to even
  EXPECT_EQ(half("cvt.rn.bf16.f32 %h1, 0f3F818000;"), 0x3f82);
  EXPECT_EQ(half("cvt.rz.bf16.f32 %h1, 0f3F81FFFF;", "sm_90"), 0x3f81);
  EXPECT_EQ(word("cvt.f32.f16 %f1, 0x0001;\nmov.b32 %r1, %f1;"), 0x33800000u);
}

TEST(Convert, PackedPutsTheFirstOperandHigh) {
  EXPECT_EQ(word("cvt.rn.f16x2.f32 %r1, 0f40000000, 0f3F800000;"), 0x40003c00u);
  EXPECT_EQ(word("cvt.rn.bf16x2.f32 %r1, 0f40000000, 0f3F800000;"),
            0x40003f80u);
  EXPECT_EQ(word("cvt.rn.relu.bf16x2.f32 %r1, 0fC0000000, 0f3F800000;"),
            0x00003f80u);
}

TEST(Convert, TF32KeepsTenBits) {
  EXPECT_EQ(word("cvt.rna.tf32.f32 %r1, 0f3F801000;"), 0x3f802000u); // tie away
  EXPECT_EQ(word("cvt.rna.tf32.f32 %r1, 0f3F800FFF;"), 0x3f800000u);
}

TEST(Convert, EightBitFloats) {
  EXPECT_EQ(
      half("cvt.rn.satfinite.e4m3x2.f32 %h1, 0f43E00000, 0f3F800000;", "sm_89"),
      0x7e38); // 448, 1
  EXPECT_EQ(
      half("cvt.rn.satfinite.e4m3x2.f32 %h1, 0f7F800000, 0f7FC00000;", "sm_89"),
      0x7e7f);
  EXPECT_EQ(word("cvt.rn.f16x2.e5m2x2 %r1, 0x3c40;", "sm_89"), 0x3c004000u);
}

TEST(Convert, DoubleToSingle) {
  EXPECT_EQ(word("cvt.rn.f32.f64 %f1, 0d3FF0000010000000;\nmov.b32 %r1, %f1;"),
            0x3f800000u);
  EXPECT_EQ(word("cvt.rp.f32.f64 %f1, 0d3FF0000010000000;\nmov.b32 %r1, %f1;"),
            0x3f800001u);
}

TEST(Convert, SameTypeRoundsToIntegral) {
  EXPECT_EQ(word("cvt.rni.f32.f32 %f1, 0f40600000;\nmov.b32 %r1, %f1;"),
            0x40800000u); // 3.5 to 4
}

TEST(Convert, NegativeRoundingIsDemanded) {
  EXPECT_NE(Kernel("cvt.f16.f32 %h1, 0f3F800000;")
                .error()
                .find("expects a rounding mode"),
            std::string::npos);
  EXPECT_NE(Kernel("cvt.rn.f64.f32 %fd1, 0f3F800000;")
                .error()
                .find("expects no rounding mode"),
            std::string::npos);
}

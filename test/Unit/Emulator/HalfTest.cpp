//===- HalfTest.cpp - f16 and bf16 against hand tables --------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator::test;

TEST(Half, Arithmetic) {
  EXPECT_EQ(half("add.f16 %h1, 0x3c00, 0x4000;"), 0x4200); // 1 + 2
  EXPECT_EQ(half("sub.f16 %h1, 0x3c00, 0x4000;"), 0xbc00);
  EXPECT_EQ(half("mul.f16 %h1, 0x4200, 0x4200;"), 0x4880);     // 3 * 3
  EXPECT_EQ(half("mul.f16 %h1, 0x7bff, 0x4000;"), 0x7c00);     // overflow
  EXPECT_EQ(half("mul.sat.f16 %h1, 0x7bff, 0x4000;"), 0x3c00); // to 1
  EXPECT_EQ(half("sub.f16 %h1, 0x7c00, 0x7c00;"), 0x7fff);     // NaN
}

TEST(Half, TiesRoundToEven) {
  // 2048 + 1 lies between 2048 and 2050, 2050 + 1 between 2050 and 2052.
  EXPECT_EQ(half("add.f16 %h1, 0x6800, 0x3c00;"), 0x6800);
  EXPECT_EQ(half("add.f16 %h1, 0x6801, 0x3c00;"), 0x6802);
}

TEST(Half, SubnormalsAreKeptOrFlushed) {
  EXPECT_EQ(half("add.f16 %h1, 0x0001, 0x0001;"), 0x0002);
  EXPECT_EQ(half("add.ftz.f16 %h1, 0x8001, 0x8001;"), 0x8000);
  EXPECT_EQ(half("mul.f16 %h1, 0x0400, 0x3800;"), 0x0200); // 2^-14 / 2
}

TEST(Half, FmaRoundsOnce) {
  // 1.0009765625^2 = 1.00195… exactly 1 + 2^-9 + 2^-20; minus 1 - 2^-9 leaves
  // 2^-20, which a rounded product would lose.
  EXPECT_EQ(half("fma.rn.f16 %h1, 0x3c01, 0x3c01, 0xbc02;"), 0x0010);
  EXPECT_EQ(half("fma.rn.relu.f16 %h1, 0x3c00, 0xbc00, 0x0000;"), 0x0000);
}

TEST(Half, BfloatFmaIsNotRoundedTwice) {
  // 1.0078125 * 1 + 2^-60 just above a representable value stays there; the
  // product 257/256 * 1.0 needs nine bits: 1.00390625 ties to even 1.0, and
  // anything above the tie goes up.
  EXPECT_EQ(half("fma.rn.bf16 %h1, 0x3f81, 0x3f80, 0x2180;"), 0x3f81);
  // (1 + 2^-7) * (0.5 + 2^-8) = 0.5 + 2^-7 + 2^-15; tie broken by 2^-60.
  EXPECT_EQ(half("fma.rn.bf16 %h1, 0x3f80, 0x3f80, 0x3b80;"), 0x3f80);
  EXPECT_EQ(half("fma.rn.bf16 %h1, 0x3f80, 0x3f80, 0x3b81;"), 0x3f81);
}

TEST(Half, PackedElementsAreIndependent) {
  EXPECT_EQ(word("add.f16x2 %r1, 0x40003c00, 0x3c003c00;"), 0x42004000u);
  EXPECT_EQ(word("max.bf16x2 %r1, 0x3f80bf80, 0xbf803f80;"), 0x3f803f80u);
  EXPECT_EQ(word("neg.f16x2 %r1, 0x3c00bc00;"), 0xbc003c00u);
  EXPECT_EQ(word("abs.bf16x2 %r1, 0xbf80bf80;"), 0x3f803f80u);
}

TEST(Half, MinMaxOrderZerosAndNaN) {
  EXPECT_EQ(half("min.f16 %h1, 0x0000, 0x8000;"), 0x8000);
  EXPECT_EQ(half("max.f16 %h1, 0x7e00, 0x3c00;"), 0x3c00);
  EXPECT_EQ(half("max.NaN.f16 %h1, 0x7e00, 0x3c00;"), 0x7fff);
}

TEST(Half, Special) {
  EXPECT_EQ(half("ex2.approx.f16 %h1, 0x4200;"), 0x4800); // 2^3
  EXPECT_EQ(half("tanh.approx.f16 %h1, 0x7c00;"), 0x3c00);
  EXPECT_EQ(half("ex2.approx.ftz.bf16 %h1, 0x4040;", "sm_90"), 0x4100);
}

TEST(Half, PackedComparison) {
  EXPECT_EQ(predicate("setp.gt.f16x2 %p2|%p1, 0x40003c00, 0x3c003c00;"), 1u);
  EXPECT_EQ(word("set.gt.f16x2.f16x2 %r1, 0x40003c00, 0x3c003c00;"),
            0x3c000000u);
}

TEST(Half, NegativeBfloatAddNeedsHopper) {
  EXPECT_NE(Kernel("add.bf16 %h1, 0x3f80, 0x3f80;")
                .error()
                .find("needs .target sm_90"),
            std::string::npos);
  EXPECT_EQ(half("add.bf16 %h1, 0x3f80, 0x3f80;", "sm_90"), 0x4000);
}

//===- IntegerTest.cpp - Integer arithmetic against hand tables -----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator::test;

TEST(Integer, AddWraps) {
  EXPECT_EQ(word("add.s32 %r1, 2147483647, 1;"), 0x80000000u);
  EXPECT_EQ(word("add.u32 %r1, 0xffffffff, 2;"), 1u);
}

TEST(Integer, AddSaturates) {
  EXPECT_EQ(word("add.sat.s32 %r1, 2147483647, 1;"), 0x7fffffffu);
  EXPECT_EQ(word("sub.sat.s32 %r1, -2147483648, 1;"), 0x80000000u);
}

TEST(Integer, SixteenBitsDoNotReachTheNeighbour) {
  EXPECT_EQ(half("add.u16 %h1, 0xffff, 3;"), 2);
  EXPECT_EQ(half("mul.lo.u16 %h1, 0xffff, 0xffff;"), 1);
  EXPECT_EQ(half("mul.hi.s16 %h1, -2, 3;"), 0xffff);
}

TEST(Integer, CarryChainAdds128Bits) {
  // 0xffffffffffffffff + 1 in two words.
  std::vector<uint32_t> sum =
      words("add.cc.u32 %r1, 0xffffffff, 1;\naddc.cc.u32 %r2, 0xffffffff, 0;\n"
            "addc.u32 %r3, 5, 6;\nst.global.v2.u32 [%rd0], {%r1, %r2};\n"
            "st.global.u32 [%rd0+8], %r3;",
            3);
  EXPECT_EQ(sum, (std::vector<uint32_t>{0, 0, 12}));
}

TEST(Integer, BorrowChainSubtracts) {
  std::vector<uint32_t> difference =
      words("sub.cc.u32 %r1, 0, 1;\nsubc.u32 %r2, 5, 0;\n"
            "st.global.v2.u32 [%rd0], {%r1, %r2};",
            2);
  EXPECT_EQ(difference, (std::vector<uint32_t>{0xffffffff, 4}));
}

TEST(Integer, ProductsHaveThreeParts) {
  EXPECT_EQ(word("mul.lo.s32 %r1, -3, 5;"), uint32_t(-15));
  EXPECT_EQ(word("mul.hi.u32 %r1, 0x80000000, 6;"), 3u);
  EXPECT_EQ(word("mul.hi.s32 %r1, -1, 1;"), 0xffffffffu);
  EXPECT_EQ(wide("mul.wide.s32 %rd1, -2, 3;"), uint64_t(-6));
  EXPECT_EQ(wide("mul.wide.u32 %rd1, 0xffffffff, 2;"), 0x1fffffffeull);
  EXPECT_EQ(wide("mul.hi.u64 %rd1, 0x8000000000000000, 4;"), 2u);
}

TEST(Integer, MadAddsAfterThePart) {
  EXPECT_EQ(word("mad.lo.s32 %r1, 7, -6, 50;"), 8u);
  EXPECT_EQ(wide("mad.wide.u32 %rd1, 0x10000, 0x10000, 1;"), 0x100000001ull);
  EXPECT_EQ(word("mad.hi.sat.s32 %r1, 0x7fffffff, 0x7fffffff, 0x7fffffff;"),
            0x7fffffffu);
}

TEST(Integer, TwentyFourBitProducts) {
  EXPECT_EQ(word("mul24.lo.u32 %r1, 0xff000003, 5;"), 15u);
  EXPECT_EQ(word("mul24.hi.u32 %r1, 0xffffff, 0x100;"), 0xffffu);
  EXPECT_EQ(word("mad24.lo.s32 %r1, 0xffffff, 2, 10;"), 8u); // -1 * 2 + 10
}

TEST(Integer, DivisionTruncatesTowardsZero) {
  EXPECT_EQ(word("div.s32 %r1, -7, 2;"), uint32_t(-3));
  EXPECT_EQ(word("rem.s32 %r1, -7, 2;"), uint32_t(-1));
  EXPECT_EQ(word("div.u32 %r1, 0xfffffff9, 2;"), 0x7ffffffcu);
  EXPECT_EQ(word("div.s32 %r1, -2147483648, -1;"), 0x80000000u);
  EXPECT_EQ(word("div.u32 %r1, 5, 0;"), 0xffffffffu);
}

TEST(Integer, MinMaxAbsNegSad) {
  EXPECT_EQ(word("min.s32 %r1, -1, 1;"), 0xffffffffu);
  EXPECT_EQ(word("min.u32 %r1, -1, 1;"), 1u);
  EXPECT_EQ(word("max.s32 %r1, -1, 1;"), 1u);
  EXPECT_EQ(word("abs.s32 %r1, -5;"), 5u);
  EXPECT_EQ(word("neg.s32 %r1, 5;"), uint32_t(-5));
  EXPECT_EQ(word("sad.s32 %r1, -5, 5, 1;"), 11u);
  EXPECT_EQ(word("sad.u32 %r1, 3, 0xffffffff, 0;"), 0xfffffffcu);
}

TEST(Integer, DotProductsOfBytes) {
  // 1*4 + 2*3 + 3*2 + 4*1 + 10
  EXPECT_EQ(word("dp4a.u32.u32 %r1, 0x01020304, 0x04030201, 10;"), 30u);
  EXPECT_EQ(word("dp4a.s32.s32 %r1, 0x000000ff, 0x00000005, 0;"), uint32_t(-5));
  EXPECT_EQ(word("dp2a.lo.u32.u32 %r1, 0x00030002, 0x08070605, 0;"), 28u);
  EXPECT_EQ(word("dp2a.hi.u32.u32 %r1, 0x00030002, 0x08070605, 0;"), 38u);
}

TEST(Integer, NegativeUnknownModifier) {
  EXPECT_NE(Kernel("add.rn.s32 %r1, 1, 2;").error().find("test.ptx:"),
            std::string::npos);
  EXPECT_NE(Kernel("frobnicate.s32 %r1, 1, 2;")
                .error()
                .find("unknown instruction 'frobnicate'"),
            std::string::npos);
}

TEST(Integer, NegativeOperandOfAnotherWidth) {
  EXPECT_NE(Kernel("add.s32 %r1, %rd0, 2;").error().find("'%rd0' is .b64"),
            std::string::npos);
}

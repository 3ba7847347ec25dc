//===- BitsTest.cpp - Logic, shifts and bit fields against hand tables ----===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator::test;

TEST(Bits, Logic) {
  EXPECT_EQ(word("and.b32 %r1, 0xf0f0, 0xff00;"), 0xf000u);
  EXPECT_EQ(word("or.b32 %r1, 0xf0f0, 0x0f00;"), 0xfff0u);
  EXPECT_EQ(word("xor.b32 %r1, 0xf0f0, 0xff00;"), 0x0ff0u);
  EXPECT_EQ(word("not.b32 %r1, 0xf;"), 0xfffffff0u);
  EXPECT_EQ(word("cnot.b32 %r1, 0;"), 1u);
}

TEST(Bits, PredicateLogic) {
  EXPECT_EQ(predicate("setp.eq.s32 %p2, 1, 1;\nsetp.eq.s32 %p3, 1, 2;\n"
                      "and.pred %p1, %p2, !%p3;"),
            1u);
  EXPECT_EQ(predicate("setp.eq.s32 %p2, 1, 1;\nnot.pred %p1, %p2;"), 0u);
}

TEST(Bits, ShiftsClampTheAmount) {
  EXPECT_EQ(word("shl.b32 %r1, 1, 31;"), 0x80000000u);
  EXPECT_EQ(word("shl.b32 %r1, 1, 32;"), 0u);
  EXPECT_EQ(word("shr.u32 %r1, 0x80000000, 40;"), 0u);
  EXPECT_EQ(word("shr.s32 %r1, 0x80000000, 40;"), 0xffffffffu);
  EXPECT_EQ(wide("shl.b64 %rd1, 1, 63;"), uint64_t(1) << 63);
}

TEST(Bits, FunnelShifts) {
  EXPECT_EQ(word("shf.l.wrap.b32 %r1, 0x80000001, 0x2, 1;"), 5u);
  EXPECT_EQ(word("shf.r.wrap.b32 %r1, 0x10, 0x3, 4;"), 0x30000001u);
  EXPECT_EQ(word("shf.l.clamp.b32 %r1, 0x12345678, 0x9, 32;"), 0x12345678u);
  EXPECT_EQ(word("shf.r.clamp.b32 %r1, 0x1, 0x9, 77;"), 9u);
}

TEST(Bits, Lop3IsATable) {
  // a ^ b ^ c is 0x96, (a & b) | c is 0xea.
  EXPECT_EQ(word("lop3.b32 %r1, 0xf0f0, 0xff00, 0x00ff, 0x96;"), 0x0f0fu);
  EXPECT_EQ(word("lop3.b32 %r1, 0xf0f0, 0xff00, 0x00ff, 0xea;"), 0xf0ffu);
}

TEST(Bits, PermuteSelectsBytes) {
  EXPECT_EQ(word("prmt.b32 %r1, 0x33221100, 0x77665544, 0x7250;"), 0x77225500u);
  EXPECT_EQ(word("prmt.b32 %r1, 0x00000080, 0, 0x8888;"), 0xffffffffu);
  EXPECT_EQ(word("prmt.b32.f4e %r1, 0x33221100, 0x77665544, 2;"), 0x55443322u);
  EXPECT_EQ(word("prmt.b32.rc16 %r1, 0x33221100, 0, 1;"), 0x33223322u);
}

TEST(Bits, Fields) {
  EXPECT_EQ(word("bfe.u32 %r1, 0xabcd1234, 8, 8;"), 0x12u);
  EXPECT_EQ(word("bfe.s32 %r1, 0x0000f000, 12, 4;"), 0xffffffffu);
  EXPECT_EQ(word("bfe.s32 %r1, 0x80000000, 28, 8;"), 0xfffffff8u);
  EXPECT_EQ(word("bfe.u32 %r1, 0xffffffff, 4, 0;"), 0u);
  EXPECT_EQ(word("bfi.b32 %r1, 0xff, 0, 8, 4;"), 0xf00u);
  EXPECT_EQ(word("bfi.b32 %r1, 0xff, 7, 40, 4;"), 7u);
}

TEST(Bits, CountAndFind) {
  EXPECT_EQ(word("popc.b32 %r1, 0xf0f0;"), 8u);
  EXPECT_EQ(word("clz.b32 %r1, 0x00010000;"), 15u);
  EXPECT_EQ(word("clz.b32 %r1, 0;"), 32u);
  EXPECT_EQ(word("bfind.u32 %r1, 0x00010000;"), 16u);
  EXPECT_EQ(word("bfind.s32 %r1, -2;"), 0u);
  EXPECT_EQ(word("bfind.shiftamt.u32 %r1, 1;"), 31u);
  EXPECT_EQ(word("bfind.u32 %r1, 0;"), 0xffffffffu);
  EXPECT_EQ(word("brev.b32 %r1, 1;"), 0x80000000u);
  EXPECT_EQ(word("fns.b32 %r1, 0xaaaaaaaa, 3, 2;"), 5u);
  EXPECT_EQ(word("fns.b32 %r1, 0xaaaaaaaa, 3, -1;"), 3u);
}

TEST(Bits, MasksAndExtension) {
  EXPECT_EQ(word("bmsk.clamp.b32 %r1, 4, 8;"), 0xff0u);
  EXPECT_EQ(word("bmsk.clamp.b32 %r1, 28, 8;"), 0xf0000000u);
  EXPECT_EQ(word("szext.clamp.s32 %r1, 0x8, 4;"), 0xfffffff8u);
  EXPECT_EQ(word("szext.wrap.u32 %r1, 0xff, 36;"), 0xfu);
}

TEST(Bits, MoveMergesAndSplits) {
  EXPECT_EQ(word("mov.b16 %h2, 0x1234;\nmov.b16 %h3, 0xabcd;\n"
                 "mov.b32 %r1, {%h2, %h3};"),
            0xabcd1234u);
  EXPECT_EQ(word("mov.b64 {%r2, %r1}, 0x123456789abcdef0;"), 0x12345678u);
}

TEST(Bits, SelectAndCompare) {
  EXPECT_EQ(word("setp.lt.s32 %p1, -1, 1;\nselp.b32 %r1, 3, 4, %p1;"), 3u);
  EXPECT_EQ(word("setp.lt.u32 %p1, -1, 1;\nselp.b32 %r1, 3, 4, %p1;"), 4u);
  EXPECT_EQ(predicate("setp.eq.s32 %p2|%p1, 1, 1;"), 0u);
  EXPECT_EQ(predicate("setp.eq.s32 %p2, 1, 2;\n"
                      "setp.eq.or.s32 %p1, 3, 4, !%p2;"),
            1u);
  EXPECT_EQ(word("set.gt.u32.s32 %r1, 2, 1;"), 0xffffffffu);
  EXPECT_EQ(word("slct.u32.s32 %r1, 7, 8, -1;"), 8u);
}

//===- AtomicsTest.cpp - Atomic operations --------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

/// The word at [%rd0] after 64 threads of each of 8 blocks ran the body.
static uint32_t total(uint32_t start, const std::string &body,
                      std::string target = "sm_80") {
  std::vector<uint32_t> data = {start, 0};
  Expected<Counters> result = Kernel(body, target).block(64).grid(8).run(data);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  return data[0];
}

TEST(Atomics, AcrossBlocks) {
  EXPECT_EQ(total(0, "red.global.add.u32 [%rd0], 1;"), 512u);
  EXPECT_EQ(total(7, "red.global.max.u32 [%rd0], %r0;"), 63u);
  EXPECT_EQ(total(-5, "red.global.min.s32 [%rd0], %r0;"), uint32_t(-5));
  EXPECT_EQ(total(0, "red.global.or.b32 [%rd0], %r0;"), 63u);
  EXPECT_EQ(total(0, "atom.global.inc.u32 %r1, [%rd0], 9;"), 512u % 10);
  EXPECT_EQ(total(0, "atom.add.u32 %r1, [%rd0], 2;"), 1024u);
}

TEST(Atomics, FloatingPoint) {
  EXPECT_EQ(asFloat(total(0, "red.global.add.f32 [%rd0], 0f3F000000;")),
            256.0f);
  EXPECT_EQ(total(0, "mov.b32 %r1, 0x3c003c00;\n"
                     "red.global.add.noftz.f16x2 [%rd0], %r1;"),
            0x60006000u); // 512 in both
}

TEST(Atomics, CompareAndSwapReturnsTheOld) {
  std::vector<uint32_t> data = words("atom.global.cas.b32 %r1, [%rd0], 0, 5;\n"
                                     "atom.global.cas.b32 %r2, [%rd0], 0, 6;\n"
                                     "atom.global.exch.b32 %r3, [%rd0], 7;\n"
                                     "st.global.v2.u32 [%rd0+8], {%r2, %r3};",
                                     4);
  EXPECT_EQ(data, (std::vector<uint32_t>{7, 0, 5, 5}));
}

TEST(Atomics, Wide) {
  std::vector<uint64_t> data = {1ull << 40};
  Expected<Counters> result =
      Kernel("red.global.add.u64 [%rd0], 1;").block(64).run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(data[0], (1ull << 40) + 64);
}

TEST(Atomics, NegativeTypeWithoutTheOperation) {
  EXPECT_NE(Kernel("red.global.inc.s32 [%rd0], 1;")
                .error()
                .find("does not have this operation"),
            std::string::npos);
}

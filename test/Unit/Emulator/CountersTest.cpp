//===- CountersTest.cpp - Counters against counts by hand -----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "mta/Emulator/SpeedOfLight.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

static Counters count(const std::string &body, uint32_t threads = 32,
                      unsigned hostThreads = 1, uint32_t blocks = 1) {
  std::vector<uint32_t> data(16384);
  Kernel kernel(body);
  kernel.block(threads).grid(blocks).config.threads = hostThreads;
  Expected<Counters> result = kernel.run(data);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  return result ? *result : Counters();
}

/// Lane l loads a word at byte l * stride.
static Count globalLoad(unsigned stride, const std::string &type = "u32 %r1",
                        unsigned offset = 0) {
  return count("mul.lo.u32 %r2, %r0, " + std::to_string(stride) +
               ";\ncvt.u64.u32 %rd1, %r2;\nadd.u64 %rd1, %rd1, %rd0;\n"
               "ld.global." +
               type + ", [%rd1+" + std::to_string(offset) + "];")
      .total;
}

TEST(Counters, SectorsOfStrides) {
  // The buffer of the tests is aligned to 16 bytes at least, so offsets are
  // chosen relative to sectors by strides of whole sectors.
  EXPECT_EQ(globalLoad(32).globalSectors, 32u);
  EXPECT_EQ(globalLoad(64).globalSectors, 32u);
  EXPECT_EQ(globalLoad(0).globalSectors, 1u);
  EXPECT_EQ(globalLoad(0).globalBytes, 128u);
  Count contiguous = globalLoad(4);
  EXPECT_EQ(contiguous.globalRequests, 1u);
  EXPECT_GE(contiguous.globalSectors, 4u);
  EXPECT_LE(contiguous.globalSectors, 5u);
}

/// Lane l accesses shared memory at byte l * stride with a width.
static Count sharedStore(unsigned stride, const std::string &access) {
  return count(".shared .align 16 .b8 s[8192];\nmul.lo.u32 %r2, %r0, " +
               std::to_string(stride) +
               ";\nmov.u32 %r3, s;\nadd.u32 %r2, %r2, %r3;\nmov.b32 %r4, 0;\n" +
               access)
      .total;
}

TEST(Counters, BankConflictsOfStrides) {
  const std::string store = "st.shared.u32 [%r2], %r4;";
  EXPECT_EQ(sharedStore(4, store).sharedWavefronts, 1u);
  EXPECT_EQ(sharedStore(8, store).sharedWavefronts, 2u);
  EXPECT_EQ(sharedStore(16, store).sharedWavefronts, 4u);
  EXPECT_EQ(sharedStore(128, store).sharedWavefronts, 32u);
  EXPECT_EQ(sharedStore(132, store).sharedWavefronts, 1u);
  EXPECT_EQ(sharedStore(128, store).sharedIdealWavefronts, 1u);
  EXPECT_EQ(sharedStore(0, store).sharedWavefronts, 1u); // broadcast
}

TEST(Counters, WideAccessesHavePhases) {
  const std::string two = "st.shared.v2.u32 [%r2], {%r4, %r4};";
  const std::string four = "st.shared.v4.u32 [%r2], {%r4, %r4, %r4, %r4};";
  EXPECT_EQ(sharedStore(8, two).sharedIdealWavefronts, 2u);
  EXPECT_EQ(sharedStore(8, two).sharedWavefronts, 2u);
  EXPECT_EQ(sharedStore(16, four).sharedWavefronts, 4u);
  // A pitch of 128 bytes puts the 8 rows of a phase into the same 4 banks.
  EXPECT_EQ(sharedStore(128, four).sharedWavefronts, 32u);
  EXPECT_EQ(sharedStore(144, four).sharedWavefronts, 4u);
}

TEST(Counters, InstructionsAndLanes) {
  Counters counters = count("setp.lt.u32 %p1, %r0, 5;\n"
                            "@%p1 add.u32 %r1, %r0, 1;\nbar.sync 0;");
  EXPECT_EQ(counters.opcodes["add.u32"].warps, 1u);
  EXPECT_EQ(counters.opcodes["add.u32"].lanes, 5u);
  EXPECT_EQ(counters.barriers, 1u);
  // ld.param, mov, setp, add, bar, ret
  EXPECT_EQ(counters.total.warps, 6u);
}

TEST(Counters, UniqueBytesCountOnce) {
  Counters counters = count("ld.global.u32 %r1, [%rd0];\n"
                            "ld.global.u32 %r2, [%rd0];\n"
                            "st.global.u16 [%rd0+8], 1;");
  EXPECT_EQ(counters.uniqueBytesRead, 4u);
  EXPECT_EQ(counters.uniqueBytesWritten, 2u);
  EXPECT_EQ(counters.total.bytesRead, 256u);
}

TEST(Counters, DoNotDependOnHostThreads) {
  std::string body = ".shared .b8 s[128];\nmov.u32 %r3, s;\n"
                     "mad.lo.u32 %r2, %r0, 4, %r3;\nst.shared.u32 [%r2], %r0;\n"
                     "mov.u32 %r5, %ctaid.x;\nand.b32 %r5, %r5, 7;\n"
                     "L: setp.gt.u32 %p1, %r0, %r5;\n@%p1 bra E;\n"
                     "sub.u32 %r5, %r5, 1;\nsetp.lt.s32 %p2, %r5, 0;\n"
                     "@!%p2 bra L;\nE: red.global.add.u32 [%rd0], 1;";
  std::string one = count(body, 32, 1, 50).json();
  EXPECT_EQ(one, count(body, 32, 2, 50).json());
  EXPECT_EQ(one, count(body, 32, 7, 50).json());
}

TEST(Counters, SpeedOfLightNamesTheLimit) {
  Counters counters;
  counters.uniqueBytesRead = 3350ull * 1000 * 1000; // a millisecond of H100
  Expected<SpeedOfLight> bound = speedOfLight(counters, "h100-sxm");
  ASSERT_TRUE(bool(bound));
  EXPECT_EQ(bound->limit, "dram");
  EXPECT_NEAR(bound->microseconds, 1000.0, 1e-6);
  counters.opcodes["wgmma.mma_async.f32.bf16"].multiplyAdds =
      989400ull * 1000000;
  // 989.4e9 multiply-adds at 494.7e12 a second are two milliseconds.
  Expected<SpeedOfLight> tensor = speedOfLight(counters, "h100-sxm");
  ASSERT_TRUE(bool(tensor));
  EXPECT_EQ(tensor->limit, "tensor");
  EXPECT_NEAR(tensor->microseconds, 2000.0, 1e-6);
  // mma.sync does not reach that.
  counters.opcodes["mma.sync.f32.bf16"].multiplyAdds = 989400ull * 1000000;
  Expected<SpeedOfLight> both = speedOfLight(counters, "h100-sxm");
  ASSERT_TRUE(bool(both));
  EXPECT_NEAR(both->microseconds, 2000.0 * (1 + 1 / 0.629), 1e-3);
  EXPECT_FALSE(bool(speedOfLight(counters, "abacus")));
}

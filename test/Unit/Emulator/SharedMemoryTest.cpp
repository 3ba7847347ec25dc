//===- SharedMemoryTest.cpp - Shared memory: races, initialisation, bounds
//-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator::test;

/// Each thread has its word of s at %r2, the next thread's at %r3.
static const std::string Prologue =
    ".shared .align 16 .b8 s[512];\nmov.u32 %r4, s;\nshl.b32 %r2, %r0, 2;\n"
    "add.u32 %r5, %r2, 4;\nand.b32 %r5, %r5, 511;\nadd.u32 %r2, %r2, %r4;\n"
    "add.u32 %r3, %r5, %r4;\n";

static std::string run(const std::string &body, uint32_t threads) {
  return Kernel(Prologue + body).block(threads).error();
}
static bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

TEST(SharedMemory, BarrierOrdersTheBlock) {
  EXPECT_EQ(run("st.shared.u32 [%r2], %r0;\nbar.sync 0;\n"
                "ld.shared.u32 %r1, [%r3];",
                128),
            "");
}

TEST(SharedMemory, WarpSyncOrdersTheWarp) {
  EXPECT_EQ(run("and.b32 %r5, %r5, 127;\nadd.u32 %r3, %r5, %r4;\n"
                "st.shared.u32 [%r2], %r0;\nbar.warp.sync 0xffffffff;\n"
                "ld.shared.u32 %r1, [%r3];",
                32),
            "");
}

TEST(SharedMemory, NegativeReadOfAnotherLanesWrite) {
  std::string message = run("st.shared.u32 [%r2], %r0;\n"
                            "ld.shared.u32 %r1, [%r3];",
                            128);
  EXPECT_TRUE(has(message, "race on shared memory: this read"));
  EXPECT_TRUE(has(message, "warp 0, lane 1, at line"));
}

TEST(SharedMemory, NegativeShuffleDoesNotOrder) {
  EXPECT_TRUE(has(run("st.shared.u32 [%r2], %r0;\n"
                      "shfl.sync.idx.b32 %r6, %r0, 0, 31, 0xffffffff;\n"
                      "ld.shared.u32 %r1, [%r3];",
                      128),
                  "race on shared memory"));
}

TEST(SharedMemory, NegativeWriteAfterRead) {
  EXPECT_TRUE(has(run("st.shared.u32 [%r2], %r0;\nbar.sync 0;\n"
                      "ld.shared.u32 %r1, [%r3];\nst.shared.u32 [%r2], %r0;",
                      128),
                  "not ordered after a read by"));
}

TEST(SharedMemory, SameValueInOneInstructionIsNoRace) {
  EXPECT_EQ(run("mov.b32 %r1, 7;\nst.shared.u32 [%r4], %r1;", 32), "");
  EXPECT_TRUE(has(run("st.shared.u32 [%r4], %r0;", 32), "this write"));
}

TEST(SharedMemory, NeighbouringBytesAreNoRace) {
  EXPECT_EQ(run("add.u32 %r6, %r4, %r0;\ncvt.u16.u32 %h1, %r0;\n"
                "st.shared.u8 [%r6], %h1;\nbar.sync 0;\n"
                "ld.shared.u32 %r1, [%r4];",
                64),
            "");
}

TEST(SharedMemory, AtomicsDoNotRaceWithEachOther) {
  EXPECT_EQ(run("setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r4], 0;\n"
                "bar.sync 0;\natom.shared.add.u32 %r1, [%r4], 1;",
                128),
            "");
}

TEST(SharedMemory, NegativeUnwrittenRead) {
  EXPECT_TRUE(has(run("ld.shared.u32 %r1, [%r2];", 32),
                  "read of shared memory that nothing wrote"));
}

TEST(SharedMemory, NegativePartOfAWordUnwritten) {
  EXPECT_TRUE(has(run("st.shared.u16 [%r2], 1;\nld.shared.u32 %r1, [%r2];", 32),
                  "read of shared memory that nothing wrote"));
}

TEST(SharedMemory, NegativeBounds) {
  EXPECT_TRUE(has(run("ld.shared.u32 %r1, [%r4+512];", 1), "out of bounds"));
  EXPECT_TRUE(has(run("st.shared.u32 [%r4+-4], %r0;", 1), "out of bounds"));
  EXPECT_TRUE(has(run("ld.shared.u32 %r1, [%r4+2];", 1), "misaligned shared"));
}

TEST(SharedMemory, NegativeMoreThanTheTargetHas) {
  EXPECT_TRUE(has(Kernel("").shared(164 * 1024).error(),
                  "but sm_80 has 166912 for a block"));
}

TEST(SharedMemory, NamedBarriersOrderTheirWarpsOnly) {
  // Warps 0 and 1 meet at barrier 1; warp 2 has not heard of the write.
  std::string body = "setp.eq.u32 %p1, %r0, 0;\nshr.u32 %r6, %r0, 5;\n"
                     "setp.lt.u32 %p2, %r6, 2;\nsetp.eq.u32 %p3, %r6, READER;\n"
                     "@%p1 st.shared.u32 [%r4], 5;\n@%p2 bar.sync 1, 64;\n"
                     "@%p3 ld.shared.u32 %r1, [%r4];";
  auto reader = [&](const char *warp) {
    std::string text = body;
    text.replace(text.find("READER"), 6, warp);
    return run(text, 96);
  };
  EXPECT_EQ(reader("1"), "");
  EXPECT_NE(reader("2"), "");
}

TEST(SharedMemory, ArriveCoversOnlyWhatCameBefore) {
  // The producer arrives, then writes again: the consumer must not see it.
  std::string body = "setp.lt.u32 %p1, %r0, 32;\nsetp.eq.u32 %p2, %r0, 0;\n"
                     "setp.eq.u32 %p3, %r0, 32;\n"
                     "@%p2 st.shared.u32 [%r4], 5;\n@%p1 bar.arrive 1, 64;\n"
                     "AFTER\n@!%p1 bar.sync 1, 64;\n"
                     "@%p3 ld.shared.u32 %r1, [%r4];";
  auto with = [&](const char *after) {
    std::string text = body;
    text.replace(text.find("AFTER"), 5, after);
    return run(text, 64);
  };
  EXPECT_EQ(with(""), "");
  EXPECT_TRUE(has(with("@%p2 st.shared.u32 [%r4], 6;"), "race"));
}

//===- WarpSyncTest.cpp - Exchange between lanes --------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

/// What each of 32 lanes has in %r1 after the body.
static std::vector<uint32_t> lanes(const std::string &body,
                                   std::string target = "sm_80") {
  std::vector<uint32_t> data(32);
  Expected<Counters> result =
      Kernel(body + "\nmad.wide.u32 %rd1, %r0, 4, %rd0;\n"
                    "st.global.u32 [%rd1], %r1;",
             target)
          .block(32)
          .run(data);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  return data;
}

TEST(WarpSync, ShuffleDirections) {
  std::vector<uint32_t> up =
      lanes("shfl.sync.up.b32 %r1, %r0, 3, 0, 0xffffffff;");
  std::vector<uint32_t> down =
      lanes("shfl.sync.down.b32 %r1, %r0, 3, 31, 0xffffffff;");
  std::vector<uint32_t> butterfly =
      lanes("shfl.sync.bfly.b32 %r1, %r0, 5, 31, 0xffffffff;");
  std::vector<uint32_t> index =
      lanes("shfl.sync.idx.b32 %r1, %r0, 7, 31, 0xffffffff;");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(up[lane], lane < 3 ? lane : lane - 3);
    EXPECT_EQ(down[lane], lane > 28 ? lane : lane + 3);
    EXPECT_EQ(butterfly[lane], lane ^ 5);
    EXPECT_EQ(index[lane], 7u);
  }
}

TEST(WarpSync, ShuffleStaysInItsSegment) {
  // Segments of 8: mask 0b11000, clamp 31.
  std::vector<uint32_t> down =
      lanes("shfl.sync.down.b32 %r1|%p1, %r0, 1, 0x181f, 0xffffffff;\n"
            "@!%p1 mov.b32 %r1, 99;");
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(down[lane], lane % 8 == 7 ? 99 : lane + 1);
}

TEST(WarpSync, Votes) {
  std::string odd = "and.b32 %r2, %r0, 1;\nsetp.eq.s32 %p2, %r2, 1;\n";
  EXPECT_EQ(lanes(odd + "vote.sync.ballot.b32 %r1, %p2, 0xffffffff;")[9],
            0xaaaaaaaau);
  EXPECT_EQ(lanes(odd + "vote.sync.any.pred %p1, %p2, 0xffffffff;\n"
                        "selp.u32 %r1, 1, 0, %p1;")[0],
            1u);
  EXPECT_EQ(lanes(odd + "vote.sync.all.pred %p1, %p2, 0xffffffff;\n"
                        "selp.u32 %r1, 1, 0, %p1;")[0],
            0u);
}

TEST(WarpSync, MatchFindsEqualLanes) {
  std::vector<uint32_t> same =
      lanes("and.b32 %r2, %r0, 3;\n"
            "match.any.sync.b32 %r1, %r2, 0xffffffff;");
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(same[lane], 0x11111111u << (lane % 4));
  EXPECT_EQ(lanes("match.all.sync.b32 %r1|%p1, %r0, 0xffffffff;")[4], 0u);
}

TEST(WarpSync, Reductions) {
  EXPECT_EQ(lanes("redux.sync.add.s32 %r1, %r0, 0xffffffff;")[3], 496u);
  EXPECT_EQ(lanes("redux.sync.max.u32 %r1, %r0, 0xffffffff;")[3], 31u);
  EXPECT_EQ(lanes("redux.sync.xor.b32 %r1, %r0, 0xffffffff;")[3], 0u);
}

TEST(WarpSync, PartialMasksAreIndependent) {
  std::vector<uint32_t> ranks =
      lanes("setp.lt.u32 %p1, %r0, 16;\n@%p1 bra LOW;\n"
            "redux.sync.add.u32 %r1, %r0, 0xffff0000;\nbra.uni END;\n"
            "LOW: redux.sync.add.u32 %r1, %r0, 0x0000ffff;\nEND:");
  EXPECT_EQ(ranks[0], 120u);
  EXPECT_EQ(ranks[31], 376u);
}

TEST(WarpSync, ElectChoosesOneLane) {
  std::vector<uint32_t> leader = lanes(
      "elect.sync %r2|%p1, 0xffffffff;\nselp.u32 %r1, 1, 0, %p1;", "sm_90");
  EXPECT_EQ(leader[0], 1u);
  EXPECT_EQ(leader[5], 0u);
}

TEST(WarpSync, NegativeShuffleFromAnExitedLane) {
  std::string message =
      Kernel("setp.ge.u32 %p1, %r0, 30;\n@%p1 exit;\n"
             "shfl.sync.idx.b32 %r1, %r0, 31, 31, 0xffffffff;")
          .block(32)
          .error();
  EXPECT_NE(message.find("shuffle from lane 31, which does not take part"),
            std::string::npos);
}

TEST(WarpSync, NegativeLaneOutsideItsMask) {
  std::string message = Kernel("bar.warp.sync 0x0000ffff;").block(32).error();
  EXPECT_NE(message.find("not in its own member mask"), std::string::npos);
}

TEST(WarpSync, NegativeWaitThatNobodyEnds) {
  std::string message = Kernel("setp.lt.u32 %p1, %r0, 16;\n"
                               "@%p1 bra LOW;\nbar.sync 1, 64;\nbra.uni END;\n"
                               "LOW: bar.warp.sync 0xffffffff;\nEND:")
                            .block(32)
                            .error();
  EXPECT_NE(message.find("deadlock"), std::string::npos);
  EXPECT_NE(message.find("waits for other lanes"), std::string::npos);
}

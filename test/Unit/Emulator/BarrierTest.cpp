//===- BarrierTest.cpp - Barriers of a block ------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

static bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

TEST(Barrier, ReductionsSeeEveryThread) {
  std::vector<uint32_t> data(96);
  Expected<Counters> result =
      Kernel("setp.lt.u32 %p1, %r0, 40;\nbar.red.popc.u32 %r1, 0, %p1;\n"
             "bar.red.and.pred %p2, 0, !%p1;\nselp.u32 %r2, 100, 0, %p2;\n"
             "bar.red.or.pred %p3, 0, %p1;\nselp.u32 %r3, 1000, 0, %p3;\n"
             "add.u32 %r1, %r1, %r2;\nadd.u32 %r1, %r1, %r3;\n"
             "mad.wide.u32 %rd1, %r0, 4, %rd0;\nst.global.u32 [%rd1], %r1;")
          .block(96)
          .run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  for (uint32_t value : data)
    EXPECT_EQ(value, 1040u);
}

TEST(Barrier, ExitedThreadsAreNotWaitedFor) {
  EXPECT_EQ(Kernel("setp.lt.u32 %p1, %r0, 50;\n@%p1 exit;\nbar.sync 0;")
                .block(128)
                .error(),
            "");
}

TEST(Barrier, NegativeThreadsThatNeverArrive) {
  std::string message = Kernel("setp.lt.u32 %p1, %r0, 32;\n"
                               "@%p1 bra A;\nbar.sync 1;\nbra.uni B;\n"
                               "A: bar.sync 2;\nB:")
                            .block(64)
                            .error();
  EXPECT_TRUE(has(message, "deadlock"));
  EXPECT_TRUE(has(message, "warp 0 lanes 0xffffffff at line"));
  EXPECT_TRUE(has(message, "barrier 1, 32 of 64 threads arrived"));
}

TEST(Barrier, NegativeAlignedBarrierInDivergedCode) {
  std::string message = Kernel("setp.lt.u32 %p1, %r0, 16;\n"
                               "@%p1 bra A;\nbar.sync 0;\nbra.uni B;\n"
                               "A: bar.sync 0;\nB:")
                            .block(32)
                            .error();
  EXPECT_TRUE(has(message, "deadlock"));
}

TEST(Barrier, UnalignedBarrierInDivergedCode) {
  EXPECT_EQ(Kernel("setp.lt.u32 %p1, %r0, 16;\n"
                   "@%p1 bra A;\nbarrier.sync 0;\nbra.uni B;\n"
                   "A: barrier.sync 0;\nB:")
                .block(32)
                .error(),
            "");
}

TEST(Barrier, NegativeCountsAndNumbers) {
  EXPECT_TRUE(has(Kernel("bar.sync 16;").block(32).error(),
                  "expects a barrier from 0 to 15"));
  EXPECT_TRUE(has(Kernel("bar.sync 1, 40;").block(64).error(),
                  "expects a multiple of 32 threads"));
}

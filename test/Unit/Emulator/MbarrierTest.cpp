//===- MbarrierTest.cpp - mbarrier ----------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

namespace {
const std::string Prologue = ".shared .align 16 .b8 s[64];\nmov.u32 %r4, s;\n"
                             "setp.eq.u32 %p1, %r0, 0;\n";

std::string init(unsigned count) {
  return "@%p1 mbarrier.init.shared.b64 [%r4], " + std::to_string(count) +
         ";\nbar.sync 0;\n";
}
std::string run(const std::string &body, uint32_t threads = 1) {
  return Kernel(Prologue + body, "sm_90a").block(threads).error();
}
bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}
/// The words that one thread leaves.
std::vector<uint32_t> result(const std::string &body, size_t count) {
  return words(Prologue + body, count, "sm_90a");
}
const std::string Wait0 = "W0:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, "
                          "[%r4], 0, 1000;\n@!%p2 bra W0;\n";
} // namespace

TEST(Mbarrier, PhasesAndParity) {
  // Before the first phase ends, that of parity 1 counts as over.
  std::vector<uint32_t> seen = result(
      init(2) +
          "mbarrier.test_wait.parity.shared.b64 %p2, [%r4], 1;\n"
          "selp.u32 %r1, 1, 0, %p2;\nst.global.u32 [%rd0], %r1;\n"
          "mbarrier.arrive.shared.b64 %rd1, [%r4];\n"
          "mbarrier.test_wait.shared.b64 %p2, [%r4], %rd1;\n"
          "selp.u32 %r1, 1, 0, %p2;\nst.global.u32 [%rd0+4], %r1;\n"
          "mbarrier.arrive.shared.b64 %rd2, [%r4];\n"
          "mbarrier.test_wait.shared.b64 %p2, [%r4], %rd1;\n"
          "selp.u32 %r1, 1, 0, %p2;\nst.global.u32 [%rd0+8], %r1;\n"
          "mbarrier.test_wait.parity.acquire.cta.shared::cta.b64 %p2, [%r4], "
          "0;\nselp.u32 %r1, 1, 0, %p2;\nst.global.u32 [%rd0+12], %r1;\n",
      4);
  EXPECT_EQ(seen, (std::vector<uint32_t>{1, 0, 1, 1}));
}

TEST(Mbarrier, StateHoldsThePendingCount) {
  std::vector<uint32_t> seen =
      result(init(5) + "mbarrier.arrive.noComplete.shared.b64 %rd1, [%r4], 2;\n"
                       "mbarrier.arrive.shared.b64 %rd2, [%r4];\n"
                       "mbarrier.pending_count.b64 %r1, %rd1;\n"
                       "mbarrier.pending_count.b64 %r2, %rd2;\n"
                       "st.global.v2.u32 [%rd0], {%r1, %r2};",
             2);
  EXPECT_EQ(seen, (std::vector<uint32_t>{5, 3}));
}

TEST(Mbarrier, DropLowersTheNextPhase) {
  // Two arrivals, of which one drops; then one is enough.
  EXPECT_EQ(run(init(2) +
                "mbarrier.arrive_drop.shared.b64 %rd1, [%r4];\n"
                "mbarrier.arrive.shared.b64 %rd1, [%r4];\n" +
                Wait0 +
                "mbarrier.arrive.release.cta.shared::cta.b64 %rd1, [%r4];\n"
                "W1:\nmbarrier.try_wait.shared.b64 %p2, [%r4], %rd1;\n"
                "@!%p2 bra W1;"),
            "");
}

TEST(Mbarrier, BytesHoldThePhase) {
  EXPECT_EQ(
      run(init(1) +
          "mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r4], 48;\n"
          "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], 16;\n"
          "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r4], 64;\n" +
          Wait0),
      "");
  std::string message =
      run(init(1) +
          "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], 16;\n"
          "mbarrier.complete_tx.shared::cta.b64 [%r4], 32;\n" +
          Wait0);
  EXPECT_TRUE(has(message, "deadlock"));
  EXPECT_TRUE(has(message, "0 of 1 arrivals pending, tx-count -16"));
}

TEST(Mbarrier, OrdersOtherWarps) {
  std::string body = "shl.b32 %r2, %r0, 2;\nadd.u32 %r2, %r2, %r4;\n"
                     "setp.lt.u32 %p3, %r0, 4;\n" +
                     init(64) + "@%p3 st.shared.u32 [%r2+16], %r0;\n";
  std::string arrive = "mbarrier.arrive.shared.b64 %rd1, [%r4];\n";
  std::string read = "ld.shared.u32 %r1, [%r4+28];";
  EXPECT_EQ(run(body + arrive + Wait0 + read, 64), "");
  EXPECT_TRUE(has(run(body + Wait0 + read, 64), "deadlock"));
  // The arrival comes before the store: the store is not released.
  EXPECT_TRUE(has(run("shl.b32 %r2, %r0, 2;\nadd.u32 %r2, %r2, %r4;\n"
                      "setp.lt.u32 %p3, %r0, 4;\n" +
                          init(64) + arrive +
                          "@%p3 st.shared.u32 [%r2+16], %r0;\n" + Wait0 + read,
                      64),
                  "race on shared memory"));
  // A relaxed arrival releases nothing.
  EXPECT_TRUE(
      has(run(body + "mbarrier.arrive.relaxed.cta.shared.b64 %rd1, [%r4];\n" +
                  Wait0 + read,
              64),
          "race on shared memory"));
}

TEST(Mbarrier, CopiesOfAThreadArrive) {
  std::string copy = init(32) +
                     "add.u32 %r5, %r4, 16;\n"
                     "@%p1 cp.async.ca.shared.global [%r5], [%rd0], 16;\n";
  std::string read = "ld.shared.u32 %r1, [%r5];";
  EXPECT_EQ(run(copy + "cp.async.mbarrier.arrive.noinc.shared.b64 [%r4];\n" +
                    Wait0 + read,
                32),
            "");
  EXPECT_EQ(run(copy +
                    "cp.async.mbarrier.arrive.shared.b64 [%r4];\n"
                    "mbarrier.arrive.shared.b64 %rd1, [%r4];\n" +
                    Wait0 + read,
                32),
            "");
  EXPECT_TRUE(
      has(run(copy + "mbarrier.arrive.shared.b64 %rd1, [%r4];\n" + Wait0 + read,
              32),
          "before the asynchronous copy that fills it"));
}

TEST(Mbarrier, NegativeOperands) {
  EXPECT_TRUE(has(run("mbarrier.init.shared.b64 [%r4], 0;"),
                  "expects a count from 1 to 1048575, but got 0"));
  EXPECT_TRUE(has(run("mbarrier.init.shared.b64 [%r4+4], 1;"), "misaligned"));
  EXPECT_TRUE(has(run("mbarrier.init.shared.b64 [%r4+64], 1;"),
                  "outside shared memory"));
  EXPECT_TRUE(has(run(init(1) + "mbarrier.test_wait.parity.shared.b64 %p2, "
                                "[%r4], 2;"),
                  "expects a phase parity of 0 or 1"));
  EXPECT_TRUE(has(run(init(1) + "mov.u64 %rd1, 0x700000;\n"
                                "mbarrier.test_wait.shared.b64 %p2, [%r4], "
                                "%rd1;"),
                  "that of phase 7"));
  EXPECT_TRUE(has(run(init(1) + "mbarrier.arrive.noComplete.shared.b64 %rd1, "
                                "[%r4], 1;"),
                  "an arrival with .noComplete completes the phase"));
  EXPECT_TRUE(has(run(init(1) + "mbarrier.arrive.shared::cluster.b64 %rd1, "
                                "[%r4];"),
                  "returns no state"));
  EXPECT_TRUE(has(run(init(1) + "mov.u32 %r1, 1048575;\n"
                                "mbarrier.expect_tx.shared.b64 [%r4], %r1;\n"
                                "mbarrier.expect_tx.shared.b64 [%r4], 1;"),
                  "the tx-count of an mbarrier leaves its range"));
}

TEST(Mbarrier, InvalGivesTheBytesBack) {
  EXPECT_EQ(run(init(1) +
                "mbarrier.inval.shared.b64 [%r4];\n"
                "st.shared.u64 [%r4], 1;\nld.shared.u64 %rd1, [%r4];"),
            "");
  EXPECT_TRUE(has(run(init(1) + "mbarrier.inval.shared.b64 [%r4];\n"
                                "mbarrier.arrive.shared.b64 %rd1, [%r4];"),
                  "expects an mbarrier that has been initialised"));
}

TEST(Mbarrier, GenericAddresses) {
  EXPECT_EQ(run("cvt.u64.u32 %rd6, %r4;\ncvta.shared.u64 %rd5, %rd6;\n"
                "mbarrier.init.b64 [%rd5], 1;\n"
                "mbarrier.arrive.b64 %rd1, [%rd5];\n"
                "W:\nmbarrier.try_wait.b64 %p2, [%rd5], %rd1;\n@!%p2 bra W;"),
            "");
  EXPECT_TRUE(has(run("mbarrier.init.b64 [%rd0], 1;"),
                  "expects an address in shared memory"));
}

TEST(Mbarrier, CountsItsOperations) {
  std::vector<uint32_t> data(64);
  Expected<Counters> counters =
      Kernel(Prologue + init(32) + "mbarrier.arrive.shared.b64 %rd1, [%r4];\n" +
                 Wait0,
             "sm_90a")
          .block(32)
          .run(data);
  ASSERT_TRUE(bool(counters)) << counters.error().str();
  EXPECT_EQ(counters->total.mbarrierOps, 65u);
}

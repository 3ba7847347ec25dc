//===- AsyncCopyTest.cpp - Asynchronous copies ----------------------------===//
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
const std::string Prologue = ".shared .align 16 .b8 s[64];\nmov.u32 %r4, s;\n";

/// Runs one thread on eight words 1…8 in both modes; they have to agree.
std::vector<uint32_t> copied(const std::string &body) {
  std::vector<uint32_t> results[2];
  for (AsyncMode mode : {AsyncMode::Eager, AsyncMode::Lazy}) {
    std::vector<uint32_t> &data = results[mode == AsyncMode::Lazy];
    data = {1, 2, 3, 4, 5, 6, 7, 8};
    Kernel kernel(Prologue + body);
    kernel.config.async = mode;
    Expected<Counters> result = kernel.run(data);
    EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  }
  EXPECT_EQ(results[0], results[1]);
  return results[0];
}

std::string refusal(const std::string &body) {
  std::string message = Kernel(Prologue + body).error();
  Kernel lazy(Prologue + body);
  lazy.config.async = AsyncMode::Lazy;
  EXPECT_EQ(lazy.error().empty(), message.empty());
  return message;
}
} // namespace

TEST(AsyncCopy, CopiesAfterTheWait) {
  EXPECT_EQ(
      copied("cp.async.cg.shared.global [%r4], [%rd0], 16;\n"
             "cp.async.commit_group;\ncp.async.wait_group 0;\n"
             "ld.shared.u32 %r1, [%r4+8];\nst.global.u32 [%rd0+16], %r1;")[4],
      3u);
}

TEST(AsyncCopy, FillsWithZeros) {
  std::vector<uint32_t> data =
      copied("cp.async.ca.shared.global [%r4], [%rd0], 8, 4;\n"
             "cp.async.wait_all;\nld.shared.v2.u32 {%r1, %r2}, [%r4];\n"
             "st.global.v2.u32 [%rd0+16], {%r1, %r2};");
  EXPECT_EQ(data[4], 1u);
  EXPECT_EQ(data[5], 0u);
}

TEST(AsyncCopy, IgnoredSourceIsNotTouched) {
  EXPECT_EQ(copied("setp.eq.u32 %p1, %r0, 0;\nmov.u64 %rd2, 64;\n"
                   "cp.async.ca.shared.global [%r4], [%rd2], 4, %p1;\n"
                   "cp.async.wait_all;\nld.shared.u32 %r1, [%r4];\n"
                   "st.global.u32 [%rd0], %r1;")[0],
            0u);
}

TEST(AsyncCopy, WaitGroupKeepsTheNewest) {
  std::string twoGroups = "cp.async.ca.shared.global [%r4], [%rd0], 4;\n"
                          "cp.async.commit_group;\n"
                          "cp.async.ca.shared.global [%r4+4], [%rd0+4], 4;\n"
                          "cp.async.commit_group;\ncp.async.wait_group 1;\n";
  EXPECT_EQ(copied(twoGroups + "ld.shared.u32 %r1, [%r4];\n"
                               "st.global.u32 [%rd0+28], %r1;")[7],
            1u);
  EXPECT_NE(refusal(twoGroups + "ld.shared.u32 %r1, [%r4+4];")
                .find("before the asynchronous copy that fills it"),
            std::string::npos);
}

TEST(AsyncCopy, NegativeOverwriteInFlight) {
  EXPECT_NE(refusal("cp.async.ca.shared.global [%r4], [%rd0], 4;\n"
                    "st.shared.u32 [%r4], 1;\ncp.async.wait_all;")
                .find("shared write before the asynchronous copy"),
            std::string::npos);
}

TEST(AsyncCopy, NegativeWaitDoesNotReachOtherThreads) {
  std::string message =
      Kernel(Prologue + "setp.eq.u32 %p1, %r0, 0;\n"
                        "@%p1 cp.async.ca.shared.global [%r4], [%rd0], 4;\n"
                        "cp.async.wait_all;\nld.shared.u32 %r1, [%r4];")
          .block(32)
          .error();
  EXPECT_NE(message.find("race on shared memory"), std::string::npos);
}

TEST(AsyncCopy, NegativeOldTarget) {
  EXPECT_NE(Kernel("cp.async.wait_all;", "sm_75")
                .error()
                .find("cp.async needs .target sm_80"),
            std::string::npos);
}

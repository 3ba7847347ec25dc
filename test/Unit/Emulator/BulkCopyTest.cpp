//===- BulkCopyTest.cpp - Bulk copies and their groups --------------------===//
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
const std::string Prologue =
    ".shared .align 128 .b8 s[256];\n.shared .align 8 .b64 bar;\n"
    "mov.u32 %r4, s;\nmov.u32 %r9, bar;\nsetp.eq.u32 %p1, %r0, 0;\n"
    "mbarrier.init.shared.b64 [%r9], 1;\nfence.proxy.async;\n";
const std::string Load =
    "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r9], 32;\n"
    "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::"
    "cache_hint [%r4], [%rd0], 32, [%r9], %rd5;\n";
const std::string Wait = "W:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, "
                         "[%r9], 0;\n@!%p2 bra W;\n";

/// Runs one thread in both modes; they have to agree.
template <typename T>
Expected<Counters> runBoth(const std::string &body, std::vector<T> &data) {
  std::vector<T> copy = data;
  Kernel lazy(Prologue + body, "sm_90a");
  lazy.config.async = AsyncMode::Lazy;
  Expected<Counters> late = lazy.run(copy);
  Expected<Counters> early = Kernel(Prologue + body, "sm_90a").run(data);
  EXPECT_EQ(bool(early), bool(late));
  EXPECT_EQ(data, copy);
  return early;
}

std::string refusal(const std::string &body) {
  std::vector<uint32_t> data(64, 1);
  Expected<Counters> result = runBoth(body, data);
  return result ? "" : result.error().str();
}
bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}
/// Fills 16 bytes of s with a word and fences.
std::string fill(const char *word) {
  return std::string("mov.b32 %r6, ") + word +
         ";\nst.shared.v4.b32 [%r4], {%r6, %r6, %r6, %r6};\n"
         "fence.proxy.async.shared::cta;\n";
}
std::string reduce(const std::string &modifiers) {
  return "cp.reduce.async.bulk.global.shared::cta.bulk_group." + modifiers +
         " [%rd0], [%r4], 16;\ncp.async.bulk.commit_group;\n"
         "cp.async.bulk.wait_group 0;\n";
}
} // namespace

TEST(BulkCopy, LoadsAndCounts) {
  std::vector<uint32_t> data = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0};
  Expected<Counters> counters =
      runBoth("mov.u64 %rd5, 0;\n" + Load + Wait +
                  "ld.shared.v2.u32 {%r1, %r2}, [%r4+24];\n"
                  "st.global.v2.u32 [%rd0+32], {%r1, %r2};",
              data);
  ASSERT_TRUE(bool(counters)) << counters.error().str();
  EXPECT_EQ(data[8], 7u);
  EXPECT_EQ(data[9], 8u);
  EXPECT_EQ(counters->total.bulkBytesRead, 32u);
  EXPECT_EQ(counters->total.bytesRead, 32u);
}

TEST(BulkCopy, StoresInGroups) {
  std::vector<uint32_t> data(8);
  Expected<Counters> counters = runBoth(
      fill("7") +
          "cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r4], 16;\n"
          "cp.async.bulk.commit_group;\n"
          "cp.async.bulk.global.shared::cta.bulk_group [%rd0+16], [%r4], 16;\n"
          "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n",
      data);
  ASSERT_TRUE(bool(counters)) << counters.error().str();
  EXPECT_EQ(data, std::vector<uint32_t>(8, 7));
  EXPECT_EQ(counters->total.bulkBytesWritten, 32u);
  EXPECT_EQ(counters->total.bytesRead, 0u);
}

TEST(BulkCopy, WaitGroupKeepsTheNewest) {
  // The second group still reads s: it may not be overwritten.
  EXPECT_TRUE(has(
      refusal(fill("7") +
              "cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r4], 16;\n"
              "cp.async.bulk.commit_group;\n"
              "cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r4], 16;\n"
              "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group.read 1;\n"
              "st.shared.u32 [%r4], 1;\ncp.async.bulk.wait_group 0;\n"),
      "before the asynchronous read of it is waited for"));
}

TEST(BulkCopy, ReducesByType) {
  std::vector<uint32_t> data(4, 5);
  EXPECT_TRUE(bool(runBoth(fill("3") + reduce("add.u32"), data)));
  EXPECT_EQ(data, std::vector<uint32_t>(4, 8));
  EXPECT_TRUE(bool(runBoth(fill("3") + reduce("min.u32"), data)));
  EXPECT_EQ(data, std::vector<uint32_t>(4, 3));
  EXPECT_TRUE(bool(runBoth(fill("-9") + reduce("min.s32"), data)));
  EXPECT_EQ(data, std::vector<uint32_t>(4, uint32_t(-9)));
  data.assign(4, 0x40200000); // 2.5
  EXPECT_TRUE(bool(runBoth(fill("0x3f800000") + reduce("add.f32"), data)));
  EXPECT_EQ(asFloat(data[3]), 3.5f);
  data.assign(4, 0x3c003800); // 1 and 0.5
  EXPECT_TRUE(
      bool(runBoth(fill("0x3c003c00") + reduce("add.noftz.f16"), data)));
  EXPECT_EQ(data[1], 0x40003e00u);
  data.assign(4, 0x3f803f00); // 1 and 0.5
  EXPECT_TRUE(
      bool(runBoth(fill("0x3f803f80") + reduce("add.noftz.bf16"), data)));
  EXPECT_EQ(data[2], 0x40003fc0u);
}

TEST(BulkCopy, AProxyFenceAfterABarrierCoversOtherThreads) {
  std::string body = "shl.b32 %r5, %r0, 2;\nadd.u32 %r5, %r5, %r4;\n"
                     "st.shared.u32 [%r5], %r0;\nbar.sync 0;\n";
  std::string store =
      "@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd0], [%r4], 256;\n"
      "@%p1 cp.async.bulk.commit_group;\n@%p1 cp.async.bulk.wait_group 0;\n";
  std::string prologue = ".shared .align 128 .b8 s[256];\nmov.u32 %r4, s;\n"
                         "setp.eq.u32 %p1, %r0, 0;\n";
  std::vector<uint32_t> data(64);
  EXPECT_EQ(
      Kernel(prologue + body + "@%p1 fence.proxy.async;\n" + store, "sm_90a")
          .block(64)
          .error(data),
      "");
  EXPECT_EQ(data[63], 63u);
  // The fence of another warp does not reach the thread that copies.
  EXPECT_TRUE(has(Kernel(prologue + body +
                             "setp.eq.u32 %p3, %r0, 32;\n"
                             "@%p3 fence.proxy.async;\n" +
                             store,
                         "sm_90a")
                      .block(64)
                      .error(),
                  "expects fence.proxy.async"));
}

TEST(BulkCopy, NegativeForms) {
  auto form = [](const char *text) { return refusal(text); };
  EXPECT_TRUE(has(form("cp.async.bulk.shared::cluster.shared::cta.mbarrier::"
                       "complete_tx::bytes [%r4], [%r4], 16, [%r9];"),
                  "between blocks of a cluster is not supported"));
  EXPECT_TRUE(has(form("cp.reduce.async.bulk.global.shared::cta.bulk_group.add."
                       "f16 [%rd0], [%r4], 16;"),
                  "expects .noftz"));
  EXPECT_TRUE(has(form("cp.reduce.async.bulk.global.shared::cta.bulk_group.inc."
                       "s32 [%rd0], [%r4], 16;"),
                  "does not have type '.s32'"));
  EXPECT_TRUE(has(form("cp.async.bulk.global.shared::cta.bulk_group.cp_mask "
                       "[%rd0], [%r4], 16, %h1;"),
                  ".cp_mask is not supported"));
  EXPECT_TRUE(has(refusal("cp.async.bulk.global.shared::cta.bulk_group [%rd0], "
                          "[%r4], 24;"),
                  "expects a positive multiple of 16 bytes, but got 24"));
  EXPECT_TRUE(has(refusal("cp.async.bulk.global.shared::cta.bulk_group [%rd0], "
                          "[%r4+256], 16;"),
                  "bulk copy of 16 bytes out of bounds"));
  EXPECT_TRUE(has(refusal("cp.async.bulk.global.shared::cta.bulk_group [%rd0], "
                          "[%r4], 16;"),
                  "read of shared memory that nothing wrote"));
}

TEST(BulkCopy, PrefetchDoesNothing) {
  EXPECT_EQ(refusal("cp.async.bulk.prefetch.L2.global [%rd0], 64;"), "");
}

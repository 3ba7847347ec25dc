//===- WarpgroupTest.cpp - Registers of warps, clusters of one block ------===//
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
bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}
/// Without .maxnreg a block of 512 threads starts with 128 registers each.
std::string run(const std::string &body) {
  return Kernel("setp.lt.u32 %p1, %r0, 128;\n" + body, "sm_90a")
      .block(512)
      .error();
}
} // namespace

TEST(Warpgroup, RegistersMoveBetweenWarps) {
  std::string body = "@%p1 bra LOW;\nsetmaxnreg.inc.sync.aligned.u32 160;\n"
                     "bra E;\nLOW:\nsetmaxnreg.dec.sync.aligned.u32 32;\nE:\n";
  // 96 registers of four warps, 32 for each of twelve.
  EXPECT_EQ(run(body), "");
  body.replace(body.find("160"), 3, "168");
  EXPECT_TRUE(has(run(body), "waits for registers"));
}

TEST(Warpgroup, NegativeRegisters) {
  EXPECT_TRUE(has(run("setmaxnreg.inc.sync.aligned.u32 100;"),
                  "multiple of 8, but got 100"));
  EXPECT_TRUE(has(run("setmaxnreg.inc.sync.aligned.u32 264;"),
                  "a number of registers from 24 to 256"));
  EXPECT_TRUE(has(run("setmaxnreg.dec.sync.aligned.u32 136;"),
                  "to 136 registers, but the warp has 128"));
  EXPECT_TRUE(has(run("setp.lt.u32 %p2, %r0, 32;\n@!%p2 bra E;\n"
                      "setmaxnreg.dec.sync.aligned.u32 64;\nE:"),
                  "the warps of a warpgroup set different numbers of "
                  "registers"));
}

TEST(Warpgroup, ElectedLaneAndDependentGrids) {
  EXPECT_EQ(word("griddepcontrol.wait;\nelect.sync %r2|%p1, 0xffffffff;\n"
                 "selp.u32 %r1, 9, 0, %p1;\ngriddepcontrol.launch_dependents;",
                 "sm_90a"),
            0u + 9);
}

TEST(Cluster, IsOneBlock) {
  EXPECT_EQ(word("mov.u32 %r1, %cluster_nctarank;", "sm_90a"), 1u);
  EXPECT_EQ(word("mov.u32 %r1, %cluster_ctarank;", "sm_90a"), 0u);
  EXPECT_EQ(word("mov.u32 %r1, %cluster_nctaid.y;", "sm_90a"), 1u);
  EXPECT_EQ(word("mov.u32 %r1, %nclusterid.x;", "sm_90a"), 1u);
  EXPECT_EQ(
      word("mov.u32 %r2, 48;\nmapa.shared::cluster.u32 %r1, %r2, 0;", "sm_90a"),
      48u);
  EXPECT_TRUE(
      has(Kernel("mapa.shared::cluster.u32 %r1, %r0, 1;", "sm_90a").error(),
          "expects rank 0 of a cluster of one block, but got 1"));
}

TEST(Cluster, BarrierOrdersTheBlock) {
  std::string body = ".shared .align 16 .b8 s[512];\nmov.u32 %r4, s;\n"
                     "shl.b32 %r2, %r0, 2;\nadd.u32 %r2, %r2, %r4;\n"
                     "xor.b32 %r3, %r2, 256;\nst.shared.u32 [%r2], %r0;\n";
  std::string read = "ld.shared::cluster.u32 %r1, [%r3];";
  auto run = [](const std::string &text) {
    return Kernel(text, "sm_90a").block(128).error();
  };
  EXPECT_EQ(run(body +
                "barrier.cluster.arrive.release.aligned;\n"
                "barrier.cluster.wait.acquire.aligned;\n" +
                read),
            "");
  EXPECT_TRUE(has(run(body +
                      "barrier.cluster.arrive.relaxed.aligned;\n"
                      "barrier.cluster.wait.aligned;\n" +
                      read),
                  "race on shared memory"));
  EXPECT_TRUE(has(run("barrier.cluster.arrive;\nbarrier.cluster.arrive;"),
                  "twice without a wait"));
  EXPECT_TRUE(has(run("barrier.cluster.wait;"), "without an arrive"));
  EXPECT_TRUE(has(run("setp.lt.u32 %p1, %r0, 64;\n@%p1 bra W;\n"
                      "bar.sync 1, 96;\nW:\nbarrier.cluster.arrive;\n"
                      "barrier.cluster.wait;"),
                  "waits for the other threads of its cluster"));
}

TEST(Cluster, RelaxedBarrierPublishesFencedMbarriers) {
  auto message = [](const std::string &fence) {
    return Kernel(".shared .align 8 .b64 b;\nmov.u32 %r4, b;\n"
                  "setp.eq.u32 %p1, %r0, 0;\n"
                  "@%p1 mbarrier.init.shared.b64 [%r4], 64;\n" +
                      fence +
                      "barrier.cluster.arrive.relaxed.aligned;\n"
                      "barrier.cluster.wait.acquire.aligned;\n"
                      "mbarrier.arrive.shared.b64 %rd1, [%r4];",
                  "sm_90a")
        .block(64)
        .error();
  };
  EXPECT_EQ(message("@%p1 fence.mbarrier_init.release.cluster;\n"), "");
  EXPECT_TRUE(has(message(""), "is not ordered after its mbarrier.init"));
}

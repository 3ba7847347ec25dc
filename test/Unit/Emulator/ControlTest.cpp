//===- ControlTest.cpp - Branches, calls and registers --------------------===//
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

TEST(Control, LanesLoopTheirOwnNumberOfTimes) {
  std::vector<uint32_t> data(32);
  Expected<Counters> result =
      Kernel("mov.u32 %r1, 0;\nmov.u32 %r2, 0;\n"
             "LOOP: setp.ge.u32 %p1, %r2, %r0;\n@%p1 bra DONE;\n"
             "add.u32 %r1, %r1, %r2;\nadd.u32 %r2, %r2, 1;\nbra.uni LOOP;\n"
             "DONE: mad.wide.u32 %rd1, %r0, 4, %rd0;\n"
             "st.global.u32 [%rd1], %r1;")
          .block(32)
          .run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(data[lane], lane * (lane ? lane - 1 : 0) / 2);
  EXPECT_EQ(result->total.divergentBranches, 31u);
}

TEST(Control, IndexedBranch) {
  std::vector<uint32_t> data(4);
  Expected<Counters> result =
      Kernel("T: .branchtargets A, B, C, C;\nbrx.idx %r0, T;\n"
             "A: mov.u32 %r1, 10;\nbra.uni E;\nB: mov.u32 %r1, 20;\n"
             "bra.uni E;\nC: mov.u32 %r1, 30;\n"
             "E: mad.wide.u32 %rd1, %r0, 4, %rd0;\nst.global.u32 [%rd1], %r1;")
          .block(4)
          .run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(data, (std::vector<uint32_t>{10, 20, 30, 30}));
}

TEST(Control, StepLimitEndsALoop) {
  Kernel kernel("L: bra L;");
  kernel.config.maxSteps = 1000;
  EXPECT_TRUE(has(kernel.error(), "step limit: a warp executed 1000"));
}

TEST(Control, NegativeTrap) {
  EXPECT_TRUE(has(Kernel("trap;").error(), "trap"));
}

TEST(Control, NegativeUnwrittenRegister) {
  EXPECT_TRUE(has(Kernel("add.u32 %r1, %r2, 1;").error(),
                  "read of register %r2, which nothing wrote"));
}

TEST(Control, NegativeRegisterWrittenOnOnePathOnly) {
  std::string body = "setp.eq.u32 %p1, %r0, 3;\n@%p1 mov.u32 %r2, 1;\n"
                     "add.u32 %r1, %r2, 1;";
  std::string message = Kernel(body).block(4).error();
  EXPECT_TRUE(has(message, "read of register %r2"));
  EXPECT_TRUE(has(message, "lane 0"));
}

TEST(Control, RegisterReadOnlyWhereItWasWritten) {
  EXPECT_EQ(Kernel("setp.eq.u32 %p1, %r0, 3;\n@%p1 mov.u32 %r2, 1;\n"
                   "@%p1 add.u32 %r1, %r2, 1;")
                .block(4)
                .error(),
            "");
}

TEST(Control, MovesOfUnwrittenRegistersAreAllowedUntilUsed) {
  EXPECT_EQ(Kernel("mov.u32 %r3, %r2;").error(), "");
  EXPECT_TRUE(has(Kernel("mov.u32 %r3, %r2;\nadd.u32 %r1, %r3, 1;").error(),
                  "read of register %r3"));
}

TEST(Control, NegativeUnwrittenGuard) {
  EXPECT_TRUE(
      has(Kernel("@%p3 mov.u32 %r1, 1;").error(), "read of register %p3"));
}

TEST(Control, NegativeUnknownLabel) {
  EXPECT_TRUE(has(Kernel("bra NOWHERE;").error(), "unknown label 'NOWHERE'"));
}

static Expected<Module> parse(const std::string &functions) {
  return Module::parse(".version 8.0\n.target sm_80\n.address_size 64\n" +
                           functions,
                       "calls.ptx");
}

TEST(Control, CallsPassAndReturnBytes) {
  Expected<Module> module = parse(
      ".func (.param .b32 r) twice(.param .b32 a)\n{ .reg .b32 %r<3>;\n"
      "ld.param.b32 %r1, [a]; add.u32 %r2, %r1, %r1; st.param.b32 [r], %r2;\n"
      "ret; }\n.visible .entry k(.param .u64 p)\n{ .reg .b32 %r<5>; .reg .b64 "
      "%rd<3>;\nld.param.u64 %rd1, [p]; mov.u32 %r1, %tid.x;\n"
      "{ .param .b32 x; .param .b32 y; st.param.b32 [x], %r1;\n"
      "call.uni (y), twice, (x); ld.param.b32 %r2, [y]; }\n"
      "mad.wide.u32 %rd2, %r1, 4, %rd1; st.global.u32 [%rd2], %r2; ret; }");
  ASSERT_TRUE(bool(module)) << module.error().str();
  std::vector<uint32_t> data(4);
  MemorySpace memory;
  memory.add(data.data(), 16, Access::Out, "data");
  LaunchConfig config;
  config.entry = "k";
  config.block[0] = 4;
  uint64_t address = reinterpret_cast<uintptr_t>(data.data());
  config.parameters.resize(8);
  std::memcpy(config.parameters.data(), &address, 8);
  Expected<Counters> result = module->launch(config, memory);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(data, (std::vector<uint32_t>{0, 2, 4, 6}));
}

TEST(Control, NegativeRecursionAndMissingFunctions) {
  Expected<Module> recursive =
      parse(".func f() { call f; ret; }\n.visible .entry k() { call f; ret; }");
  ASSERT_TRUE(bool(recursive)) << recursive.error().str();
  EXPECT_TRUE(has(recursive->check("k").error().str(), "recursion"));
  Expected<Module> missing =
      parse(".extern .func g();\n.visible .entry k() { call.uni g, (); ret; }");
  ASSERT_TRUE(bool(missing)) << missing.error().str();
  EXPECT_TRUE(has(missing->check("k").error().str(), "not defined"));
}

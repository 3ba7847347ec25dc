//===- MemoryTest.cpp - Global, local and parameter memory ----------------===//
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

TEST(Memory, VectorsAndExtension) {
  EXPECT_EQ(words("mov.b32 %r1, 0x80;\nst.global.u8 [%rd0], %r1;\n"
                  "ld.global.s8 %r2, [%rd0];\nld.global.u8 %r3, [%rd0];\n"
                  "st.global.v2.u32 [%rd0+8], {%r2, %r3};",
                  4),
            (std::vector<uint32_t>{0x80, 0, 0xffffff80, 0x80}));
}

TEST(Memory, GenericAddressesReachEverySpace) {
  EXPECT_EQ(word(".shared .align 4 .b8 s[4];\n.local .align 4 .b8 l[4];\n"
                 "mov.u64 %rd2, s;\ncvta.shared.u64 %rd2, %rd2;\n"
                 "mov.u64 %rd3, l;\ncvta.local.u64 %rd3, %rd3;\n"
                 "st.u32 [%rd2], 40;\nst.local.u32 [l], 2;\n"
                 "ld.shared.u32 %r2, [s];\nld.u32 %r3, [%rd3];\n"
                 "add.u32 %r1, %r2, %r3;"),
            42u);
}

TEST(Memory, SpacesAreToldApart) {
  EXPECT_EQ(predicate(".shared .align 4 .b8 s[4];\nmov.u64 %rd2, s;\n"
                      "cvta.shared.u64 %rd2, %rd2;\n"
                      "isspacep.shared %p1, %rd2;"),
            1u);
  EXPECT_EQ(predicate("isspacep.shared %p1, %rd0;"), 0u);
}

TEST(Memory, NegativeBoundsAndAlignment) {
  std::vector<uint32_t> data(4);
  EXPECT_TRUE(has(Kernel("ld.global.u32 %r1, [%rd0+16];").error(data),
                  "global read of 4 bytes out of bounds: 0 bytes past the end "
                  "of data"));
  EXPECT_TRUE(
      has(Kernel("ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd0+8];").error(data),
          "misaligned global access of 16 bytes"));
  EXPECT_TRUE(
      has(Kernel("ld.global.u16 %h1, [%rd0+1];").error(data), "misaligned"));
  EXPECT_TRUE(
      has(Kernel("mov.u64 %rd1, 0;\nst.global.u32 [%rd1], 1;").error(data),
          "out of bounds"));
}

TEST(Memory, NegativeErrorNamesThreadAndLine) {
  std::vector<uint32_t> data(4);
  std::string message =
      Kernel("mad.wide.u32 %rd1, %r0, 4, %rd0;\nst.global.u32 [%rd1], %r0;")
          .block(40)
          .error(data);
  EXPECT_TRUE(has(message, "test.ptx:15: error:"));
  EXPECT_TRUE(has(message, "instruction: st.global.u32 [%rd1], %r0;"));
  EXPECT_TRUE(has(message, "block (0,0,0), warp 0, lane 4, thread (4,0,0)"));
}

TEST(Memory, NegativeInputsAreReadOnly) {
  std::vector<uint32_t> data(4);
  Expected<Counters> result =
      Kernel("st.global.u32 [%rd0], 1;").runAs(data, Access::In);
  ASSERT_FALSE(bool(result));
  EXPECT_TRUE(has(result.error().message, "which is only an input"));
}

TEST(Memory, NegativeReadOfAnUnwrittenOutput) {
  std::vector<uint32_t> data(4);
  Expected<Counters> result =
      Kernel("st.global.u32 [%rd0], 1;\nld.global.v2.u32 {%r1, %r2}, [%rd0];")
          .runAs(data, Access::Out);
  ASSERT_FALSE(bool(result));
  EXPECT_TRUE(has(result.error().message,
                  "read of global memory that nothing wrote: byte 4 of data"));
}

TEST(Memory, UnwrittenElementsAreCounted) {
  std::vector<uint32_t> data(8);
  MemorySpace memory;
  ASSERT_TRUE(memory.add(data.data(), 32, Access::Out, "data"));
  EXPECT_EQ(data[0], 0xffffffffu);
  memory.find(reinterpret_cast<uintptr_t>(data.data()))
      ->initialized.mark(0, 10);
  size_t first = 0;
  EXPECT_EQ(memory.countUnwritten(data.data(), 4, first), 6u);
  EXPECT_EQ(first, 2u);
}

TEST(Memory, RangesDoNotOverlapAndAreForgotten) {
  std::vector<uint32_t> data(8);
  MemorySpace memory;
  EXPECT_TRUE(memory.add(data.data(), 16, Access::InOut, "first"));
  EXPECT_FALSE(memory.add(data.data() + 3, 16, Access::InOut, "second"));
  EXPECT_TRUE(memory.add(data.data() + 4, 16, Access::InOut, "second"));
  EXPECT_TRUE(memory.remove(data.data()));
  EXPECT_FALSE(memory.remove(data.data()));
  uint64_t address = reinterpret_cast<uintptr_t>(data.data());
  EXPECT_EQ(memory.find(address), nullptr);
  ASSERT_NE(memory.released(address), nullptr);
  EXPECT_EQ(*memory.released(address), "first");
}

TEST(Memory, NegativeLocalBounds) {
  EXPECT_TRUE(has(Kernel(".local .align 4 .b8 l[8];\nmov.u32 %r2, l;\n"
                         "st.local.u32 [%r2+8], 1;")
                      .error(),
                  "local access of 4 bytes out of bounds: the thread has 8"));
}

TEST(Memory, NegativeKernelParametersAreReadOnly) {
  EXPECT_TRUE(has(Kernel("st.param.u64 [p], %rd0;").error(),
                  "store to a kernel parameter"));
}

TEST(Memory, VariablesOfTheModuleKeepTheirValues) {
  Expected<Module> module = Module::parse(
      ".version 8.0\n.target sm_80\n.address_size 64\n"
      ".visible .global .align 4 .u32 counter[2] = {5, 6};\n"
      ".const .align 8 .u64 where = counter;\n"
      ".visible .entry k()\n{ .reg .b32 %r<3>; .reg .b64 %rd<2>;\n"
      "ld.const.u64 %rd1, [where]; ld.global.u32 %r1, [%rd1+4];\n"
      "add.u32 %r1, %r1, 1; st.global.u32 [counter+4], %r1; ret; }",
      "variables.ptx");
  ASSERT_TRUE(bool(module)) << module.error().str();
  MemorySpace memory;
  LaunchConfig config;
  config.entry = "k";
  for (int i = 0; i < 2; ++i) {
    Expected<Counters> result = module->launch(config, memory);
    ASSERT_TRUE(bool(result)) << result.error().str();
  }
  size_t bytes = 0;
  auto *counter = static_cast<uint32_t *>(module->variable("counter", bytes));
  ASSERT_EQ(bytes, 8u);
  EXPECT_EQ(counter[0], 5u);
  EXPECT_EQ(counter[1], 8u);
}

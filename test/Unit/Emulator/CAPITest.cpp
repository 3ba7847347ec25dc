//===- CAPITest.cpp - The C ABI of the emulator ---------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta-c/Emulator.h"
#include "gtest/gtest.h"
#include <cstring>
#include <string>

static const char *const Text =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry twice(.param .u64 p, .param .u32 n)\n{\n"
    ".reg .pred %p<2>;\n.reg .b32 %r<5>;\n.reg .b64 %rd<3>;\n"
    "ld.param.u64 %rd1, [p];\nld.param.u32 %r1, [n];\nmov.u32 %r2, %tid.x;\n"
    "setp.ge.u32 %p1, %r2, %r1;\n@%p1 bra E;\n"
    "mad.wide.u32 %rd2, %r2, 4, %rd1;\nld.global.u32 %r3, [%rd2];\n"
    "add.u32 %r4, %r3, %r3;\nst.global.u32 [%rd2], %r4;\nE: ret;\n}\n";

struct CAPI : testing::Test {
  CAPI()
      : module(mtaEmulatorModuleParse(Text, std::strlen(Text), "twice.ptx")),
        memory(mtaEmulatorMemoryCreate()) {
    config.size = sizeof config;
    config.entry = "twice";
    for (unsigned i = 0; i < 3; ++i)
      config.grid[i] = config.block[i] = 1;
    config.block[0] = 32;
    config.parameters = parameters;
    config.parameterBytes = sizeof parameters;
  }
  ~CAPI() override {
    mtaEmulatorModuleDestroy(module);
    mtaEmulatorMemoryDestroy(memory);
  }
  void setParameters(void *pointer, uint32_t count) {
    std::memcpy(parameters, &pointer, 8);
    std::memcpy(parameters + 8, &count, 4);
  }

  MtaEmulatorModule *module;
  MtaEmulatorMemory *memory;
  MtaEmulatorLaunchConfig config = {};
  uint8_t parameters[12];
};

TEST_F(CAPI, LaunchesAndCounts) {
  ASSERT_NE(module, nullptr) << mtaEmulatorLastError();
  uint32_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  ASSERT_EQ(mtaEmulatorMemoryAdd(memory, data, sizeof data, MTA_EMULATOR_INOUT,
                                 "data"),
            0);
  setParameters(data, 8);
  char *counters = mtaEmulatorLaunch(module, memory, &config);
  ASSERT_NE(counters, nullptr) << mtaEmulatorLastError();
  EXPECT_NE(std::string(counters).find("\"unique_bytes_read\": 32"),
            std::string::npos);
  mtaEmulatorFree(counters);
  EXPECT_EQ(data[7], 16u);
}

TEST_F(CAPI, ListsEntries) {
  char *entries = mtaEmulatorModuleEntries(module);
  ASSERT_NE(entries, nullptr);
  std::string text = entries;
  mtaEmulatorFree(entries);
  EXPECT_NE(text.find("\"name\": \"twice\""), std::string::npos);
  EXPECT_NE(text.find("\"parameter_bytes\": 12"), std::string::npos);
}

TEST_F(CAPI, NegativeErrorsAreTexts) {
  EXPECT_EQ(mtaEmulatorModuleParse("garbage", 7, "g.ptx"), nullptr);
  EXPECT_NE(std::string(mtaEmulatorLastError()).find("g.ptx:1: error"),
            std::string::npos);
  uint32_t data[4] = {};
  mtaEmulatorMemoryAdd(memory, data, sizeof data, MTA_EMULATOR_INOUT, "data");
  setParameters(data, 8);
  EXPECT_EQ(mtaEmulatorLaunch(module, memory, &config), nullptr);
  EXPECT_NE(std::string(mtaEmulatorLastError()).find("out of bounds"),
            std::string::npos);
  config.parameterBytes = 4;
  EXPECT_EQ(mtaEmulatorLaunch(module, memory, &config), nullptr);
  EXPECT_NE(std::string(mtaEmulatorLastError())
                .find("expects 12 bytes of parameters, but got 4"),
            std::string::npos);
  EXPECT_NE(mtaEmulatorModuleCheck(module, "thrice"), 0);
}

TEST_F(CAPI, NegativeUseAfterRemoval) {
  uint32_t data[8] = {};
  mtaEmulatorMemoryAdd(memory, data, sizeof data, MTA_EMULATOR_INOUT, "data");
  EXPECT_EQ(mtaEmulatorMemoryRemove(memory, data), 0);
  EXPECT_NE(mtaEmulatorMemoryRemove(memory, data), 0);
  setParameters(data, 8);
  EXPECT_EQ(mtaEmulatorLaunch(module, memory, &config), nullptr);
  EXPECT_NE(std::string(mtaEmulatorLastError()).find("data has been released"),
            std::string::npos);
}

//===- ModuleTest.cpp - Tests of modules in the C ABI -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include "gtest/gtest.h"

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

using namespace mta::test;

static const char *const kAttention = R"(
func.func @attention(%t: tensor<1x1x8x8xbf16>) -> tensor<1x1x8x8xbf16> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x8xbf16>, tensor<1x1x8x8xbf16>, tensor<1x1x8x8xbf16>
      -> tensor<1x1x8x8xbf16>
  return %o : tensor<1x1x8x8xbf16>
}
)";

static std::string print(const Module &module) {
  Text text(mtaModulePrint(module.get()));
  return text.get();
}

TEST(CompilerModule, Version) {
  int major, minor, patch;
  EXPECT_EQ(std::sscanf(mtaVersion(), "%d.%d.%d", &major, &minor, &patch), 3);
}

TEST(CompilerModule, DestroyingNothing) {
  mtaModuleDestroy(nullptr);
  mtaExecutableDestroy(nullptr);
  mtaFree(nullptr);
}

TEST(CompilerModule, ParsePrint) {
  Module module = parse(kAttention);
  ASSERT_TRUE(module) << mtaLastError();
  EXPECT_STREQ(mtaLastError(), "");
  std::string text = print(module);
  EXPECT_NE(text.find("mta.attention %arg0, %arg0, %arg0 mask(causal)"),
            std::string::npos);
  // The text is that of a module with the same text.
  EXPECT_EQ(print(parse(text)), text);
}

TEST(CompilerModule, ParseReadsOnlyItsLength) {
  std::string text = std::string(kAttention) + "no MLIR";
  Module module(mtaModuleParse(text.data(), std::strlen(kAttention), "x"));
  EXPECT_TRUE(module) << mtaLastError();
  EXPECT_TRUE(Module(mtaModuleParse("no MLIR", 0, "empty")));
}

TEST(CompilerModule, ParseErrorsNamePlaceAndReason) {
  EXPECT_FALSE(parse("func.func @f() {\n  no.such_op\n}"));
  EXPECT_TRUE(failedWith("input.mlir:2:3: error: ")) << mtaLastError();
  EXPECT_FALSE(parse("func.func @f() { return"));
  EXPECT_TRUE(failedWith("input.mlir:1:")) << mtaLastError();
  // A module that parses but does not verify.
  EXPECT_FALSE(parse("func.func @f(%x: tensor<2x2x2x2xf32>, %g: "
                     "tensor<3xf32>) {\n  %0 = mta.head_norm %x, %g : "
                     "tensor<2x2x2x2xf32>, tensor<3xf32> -> "
                     "tensor<2x2x2x2xf32>\n  return\n}"));
  EXPECT_TRUE(failedWith("input.mlir:2:8: error: 'mta.head_norm' op expects "
                         "the same size of gamma and of the input's rows, but "
                         "got 3 and 2"))
      << mtaLastError();
}

TEST(CompilerModule, NotesFollowTheirError) {
  EXPECT_FALSE(parse("func.func @f() { return }\nfunc.func @f() { return }"));
  std::string error = mtaLastError();
  size_t note = error.find("\ninput.mlir:1:1: note: ");
  EXPECT_NE(note, std::string::npos) << error;
  EXPECT_LT(error.find("input.mlir:2:1: error: "), note) << error;
}

TEST(CompilerModule, ErrorsAreClearedBySuccess) {
  EXPECT_FALSE(parse("no MLIR"));
  EXPECT_STRNE(mtaLastError(), "");
  EXPECT_TRUE(parse(kAttention));
  EXPECT_STREQ(mtaLastError(), "");
}

TEST(CompilerModule, TextThatIsNoText) {
  // Zero bytes read as blanks.
  EXPECT_TRUE(parse(std::string("\0module {\0}\0", 12)));
  EXPECT_FALSE(parse("\xff\xfe\xfd"));
  // The magic number of bytecode, and then none.
  EXPECT_FALSE(parse(std::string("ML\xefR", 4)));
  EXPECT_FALSE(parse(std::string("ML\xefR\x06garbage\0\x01\xff\xff", 16)));
  // Bytes that are no UTF-8 are fine within a string and are printed escaped.
  Module module = parse("module attributes {x.y = \"a\xff\"} {}");
  if (module) {
    EXPECT_NE(print(module).find("a\\FF"), std::string::npos);
  } else {
    EXPECT_STRNE(mtaLastError(), "");
  }
}

TEST(CompilerModule, TextLongerThanMemory) {
  EXPECT_FALSE(Module(mtaModuleParse("x", SIZE_MAX, "x")));
  EXPECT_TRUE(failedWith("memory")) << mtaLastError();
}

TEST(CompilerModule, CloneIsIndependent) {
  Module module = parse(kAttention);
  Module clone(mtaModuleClone(module.get()));
  ASSERT_TRUE(clone) << mtaLastError();
  EXPECT_EQ(print(clone), print(module));
  ASSERT_EQ(mtaModuleRunPipeline(clone.get(),
                                 "builtin.module(convert-mta-to-linalg)"),
            0);
  EXPECT_EQ(print(clone).find("mta."), std::string::npos);
  EXPECT_NE(print(module).find("mta."), std::string::npos);
  module.reset();
  EXPECT_NE(print(clone).find("linalg.generic"), std::string::npos);
}

TEST(CompilerModule, CloneKeepsResources) {
  Module module = parse("module attributes {x.y = dense_resource<blob> : "
                        "tensor<1xi32>} {}\n{-#\n  dialect_resources: {\n    "
                        "builtin: {\n      blob: \"0x0400000001000000\"\n    "
                        "}\n  }\n#-}\n");
  ASSERT_TRUE(module) << mtaLastError();
  Module clone(mtaModuleClone(module.get()));
  ASSERT_TRUE(clone) << mtaLastError();
  EXPECT_NE(print(clone).find("0x0400000001000000"), std::string::npos);
}

TEST(CompilerModule, PipelinesThatAreNone) {
  Module module = parse(kAttention);
  std::string before = print(module);
  for (const char *pipeline :
       {"garbage", "builtin.module(", "builtin.module)", "(", ")", ",", "{",
        "builtin.module(no-such-pass)", "builtin.module(canonicalize{)",
        "builtin.module(canonicalize{no-such-option=1})",
        "builtin.module(mta-reference-gpu{block-size=many})",
        "func.func(canonicalize)", "any(canonicalize)", "canonicalize",
        "\xff\xfe", "builtin.module(mta-reference-cpu)garbage"}) {
    EXPECT_NE(mtaModuleRunPipeline(module.get(), pipeline), 0) << pipeline;
    EXPECT_STRNE(mtaLastError(), "") << pipeline;
    EXPECT_EQ(print(module), before) << pipeline;
  }
  EXPECT_NE(mtaModuleRunPipeline(module.get(), "func.func(canonicalize)"), 0);
  EXPECT_TRUE(failedWith("expects a pipeline on builtin.module, but got one on "
                         "func.func"))
      << mtaLastError();
}

TEST(CompilerModule, PipelineOfManyPasses) {
  Module module = parse(kAttention);
  std::string pipeline = "builtin.module(";
  for (int index = 0; index < 2000; ++index)
    pipeline += "cse,";
  EXPECT_EQ(mtaModuleRunPipeline(module.get(), (pipeline + "cse)").c_str()), 0)
      << mtaLastError();
  EXPECT_NE(
      mtaModuleRunPipeline(module.get(), std::string(1 << 20, 'x').c_str()), 0);
}

TEST(CompilerModule, PipelineThatFails) {
  Module module = parse("func.func @f(%m: memref<4xf32>) {\n  \"x.y\"() : () "
                        "-> ()\n  return\n}");
  EXPECT_FALSE(module);
  module = parse("func.func private @f(tensor<*xf32>) -> tensor<4xf32>\n"
                 "func.func @g(%t: tensor<*xf32>) -> tensor<4xf32> {\n"
                 "  %0 = call @f(%t) : (tensor<*xf32>) -> tensor<4xf32>\n"
                 "  return %0 : tensor<4xf32>\n}");
  ASSERT_TRUE(module) << mtaLastError();
  EXPECT_NE(mtaModuleRunPipeline(
                module.get(),
                "builtin.module(one-shot-bufferize{bufferize-function-"
                "boundaries test-analysis-only=false unknown-type-conversion="
                "nonsense})"),
            0);
  EXPECT_STRNE(mtaLastError(), "");
}

TEST(CompilerModule, ToContract) {
  Module module(mtaModuleParseWithNames(kAttention, std::strlen(kAttention),
                                        "attention"));
  ASSERT_TRUE(module) << mtaLastError();
  std::string before = print(module);
  EXPECT_NE(before.find("{mta.name = \"t\"}"), std::string::npos);
  Text contract(mtaModuleToContract(module.get(), "sm_90a"));
  ASSERT_TRUE(contract) << mtaLastError();
  EXPECT_NE(std::strstr(contract.get(), "\"chip\": \"sm_90a\""), nullptr);
  EXPECT_NE(std::strstr(contract.get(), "\"name\": \"t\""), nullptr);
  EXPECT_EQ(print(module), before);
  EXPECT_FALSE(Text(mtaModuleToContract(module.get(), "sm_1")));
  EXPECT_TRUE(failedWith("expects a chip of sm_80 or newer")) << mtaLastError();
  EXPECT_FALSE(mtaModuleParseWithNames("no MLIR", 7, "x"));
}

TEST(CompilerModule, ToPTX) {
  Module module = parse(kAttention);
  std::string before = print(module);
  Text ptx(mtaModuleToPTX(module.get(), "sm_90a"));
  ASSERT_TRUE(ptx) << mtaLastError();
  EXPECT_NE(std::strstr(ptx.get(), ".target sm_90a"), nullptr);
  EXPECT_EQ(std::strstr(ptx.get(), ".extern .func"), nullptr);
  EXPECT_EQ(print(module), before);
  EXPECT_FALSE(Text(mtaModuleToPTX(module.get(), "sm_1")));
  EXPECT_TRUE(failedWith("expects a chip of sm_80 or newer")) << mtaLastError();
  EXPECT_FALSE(Text(mtaModuleToPTX(parse("module {}").get(), "sm_80")));
  EXPECT_TRUE(failedWith("expects a module with work for a GPU"))
      << mtaLastError();
}

TEST(CompilerModule, ToCubinWithoutPtxas) {
  size_t size = 7;
  Module module = parse(kAttention);
  EXPECT_FALSE(Text(
      mtaModuleToCubin(module.get(), "sm_80", "/nonexistent/ptxas", &size)));
  EXPECT_TRUE(failedWith("expects a program at '/nonexistent/ptxas', but found "
                         "none"))
      << mtaLastError();
  EXPECT_EQ(size, 7u);
}

TEST(CompilerModule, ThreadsHaveTheirOwnObjectsAndErrors) {
  EXPECT_FALSE(parse("no MLIR"));
  std::string mine = mtaLastError();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([thread] {
      EXPECT_STREQ(mtaLastError(), "");
      for (int round = 0; round < 3; ++round) {
        Module module = parse(kAttention);
        EXPECT_TRUE(module);
        EXPECT_EQ(mtaModuleRunPipeline(module.get(),
                                       "builtin.module(mta-reference-cpu)"),
                  0)
            << mtaLastError();
        std::string name = "no-pass-" + std::to_string(thread);
        std::string pipeline = "builtin.module(" + name + ")";
        EXPECT_NE(mtaModuleRunPipeline(module.get(), pipeline.c_str()), 0);
        EXPECT_TRUE(failedWith(name)) << mtaLastError();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(mtaLastError(), mine);
}

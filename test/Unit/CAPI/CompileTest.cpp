//===- CompileTest.cpp - Tests of executables in the C ABI ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include "gtest/gtest.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

using namespace mta::test;

namespace {
/// The descriptor of a contiguous memref.
template <size_t rank> struct Memref {
  float *allocated, *aligned;
  int64_t offset;
  std::array<int64_t, rank> sizes, strides;
};

Memref<4> describe(std::vector<float> &data, std::array<int64_t, 4> sizes) {
  Memref<4> result = {data.data(), data.data(), 0, sizes, {}};
  int64_t stride = 1;
  for (size_t dim = 4; dim-- > 0; stride *= sizes[dim])
    result.strides[dim] = stride;
  return result;
}

Executable compile(const std::string &text, int optimizationLevel = 2) {
  Module module = parse(text);
  EXPECT_TRUE(module) << mtaLastError();
  return Executable(mtaModuleCompile(module.get(), optimizationLevel));
}
} // namespace

static const char *const kAdd = R"(
llvm.func @add(%a: i32, %b: i32) -> i32 {
  %0 = llvm.add %a, %b : i32
  llvm.return %0 : i32
}
)";

TEST(CompilerExecutable, RunsAFunction) {
  for (int level = 0; level <= 3; ++level) {
    Executable executable = compile(kAdd, level);
    ASSERT_TRUE(executable) << mtaLastError();
    auto add = reinterpret_cast<int (*)(int, int)>(
        mtaExecutableLookup(executable.get(), "add"));
    ASSERT_TRUE(add) << mtaLastError();
    EXPECT_EQ(add(40, 2), 42);
  }
}

TEST(CompilerExecutable, OptimizationLevels) {
  for (int level : {-1, 4, INT32_MIN, INT32_MAX}) {
    EXPECT_FALSE(compile(kAdd, level));
    EXPECT_TRUE(failedWith("expects an optimization level of 0 to 3, but got " +
                           std::to_string(level)))
        << mtaLastError();
  }
}

TEST(CompilerExecutable, LookupOfMissingSymbols) {
  Executable executable = compile(kAdd);
  for (const char *name :
       {"subtract", "", "_mlir_ciface_add", "\xff", "add "}) {
    EXPECT_EQ(mtaExecutableLookup(executable.get(), name), nullptr) << name;
    EXPECT_STRNE(mtaLastError(), "") << name;
  }
  EXPECT_TRUE(mtaExecutableLookup(executable.get(), "add"));
  EXPECT_STREQ(mtaLastError(), "");
}

/// A symbol that the module leaves open is named by the last error, and nothing
/// goes to standard error.
TEST(CompilerExecutable, UnresolvedSymbols) {
  Executable executable =
      compile("llvm.func @nobody_defines_this()\n"
              "llvm.func @f() { llvm.call @nobody_defines_this() : () -> () "
              "llvm.return }\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(mtaExecutableLookup(executable.get(), "f"), nullptr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(failedWith("Symbols not found: [ nobody_defines_this ]"))
      << mtaLastError();
}

/// A module stays as it is when it is compiled, and can go before its code.
TEST(CompilerExecutable, OutlivesItsModule) {
  Module module = parse(kAdd);
  Executable first(mtaModuleCompile(module.get(), 1));
  Executable second(mtaModuleCompile(module.get(), 1));
  module.reset();
  for (const Executable &executable : {std::ref(first), std::ref(second)}) {
    auto add = reinterpret_cast<int (*)(int, int)>(
        mtaExecutableLookup(executable.get(), "add"));
    ASSERT_TRUE(add) << mtaLastError();
    EXPECT_EQ(add(1, 2), 3);
  }
}

TEST(CompilerExecutable, ModulesOfOtherDialects) {
  for (const char *text :
       {"func.func @f() { return }",
        "llvm.func @f(%x: f32) -> f32 {\n  %0 = math.exp %x : f32\n  "
        "llvm.return %0 : f32\n}",
        "func.func @f(%t: tensor<4xf32>) -> tensor<4xf32> {\n  return %t : "
        "tensor<4xf32>\n}",
        "llvm.func @f() {\n  nvvm.barrier0\n  llvm.return\n}",
        "gpu.module @m { gpu.func @k() kernel { gpu.return } }",
        "module { module { llvm.func @f() { llvm.return } } }"}) {
    EXPECT_FALSE(compile(text)) << text;
    EXPECT_STRNE(mtaLastError(), "") << text;
  }
  EXPECT_FALSE(compile("llvm.func @f() {\n  nvvm.barrier0\n  llvm.return\n}"));
  EXPECT_TRUE(failedWith("expects a module in the LLVM dialect, but got "
                         "'nvvm.barrier"))
      << mtaLastError();
}

TEST(CompilerExecutable, UndefinedFunctions) {
  Executable executable =
      compile("llvm.func @no_such_function_anywhere()\n"
              "llvm.func @f() {\n  llvm.call @no_such_function_anywhere() : () "
              "-> ()\n  llvm.return\n}");
  void *function =
      executable ? mtaExecutableLookup(executable.get(), "f") : nullptr;
  EXPECT_EQ(function, nullptr);
  EXPECT_STRNE(mtaLastError(), "");
}

static const char *const kAttention = R"(
func.func @attention(%t: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %p = mta.softmax %s : tensor<?x?x?x?xf32>
    mta.yield %p : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
      -> tensor<?x?x?x?xf32>
  return %o : tensor<?x?x?x?xf32>
}
)";

/// Attention over equal values returns them, whatever the scores are.
static void runAttention(const Executable &executable, int64_t heads) {
  std::array<int64_t, 4> sizes = {2, heads, 5, 3};
  std::vector<float> data(2 * heads * 5 * 3, 0.5f);
  Memref<4> input = describe(data, sizes), output;
  auto attention = reinterpret_cast<void (*)(Memref<4> *, Memref<4> *)>(
      mtaExecutableLookup(executable.get(), "_mlir_ciface_attention"));
  ASSERT_TRUE(attention) << mtaLastError();
  attention(&output, &input);
  ASSERT_EQ(output.sizes, sizes);
  for (size_t index = 0; index < data.size(); ++index)
    EXPECT_NEAR(output.aligned[output.offset + index], 0.5f, 1e-6f);
  mtaFree(output.allocated);
}

TEST(CompilerExecutable, AttentionOfUnknownSizes) {
  Module module = parse(kAttention);
  ASSERT_EQ(
      mtaModuleRunPipeline(module.get(), "builtin.module(mta-reference-cpu)"),
      0)
      << mtaLastError();
  Executable executable(mtaModuleCompile(module.get(), 2));
  ASSERT_TRUE(executable) << mtaLastError();
  // Without heads there is nothing to compute, and nothing to divide by.
  for (int64_t heads : {3, 1, 0})
    runAttention(executable, heads);
}

TEST(CompilerExecutable, Threads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread)
    threads.emplace_back([] {
      Module module = parse(kAttention);
      EXPECT_EQ(mtaModuleRunPipeline(module.get(),
                                     "builtin.module(mta-reference-cpu)"),
                0)
          << mtaLastError();
      Executable executable(mtaModuleCompile(module.get(), 1));
      ASSERT_TRUE(executable) << mtaLastError();
      runAttention(executable, 2);
    });
  for (std::thread &thread : threads)
    thread.join();
}

//===- MachineCodeTest.cpp - Machine code as bytes --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace mta::test;

static const char *const kRoot = R"(
llvm.func @sqrtf(f32) -> f32
llvm.func @root(%x: f32) -> f32 {
  %0 = llvm.call @sqrtf(%x) : (f32) -> f32
  llvm.return %0 : f32
}
)";

/// The machine code of a text in the LLVM dialect; "" on failure.
static std::string translate(const std::string &text, int level = 2) {
  Module module = parse(text);
  EXPECT_TRUE(module) << mtaLastError();
  size_t size = 0;
  Text code(mtaModuleToMachineCode(module.get(), level, &size));
  return code ? std::string(code.get(), size) : "";
}

static Executable load(const std::string &code) {
  return Executable(mtaMachineCodeLoad(code.data(), code.size()));
}

TEST(CompilerMachineCode, RunsAFunctionThatCallsTheMathLibrary) {
  for (int level = 0; level <= 3; ++level) {
    std::string code = translate(kRoot, level);
    ASSERT_FALSE(code.empty()) << mtaLastError();
    Executable executable = load(code);
    ASSERT_TRUE(executable) << mtaLastError();
    auto root = reinterpret_cast<float (*)(float)>(
        mtaExecutableLookup(executable.get(), "root"));
    ASSERT_TRUE(root) << mtaLastError();
    EXPECT_EQ(root(9), 3);
  }
}

TEST(CompilerMachineCode, IsTheSameEveryTime) {
  EXPECT_EQ(translate(kRoot), translate(kRoot));
}

TEST(CompilerMachineCode, NamesThatAreMissing) {
  Executable executable =
      load(translate("llvm.func @absent()\nllvm.func @f() {\n  llvm.call "
                     "@absent() : () -> ()\n  llvm.return\n}"));
  ASSERT_TRUE(executable) << mtaLastError();
  for (const char *name : {"f", "g"}) {
    EXPECT_FALSE(mtaExecutableLookup(executable.get(), name));
    EXPECT_TRUE(std::strstr(mtaLastError(), *name == 'f' ? "absent" : "g"))
        << mtaLastError();
  }
}

TEST(CompilerMachineCode, BytesThatAreNone) {
  std::string whole = translate(kRoot);
  for (const std::string &code :
       {std::string(), std::string("text"), whole.substr(0, 40),
        std::string("\x7f"
                    "ELF") +
            std::string(100, '\xff')}) {
    Executable executable = load(code);
    // What looks like an object file at its beginning is read when it is used.
    if (executable)
      EXPECT_FALSE(mtaExecutableLookup(executable.get(), "root"));
    EXPECT_STRNE(mtaLastError(), "");
  }
}

TEST(CompilerMachineCode, ModulesThatHaveNone) {
  EXPECT_EQ(translate("func.func @f() { return }"), "");
  EXPECT_STRNE(mtaLastError(), "");
  EXPECT_EQ(translate(kRoot, 4), "");
  EXPECT_STREQ(mtaLastError(),
               "error: expects an optimization level of 0 to 3, but got 4");
  EXPECT_EQ(translate("llvm.func @f() {\n  llvm.return\n}\n"
                      "llvm.mlir.global_ctors ctors = [@f], priorities = [0 : "
                      "i32], data = [#llvm.zero]"),
            "");
  EXPECT_STREQ(mtaLastError(), "error: expects a module without constructors");
}

TEST(CompilerMachineCode, Processor) {
  std::string text = mtaProcessor();
  EXPECT_NE(text.find(' '), std::string::npos);
  EXPECT_EQ(text, mtaProcessor());
}

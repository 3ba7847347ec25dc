//===- ParserTest.cpp - Parsing PTX ---------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"
#include "Lexer.h"
#include "gtest/gtest.h"

using namespace mta::emulator;

static const std::string Head =
    ".version 8.0\n.target sm_80\n.address_size 64\n";

static std::string problem(const std::string &text) {
  Expected<ParsedModule> module = parseModule(text, "p.ptx");
  return module ? "" : module.error().str();
}
static bool has(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

TEST(Parser, Constants) {
  Expected<std::vector<Token>> tokens =
      tokenize("10 0x1F 017 0b101 7U 0f3F800000 0d3FF0000000000000 1.5", "t");
  ASSERT_TRUE(bool(tokens));
  const uint64_t values[] = {
      10, 31, 15, 5, 7, 0x3f800000, 0x3ff0000000000000, 0x3ff8000000000000};
  for (unsigned i = 0; i < 8; ++i)
    EXPECT_EQ((*tokens)[i].bits, values[i]);
}

TEST(Parser, ModifiersKeepTheirColons) {
  Expected<ParsedModule> module = parseModule(
      Head + ".entry k() { .reg .b32 %r<2>; .reg .b64 %rd<2>;\n"
             "ld.global.nc.L1::no_allocate.L2::128B.u32 %r1, [%rd1+-8]; }",
      "p.ptx");
  ASSERT_TRUE(bool(module)) << module.error().str();
  const Statement &statement = module->functions[0].statements[0];
  EXPECT_EQ(statement.modifiers,
            (std::vector<std::string>{"global", "nc", "L1::no_allocate",
                                      "L2::128B", "u32"}));
  EXPECT_EQ(statement.operands[1].offset, -8);
}

TEST(Parser, ScopesHideOuterNames) {
  Expected<ParsedModule> module =
      parseModule(Head + ".entry k() { .reg .b32 %r; mov.b32 %r, 1;\n"
                         "{ .reg .b64 %r; mov.b64 %r, 2; }\nmov.b32 %r, 3; }",
                  "p.ptx");
  ASSERT_TRUE(bool(module)) << module.error().str();
  const auto &statements = module->functions[0].statements;
  EXPECT_EQ(statements[0].operands[0].index, statements[2].operands[0].index);
  EXPECT_NE(statements[0].operands[0].index, statements[1].operands[0].index);
}

TEST(Parser, SourceLocations) {
  Expected<ParsedModule> module = parseModule(
      Head + ".file 1 \"a.cu\", 12, 34\n.entry k() {\n.loc 1 7 3\n"
             "ret;\n.loc 1 9 1, function_name $L, inlined_at 1 8 2\n"
             "ret;\n}",
      "p.ptx");
  ASSERT_TRUE(bool(module)) << module.error().str();
  const auto &statements = module->functions[0].statements;
  EXPECT_EQ(statements[0].location.line, 7u);
  EXPECT_EQ(statements[1].location.line, 9u); // the innermost
  EXPECT_EQ(module->files[1], "a.cu");
}

TEST(Parser, InitialisersOfEveryForm) {
  Expected<ParsedModule> module = parseModule(
      Head + ".global .align 4 .b8 a[4] = {1, 0x2, -1};\n"
             ".const .f32 b[2][2] = {{0f3F800000, 1.5}, {0f00000000}};\n"
             ".global .u64 c = generic(a)+2;\n",
      "p.ptx");
  ASSERT_TRUE(bool(module)) << module.error().str();
  EXPECT_EQ(module->variables[0].initializers.size(), 3u);
  EXPECT_EQ(module->variables[1].count, 4u);
  EXPECT_EQ(module->variables[2].initializers[0].symbol, "a");
}

TEST(Parser, NegativeDiagnosticsHaveLines) {
  EXPECT_TRUE(has(problem(""), "p.ptx:1: error: expects '.version' first"));
  EXPECT_TRUE(has(problem(".version 8.0\n.target foo\n"), "p.ptx:2: error"));
  EXPECT_TRUE(has(problem(Head + ".frob 1;\n"),
                  "p.ptx:4: error: unknown directive '.frob'"));
  EXPECT_TRUE(has(problem(Head + ".entry k() {\n ret;\n"), "does not end"));
  EXPECT_TRUE(has(problem(Head + ".entry k() { ret }"), "expects"));
  EXPECT_TRUE(has(problem(Head + "/* no end"), "comment does not end"));
  EXPECT_TRUE(has(problem(Head + ".entry k() { .reg .b32 %r<9999999>; }"),
                  "too many registers"));
  EXPECT_TRUE(has(problem(Head + ".global .b8 a[4294967295][4294967295];"),
                  "too large"));
  EXPECT_TRUE(has(problem(Head + ".entry k() { @%p1 ret; }"),
                  "expects a predicate register"));
  EXPECT_TRUE(has(problem(Head + std::string("\x01", 1)), "unexpected byte 1"));
}

TEST(Parser, NegativeEveryPrefixEndsInAnErrorOrAModule) {
  std::string text =
      Head + ".global .align 8 .b8 g[8] = {1,2};\n.entry k(.param .u64 p)\n{\n"
             ".reg .pred %p<2>;\n.reg .b32 %r<4>;\n.shared .b8 s[16];\n"
             "L: @!%p1 bra L;\nmov.b64 {%r1, %r2}, 0x1;\n"
             "call.uni (a), f, (b);\nld.shared.v2.u32 {%r1,%r2}, [s+4];\n}\n";
  for (size_t length = 0; length < text.size(); ++length) {
    Expected<ParsedModule> module =
        parseModule(std::string_view(text).substr(0, length), "p.ptx");
    if (!module) {
      EXPECT_NE(module.error().line, 0u) << "prefix of " << length;
    }
  }
}

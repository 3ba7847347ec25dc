//===- ObjectTest.cpp - Tests of what a processor is given ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Object.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;

namespace {
/// What a call of an intrinsic is refused with on a processor with `features`;
/// empty if it is not.
std::string refusal(StringRef intrinsic, ArrayRef<StringRef> features) {
  MLIRContext context;
  context.loadDialect<LLVM::LLVMDialect>();
  std::string text = "llvm.func @f() {\n  llvm.call_intrinsic \"" +
                     intrinsic.str() + "\"() : () -> ()\n  llvm.return\n}\n";
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return "does not parse";
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  LogicalResult result =
      mta::verifyForProcessor(*module, [&](StringRef feature) {
        return llvm::is_contained(features, feature);
      });
  EXPECT_EQ(failed(result), !message.empty());
  return message;
}
} // namespace

TEST(Object, IntrinsicsAreThoseOfEveryTarget) {
  EXPECT_EQ(refusal("llvm.fabs.f32", {}), "");
  EXPECT_EQ(refusal("llvm.x86.sse2.pause", {"avx512bf16"}),
            "expects an intrinsic of every target, but got "
            "'llvm.x86.sse2.pause'");
  EXPECT_EQ(refusal("llvm.nonsense", {}),
            "expects an intrinsic of every target, but got 'llvm.nonsense'");
}

TEST(Object, ProductsOfPairsAreForProcessorsThatHaveThem) {
  StringRef wide = "llvm.x86.avx512bf16.dpbf16ps.512";
  EXPECT_EQ(refusal(wide, {"avx512bf16"}), "");
  EXPECT_EQ(refusal(wide, {"avx512f", "avx512vl"}),
            "expects a processor with avx512bf16 for '" + wide.str() + "'");
  for (StringRef narrow : {"llvm.x86.avx512bf16.dpbf16ps.256",
                           "llvm.x86.avx512bf16.dpbf16ps.128"}) {
    EXPECT_EQ(refusal(narrow, {"avx512bf16", "avx512vl"}), "");
    EXPECT_EQ(refusal(narrow, {"avx512bf16"}),
              "expects a processor with avx512vl for '" + narrow.str() + "'");
  }
}

//===- ContractTest.cpp - Expressions of contracts --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Contract.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;

namespace {
struct Expressions : public testing::Test {
  std::string print(AffineExpr expression) {
    llvm::StringRef names[] = {"n", "m"};
    return mta::printExpression(expression, names);
  }

  MLIRContext context;
  Builder b{&context};
  AffineExpr n = b.getAffineSymbolExpr(0), m = b.getAffineSymbolExpr(1);
};
} // namespace

TEST_F(Expressions, Leaves) {
  EXPECT_EQ(print(n), "n");
  EXPECT_EQ(print(m), "m");
  EXPECT_EQ(print(b.getAffineConstantExpr(7)), "7");
  EXPECT_EQ(print(b.getAffineConstantExpr(-7)), "-7");
}

TEST_F(Expressions, Sums) {
  EXPECT_EQ(print(n + 3), "n + 3");
  EXPECT_EQ(print(n - 3), "n - 3");
  EXPECT_EQ(print(n - m), "n - m");
  EXPECT_EQ(print(-n + 65535), "65535 - n");
  EXPECT_EQ(print(n - m * 2 + 1), "n - m * 2 + 1");
  EXPECT_EQ(print(n - (m + 1)), "n - (m + 1)");
}

TEST_F(Expressions, Products) {
  EXPECT_EQ(print(n * m), "n * m");
  EXPECT_EQ(print(n * 4), "n * 4");
  EXPECT_EQ(print((n + 3) * m), "(n + 3) * m");
  EXPECT_EQ(print(n * (m - 3)), "n * (m - 3)");
}

TEST_F(Expressions, Functions) {
  EXPECT_EQ(print((n - 10).ceilDiv(123)), "ceildiv(n - 10, 123)");
  EXPECT_EQ(print(n.floorDiv(m)), "floordiv(n, m)");
  EXPECT_EQ(print((n + m) % 8), "mod(n + m, 8)");
  EXPECT_EQ(print(n.ceilDiv(8) * m + 1), "ceildiv(n, 8) * m + 1");
}

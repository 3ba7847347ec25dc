//===- FragmentsTest.cpp - Layouts of matrix fragments --------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pure functions against rows of the figures in PTX ISA 9.7.14.5, and the
// instructions against the pure functions.
//
//===----------------------------------------------------------------------===//

#include "Instructions/Fragments.h"
#include "gtest/gtest.h"
#include <set>

using namespace mta::emulator;

static void expectElement(Element element, unsigned row, unsigned column) {
  EXPECT_EQ(element.row, row);
  EXPECT_EQ(element.column, column);
}

// m16n8k16 of 16 bits: a0…a7 of lane 5 (group 1, member 1).
TEST(Fragments, HalfA) {
  const unsigned rows[] = {1, 1, 9, 9, 1, 1, 9, 9};
  const unsigned columns[] = {2, 3, 2, 3, 10, 11, 10, 11};
  for (unsigned i = 0; i < 8; ++i)
    expectElement(mmaA(5, i, 2), rows[i], columns[i]);
}

TEST(Fragments, HalfB) {
  const unsigned rows[] = {2, 3, 10, 11};
  for (unsigned i = 0; i < 4; ++i)
    expectElement(mmaB(5, i, 2), rows[i], 1);
}

TEST(Fragments, Accumulator) {
  const unsigned rows[] = {7, 7, 15, 15}, columns[] = {6, 7, 6, 7};
  for (unsigned i = 0; i < 4; ++i)
    expectElement(mmaC(31, i), rows[i], columns[i]);
}

// m16n8k8 of tf32: a0 (group, member), a1 (group + 8, member), a2 (group,
// member + 4), a3 (group + 8, member + 4).
TEST(Fragments, TF32) {
  expectElement(mmaA(6, 0, 1), 1, 2);
  expectElement(mmaA(6, 1, 1), 9, 2);
  expectElement(mmaA(6, 2, 1), 1, 6);
  expectElement(mmaA(6, 3, 1), 9, 6);
  expectElement(mmaB(6, 1, 1), 6, 1);
}

// m16n8k32 of bytes: a8 starts the second half of k.
TEST(Fragments, Bytes) {
  expectElement(mmaA(2, 3, 4), 0, 11);
  expectElement(mmaA(2, 4, 4), 8, 8);
  expectElement(mmaA(2, 8, 4), 0, 24);
  expectElement(mmaB(2, 5, 4), 25, 0);
}

TEST(Fragments, EveryElementHasOneHolder) {
  std::set<std::pair<unsigned, unsigned>> a, b, c;
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 8; ++i) {
      Element element = mmaA(lane, i, 2);
      a.insert({element.row, element.column});
      if (i < 4) {
        element = mmaB(lane, i, 2);
        b.insert({element.row, element.column});
        element = mmaC(lane, i);
        c.insert({element.row, element.column});
      }
    }
  EXPECT_EQ(a.size(), 256u);
  EXPECT_EQ(b.size(), 128u);
  EXPECT_EQ(c.size(), 128u);
}

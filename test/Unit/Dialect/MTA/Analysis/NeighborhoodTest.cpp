//===- NeighborhoodTest.cpp - Tests of the bounds inference -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Analysis/Neighborhood.h"

#include "gtest/gtest.h"

#include <numeric>
#include <random>
#include <vector>

using namespace mta;

static constexpr int64_t kAll = Neighborhood::kUnbounded;

static Neighborhood make(int64_t heads, int64_t before, int64_t after,
                         int64_t left, int64_t right) {
  Neighborhood result;
  result.heads = heads;
  result.queriesBefore = before;
  result.queriesAfter = after;
  result.keysLeft = left;
  result.keysRight = right;
  return result;
}

namespace mta {
/// What GoogleTest prints for a failure.
static void PrintTo(const Neighborhood &neighborhood, std::ostream *stream) {
  *stream << toString(neighborhood);
}
static void PrintTo(const Interval &interval, std::ostream *stream) {
  *stream << "[" << interval.begin << ", " << interval.end << "]";
}
} // namespace mta

/// Neighbourhoods of every kind: small, unbounded, next to the largest number.
static std::vector<Neighborhood> samples() {
  std::mt19937 generator(7);
  const int64_t heads[] = {1, 2, 3, 4, 6, 16, kAll - 1, kAll};
  const int64_t extents[] = {0, 1, 5, 10, kAll / 2, kAll - 1, kAll};
  auto extent = [&] { return extents[generator() % std::size(extents)]; };
  std::vector<Neighborhood> result = {Neighborhood()};
  for (int index = 0; index < 40; ++index)
    result.push_back(make(heads[generator() % std::size(heads)], extent(),
                          extent(), extent(), extent()));
  return result;
}

TEST(Neighborhood, PointwiseReadsItself) {
  EXPECT_TRUE(Neighborhood().isPointwise());
  EXPECT_FALSE(Neighborhood().readsAllKeys());
  EXPECT_FALSE(make(2, 0, 0, 0, 0).isPointwise());
  EXPECT_TRUE(make(1, 0, 0, kAll, kAll).readsAllKeys());
  EXPECT_FALSE(make(1, 0, 0, kAll, 5).readsAllKeys());
  EXPECT_EQ(make(2, 1, 0, 5, 5), make(2, 1, 0, 5, 5));
  EXPECT_NE(make(2, 1, 0, 5, 5), make(2, 1, 0, 5, 4));
}

TEST(Neighborhood, ComposeAddsExtents) {
  Neighborhood conv = make(1, 5, 0, 5, 5);
  EXPECT_EQ(compose(conv, make(1, 5, 1, 10, 0)), make(1, 10, 1, 15, 5));
}

/// The program v2: convolution, mix of all 16 heads, softmax, and again.
TEST(Neighborhood, ComposeProgram) {
  Neighborhood conv = make(1, 5, 0, 5, 5), mix = make(16, 0, 0, 0, 0);
  Neighborhood softmax = make(1, 0, 0, kAll, kAll);
  Neighborhood program;
  for (const Neighborhood &op : {conv, mix, softmax, conv, mix})
    program = compose(program, op);
  EXPECT_EQ(program, make(16, 10, 0, kAll, kAll));
  EXPECT_TRUE(program.readsAllKeys());
}

TEST(Neighborhood, ComposeTakesLeastCommonMultipleOfGroups) {
  for (int64_t a = 1; a <= 24; ++a)
    for (int64_t b = 1; b <= 24; ++b)
      EXPECT_EQ(compose(make(a, 0, 0, 0, 0), make(b, 0, 0, 0, 0)).heads,
                std::lcm(a, b));
  EXPECT_EQ(compose(make(kAll, 0, 0, 0, 0), make(3, 0, 0, 0, 0)).heads, kAll);
}

TEST(Neighborhood, OverflowIsUnbounded) {
  EXPECT_EQ(compose(make(1, kAll - 1, 0, 1, 0), make(1, 1, 0, kAll - 1, 0)),
            make(1, kAll, 0, kAll, 0));
  EXPECT_EQ(compose(make(1, kAll - 2, 0, 0, 0), make(1, 1, 0, 0, 0)),
            make(1, kAll - 1, 0, 0, 0));
  // Two coprime groups whose product is no int64.
  EXPECT_EQ(compose(make(kAll - 1, 0, 0, 0, 0), make(4, 0, 0, 0, 0)).heads,
            kAll);
}

TEST(Neighborhood, ComposeIsAssociativeWithUnit) {
  std::vector<Neighborhood> all = samples();
  for (const Neighborhood &a : all) {
    EXPECT_EQ(compose(a, Neighborhood()), a);
    EXPECT_EQ(compose(Neighborhood(), a), a);
    for (const Neighborhood &b : all)
      for (const Neighborhood &c : all)
        ASSERT_EQ(compose(compose(a, b), c), compose(a, compose(b, c)))
            << toString(a) << "; " << toString(b) << "; " << toString(c);
  }
}

TEST(Neighborhood, MergeIsAssociativeCommutativeIdempotent) {
  std::vector<Neighborhood> all = samples();
  for (const Neighborhood &a : all) {
    EXPECT_EQ(merge(a, a), a);
    for (const Neighborhood &b : all) {
      EXPECT_EQ(merge(a, b), merge(b, a));
      for (const Neighborhood &c : all)
        ASSERT_EQ(merge(merge(a, b), c), merge(a, merge(b, c)));
    }
  }
}

TEST(Neighborhood, MergeContainsBoth) {
  EXPECT_EQ(merge(make(2, 1, 0, 5, 0), make(3, 0, 2, 1, kAll)),
            make(6, 1, 2, 5, kAll));
}

/// The intervals of a program are those of its last operation carried through
/// the one before it, as long as nothing is cut at the ends.
TEST(Neighborhood, IntervalsCompose) {
  constexpr int64_t kSize = 1000;
  for (int64_t a = 0; a < 7; ++a)
    for (int64_t b = 0; b < 7; ++b) {
      Neighborhood first = make(1, a, b, b, a), second = make(1, b, 2, a, 3);
      Interval tile = {100, 131};
      Interval inner = requiredQueries(second, tile, kSize);
      EXPECT_EQ(requiredQueries(compose(first, second), tile, kSize),
                requiredQueries(first, inner, kSize));
      inner = requiredKeys(second, tile, kSize);
      EXPECT_EQ(requiredKeys(compose(first, second), tile, kSize),
                requiredKeys(first, inner, kSize));
    }
}

TEST(Neighborhood, IntervalsAreCut) {
  Neighborhood conv = make(1, 5, 0, 3, 4);
  EXPECT_EQ(requiredQueries(conv, {0, 7}, 64), (Interval{0, 7}));
  EXPECT_EQ(requiredQueries(conv, {8, 15}, 64), (Interval{3, 15}));
  EXPECT_EQ(requiredKeys(conv, {2, 7}, 64), (Interval{0, 11}));
  EXPECT_EQ(requiredKeys(conv, {56, 63}, 64), (Interval{53, 63}));
  EXPECT_EQ(requiredKeys(conv, {0, 0}, 1), (Interval{0, 0}));
  Neighborhood all = make(1, kAll, kAll, kAll, kAll);
  EXPECT_EQ(requiredQueries(all, {8, 15}, 64), (Interval{0, 63}));
  EXPECT_EQ(requiredKeys(all, {8, 15}, kAll), (Interval{0, kAll - 1}));
}

/// Brute force: every position that some position of the tile reads is in the
/// interval, and its ends are read.
TEST(Neighborhood, IntervalsAreTight) {
  constexpr int64_t kSize = 12;
  for (int64_t left = 0; left < 14; ++left)
    for (int64_t right = 0; right < 14; ++right)
      for (int64_t begin = 0; begin < kSize; ++begin)
        for (int64_t end = begin; end < kSize; ++end) {
          int64_t first = kSize, last = -1;
          for (int64_t tap = begin - left; tap <= end + right; ++tap)
            if (tap >= 0 && tap < kSize) {
              first = std::min(first, tap);
              last = std::max(last, tap);
            }
          ASSERT_EQ(
              requiredKeys(make(1, 0, 0, left, right), {begin, end}, kSize),
              (Interval{first, last}));
        }
}

TEST(Neighborhood, HeadsOfAGroup) {
  Neighborhood pairs = make(2, 0, 0, 0, 0), threes = make(3, 0, 0, 0, 0);
  EXPECT_EQ(requiredHeads(pairs, 4, 10), (Interval{4, 5}));
  EXPECT_EQ(requiredHeads(pairs, 5, 10), (Interval{4, 5}));
  EXPECT_EQ(requiredHeads(threes, 9, 10), (Interval{9, 9}));
  EXPECT_EQ(requiredHeads(make(kAll, 0, 0, 0, 0), 5, 10), (Interval{0, 9}));
  EXPECT_EQ(requiredHeads(make(10, 0, 0, 0, 0), 5, 10), (Interval{0, 9}));
  EXPECT_EQ(requiredHeads(Neighborhood(), 0, 1), (Interval{0, 0}));
}

TEST(Neighborhood, ToString) {
  EXPECT_EQ(toString(make(16, 5, 0, 5, 5)),
            "heads 16, queries -5..+0, keys -5..+5");
  EXPECT_EQ(toString(make(kAll, kAll, 1, kAll, kAll)),
            "heads all, queries -all..+1, keys -all..+all");
}

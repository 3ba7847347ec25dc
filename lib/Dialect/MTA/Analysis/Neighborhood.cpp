//===- Neighborhood.cpp - Which scores a score reads ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Analysis/Neighborhood.h"

#include <algorithm>
#include <numeric>

namespace mta {

static constexpr int64_t kUnbounded = Neighborhood::kUnbounded;

/// a + b for non-negative extents, where unbounded absorbs and an overflow is
/// unbounded.
static int64_t addExtents(int64_t a, int64_t b) {
  return a > kUnbounded - b ? kUnbounded : a + b;
}

static int64_t combineGroups(int64_t a, int64_t b) {
  if (a == kUnbounded || b == kUnbounded)
    return kUnbounded;
  int64_t reducedA = a / std::gcd(a, b);
  return reducedA > kUnbounded / b ? kUnbounded : reducedA * b;
}

Neighborhood compose(const Neighborhood &producer,
                     const Neighborhood &consumer) {
  Neighborhood result;
  result.heads = combineGroups(producer.heads, consumer.heads);
  result.queriesBefore =
      addExtents(producer.queriesBefore, consumer.queriesBefore);
  result.queriesAfter =
      addExtents(producer.queriesAfter, consumer.queriesAfter);
  result.keysLeft = addExtents(producer.keysLeft, consumer.keysLeft);
  result.keysRight = addExtents(producer.keysRight, consumer.keysRight);
  return result;
}

Neighborhood merge(const Neighborhood &a, const Neighborhood &b) {
  Neighborhood result;
  result.heads = combineGroups(a.heads, b.heads);
  result.queriesBefore = std::max(a.queriesBefore, b.queriesBefore);
  result.queriesAfter = std::max(a.queriesAfter, b.queriesAfter);
  result.keysLeft = std::max(a.keysLeft, b.keysLeft);
  result.keysRight = std::max(a.keysRight, b.keysRight);
  return result;
}

/// `tile` grown by the extents and cut to [0, size).
static Interval grow(Interval tile, int64_t before, int64_t after,
                     int64_t size) {
  int64_t begin = before >= tile.begin ? 0 : tile.begin - before;
  int64_t last = size - 1;
  int64_t end = after >= last - tile.end ? last : tile.end + after;
  return {begin, end};
}

Interval requiredQueries(const Neighborhood &neighborhood, Interval tile,
                         int64_t queries) {
  return grow(tile, neighborhood.queriesBefore, neighborhood.queriesAfter,
              queries);
}

Interval requiredKeys(const Neighborhood &neighborhood, Interval tile,
                      int64_t keys) {
  return grow(tile, neighborhood.keysLeft, neighborhood.keysRight, keys);
}

Interval requiredHeads(const Neighborhood &neighborhood, int64_t head,
                       int64_t heads) {
  if (neighborhood.heads >= heads)
    return {0, heads - 1};
  int64_t begin = head - head % neighborhood.heads;
  return {begin, std::min(begin + neighborhood.heads, heads) - 1};
}

static std::string extent(int64_t value) {
  return value == kUnbounded ? "all" : std::to_string(value);
}

static std::string range(int64_t before, int64_t after) {
  return "-" + extent(before) + "..+" + extent(after);
}

std::string toString(const Neighborhood &neighborhood) {
  return "heads " + extent(neighborhood.heads) + ", queries " +
         range(neighborhood.queriesBefore, neighborhood.queriesAfter) +
         ", keys " + range(neighborhood.keysLeft, neighborhood.keysRight);
}

} // namespace mta

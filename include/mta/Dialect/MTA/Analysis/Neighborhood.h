//===- Neighborhood.h - Which scores a score reads --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bounds inference of score programs, without MLIR: a score operation says
// which scores around (head, query, key) one of its results reads, and the
// neighbourhood of a program is the composition of those of its operations.
//
//         keysLeft       keysRight
//       |<-------->|   |<-------->|
//       +----------+---+----------+  ---
//       |                         |   | queriesBefore      (times `heads`
//       +          +---+          +  ---                    consecutive heads)
//       |          | x |          |
//       +          +---+          +  ---
//       |                         |   | queriesAfter
//       +-------------------------+  ---
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_ANALYSIS_NEIGHBORHOOD_H
#define MTA_DIALECT_MTA_ANALYSIS_NEIGHBORHOOD_H

#include <cstdint>
#include <limits>
#include <string>

namespace mta {

/// The scores that one result of a score operation or program reads.
///
/// Extents count scores beyond the position itself. `heads` is the size of the
/// group of consecutive heads read: head h reads the heads [g*heads,
/// (g+1)*heads) with g = h / heads. `kUnbounded` in any field means all there
/// are.
struct Neighborhood {
  static constexpr int64_t kUnbounded = std::numeric_limits<int64_t>::max();

  int64_t heads = 1;
  int64_t queriesBefore = 0;
  int64_t queriesAfter = 0;
  int64_t keysLeft = 0;
  int64_t keysRight = 0;

  /// Only the position itself.
  bool isPointwise() const { return *this == Neighborhood(); }

  /// Whole rows of keys, as a softmax reads them.
  bool readsAllKeys() const {
    return keysLeft == kUnbounded && keysRight == kUnbounded;
  }

  bool operator==(const Neighborhood &other) const {
    return heads == other.heads && queriesBefore == other.queriesBefore &&
           queriesAfter == other.queriesAfter && keysLeft == other.keysLeft &&
           keysRight == other.keysRight;
  }
  bool operator!=(const Neighborhood &other) const { return !(*this == other); }
};

/// What a result of `consumer` reads of the scores before `producer`, when
/// `producer` feeds `consumer`. Extents add up; head groups, which are aligned
/// at multiples of their size, combine to the least common multiple of their
/// sizes. Associative, with the pointwise neighbourhood as the unit.
Neighborhood compose(const Neighborhood &producer,
                     const Neighborhood &consumer);

/// The smallest neighbourhood that contains both. Associative, commutative.
Neighborhood merge(const Neighborhood &a, const Neighborhood &b);

/// A closed interval [begin, end] of positions along one dimension.
struct Interval {
  int64_t begin;
  int64_t end;

  bool operator==(const Interval &other) const {
    return begin == other.begin && end == other.end;
  }
};

/// The queries read to compute the results of the queries in `tile`, cut to
/// [0, queries).
Interval requiredQueries(const Neighborhood &neighborhood, Interval tile,
                         int64_t queries);

/// The keys read to compute the results of the keys in `tile`, cut to
/// [0, keys).
Interval requiredKeys(const Neighborhood &neighborhood, Interval tile,
                      int64_t keys);

/// The heads read to compute the results of `head`, cut to [0, heads).
Interval requiredHeads(const Neighborhood &neighborhood, int64_t head,
                       int64_t heads);

/// "heads 16, queries -5..+0, keys -5..+5"; an unbounded extent prints as
/// "all".
std::string toString(const Neighborhood &neighborhood);

} // namespace mta

#endif // MTA_DIALECT_MTA_ANALYSIS_NEIGHBORHOOD_H

//===- ScheduleCost.h - What a schedule costs ----------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cost of a schedule in multiply-adds for one score that a query may read,
// counted on the extents of its tiles (TilePlan.h). One tile of r queries and w
// keys takes, for every head and in every sweep,
//
//     D · rows · columns            of the scores, halo included: q·kᵀ
//     taps · rows · columns         of the result of a score operation: window
//                                   times the heads it mixes
//     kSoftmax · rows · columns     of the softmax
//     kRow · lanes · rows           of the softmax: reductions over the lanes
//                                   and what is done once for every row
//     kPass · rows · columns        of every value: it is written and read, in
//                                   the first-level cache if it fits there
//                                   for all heads, else kFarPass
//     kFarPass · D · columns        the keys: they are read
//     kPass · rows · columns        narrow and without a score operation before
//                                   the softmax: the factor of the scores
//     Dv · r · w                    the product with the values
//     kFarPass · Dv · w             the values: they are read
//     kRescale · Dv · r             with one sweep: the accumulator
//
// Of bf16 in pairs, q·kᵀ takes c/2 of that, if a product of pairs takes the
// time of c multiply-adds. Reading the keys takes the same: what their rows are
// shorter is spent on interleaving them.
//
// The numbers k stand for instructions on vectors; they are measured on an
// AVX-512 processor and need not be exact: neighbours differ by a few percent.
//
// A row reads K keys on average, half of all under a causal mask. A tile of
// queries then visits, beyond the K of its rows,
//
//     r/2   columns at the diagonal, which its first rows may not read
//     w/2   columns of its last tile of keys
//
// where w is `edge_key_tile`, and of all these columns the loop at the ends of
// the keys visits
//
//     r + halo + key_tile/2 + w/2   without a mask: key_tile/2 + w/2
//
// where it is a loop of its own. Rows come in multiples of r. Once for all
// tiles, kFarPass · (D · (queries + r) + (D + Dv) · (keys + key_tile)) packs
// operands with what zeros are around them.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_SCHEDULECOST_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_SCHEDULECOST_H

#include "TilePlan.h"

namespace mta {

struct ScheduleCost {
  /// Multiply-adds for one score that a query may read.
  double multiplyAdds = 0;
  /// Bytes of the largest two score tiles that an operation reads and writes,
  /// for all heads of a tile. Everything else is gone through once a step.
  int64_t workingSet = 0;
};

/// What the counts depend on.
struct ProcessorCosts {
  /// Bytes of the first-level cache.
  int64_t nearBytes = 0;
  /// Multiply-adds that take the time of a dot product of bf16 pairs; 0 if the
  /// processor has none.
  int64_t pairCost = 0;
};

ScheduleCost computeCost(AttentionOp op, const TilePlan &plan,
                         const ProcessorCosts &processor);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_SCHEDULECOST_H

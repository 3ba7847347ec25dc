//===- Lanes.h - Computing for all lanes of a warp --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A handler computes a result for all 32 lanes, whether active or not, and then
// stores it where lanes are active: loops without branches over arrays of known
// length, which the compiler turns into vector code.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_LANES_H
#define MTA_LIB_EMULATOR_LANES_H

#include "Execution.h"
#include <cstring>

// Handler sources are compiled once per vector instruction set, each into its
// own inline namespace.
#ifndef MTA_EMULATOR_ISA
#define MTA_EMULATOR_ISA baseline
#endif

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

/// Stores compute(lane) to a row for the active lanes.
template <typename T, typename F>
inline void writeLanes(Warp &warp, uint32_t offset, F compute) {
  alignas(64) T result[WarpSize];
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    result[lane] = compute(lane);
  T *row = warp.row<T>(offset);
  uint32_t active = warp.active;
  if (active == AllLanes) {
    std::memcpy(row, result, sizeof result);
    return;
  }
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    row[lane] = active >> lane & 1 ? result[lane] : row[lane];
}

/// Stores a mask of lanes to a predicate for the active lanes.
inline void writePredicate(Warp &warp, uint32_t offset, uint32_t value) {
  uint32_t &predicate = warp.predicate(offset);
  predicate = (predicate & ~warp.active) | (value & warp.active);
}

/// The lanes for which test(lane) holds.
template <typename F> inline uint32_t maskOf(F test) {
  uint32_t mask = 0;
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    mask |= uint32_t(test(lane) ? 1 : 0) << lane;
  return mask;
}

/// op[0] = F(op[1]), R and A the cells of result and argument.
template <typename R, typename A, typename F>
void unaryHandler(Warp &warp, const Instruction &inst) {
  const A *a = warp.row<A>(inst.op[1]);
  writeLanes<R>(warp, inst.op[0], [=](unsigned l) { return F::apply(a[l]); });
}

template <typename R, typename A, typename B, typename F>
void binaryHandler(Warp &warp, const Instruction &inst) {
  const A *a = warp.row<A>(inst.op[1]);
  const B *b = warp.row<B>(inst.op[2]);
  writeLanes<R>(warp, inst.op[0],
                [=](unsigned l) { return F::apply(a[l], b[l]); });
}

template <typename R, typename A, typename B, typename C, typename F>
void ternaryHandler(Warp &warp, const Instruction &inst) {
  const A *a = warp.row<A>(inst.op[1]);
  const B *b = warp.row<B>(inst.op[2]);
  const C *c = warp.row<C>(inst.op[3]);
  writeLanes<R>(warp, inst.op[0],
                [=](unsigned l) { return F::apply(a[l], b[l], c[l]); });
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_LANES_H

//===- Schedule.cpp - The schedule attribute --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

using namespace mlir;
using namespace mta;

/// What sizes can be multiplied with each other and with those of types without
/// overflow.
static constexpr int64_t kLargestSize = 65536;

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t queryTile, int64_t keyTile,
                                   int64_t edgeKeyTile, int64_t sweeps,
                                   int64_t heads, int64_t lanes, Staging) {
  std::pair<StringRef, int64_t> sizes[] = {{"query_tile", queryTile},
                                           {"key_tile", keyTile},
                                           {"edge_key_tile", edgeKeyTile},
                                           {"sweeps", sweeps},
                                           {"heads", heads},
                                           {"lanes", lanes}};
  for (auto [name, size] : sizes) {
    if (size < 1)
      return emitError() << "expects " << name << " of at least 1, but got "
                         << size;
    if (size > kLargestSize)
      return emitError() << "expects " << name << " of at most " << kLargestSize
                         << ", but got " << size;
  }
  if (sweeps > 2)
    return emitError() << "expects one or two sweeps, but got " << sweeps;
  if (edgeKeyTile > keyTile)
    return emitError() << "expects edge_key_tile to be at most key_tile, but "
                          "got "
                       << edgeKeyTile << " and " << keyTile;
  for (auto [name, size] : ArrayRef(sizes).slice(1, 2))
    if (size % lanes != 0)
      return emitError() << "expects " << name
                         << " to be a multiple of the lanes, but got " << size
                         << " and " << lanes;
  return success();
}

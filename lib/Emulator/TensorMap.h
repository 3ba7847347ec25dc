//===- TensorMap.h - What a bulk tensor copy moves --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_TENSORMAP_H
#define MTA_LIB_EMULATOR_TENSORMAP_H

#include "mta/Emulator/TensorMap.h"
#include <vector>

namespace mta::emulator {

/// Operations of cp.reduce.async.bulk; f16 and bf16 do not flush subnormals.
enum class ReduceOp : uint8_t { None, Add, Min, Max, Inc, Dec, And, Or, Xor };

/// A run of elements that are next to each other both in global and in shared
/// memory.
struct TensorPiece {
  uint32_t tile = 0;   // byte offset in the box, before swizzling
  uint64_t global = 0; // address; meaningless outside the tensor
  uint32_t bytes = 0;
  bool inside = false;
};

struct TensorMap : TensorDescription {
  /// Elements of dimension i that one copy moves.
  uint32_t boxElements(unsigned dimension) const {
    return (box[dimension] + elementStrides[dimension] - 1) /
           elementStrides[dimension];
  }
  uint32_t boxBytes() const;
  /// The pieces of the box at `start`, in the order of shared memory.
  std::vector<TensorPiece> pieces(const int32_t (&start)[5]) const;
};

/// The address within shared memory where a byte of a swizzled box or matrix
/// lies (PTX ISA 5.5.5, "Swizzling modes"): the number of the 16-byte chunk
/// within a row of 128, 64 or 32 bytes is combined with that of the row.
inline uint32_t swizzled(uint32_t address, TensorSwizzle swizzle) {
  unsigned bits = unsigned(swizzle); // 0, 1, 2, 3 bits of the chunk
  uint32_t mask = (1u << bits) - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_TENSORMAP_H

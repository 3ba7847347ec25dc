//===- WgmmaOperands.h - Matrices in shared memory --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matrix descriptor (PTX ISA 9.7.15.5.1.2.2) and where it puts the elements.
// In units of 16 bytes, with an atom of q = 2, 4 or 8 units for a swizzle of
// 32, 64 or 128 bytes (leading and stride are the descriptor's offsets):
//
//              K-major, row r, unit c of k      MN-major, unit u of rows, k
//   none       16 (r % 8) + stride (r / 8)      stride u + 16 (k % 8)
//                + leading c                      + leading (k / 8)
//   swizzled   16 q (r % 8) + stride (r / 8)    16 (u % q) + leading (u / q)
//                + 16 c                           + 16 q (k % 8) + stride (k /
//                8)
//
// The swizzle then acts on the address, as it does for bulk tensor copies.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_WGMMAOPERANDS_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_WGMMAOPERANDS_H

#include "../TensorMap.h"
#include <cstdint>

namespace mta::emulator {

struct MatrixDescriptor {
  uint32_t start = 0, leading = 0, stride = 0; // bytes
  unsigned baseOffset = 0;
  TensorSwizzle swizzle = TensorSwizzle::None;

  explicit MatrixDescriptor(uint64_t bits);
  /// "" or why the emulator cannot read such a matrix.
  const char *refuse() const;
  /// The address of 16 bytes along k of a row.
  uint32_t kMajor(uint32_t row, uint32_t unit) const;
  /// The address of 16 bytes along the rows, at one k.
  uint32_t rowMajor(uint32_t unit, uint32_t k) const;

private:
  uint32_t atomUnits() const { return 1u << unsigned(swizzle); }
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_WGMMAOPERANDS_H

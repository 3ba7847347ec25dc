//===- WgmmaOperands.cpp - Matrices in shared memory ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaOperands.h"

namespace mta::emulator {

constexpr uint32_t Unit = 16;

MatrixDescriptor::MatrixDescriptor(uint64_t bits) {
  auto field = [=](unsigned shift) {
    return uint32_t(bits >> shift & 0x3fff) * Unit;
  };
  start = field(0);
  leading = field(16);
  stride = field(32);
  baseOffset = bits >> 49 & 7;
  static constexpr TensorSwizzle Modes[] = {
      TensorSwizzle::None, TensorSwizzle::B128, TensorSwizzle::B64,
      TensorSwizzle::B32};
  swizzle = Modes[bits >> 62];
}

const char *MatrixDescriptor::refuse() const {
  if (swizzle == TensorSwizzle::None)
    return "";
  if (baseOffset)
    return "a matrix base offset other than 0 is not supported";
  // The bits of the address that say which row of the pattern this is.
  uint32_t rows = (atomUnits() - 1) << 7;
  if (start & rows)
    return "expects the swizzle pattern of a matrix to start at a multiple of "
           "its size: 1024, 512 or 256 bytes";
  return "";
}

uint32_t MatrixDescriptor::kMajor(uint32_t row, uint32_t unit) const {
  if (swizzle == TensorSwizzle::None)
    return start + row % 8 * Unit + row / 8 * stride + unit * leading;
  return swizzled(start + row % 8 * Unit * atomUnits() + row / 8 * stride +
                      unit * Unit,
                  swizzle);
}

uint32_t MatrixDescriptor::rowMajor(uint32_t unit, uint32_t k) const {
  if (swizzle == TensorSwizzle::None)
    return start + unit * stride + k % 8 * Unit + k / 8 * leading;
  uint32_t q = atomUnits();
  return swizzled(start + unit % q * Unit + unit / q * leading +
                      k % 8 * Unit * q + k / 8 * stride,
                  swizzle);
}

} // namespace mta::emulator

//===- MatrixTiles.h - The tile that mma and wgmma multiply -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 16 rows, 8 columns, k products: an mma, or eight columns of the part of a
// wgmma that one warp computes. A register of the 32 lanes holds an 8 x 4e
// block of A, or of B transposed, in the order of its rows (see Fragments.h),
// so that fragments become matrices by conversions of contiguous elements.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_MATRIXTILES_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_MATRIXTILES_H

#include "../SmallFloat.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

/// How elements are stored and what they become for arithmetic.
struct HalfElement {
  using Bits = uint16_t;
  using Value = float;
  static float widen(uint16_t bits) { return halfToFloat(bits); }
};
struct BfloatElement {
  using Bits = uint16_t;
  using Value = float;
  static float widen(uint16_t bits) { return bfloatToFloat(bits); }
};
struct TF32Element {
  using Bits = uint32_t;
  using Value = float;
  // The low 13 bits are ignored.
  static float widen(uint32_t bits) { return floatOf(bits & 0xffffe000); }
};
struct SignedByte {
  using Bits = int8_t;
  using Value = int32_t;
  static int32_t widen(int8_t bits) { return bits; }
};
struct UnsignedByte {
  using Bits = uint8_t;
  using Value = int32_t;
  static int32_t widen(uint8_t bits) { return bits; }
};

constexpr unsigned Rows = 16, Columns = 8;

template <typename E, unsigned K>
static void gatherA(const Warp &warp, const uint32_t *op,
                    typename E::Value (&a)[Rows][K]) {
  constexpr unsigned Width = 16 / sizeof(typename E::Bits); // of a block
  for (unsigned reg = 0; reg < 2 * K / Width; ++reg) {
    const auto *block = warp.row<typename E::Bits>(op[reg]);
    for (unsigned row = 0; row < 8; ++row)
      for (unsigned column = 0; column < Width; ++column)
        a[row + 8 * (reg % 2)][column + Width * (reg / 2)] =
            E::widen(block[row * Width + column]);
  }
}

template <typename E, unsigned K>
static void gatherB(const Warp &warp, const uint32_t *op,
                    typename E::Value (&b)[K][Columns]) {
  constexpr unsigned Width = 16 / sizeof(typename E::Bits);
  for (unsigned reg = 0; reg < K / Width; ++reg) {
    const auto *block = warp.row<typename E::Bits>(op[reg]);
    typename E::Value values[Columns * Width];
    for (unsigned i = 0; i < Columns * Width; ++i)
      values[i] = E::widen(block[i]);
    for (unsigned k = 0; k < Width; ++k)
      for (unsigned column = 0; column < Columns; ++column)
        b[k + Width * reg][column] = values[column * Width + k];
  }
}

/// Adds a b to c, four rows at a time to keep the sums in registers.
template <typename V, unsigned K>
static void multiplyAdd(const V (&a)[Rows][K], const V (&b)[K][Columns],
                        V (&c)[Rows][Columns]) {
  for (unsigned first = 0; first < Rows; first += 4) {
    V sum[4][Columns];
    std::memcpy(sum, c[first], sizeof sum);
    for (unsigned k = 0; k < K; ++k)
      for (unsigned row = 0; row < 4; ++row)
        for (unsigned column = 0; column < Columns; ++column)
          sum[row][column] += a[first + row][k] * b[k][column];
    std::memcpy(c[first], sum, sizeof sum);
  }
}

template <typename V>
static void gatherC(const Warp &warp, const uint32_t *op,
                    V (&c)[Rows][Columns]) {
  for (unsigned reg = 0; reg < 4; ++reg) {
    const V *row = warp.row<V>(op[reg]);
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      c[lane / 4 + 8 * (reg / 2)][lane % 4 * 2 + reg % 2] = row[lane];
  }
}
template <typename V>
static void scatterC(const Warp &warp, const uint32_t *op,
                     const V (&c)[Rows][Columns]) {
  for (unsigned reg = 0; reg < 4; ++reg) {
    V *row = warp.row<V>(op[reg]);
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      row[lane] = c[lane / 4 + 8 * (reg / 2)][lane % 4 * 2 + reg % 2];
  }
}

/// Accumulators in f16: a register is an 8x8 block.
static inline void gatherHalves(const Warp &warp, const uint32_t *op,
                                float (&c)[Rows][Columns]) {
  for (unsigned reg = 0; reg < 2; ++reg) {
    const uint16_t *block = warp.row<uint16_t>(op[reg]);
    for (unsigned i = 0; i < 64; ++i)
      c[8 * reg + i / 8][i % 8] = halfToFloat(block[i]);
  }
}
static inline void scatterHalves(const Warp &warp, const uint32_t *op,
                                 const float (&c)[Rows][Columns]) {
  for (unsigned reg = 0; reg < 2; ++reg) {
    uint16_t *block = warp.row<uint16_t>(op[reg]);
    for (unsigned i = 0; i < 64; ++i)
      block[i] = floatToHalf(c[8 * reg + i / 8][i % 8]);
  }
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_MATRIXTILES_H

//===- SmallFloat.h - Floating-point formats of 16 bits and fewer --*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The conversions are branch-free where kernels spend time, so that loops over
// lanes become vector code on any host.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_SMALLFLOAT_H
#define MTA_LIB_EMULATOR_SMALLFLOAT_H

#include "Lanes.h"
#include <cstdint>
#include <cstring>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint64_t bitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline double doubleOf(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The NaN that single-precision instructions return (PTX ISA 5.2.3 and the
/// tables of add, mul, fma: "NaN payloads are canonical").
constexpr uint32_t CanonicalNaN = 0x7fffffff;
constexpr uint16_t HalfNaN = 0x7fff;

inline float halfToFloat(uint16_t half) {
  uint32_t magnitude = uint32_t(half & 0x7fff) << 13;
  // Scaling by 2^112 corrects the bias and normalises subnormals.
  uint32_t bits = bitsOf(floatOf(magnitude) * floatOf(0x77800000));
  bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
  return floatOf(bits | uint32_t(half & 0x8000) << 16);
}

/// To nearest, ties to even.
inline uint16_t floatToHalf(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t sign = bits & 0x80000000;
  uint32_t magnitude = bits ^ sign;
  uint32_t normal =
      (magnitude + 0xc8000fff + (magnitude >> 13 & 1)) >> 13; // bias 112 << 23
  // Adding 0.5 leaves the subnormal's bits, rounded, at the bottom.
  uint32_t subnormal = bitsOf(floatOf(magnitude) + 0.5f) - 0x3f000000;
  uint32_t result = magnitude < 0x38800000 ? subnormal : normal;
  result = magnitude >= 0x47800000 ? 0x7c00 : result;
  result = magnitude > 0x7f800000 ? HalfNaN : result;
  return result | (magnitude > 0x7f800000 ? 0 : sign >> 16);
}

inline float bfloatToFloat(uint16_t value) {
  return floatOf(uint32_t(value) << 16);
}

inline uint16_t floatToBfloat(float value) {
  uint32_t bits = bitsOf(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (bits & 0x7fffffff) > 0x7f800000 ? HalfNaN : rounded;
}

/// A subnormal becomes zero of the same sign.
inline float flush(float value) {
  uint32_t bits = bitsOf(value);
  return floatOf(bits & 0x7f800000 ? bits : bits & 0x80000000);
}

/// In integers: compilers take one NaN for another in floating point.
inline float canonical(float value) {
  uint32_t bits = bitsOf(value);
  return floatOf((bits & 0x7fffffff) > 0x7f800000 ? CanonicalNaN : bits);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_SMALLFLOAT_H

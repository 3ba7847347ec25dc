//===- Rounding.h - Arithmetic with directed rounding -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_ROUNDING_H
#define MTA_LIB_EMULATOR_ROUNDING_H

#include <cstdint>

namespace mta::emulator {

/// .rn, .rz, .rm, .rp, and .rna (ties away from zero).
enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

/// One operation in another rounding mode than the host's default. Slow, and
/// rare in kernels.
float addRounded(float a, float b, Rounding mode);
double addRounded(double a, double b, Rounding mode);
float mulRounded(float a, float b, Rounding mode);
double mulRounded(double a, double b, Rounding mode);
float divRounded(float a, float b, Rounding mode);
double divRounded(double a, double b, Rounding mode);
float fmaRounded(float a, float b, float c, Rounding mode);
double fmaRounded(double a, double b, double c, Rounding mode);
float sqrtRounded(float a, Rounding mode);
double sqrtRounded(double a, Rounding mode);
float toFloatRounded(double a, Rounding mode);
float toFloatRounded(int64_t a, Rounding mode);
float toFloatRounded(uint64_t a, Rounding mode);
double toDoubleRounded(int64_t a, Rounding mode);
double toDoubleRounded(uint64_t a, Rounding mode);
/// To an integral value.
double roundToIntegral(double a, Rounding mode);

/// A binary floating-point format of at most 32 bits.
struct FloatFormat {
  unsigned exponentBits, mantissaBits;
  /// The largest finite magnitude's bits, and what overflow and NaN become.
  uint32_t maxFinite, infinity, nan;
};
extern const FloatFormat HalfFormat, BfloatFormat, TF32Format, E4M3Format,
    E5M2Format;

/// The bits of `value` in `format`; `saturate` turns overflow into the largest
/// finite value. `value` has to be exact: nothing may be rounded before.
uint32_t roundTo(const FloatFormat &format, double value, Rounding mode,
                 bool saturate);
/// The value of bits in `format`.
double valueOf(const FloatFormat &format, uint32_t bits);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_ROUNDING_H

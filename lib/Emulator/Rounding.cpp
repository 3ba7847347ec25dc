//===- Rounding.cpp - Arithmetic with directed rounding -------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled with -frounding-math: the compiler must not move arithmetic across
// changes of the rounding mode. Operands pass through volatile variables for
// the same reason.
//
//===----------------------------------------------------------------------===//

#include "Rounding.h"
#include <cfenv>
#include <cmath>
#include <cstring>

namespace mta::emulator {

namespace {
class RoundingScope {
public:
  explicit RoundingScope(Rounding mode) : saved(std::fegetround()) {
    std::fesetround(mode == Rounding::Zero   ? FE_TOWARDZERO
                    : mode == Rounding::Down ? FE_DOWNWARD
                    : mode == Rounding::Up   ? FE_UPWARD
                                             : FE_TONEAREST);
  }
  ~RoundingScope() { std::fesetround(saved); }

private:
  int saved;
};

template <typename T, typename F> T rounded(Rounding mode, F compute) {
  RoundingScope scope(mode);
  volatile T result = compute();
  return result;
}
} // namespace

#define MTA_ROUNDED_BINARY(NAME, OPERATOR)                                     \
  float NAME(float a, float b, Rounding mode) {                                \
    volatile float x = a, y = b;                                               \
    return rounded<float>(mode, [&] { return x OPERATOR y; });                 \
  }                                                                            \
  double NAME(double a, double b, Rounding mode) {                             \
    volatile double x = a, y = b;                                              \
    return rounded<double>(mode, [&] { return x OPERATOR y; });                \
  }
MTA_ROUNDED_BINARY(addRounded, +)
MTA_ROUNDED_BINARY(mulRounded, *)
MTA_ROUNDED_BINARY(divRounded, /)
#undef MTA_ROUNDED_BINARY

float fmaRounded(float a, float b, float c, Rounding mode) {
  volatile float x = a, y = b, z = c;
  return rounded<float>(mode,
                        [&] { return std::fma(float(x), float(y), float(z)); });
}
double fmaRounded(double a, double b, double c, Rounding mode) {
  volatile double x = a, y = b, z = c;
  return rounded<double>(
      mode, [&] { return std::fma(double(x), double(y), double(z)); });
}
float sqrtRounded(float a, Rounding mode) {
  volatile float x = a;
  return rounded<float>(mode, [&] { return std::sqrt(float(x)); });
}
double sqrtRounded(double a, Rounding mode) {
  volatile double x = a;
  return rounded<double>(mode, [&] { return std::sqrt(double(x)); });
}
float toFloatRounded(double a, Rounding mode) {
  volatile double x = a;
  return rounded<float>(mode, [&] { return float(x); });
}
float toFloatRounded(int64_t a, Rounding mode) {
  volatile int64_t x = a;
  return rounded<float>(mode, [&] { return float(x); });
}
float toFloatRounded(uint64_t a, Rounding mode) {
  volatile uint64_t x = a;
  return rounded<float>(mode, [&] { return float(x); });
}
double toDoubleRounded(int64_t a, Rounding mode) {
  volatile int64_t x = a;
  return rounded<double>(mode, [&] { return double(x); });
}
double toDoubleRounded(uint64_t a, Rounding mode) {
  volatile uint64_t x = a;
  return rounded<double>(mode, [&] { return double(x); });
}

double roundToIntegral(double a, Rounding mode) {
  switch (mode) {
  case Rounding::Nearest:
    return std::nearbyint(a);
  case Rounding::Zero:
    return std::trunc(a);
  case Rounding::Down:
    return std::floor(a);
  case Rounding::Up:
    return std::ceil(a);
  case Rounding::NearestAway:
    return std::round(a);
  }
  return a;
}

// PTX ISA 5.2.3: e4m3 has no infinity, its NaN is 0x7f; tf32 keeps the range of
// f32 with 10 bits of mantissa and is handled as its upper 19 bits.
const FloatFormat HalfFormat = {5, 10, 0x7bff, 0x7c00, 0x7fff};
const FloatFormat BfloatFormat = {8, 7, 0x7f7f, 0x7f80, 0x7fff};
const FloatFormat TF32Format = {8, 10, 0x3fbff, 0x3fc00, 0x3ffff};
const FloatFormat E4M3Format = {4, 3, 0x7e, 0x7f, 0x7f};
const FloatFormat E5M2Format = {5, 2, 0x7b, 0x7c, 0x7f};

uint32_t roundTo(const FloatFormat &format, double value, Rounding mode,
                 bool saturate) {
  uint32_t signBit = 1u << (format.exponentBits + format.mantissaBits);
  if (std::isnan(value))
    return format.nan;
  bool negative = std::signbit(value);
  uint32_t sign = negative ? signBit : 0;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return sign | (saturate ? format.maxFinite : format.infinity);
  if (magnitude == 0)
    return sign;
  int bias = (1 << (format.exponentBits - 1)) - 1;
  int exponent = std::ilogb(magnitude);
  if (exponent < 1 - bias)
    exponent = 1 - bias;
  // In units of the last place; exact, since only the exponent changes.
  double scaled = std::ldexp(magnitude, int(format.mantissaBits) - exponent);
  if (negative && (mode == Rounding::Down || mode == Rounding::Up))
    mode = mode == Rounding::Down ? Rounding::Up : Rounding::Down;
  double integral = roundToIntegral(scaled, mode);
  uint64_t units = integral;
  // A carry out of the mantissa moves into the exponent by itself.
  uint64_t bits =
      units + (uint64_t(exponent + bias - 1) << format.mantissaBits);
  if (bits <= format.maxFinite)
    return sign | uint32_t(bits);
  bool toFinite = mode == Rounding::Zero || mode == Rounding::Down;
  return sign | (saturate || toFinite ? format.maxFinite : format.infinity);
}

double valueOf(const FloatFormat &format, uint32_t bits) {
  uint32_t magnitude =
      bits & ((1u << (format.exponentBits + format.mantissaBits)) - 1);
  bool negative = bits >> (format.exponentBits + format.mantissaBits) & 1;
  int bias = (1 << (format.exponentBits - 1)) - 1;
  double value;
  if (magnitude == format.infinity && format.infinity != format.nan)
    value = HUGE_VAL;
  else if (magnitude > format.maxFinite)
    value = std::nan("");
  else {
    int exponent = magnitude >> format.mantissaBits;
    double mantissa = magnitude & ((1u << format.mantissaBits) - 1);
    mantissa += exponent ? double(1u << format.mantissaBits) : 0;
    value = std::ldexp(mantissa, (exponent ? exponent : 1) - bias -
                                     int(format.mantissaBits));
  }
  return negative ? -value : value;
}

} // namespace mta::emulator

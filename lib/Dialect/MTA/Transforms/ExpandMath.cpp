//===- ExpandMath.cpp - exp and log from arithmetic -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>
#include <limits>

namespace mta {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

namespace {

/// ln 2 as a sum of two numbers of which the first has so few bits that its
/// product with any exponent is exact.
struct SplitLn2 {
  double high;
  double low;
};

/// Arithmetic on scalars or vectors of one float type and the integers of its
/// width.
class FloatMath {
public:
  FloatMath(ImplicitLocOpBuilder &builder, Type type)
      : builder(builder), type(type), element(getElementTypeOrSelf(type)),
        integer(builder.getIntegerType(element.getIntOrFloatBitWidth())),
        isDouble(element.isF64()) {
    if (auto vector = dyn_cast<VectorType>(type))
      integer = vector.clone(integer);
  }

  Value exp(Value x);
  Value exp2(Value x);
  Value log(Value x);

private:
  Value splat(Type type, TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(type))
      value = DenseElementsAttr::get(vector, Attribute(value));
    return arith::ConstantOp::create(builder, value);
  }
  Value real(double value) {
    return splat(type, builder.getFloatAttr(element, value));
  }
  Value bits(int64_t value) {
    return splat(integer,
                 builder.getIntegerAttr(getElementTypeOrSelf(integer), value));
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(builder, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(builder, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(builder, a, b); }
  Value fma(Value a, Value b, Value c) {
    return math::FmaOp::create(builder, a, b, c);
  }
  Value addi(Value a, Value b) { return arith::AddIOp::create(builder, a, b); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(builder, condition, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(builder, predicate, a, b);
  }
  Value toBits(Value x) {
    return arith::BitcastOp::create(builder, integer, x);
  }
  Value fromBits(Value x) { return arith::BitcastOp::create(builder, type, x); }

  int64_t mantissaBits() const { return isDouble ? 52 : 23; }
  int64_t exponentBias() const { return isDouble ? 1023 : 127; }

  SplitLn2 splitLn2() const;
  /// sum_k coefficients[k] x^k by Horner's rule.
  Value polynomial(Value x, ArrayRef<double> coefficients);
  /// x 2^n for a float n of integer value, if the result is a normal number.
  Value scaleByPowerOfTwo(Value x, Value n);
  /// exp(r) for |r| <= ln(2)/2: its Taylor polynomial, of which the first term
  /// left out is below a tenth of an ulp.
  Value reducedExp(Value r);
  /// 2^r for |r| <= 1/2.
  Value reducedExp2(Value r);
  /// `result`, but for arguments below `smallest` zero, above `largest`
  /// infinity, and NaN for NaN.
  Value selectLimits(Value x, double smallest, double largest, Value result);
  double smallestNormal() const {
    return isDouble ? std::numeric_limits<double>::min()
                    : std::numeric_limits<float>::min();
  }
  double largestNormal() const {
    return isDouble ? std::numeric_limits<double>::max()
                    : std::numeric_limits<float>::max();
  }

  /// `bound`, of which the magnitude must not grow, in the element type.
  double roundTowardsZero(long double bound) const;

  ImplicitLocOpBuilder &builder;
  Type type, element;
  Type integer;
  bool isDouble;
};

SplitLn2 FloatMath::splitLn2() const {
  // 32 bits leave room for the 11 bits of an exponent in f64, 15 for its 8 bits
  // in f32.
  const long double ln2 = 0.693147180559945309417232121458L;
  double high = std::ldexp(
      std::floor(std::ldexp(static_cast<double>(ln2), isDouble ? 32 : 15)),
      isDouble ? -32 : -15);
  return {high, static_cast<double>(ln2 - high)};
}

Value FloatMath::polynomial(Value x, ArrayRef<double> coefficients) {
  Value result = real(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    result = fma(result, x, real(coefficient));
  return result;
}

Value FloatMath::scaleByPowerOfTwo(Value x, Value n) {
  Value exponent = arith::FPToSIOp::create(builder, integer, n);
  exponent = arith::ShLIOp::create(builder, exponent, bits(mantissaBits()));
  return fromBits(addi(toBits(x), exponent));
}

Value FloatMath::reducedExp(Value r) {
  SmallVector<double> coefficients = {1.0};
  for (int k = 1; k <= (isDouble ? 13 : 7); ++k)
    coefficients.push_back(coefficients.back() / k);
  return polynomial(r, coefficients);
}

/// In f32 the polynomial with 1 at 0 of which the largest relative error is
/// smallest, 2.0e-9, by Lawson's iteration; in f64 the Taylor polynomial, of
/// which the first term left out is below a tenth of an ulp.
Value FloatMath::reducedExp2(Value r) {
  if (!isDouble)
    return polynomial(r, {1.0, 0x1.62e430p-1, 0x1.ebfbdcp-3, 0x1.c6aee8p-5,
                          0x1.3b2d4cp-7, 0x1.5f3e52p-10, 0x1.41fbbcp-13});
  SmallVector<double> coefficients = {1.0};
  for (int k = 1; k <= 13; ++k)
    coefficients.push_back(coefficients.back() * std::log(2.0) / k);
  return polynomial(r, coefficients);
}

Value FloatMath::selectLimits(Value x, double smallest, double largest,
                              Value result) {
  Value underflows = compare(arith::CmpFPredicate::OLT, x, real(smallest));
  Value overflows = compare(arith::CmpFPredicate::OGT, x, real(largest));
  Value isNaN = compare(arith::CmpFPredicate::UNO, x, x);
  result = select(underflows, real(0.0), result);
  result =
      select(overflows, real(std::numeric_limits<double>::infinity()), result);
  return select(isNaN, x, result);
}

double FloatMath::roundTowardsZero(long double bound) const {
  auto round = [bound](auto rounded) -> double {
    rounded = static_cast<decltype(rounded)>(bound);
    bool isLarger =
        std::fabs(static_cast<long double>(rounded)) > std::fabs(bound);
    return isLarger ? std::nextafter(rounded, decltype(rounded)(0)) : rounded;
  };
  return isDouble ? round(double()) : round(float());
}

/// exp(x) = 2^n exp(r), x = n ln 2 + r. What an infinity or NaN makes of n is
/// not selected.
Value FloatMath::exp(Value x) {
  SplitLn2 ln2 = splitLn2();
  Value n = math::FloorOp::create(builder,
                                  fma(x, real(1.0 / std::log(2.0)), real(0.5)));
  Value r = fma(n, real(-ln2.high), x);
  r = fma(n, real(-ln2.low), r);
  // Only the arguments between these have powers that are normal numbers.
  double smallest =
      roundTowardsZero(std::log(static_cast<long double>(smallestNormal())));
  double largest =
      roundTowardsZero(std::log(static_cast<long double>(largestNormal())));
  return selectLimits(x, smallest, largest,
                      scaleByPowerOfTwo(reducedExp(r), n));
}

/// exp2(x) = 2^n 2^r, x = n + r. Adding 1.5 times the power of two from which
/// on numbers are integers rounds x to one, n, which then stands in the last
/// bits of the sum.
Value FloatMath::exp2(Value x) {
  Value shifter = real(std::ldexp(1.5, static_cast<int>(mantissaBits())));
  Value sum = add(x, shifter);
  Value r = sub(x, sub(sum, shifter));
  Value exponent =
      arith::ShLIOp::create(builder, toBits(sum), bits(mantissaBits()));
  Value result = fromBits(addi(toBits(reducedExp2(r)), exponent));

  Value underflows =
      compare(arith::CmpFPredicate::OLT, x, real(1.0 - exponentBias()));
  result = select(underflows, real(0.0), result);
  // An infinity, or NaN for NaN.
  Value overflows =
      compare(arith::CmpFPredicate::UGE, x, real(exponentBias() + 1.0));
  return select(overflows,
                add(x, real(std::numeric_limits<double>::infinity())), result);
}

/// log(2^e m) = e ln 2 + log(1 + f), sqrt(1/2) < m = 1 + f <= sqrt(2), with
///
///     log(1 + f) = 2 atanh(s) = f - (f²/2 - s (f²/2 + R)),  s = f / (2 + f),
///     R = 2/3 s² + 2/5 s⁴ + ...
///
/// where f is exact and everything else a small correction of it.
Value FloatMath::log(Value x) {
  double infinity = std::numeric_limits<double>::infinity();
  int64_t mantissaMask = (int64_t(1) << mantissaBits()) - 1;
  int64_t one = exponentBias() << mantissaBits();
  Value raw = toBits(x);
  Value exponent =
      addi(arith::ShRSIOp::create(builder, raw, bits(mantissaBits())),
           bits(-exponentBias()));
  Value mantissa = fromBits(arith::OrIOp::create(
      builder, arith::AndIOp::create(builder, raw, bits(mantissaMask)),
      bits(one)));
  Value isLarge =
      compare(arith::CmpFPredicate::OGT, mantissa, real(std::sqrt(2.0)));
  mantissa = select(isLarge, mul(mantissa, real(0.5)), mantissa);
  exponent = select(isLarge, addi(exponent, bits(1)), exponent);
  Value e = arith::SIToFPOp::create(builder, type, exponent);

  Value f = sub(mantissa, real(1.0));
  Value s = arith::DivFOp::create(builder, f, add(mantissa, real(1.0)));
  Value square = mul(s, s);
  SmallVector<double> coefficients;
  for (int k = 1; k <= (isDouble ? 10 : 4); ++k)
    coefficients.push_back(2.0 / (2 * k + 1));
  Value rest = mul(square, polynomial(square, coefficients));
  Value half = mul(mul(real(0.5), f), f);
  SplitLn2 ln2 = splitLn2();
  Value correction = fma(e, real(ln2.low), mul(s, add(half, rest)));
  Value result = fma(e, real(ln2.high), sub(f, sub(half, correction)));

  double smallest = smallestNormal();
  Value isZero = compare(arith::CmpFPredicate::OLT, x, real(smallest));
  result = select(isZero, real(-infinity), result);
  Value isNegative = compare(arith::CmpFPredicate::OLE, x, real(-smallest));
  result = select(isNegative, real(std::nan("")), result);
  Value isInfinite = compare(arith::CmpFPredicate::OEQ, x, real(infinity));
  Value isNaN = compare(arith::CmpFPredicate::UNO, x, x);
  Value passesOn = arith::OrIOp::create(builder, isInfinite, isNaN);
  return select(passesOn, x, result);
}

struct ExpandMathPass : mta::impl::ExpandMathPassBase<ExpandMathPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](Operation *op) {
      if (!isa<math::ExpOp, math::Exp2Op, math::LogOp>(op))
        return;
      Type type = op->getResult(0).getType();
      Type element = getElementTypeOrSelf(type);
      if (!(element.isF32() || element.isF64()) ||
          !isa<FloatType, VectorType>(type))
        return;
      rewriter.setInsertionPoint(op);
      ImplicitLocOpBuilder builder(op->getLoc(), rewriter);
      FloatMath floatMath(builder, type);
      Value x = op->getOperand(0);
      Value result = isa<math::ExpOp>(op)    ? floatMath.exp(x)
                     : isa<math::Exp2Op>(op) ? floatMath.exp2(x)
                                             : floatMath.log(x);
      rewriter.replaceOp(op, result);
    });
  }
};
} // namespace

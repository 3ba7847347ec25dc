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

/// Arithmetic on scalars of one float type and the integers of its width.
class FloatMath {
public:
  FloatMath(ImplicitLocOpBuilder &builder, Type type)
      : builder(builder), type(type),
        integer(builder.getIntegerType(type.getIntOrFloatBitWidth())),
        isDouble(type.isF64()) {}

  Value exp(Value x);
  Value log(Value x);

private:
  Value real(double value) {
    return arith::ConstantOp::create(builder,
                                     builder.getFloatAttr(type, value));
  }
  Value bits(int64_t value) {
    return arith::ConstantOp::create(builder,
                                     builder.getIntegerAttr(integer, value));
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
  /// 2^n for an integer n in the range of normal exponents.
  Value powerOfTwo(Value n);

  ImplicitLocOpBuilder &builder;
  Type type;
  IntegerType integer;
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

Value FloatMath::powerOfTwo(Value n) {
  Value biased = addi(n, bits(exponentBias()));
  return fromBits(arith::ShLIOp::create(builder, biased, bits(mantissaBits())));
}

/// exp(x) = 2^n exp(r), x = n ln 2 + r, |r| <= ln(2)/2, exp(r) by its Taylor
/// polynomial: the first term left out is below a tenth of an ulp.
Value FloatMath::exp(Value x) {
  double smallest = isDouble ? std::numeric_limits<double>::min()
                             : std::numeric_limits<float>::min();
  double largest = isDouble ? std::numeric_limits<double>::max()
                            : std::numeric_limits<float>::max();
  Value underflows =
      compare(arith::CmpFPredicate::OLT, x, real(std::log(smallest)));
  Value overflows =
      compare(arith::CmpFPredicate::OGT, x, real(std::log(largest)));
  Value isNaN = compare(arith::CmpFPredicate::UNO, x, x);
  Value special = arith::OrIOp::create(builder, underflows, overflows);
  special = arith::OrIOp::create(builder, special, isNaN);
  // A conversion to an integer needs an argument in range.
  Value argument = select(special, real(0.0), x);

  SplitLn2 ln2 = splitLn2();
  Value n = math::FloorOp::create(
      builder, fma(argument, real(1.0 / std::log(2.0)), real(0.5)));
  Value r = fma(n, real(-ln2.high), argument);
  r = fma(n, real(-ln2.low), r);
  SmallVector<double> coefficients = {1.0};
  for (int k = 1; k <= (isDouble ? 13 : 7); ++k)
    coefficients.push_back(coefficients.back() / k);
  Value result = polynomial(r, coefficients);

  // Two factors: 2^n itself overflows for the largest results.
  Value exponent = arith::FPToSIOp::create(builder, integer, n);
  Value half = arith::ShRSIOp::create(builder, exponent, bits(1));
  Value rest = arith::SubIOp::create(builder, exponent, half);
  result = mul(mul(result, powerOfTwo(half)), powerOfTwo(rest));
  result = select(underflows, real(0.0), result);
  result =
      select(overflows, real(std::numeric_limits<double>::infinity()), result);
  return select(isNaN, x, result);
}

/// log(2^e m) = e ln 2 + 2 atanh((m-1)/(m+1)), sqrt(1/2) < m <= sqrt(2).
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

  Value s = arith::DivFOp::create(builder, sub(mantissa, real(1.0)),
                                  add(mantissa, real(1.0)));
  SmallVector<double> coefficients;
  for (int k = 0; k <= (isDouble ? 10 : 4); ++k)
    coefficients.push_back(2.0 / (2 * k + 1));
  Value series = mul(s, polynomial(mul(s, s), coefficients));
  SplitLn2 ln2 = splitLn2();
  Value result = fma(e, real(ln2.high), fma(e, real(ln2.low), series));

  double smallest = isDouble ? std::numeric_limits<double>::min()
                             : std::numeric_limits<float>::min();
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
      if (!isa<math::ExpOp, math::LogOp>(op))
        return;
      Type type = op->getResult(0).getType();
      if (!type.isF32() && !type.isF64())
        return;
      rewriter.setInsertionPoint(op);
      ImplicitLocOpBuilder builder(op->getLoc(), rewriter);
      FloatMath floatMath(builder, type);
      Value operand = op->getOperand(0);
      rewriter.replaceOp(op, isa<math::ExpOp>(op) ? floatMath.exp(operand)
                                                  : floatMath.log(operand));
    });
  }
};
} // namespace

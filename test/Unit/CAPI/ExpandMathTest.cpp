//===- ExpandMathTest.cpp - Accuracy of mta-expand-math ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The expanded functions, compiled for this machine, against libm in the next
// wider type over dense sweeps of all bit patterns.
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace mta::test;

namespace {

template <typename T> struct Traits;
template <> struct Traits<float> {
  using Bits = uint32_t;
  using Wide = double;
  static constexpr const char *name = "f32";
};
template <> struct Traits<double> {
  using Bits = uint64_t;
  using Wide = long double;
  static constexpr const char *name = "f64";
};

template <typename T> struct Vector {
  T *allocated, *aligned;
  int64_t offset, size, stride;
};

/// `math.exp`, `math.exp2` or `math.log` after the expansion, on arrays.
template <typename T> class Function {
public:
  explicit Function(const std::string &operation) {
    std::string type = Traits<T>::name, memref = "memref<?x" + type + ">";
    Module module = parse("func.func @apply(%in: " + memref +
                          ", %out: " + memref + ") {\n" +
                          "  %c0 = arith.constant 0 : index\n"
                          "  %c1 = arith.constant 1 : index\n"
                          "  %n = memref.dim %in, %c0 : " +
                          memref +
                          "\n"
                          "  scf.for %i = %c0 to %n step %c1 {\n"
                          "    %x = memref.load %in[%i] : " +
                          memref +
                          "\n"
                          "    %y = " +
                          operation + " %x : " + type +
                          "\n"
                          "    memref.store %y, %out[%i] : " +
                          memref +
                          "\n"
                          "  }\n"
                          "  return\n"
                          "}\n");
    EXPECT_TRUE(module) << mtaLastError();
    EXPECT_EQ(
        mtaModuleRunPipeline(
            module.get(), "builtin.module(mta-expand-math,mta-reference-cpu)"),
        0)
        << mtaLastError();
    executable.reset(mtaModuleCompile(module.get(), 2));
    EXPECT_TRUE(executable) << mtaLastError();
    apply = reinterpret_cast<void (*)(Vector<T> *, Vector<T> *)>(
        mtaExecutableLookup(executable.get(), "_mlir_ciface_apply"));
    EXPECT_TRUE(apply) << mtaLastError();
  }

  std::vector<T> operator()(std::vector<T> input) const {
    std::vector<T> output(input.size());
    Vector<T> in = describe(input), out = describe(output);
    apply(&in, &out);
    return output;
  }

  T operator()(T input) const { return (*this)(std::vector<T>{input})[0]; }

private:
  static Vector<T> describe(std::vector<T> &data) {
    return {data.data(), data.data(), 0, static_cast<int64_t>(data.size()), 1};
  }

  Executable executable;
  void (*apply)(Vector<T> *, Vector<T> *);
};

template <typename T> T fromBits(typename Traits<T>::Bits bits) {
  T result;
  std::memcpy(&result, &bits, sizeof(T));
  return result;
}

/// The distance of two numbers in units in the last place of the normal number
/// nearest to the exact one.
template <typename T> double ulps(T got, typename Traits<T>::Wide exact) {
  using Limits = std::numeric_limits<T>;
  int exponent = std::max(std::ilogb(exact), Limits::min_exponent - 1);
  auto unit =
      std::ldexp(typename Traits<T>::Wide(1), exponent - (Limits::digits - 1));
  return static_cast<double>(std::fabs(got - exact) / unit);
}

/// Checks one value of exp or exp2, `exact`, and returns its error. Results
/// below the smallest normal number are zero, those above the largest are
/// infinite; at the two borders a result may be on either side within the
/// bound.
template <typename T>
double checkPower(T x, T got, typename Traits<T>::Wide exact) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(x)) {
    EXPECT_TRUE(std::isnan(got));
    return 0;
  }
  if (got == 0) {
    EXPECT_LT(exact, Limits::min() * (1 + 2 * Limits::epsilon())) << x;
    return 0;
  }
  if (std::isinf(got)) {
    EXPECT_GT(exact, Limits::max() * (1 - 2 * Limits::epsilon())) << x;
    EXPECT_GT(got, 0);
    return 0;
  }
  EXPECT_GT(exact, Limits::min() * (1 - 2 * Limits::epsilon())) << x;
  return ulps(got, exact);
}

template <typename T> double checkExp(T x, T got) {
  return checkPower(x, got, std::exp(static_cast<typename Traits<T>::Wide>(x)));
}

template <typename T> double checkExp2(T x, T got) {
  return checkPower(x, got,
                    std::exp2(static_cast<typename Traits<T>::Wide>(x)));
}

/// Checks one value of log; subnormal numbers count as zero.
template <typename T> double checkLog(T x, T got) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(x) || x <= -Limits::min()) {
    EXPECT_TRUE(std::isnan(got)) << x;
    return 0;
  }
  if (x < Limits::min()) {
    EXPECT_EQ(got, -Limits::infinity()) << x;
    return 0;
  }
  if (std::isinf(x)) {
    EXPECT_EQ(got, x);
    return 0;
  }
  return ulps(got, std::log(static_cast<typename Traits<T>::Wide>(x)));
}

template <typename T> std::vector<T> specials() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> result;
  for (T x : {T(0), T(1), T(0.5), T(2), Limits::min(), Limits::denorm_min(),
              Limits::max(), Limits::infinity(), Limits::quiet_NaN(),
              std::log(Limits::max()), std::log(Limits::min()), std::sqrt(T(2)),
              std::sqrt(T(0.5)), Limits::epsilon()})
    for (T near : {x, std::nextafter(x, Limits::infinity()),
                   std::nextafter(x, -Limits::infinity())})
      result.insert(result.end(), {near, -near});
  return result;
}

/// Bit patterns at equal distances over the whole range of the type, then
/// numbers spread evenly over [-limit, limit], then those next to 1.
template <typename T> std::vector<T> sweep(size_t count, double limit) {
  using Bits = typename Traits<T>::Bits;
  std::vector<T> result = specials<T>();
  Bits stride = std::numeric_limits<Bits>::max() / count | 1;
  for (size_t index = 0; index < count; ++index)
    result.push_back(fromBits<T>(static_cast<Bits>(index) * stride));
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<T> uniform(-limit, limit);
  for (size_t index = 0; index < count; ++index)
    result.push_back(uniform(generator));
  for (int index = -2000; index <= 2000; ++index)
    result.push_back(1 + index * std::numeric_limits<T>::epsilon() / 2);
  return result;
}

template <typename T>
void expectAccurate(const std::string &operation, size_t count, double limit,
                    double (*check)(T, T), double bound = 2.0) {
  Function<T> function(operation);
  std::vector<T> inputs = sweep<T>(count, limit), outputs = function(inputs);
  double largest = 0;
  T where = 0;
  for (size_t index = 0; index < inputs.size(); ++index) {
    double error = check(inputs[index], outputs[index]);
    // Not std::max, which would lose a NaN.
    if (!(error <= largest)) {
      largest = error;
      where = inputs[index];
    }
    if (testing::Test::HasFailure())
      return;
  }
  testing::Test::RecordProperty("ulp", std::to_string(largest));
  EXPECT_LE(largest, bound) << operation << "(" << where << ")";
}

} // namespace

TEST(ExpandMath, ExpF32) {
  expectAccurate<float>("math.exp", 20000000, 90, checkExp<float>);
}

TEST(ExpandMath, Exp2F32) {
  expectAccurate<float>("math.exp2", 20000000, 130, checkExp2<float>, 1.0);
}

TEST(ExpandMath, Exp2F64) {
  expectAccurate<double>("math.exp2", 4000000, 1030, checkExp2<double>);
}

TEST(ExpandMath, LogF32) {
  expectAccurate<float>("math.log", 20000000, 4, checkLog<float>);
}

TEST(ExpandMath, ExpF64) {
  expectAccurate<double>("math.exp", 4000000, 720, checkExp<double>);
}

TEST(ExpandMath, LogF64) {
  expectAccurate<double>("math.log", 4000000, 4, checkLog<double>);
}

/// Values that users compare with: exp(0) = 1 and log(1) = 0 exactly, signs of
/// zero and limits.
template <typename T> static void expectExactValues() {
  T infinity = std::numeric_limits<T>::infinity();
  Function<T> exp("math.exp"), log("math.log");
  EXPECT_EQ(exp(T(0)), 1);
  EXPECT_EQ(exp(T(-0.0)), 1);
  EXPECT_EQ(exp(infinity), infinity);
  EXPECT_EQ(exp(-infinity), 0);
  EXPECT_FALSE(std::signbit(exp(-infinity)));
  EXPECT_TRUE(std::isnan(exp(std::numeric_limits<T>::quiet_NaN())));
  EXPECT_EQ(log(T(1)), 0);
  EXPECT_EQ(log(T(0)), -infinity);
  EXPECT_EQ(log(T(-0.0)), -infinity);
  EXPECT_EQ(log(std::numeric_limits<T>::denorm_min()), -infinity);
  EXPECT_EQ(log(infinity), infinity);
  EXPECT_TRUE(std::isnan(log(T(-1))));
  EXPECT_TRUE(std::isnan(log(-infinity)));
  EXPECT_TRUE(std::isnan(log(std::numeric_limits<T>::quiet_NaN())));
}

TEST(ExpandMath, ExactValuesF32) { expectExactValues<float>(); }
TEST(ExpandMath, ExactValuesF64) { expectExactValues<double>(); }

//===- Mma.cpp - mma.sync -------------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.14.5. Products of f16, bf16 and tf32 are exact in single
// precision; they are added to the accumulator in the order of k, each sum
// rounded to single precision. An accumulator in f16 is rounded once, at the
// end. The hardware's order and rounding are not specified.
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include "MatrixTiles.h"
#include <algorithm>
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

bool wholeWarp(Warp &warp, const Instruction &inst) {
  if (warp.active == AllLanes)
    return true;
  warp.fail(inst, -1, "expects all 32 lanes of the warp");
  return false;
}

/// Numbers of registers of a shape's operands.
template <typename E, unsigned K> struct Counts {
  static constexpr unsigned Width = 16 / sizeof(typename E::Bits);
  static constexpr unsigned A = 2 * K / Width, B = K / Width;
};

/// op = members, d…, a…, b…, c…. variant bit 0: D in f16; bit 1: C in f16.
template <typename E, unsigned K>
void floatMma(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  bool halfD = inst.variant & 1, halfC = inst.variant & 2;
  const uint32_t *d = inst.op + 1;
  const uint32_t *a = d + (halfD ? 2 : 4);
  const uint32_t *b = a + Counts<E, K>::A;
  const uint32_t *c = b + Counts<E, K>::B;
  alignas(64) float x[Rows][K], y[K][Columns], sum[Rows][Columns];
  gatherA<E, K>(warp, a, x);
  gatherB<E, K>(warp, b, y);
  if (halfC)
    gatherHalves(warp, c, sum);
  else
    gatherC<float>(warp, c, sum);
  multiplyAdd<float, K>(x, y, sum);
  if (halfD)
    return scatterHalves(warp, d, sum);
  for (auto &row : sum)
    for (float &value : row)
      value = canonical(value);
  scatterC<float>(warp, d, sum);
}

/// variant bit 0: .satfinite
template <typename A, typename B, unsigned K>
void integerMma(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  const uint32_t *d = inst.op + 1, *a = d + 4;
  const uint32_t *b = a + Counts<A, K>::A, *c = b + Counts<B, K>::B;
  alignas(64) int32_t x[Rows][K], y[K][Columns], sum[Rows][Columns] = {};
  gatherA<A, K>(warp, a, x);
  gatherB<B, K>(warp, b, y);
  // At most 32 products of 16 bits: the sum without C does not overflow.
  multiplyAdd<int32_t, K>(x, y, sum);
  alignas(64) int32_t start[Rows][Columns];
  gatherC<int32_t>(warp, c, start);
  for (unsigned row = 0; row < Rows; ++row)
    for (unsigned column = 0; column < Columns; ++column) {
      int64_t total = int64_t(sum[row][column]) + start[row][column];
      if (inst.variant)
        total = std::clamp<int64_t>(total, INT32_MIN, INT32_MAX);
      sum[row][column] = total;
    }
  scatterC<int32_t>(warp, d, sum);
}

/// m8n8k4 in double precision.
void doubleMma(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  const double *a = warp.row<double>(inst.op[3]);
  const double *b = warp.row<double>(inst.op[4]);
  double results[2][WarpSize];
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    for (unsigned i = 0; i < 2; ++i) {
      unsigned row = lane / 4, column = lane % 4 * 2 + i;
      double sum = warp.row<double>(inst.op[5 + i])[lane];
      for (unsigned k = 0; k < 4; ++k)
        sum = std::fma(a[row * 4 + k], b[column * 4 + k], sum);
      results[i][lane] = sum;
    }
  for (unsigned i = 0; i < 2; ++i)
    std::copy_n(results[i], WarpSize, warp.row<double>(inst.op[1 + i]));
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void mmaOperands(Decoder &d, Type result, unsigned numD, Type factor,
                 unsigned numA, unsigned numB, Type addend, unsigned numC) {
  d.destinationVector(result, numD);
  d.sourceVector(factor, numA);
  d.sourceVector(factor, numB);
  d.sourceVector(addend, numC);
}

void decodeDouble(Decoder &d) {
  for (unsigned i = 0; i < 4; ++i)
    d.expectType({Type::F64});
  d.require(80, 7, 0, "mma of f64");
  mmaOperands(d, Type::F64, 2, Type::F64, 1, 1, Type::F64, 2);
  d.inst.aux = 8 * 8 * 4;
  d.finish(Class::Matrix, doubleMma);
}

template <unsigned K> Handler integerHandler(Type a, Type b) {
  if (a == Type::S8)
    return b == Type::S8 ? integerMma<SignedByte, SignedByte, K>
                         : integerMma<SignedByte, UnsignedByte, K>;
  return b == Type::S8 ? integerMma<UnsignedByte, SignedByte, K>
                       : integerMma<UnsignedByte, UnsignedByte, K>;
}

void decodeInteger(Decoder &d, unsigned k) {
  d.inst.variant = d.accept("satfinite");
  d.expectType({Type::S32});
  Type a = d.expectType({Type::U8, Type::S8});
  Type b = d.expectType({Type::U8, Type::S8});
  d.expectType({Type::S32});
  d.require(80, 7, 0, "mma of bytes");
  if (k != 16 && k != 32)
    return d.fail("expects m16n8k16 or m16n8k32 with bytes");
  mmaOperands(d, Type::B32, 4, Type::B32, k / 8, k / 16, Type::B32, 4);
  d.inst.aux = Rows * Columns * k;
  d.finish(Class::Matrix,
           k == 16 ? integerHandler<16>(a, b) : integerHandler<32>(a, b));
}

Handler floatHandler(Type type, unsigned k) {
  switch (type) {
  case Type::F16:
    return k == 8    ? floatMma<HalfElement, 8>
           : k == 16 ? floatMma<HalfElement, 16>
                     : nullptr;
  case Type::BF16:
    return k == 8    ? floatMma<BfloatElement, 8>
           : k == 16 ? floatMma<BfloatElement, 16>
                     : nullptr;
  default:
    return k == 4   ? floatMma<TF32Element, 4>
           : k == 8 ? floatMma<TF32Element, 8>
                    : nullptr;
  }
}

void decodeFloat(Decoder &d, unsigned k) {
  Type result = d.expectType({Type::F32, Type::F16});
  Type a = d.expectType({Type::F16, Type::BF16, Type::TF32});
  Type b = d.expectType({Type::F16, Type::BF16, Type::TF32});
  Type c = d.expectType({Type::F32, Type::F16});
  bool halfD = result == Type::F16, halfC = c == Type::F16;
  Handler handler = floatHandler(a, k);
  if (a != b || !handler || ((halfD || halfC) && a != Type::F16) ||
      (halfD && !halfC && k != 16 && k != 8))
    return d.fail("mma does not have this combination of shape and types");
  if (a == Type::F16)
    d.require(k == 8 ? 75 : 80, k == 8 ? 6 : 7, k == 8 ? 5 : 0, "this mma");
  else
    d.require(80, 7, 0, "mma of bf16 and tf32");
  unsigned perBlock = a == Type::TF32 ? 4 : 8;
  d.inst.variant = halfD | halfC << 1;
  mmaOperands(d, halfD ? Type::B32 : Type::F32, halfD ? 2 : 4, Type::B32,
              2 * k / perBlock, k / perBlock, halfC ? Type::B32 : Type::F32,
              halfC ? 2 : 4);
  d.inst.aux = Rows * Columns * k;
  d.finish(Class::Matrix, handler);
}

void decodeMma(Decoder &d) {
  if (!d.accept("sync"))
    return d.fail("mma." + std::string(d.nextModifier()) + " is not supported");
  d.expect("aligned");
  d.inst.control = Control::WarpSync;
  d.append(d.program.truePredicate); // members: everybody
  static constexpr unsigned K[] = {4, 4, 8, 16, 32};
  int shape =
      d.expectAny({"m8n8k4", "m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32"});
  d.expect("row");
  d.expect("col");
  std::string_view next = d.nextModifier();
  if (shape == 0)
    return decodeDouble(d);
  if (next == "satfinite" || next == "s32")
    return decodeInteger(d, K[shape]);
  decodeFloat(d, K[shape]);
}

} // namespace

void registerMma(InstructionTable &table) {
  table.add("mma", Domain::Any, decodeMma);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

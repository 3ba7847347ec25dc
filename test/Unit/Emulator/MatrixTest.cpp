//===- MatrixTest.cpp - Matrix instructions against their layouts ---------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions/Fragments.h"
#include "Kernel.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

namespace {
/// Numbers small enough for every sum to be exact.
int entry(unsigned seed, unsigned row, unsigned column) {
  return int((row * 7 + column * 13 + seed * 5) % 11) - 5;
}

uint16_t halfBits(int value) {
  static const uint16_t magnitudes[] = {0x0000, 0x3c00, 0x4000,
                                        0x4200, 0x4400, 0x4500};
  return magnitudes[std::abs(value)] | (value < 0 ? 0x8000 : 0);
}
uint16_t bfloatBits(int value) {
  float wide = float(value);
  uint32_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  return bits >> 16;
}
uint32_t floatBits(int value) {
  float wide = float(value);
  uint32_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  return bits;
}

/// One mma on fragments that the pure layouts fill, and its result.
struct MmaCase {
  const char *name;
  unsigned k, perRegister;
  uint32_t (*bits)(int); // of one element
};

uint32_t half32(int value) { return halfBits(value); }
uint32_t bfloat32(int value) { return bfloatBits(value); }
uint32_t byte32(int value) { return uint8_t(value); }

/// Registers of all lanes: A, then B, then C, [register][lane].
std::vector<uint32_t> fragments(const MmaCase &test) {
  unsigned numA = 4 * test.k / 8 / test.perRegister;
  unsigned numB = numA / 2;
  std::vector<uint32_t> data((numA + numB + 4) * 32);
  unsigned width = 32 / test.perRegister;
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < numA * test.perRegister; ++i) {
      Element e = mmaA(lane, i, test.perRegister);
      data[i / test.perRegister * 32 + lane] |=
          test.bits(entry(1, e.row, e.column)) << i % test.perRegister * width;
    }
    for (unsigned i = 0; i < numB * test.perRegister; ++i) {
      Element e = mmaB(lane, i, test.perRegister);
      data[(numA + i / test.perRegister) * 32 + lane] |=
          test.bits(entry(2, e.row, e.column)) << i % test.perRegister * width;
    }
  }
  return data;
}

std::string list(const char *prefix, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(first + i);
  return text + "}";
}

void runMma(const MmaCase &test, bool integer) {
  unsigned numA = 4 * test.k / 8 / test.perRegister, numB = numA / 2;
  std::vector<uint32_t> data = fragments(test);
  std::string body = "mad.wide.u32 %rd1, %r0, 4, %rd0;\n";
  for (unsigned i = 0; i < numA + numB + 4; ++i)
    body += "ld.global.u32 %r" + std::to_string(10 + i) + ", [%rd1+" +
            std::to_string(i * 128) + "];\n";
  body += "mma.sync.aligned.m16n8k" + std::to_string(test.k) + ".row.col." +
          test.name + " " + list("%r", 40, 4) + ", " + list("%r", 10, numA) +
          ", " + list("%r", 10 + numA, numB) + ", " +
          list("%r", 10 + numA + numB, 4) + ";\n";
  for (unsigned i = 0; i < 4; ++i)
    body += "st.global.u32 [%rd1+" + std::to_string(i * 128) + "], %r" +
            std::to_string(40 + i) + ";\n";
  Expected<Counters> result = Kernel(body).block(32).run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(result->total.multiplyAdds, 16u * 8 * test.k);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      Element e = mmaC(lane, i);
      int expected = 0;
      for (unsigned k = 0; k < test.k; ++k)
        expected += entry(1, e.row, k) * entry(2, k, e.column);
      uint32_t bits = data[i * 32 + lane];
      EXPECT_EQ(integer ? float(int32_t(bits)) : asFloat(bits), float(expected))
          << test.name << " row " << e.row << " column " << e.column;
    }
}
} // namespace

TEST(Matrix, MmaFloat) {
  runMma({"f32.f16.f16.f32", 16, 2, half32}, false);
  runMma({"f32.f16.f16.f32", 8, 2, half32}, false);
  runMma({"f32.bf16.bf16.f32", 16, 2, bfloat32}, false);
  runMma({"f32.bf16.bf16.f32", 8, 2, bfloat32}, false);
  runMma({"f32.tf32.tf32.f32", 8, 1, floatBits}, false);
  runMma({"f32.tf32.tf32.f32", 4, 1, floatBits}, false);
}

TEST(Matrix, MmaBytes) {
  runMma({"s32.s8.s8.s32", 16, 4, byte32}, true);
  runMma({"s32.s8.s8.s32", 32, 4, byte32}, true);
}

TEST(Matrix, MmaHalfAccumulatorRoundsAtTheEnd) {
  // A = 1, B = 1: sixteen, in both halves of both registers.
  std::vector<uint32_t> data(64);
  Expected<Counters> result =
      Kernel("mov.b32 %r1, 0x3c003c00;\nmov.b32 %r2, 0;\n"
             "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r3, %r4}, "
             "{%r1, %r1, %r1, %r1}, {%r1, %r1}, {%r2, %r2};\n"
             "mad.wide.u32 %rd1, %r0, 8, %rd0;\n"
             "st.global.v2.u32 [%rd1], {%r3, %r4};")
          .block(32)
          .run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  for (uint32_t word : data)
    EXPECT_EQ(word, 0x4c004c00u);
}

TEST(Matrix, NegativeMmaWithoutTheWholeWarp) {
  std::string message =
      Kernel(
          "mov.b32 %r1, 0;\nmma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
          "{%r2, %r3, %r4, %r5}, {%r1, %r1}, {%r1}, {%r1, %r1, %r1, %r1};")
          .block(16)
          .error();
  EXPECT_NE(message.find("expects all 32 lanes"), std::string::npos);
}

/// Stores 8x8 matrices row by row with st.shared, loads them with ldmatrix.
static std::vector<uint32_t> loadMatrix(const std::string &modifiers) {
  std::vector<uint32_t> data(32);
  // Element (row, column) is row * 256 + column; lane l writes half a row.
  Expected<Counters> result =
      Kernel(".shared .align 16 .b8 s[128];\nmov.u32 %r2, s;\n"
             "shr.u32 %r3, %r0, 2;\nshl.b32 %r3, %r3, 8;\n"
             "and.b32 %r4, %r0, 3;\nshl.b32 %r4, %r4, 1;\n"
             "or.b32 %r3, %r3, %r4;\nadd.u32 %r5, %r3, 1;\n"
             "shl.b32 %r5, %r5, 16;\nor.b32 %r3, %r3, %r5;\n"
             "shl.b32 %r6, %r0, 2;\nadd.u32 %r6, %r6, %r2;\n"
             "st.shared.u32 [%r6], %r3;\nbar.warp.sync 0xffffffff;\n"
             "shl.b32 %r7, %r0, 4;\nand.b32 %r7, %r7, 127;\n"
             "add.u32 %r7, %r7, %r2;\nldmatrix.sync.aligned.m8n8.x1" +
             modifiers +
             ".shared.b16 {%r1}, [%r7];\nmad.wide.u32 %rd1, %r0, 4, %rd0;\n"
             "st.global.u32 [%rd1], %r1;")
          .block(32)
          .run(data);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  return data;
}

TEST(Matrix, LoadMatrixFollowsItsLayout) {
  for (bool transposed : {false, true}) {
    std::vector<uint32_t> data = loadMatrix(transposed ? ".trans" : "");
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < 2; ++i) {
        Element e = matrix8x8(lane, i, transposed);
        EXPECT_EQ(data[lane] >> (16 * i) & 0xffff, e.row * 256 + e.column);
      }
  }
}

TEST(Matrix, NegativeStoreMatrixNeedsHopper) {
  std::string message =
      Kernel("mov.u32 %r1, 0;\nstmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], "
             "{%r1};")
          .block(32)
          .error();
  EXPECT_NE(message.find("stmatrix needs .target sm_90"), std::string::npos);
}

TEST(Matrix, MoveMatrixTransposes) {
  std::vector<uint32_t> data(32);
  // Register word of lane l: elements 2l and 2l + 1 of the matrix.
  Expected<Counters> result =
      Kernel(
          "shl.b32 %r2, %r0, 1;\nadd.u32 %r3, %r2, 1;\nshl.b32 %r3, %r3, 16;\n"
          "or.b32 %r2, %r2, %r3;\n"
          "movmatrix.sync.aligned.m8n8.trans.b16 %r1, %r2;\n"
          "mad.wide.u32 %rd1, %r0, 4, %rd0;\nst.global.u32 [%rd1], %r1;")
          .block(32)
          .run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(data[0], 8u << 16 | 0u);   // (0,0), (1,0)
  EXPECT_EQ(data[5], 25u << 16 | 17u); // (2,1), (3,1)
}

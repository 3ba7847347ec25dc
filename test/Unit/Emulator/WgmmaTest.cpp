//===- WgmmaTest.cpp - Products of warpgroups against their layouts -------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The test lays the factors out by the canonical layouts of PTX ISA
// 9.7.15.5.1.2, in units of elements and on its own terms, the kernel copies
// that image to shared memory, and every element of the product is compared.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include <cmath>

using namespace mta::emulator;
using namespace mta::emulator::test;

namespace {
constexpr unsigned M = 64, ImageBytes = 16384;

/// Numbers small enough for every sum to be exact, in all types.
int entry(unsigned seed, unsigned row, unsigned k) {
  return int((row * 7 + k * 13 + seed * 5) % 11) - 5;
}

uint32_t bitsOf(const std::string &type, int value) {
  float wide = float(value);
  uint32_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  if (type == "tf32")
    return bits;
  if (type == "bf16")
    return bits >> 16;
  static const uint16_t halves[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500};
  return halves[std::abs(value)] | (value < 0 ? 0x8000 : 0);
}

/// One factor: R rows of K elements.
struct Factor {
  unsigned rows, swizzleBytes; // 0: none
  bool rowMajor;               // elements of a column are next to each other
  unsigned leading = 0, stride = 0;

  /// The byte where an element lies, from the start of the matrix.
  unsigned place(unsigned row, unsigned k, unsigned width) const {
    unsigned t = 16 / width; // elements of a unit
    unsigned atom = swizzleBytes ? swizzleBytes : 16;
    unsigned byte;
    if (rowMajor) {
      unsigned perAtom = atom / width; // rows of an atom
      unsigned outer = swizzleBytes ? leading : stride;
      unsigned deep = swizzleBytes ? stride : leading;
      byte = row % perAtom * width + row / perAtom * outer + k % 8 * atom +
             k / 8 * deep;
    } else {
      byte = row % 8 * atom + row / 8 * stride + k % t * width;
      byte += k / t * (swizzleBytes ? 16 : leading);
    }
    unsigned chunks = atom / 16, row128 = byte / 128;
    return byte ^ (row128 % chunks * 16);
  }
  /// Offsets that keep the atoms of this matrix apart.
  void layOut(unsigned width) {
    unsigned atom = swizzleBytes ? swizzleBytes : 16;
    if (!rowMajor) {
      stride = 8 * atom;                       // eight rows
      leading = swizzleBytes ? 16 : rows * 16; // the next unit of k
    } else if (swizzleBytes) {
      stride = 8 * atom;         // eight k
      leading = 16 / 8 * stride; // the next rows
    } else {
      stride = 128;                        // the next eight rows
      leading = rows / (16 / width) * 128; // the next eight k
    }
  }
  uint64_t descriptor(unsigned start) const {
    uint64_t mode = swizzleBytes == 128  ? 1
                    : swizzleBytes == 64 ? 2
                    : swizzleBytes == 32 ? 3
                                         : 0;
    return (start >> 4) | uint64_t(leading >> 4) << 16 |
           uint64_t(stride >> 4) << 32 | mode << 62;
  }
};

struct Product {
  std::string type;
  Factor a, b;
  std::string scales = "1, 1";
  bool registersA = false, half = false;

  unsigned width() const { return type == "tf32" ? 4 : 2; }
  unsigned k() const { return 32 / width(); }
  unsigned accumulators() const { return b.rows / (half ? 4 : 2); }
};

void place(std::vector<uint8_t> &image, unsigned start, const Product &p,
           const Factor &factor, unsigned seed) {
  for (unsigned row = 0; row < factor.rows; ++row)
    for (unsigned k = 0; k < p.k(); ++k) {
      uint32_t bits = bitsOf(p.type, entry(seed, row, k));
      std::memcpy(&image[start + factor.place(row, k, p.width())], &bits,
                  p.width());
    }
}

std::string names(const char *prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

/// Loads the fragment of A, four registers a lane, from the end of the image,
/// where the test has put it by lane.
std::string loadFragments(const Product &p) {
  if (!p.registersA)
    return "";
  return "mad.wide.u32 %rd9, %r0, 16, %rd0;\n"
         "ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd9+32768];\n";
}

std::string kernelText(const Product &p) {
  unsigned count = p.accumulators();
  std::string type = p.half ? ".b32" : ".f32";
  std::string text =
      ".reg " + type +
      " %d<64>;\n.shared .align 1024 .b8 s[32768];\n"
      "mov.u32 %r1, s;\nshl.b32 %r2, %r0, 4;\n"
      "cvt.u64.u32 %rd1, %r2;\nadd.u64 %rd1, %rd1, %rd0;\n"
      "add.u32 %r1, %r1, %r2;\nmov.u32 %r3, 0;\nL:\n"
      "ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%rd1];\n"
      "st.shared.v4.u32 [%r1], {%r4, %r5, %r6, %r7};\n"
      "add.u64 %rd1, %rd1, 2048;\nadd.u32 %r1, %r1, 2048;\n"
      "add.u32 %r3, %r3, 1;\nsetp.lt.u32 %p1, %r3, 16;\n@%p1 bra L;\n" +
      loadFragments(p) + "fence.proxy.async;\nbar.sync 0;\n";
  text += "mov.u64 %rd2, " + std::to_string(p.a.descriptor(0)) + ";\n";
  text += "mov.u64 %rd3, " + std::to_string(p.b.descriptor(ImageBytes)) + ";\n";
  text += "wgmma.fence.sync.aligned;\n";
  std::string modifiers = std::string(p.half ? "f16" : "f32") + "." + p.type +
                          "." + p.type + " " + names("%d", count);
  std::string trans = p.type == "tf32" ? ""
                      : p.registersA ? ", " + std::to_string(p.b.rowMajor)
                                     : ", " + std::to_string(p.a.rowMajor) +
                                           ", " + std::to_string(p.b.rowMajor);
  // Twice: the first sets, the second adds.
  for (const char *scale : {"0", "1"})
    text += "wgmma.mma_async.sync.aligned.m64n" + std::to_string(p.b.rows) +
            "k" + std::to_string(p.k()) + "." + modifiers + ", " +
            (p.registersA ? "{%r10, %r11, %r12, %r13}" : "%rd2") + ", %rd3, " +
            scale + ", " + p.scales + trans + ";\n";
  text +=
      "wgmma.commit_group.sync.aligned;\n"
      "wgmma.wait_group.sync.aligned 0;\nmad.wide.u32 %rd4, %r0, 4, %rd0;\n";
  for (unsigned i = 0; i < count; ++i)
    text += "st.global" + type + " [%rd4+" + std::to_string(i * 512) + "], %d" +
            std::to_string(i) + ";\n";
  return text;
}

/// The value of a normal half-precision number or zero.
float fromHalf(uint32_t half) {
  int exponent = half >> 10 & 31, fraction = half & 1023;
  float value =
      exponent ? std::ldexp(1024.0f + float(fraction), exponent - 25) : 0.0f;
  return half & 0x8000 ? -value : value;
}

/// Rows and columns of an accumulator (figure of fragment D).
void expectProduct(const Product &p, const std::vector<uint8_t> &data,
                   int scale) {
  for (unsigned thread = 0; thread < 128; ++thread)
    for (unsigned i = 0; i < p.b.rows / 2; ++i) {
      unsigned row = thread / 32 * 16 + thread % 32 / 4 + (i / 2 % 2) * 8;
      unsigned column = i / 4 * 8 + thread % 4 * 2 + i % 2;
      int expected = 0;
      for (unsigned k = 0; k < p.k(); ++k)
        expected += 2 * scale * entry(1, row, k) * entry(2, column, k);
      unsigned reg = p.half ? i / 2 : i;
      uint32_t bits;
      std::memcpy(&bits, &data[reg * 512 + thread * 4], 4);
      if (!p.half) {
        ASSERT_EQ(asFloat(bits), float(expected))
            << p.type << " row " << row << " column " << column;
        continue;
      }
      // Integers up to 2048 are exact in half precision.
      ASSERT_EQ(fromHalf(bits >> (i % 2 * 16)), float(expected))
          << "row " << row << " column " << column;
    }
}

void check(Product p, int scale = 1) {
  p.a.layOut(p.width());
  p.b.layOut(p.width());
  std::vector<uint8_t> data(65536);
  place(data, 0, p, p.a, 1);
  place(data, ImageBytes, p, p.b, 2);
  if (p.registersA)
    for (unsigned thread = 0; thread < 128; ++thread)
      for (unsigned i = 0; i < 16 / p.width(); ++i) {
        // Figure of fragment A: pairs (or single words) of a row, then the row
        // eight below, then the other half of k.
        unsigned e = 4 / p.width(), reg = i / e;
        unsigned row = thread / 32 * 16 + thread % 32 / 4 + reg % 2 * 8;
        unsigned k = thread % 4 * e + i % e + reg / 2 * p.k() / 2;
        uint32_t bits = bitsOf(p.type, entry(1, row, k));
        std::memcpy(&data[32768 + thread * 16 + i * p.width()], &bits,
                    p.width());
      }
  Expected<Counters> result =
      Kernel(kernelText(p), "sm_90a").block(128).run(data);
  ASSERT_TRUE(bool(result)) << result.error().str();
  EXPECT_EQ(result->total.multiplyAdds, 2ull * M * p.b.rows * p.k());
  EXPECT_EQ(result->total.matrixOps, 8u);
  expectProduct(p, data, scale);
}
} // namespace

TEST(Wgmma, KMajorInEverySwizzle) {
  for (const char *type : {"f16", "bf16", "tf32"})
    for (unsigned swizzle : {0, 32, 64, 128})
      check({type, {M, swizzle, false}, {24, swizzle, false}});
}

TEST(Wgmma, RowMajorInEverySwizzle) {
  for (unsigned swizzle : {0, 32, 64, 128}) {
    check({"bf16", {M, swizzle, true}, {128, swizzle, true}});
    check({"f16", {M, swizzle, true}, {64, 0, false}});
    check({"f16", {M, 128, false}, {128, swizzle, true}});
  }
}

TEST(Wgmma, FactorInRegisters) {
  for (const char *type : {"f16", "bf16", "tf32"}) {
    Product p = {type, {M, 0, false}, {40, 128, false}};
    p.registersA = true;
    check(p);
  }
}

TEST(Wgmma, ScalesNegate) {
  Product p = {"bf16", {M, 64, false}, {8, 64, false}};
  p.scales = "-1, 1";
  check(p, -1);
  p.scales = "1, -1";
  check(p, -1);
  p.scales = "-1, -1";
  check(p, 1);
}

TEST(Wgmma, HalfAccumulators) {
  Product p = {"f16", {M, 128, false}, {16, 128, false}};
  p.half = true;
  check(p);
}

TEST(Wgmma, NegativeShapes) {
  auto message = [](const std::string &shape, const std::string &types) {
    return Kernel("mov.u64 %rd1, 0;\nwgmma.mma_async.sync.aligned." + shape +
                      "." + types +
                      " {%f0, %f1, %f2, %f3}, %rd1, %rd1, 1, 1, 1, 0, 0;",
                  "sm_90a")
        .error();
  };
  EXPECT_NE(message("m64n12k16", "f32.f16.f16").find("expects a shape"),
            std::string::npos);
  EXPECT_NE(message("m64n8k8", "f32.f16.f16").find("this combination"),
            std::string::npos);
  EXPECT_NE(message("m64n8k16", "f32.f16.bf16").find("A and B of one type"),
            std::string::npos);
  EXPECT_NE(message("m64n16k16", "f32.f16.f16").find("a vector of 8"),
            std::string::npos);
}

TEST(Wgmma, NegativePartOfAWarpgroup) {
  EXPECT_NE(Kernel("wgmma.fence.sync.aligned;", "sm_90a")
                .block(96)
                .error()
                .find("expects a warpgroup of four warps"),
            std::string::npos);
  EXPECT_NE(Kernel("wgmma.fence.sync.aligned;", "sm_90")
                .block(128)
                .error()
                .find("wgmma needs .target sm_90a"),
            std::string::npos);
}

TEST(Wgmma, NegativePatternNotAligned) {
  EXPECT_NE(Kernel("mov.u64 %rd1, 0x4000004000010008;\n"
                   "wgmma.fence.sync.aligned;\n"
                   "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, "
                   "%f1, %f2, %f3}, %rd1, %rd1, 0, 1, 1, 0, 0;",
                   "sm_90a")
                .block(128)
                .shared(8192)
                .error()
                .find("expects the swizzle pattern"),
            std::string::npos);
}

//===- TensorCopyTest.cpp - Tensor maps and bulk tensor copies ------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "mta-c/Emulator.h"
#include "mta/Emulator/TensorMap.h"

using namespace mta::emulator;
using namespace mta::emulator::test;

namespace {
constexpr uint32_t SharedBytes = 32768;

/// A tensor and a kernel that copies one box of it: to `image` for loads, or
/// from shared memory filled with byte offsets for stores.
struct Copy {
  TensorDescription map;
  std::vector<int> start;
  bool stores = false;
  std::string reduction; // ".add" …
  AsyncMode async = AsyncMode::Eager;
  std::vector<uint32_t> tensor;
  std::vector<uint32_t> image = std::vector<uint32_t>(SharedBytes / 4);

  std::string run();

private:
  std::string text(uint32_t bytes) const;
  std::string coordinates() const;
};

uint32_t boxBytes(const TensorDescription &map) {
  uint32_t bytes = tensorTypeBytes(map.type);
  for (unsigned i = 0; i < map.rank; ++i) {
    uint32_t step = i ? map.elementStrides[i] : 1;
    bytes *= (map.box[i] + step - 1) / step;
  }
  return bytes;
}

std::string Copy::coordinates() const {
  std::string list;
  for (int x : start)
    list += (list.empty() ? "" : ", ") + std::to_string(x);
  return "[%rd1, {" + list + "}]";
}

std::string Copy::text(uint32_t bytes) const {
  std::string dimension = std::to_string(start.size()) + "d.";
  std::string copy =
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], " +
      std::to_string(bytes) + ";\ncp.async.bulk.tensor." + dimension +
      "shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r1], " +
      coordinates() +
      ", [%r2];\nW:\nmbarrier.try_wait.parity.shared::cta.b64 "
      "%p1, [%r2], 0;\n@!%p1 bra W;\n"
      "M: ld.shared.u32 %r4, [%r3];\nst.global.u32 [%rd2], %r4;\n";
  if (stores)
    copy = "M: st.shared.u32 [%r3], %r3;\n";
  std::string loop = "add.u32 %r3, %r3, 4;\nadd.u64 %rd2, %rd2, 4;\n"
                     "setp.lt.u32 %p1, %r3, " +
                     std::to_string(bytes) + ";\n@%p1 bra M;\n";
  std::string store =
      "fence.proxy.async;\n" +
      std::string(reduction.empty() ? "cp" : "cp.reduce") +
      ".async.bulk.tensor." + dimension + "global.shared::cta" + reduction +
      ".tile.bulk_group " + coordinates() +
      ", [%r1];\ncp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n";
  return ".version 8.8\n.target sm_90a\n.address_size 64\n"
         ".visible .entry k(.param .align 64 .b8 m[128], .param .u64 p)\n{\n"
         ".reg .pred %p<3>;\n.reg .b32 %r<9>;\n.reg .b64 %rd<9>;\n"
         ".shared .align 1024 .b8 s[32768];\n.shared .align 8 .b64 b;\n"
         "mov.b64 %rd1, m;\ncvta.param.u64 %rd1, %rd1;\n"
         "prefetch.param.tensormap [m];\nld.param.u64 %rd2, [p];\n"
         "mov.u32 %r1, s;\nmov.u32 %r3, s;\nmov.u32 %r2, b;\n"
         "mbarrier.init.shared.b64 [%r2], 1;\n"
         "fence.mbarrier_init.release.cluster;\n" +
         copy + loop + (stores ? store : "") + "ret;\n}\n";
}

std::string Copy::run() {
  // Tensors have to start at a multiple of 16 bytes.
  std::vector<uint8_t> storage(tensor.size() * 4 + 16);
  auto base = (reinterpret_cast<uintptr_t>(storage.data()) + 15) & ~15ull;
  std::memcpy(reinterpret_cast<void *>(base), tensor.data(), tensor.size() * 4);
  map.address = base;
  TensorMapStorage encoded;
  std::string problem = encodeTensorMap(map, encoded);
  if (!problem.empty())
    return problem;
  Expected<Module> module = Module::parse(text(boxBytes(map)), "test.ptx");
  if (!module)
    return module.error().str();
  MemorySpace memory;
  memory.add(reinterpret_cast<void *>(base), tensor.size() * 4, Access::InOut,
             "tensor");
  memory.add(image.data(), SharedBytes, Access::InOut, "image");
  LaunchConfig config;
  config.entry = "k";
  config.async = async;
  config.parameters.assign(encoded.begin(), encoded.end());
  config.parameters.resize(136);
  uint64_t pointer = reinterpret_cast<uintptr_t>(image.data());
  std::memcpy(&config.parameters[128], &pointer, 8);
  Expected<Counters> counters = module->launch(config, memory);
  std::memcpy(tensor.data(), reinterpret_cast<void *>(base), tensor.size() * 4);
  return counters ? "" : counters.error().str();
}

/// A tensor of 32-bit words that count from 1; sizes innermost first.
Copy words32(std::vector<uint64_t> sizes, std::vector<uint32_t> box,
             std::vector<int> start) {
  Copy copy;
  copy.map.type = TensorType::U32;
  copy.map.rank = sizes.size();
  uint64_t count = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    copy.map.sizes[i] = sizes[i];
    copy.map.box[i] = box[i];
    count *= sizes[i];
    if (i + 1 < sizes.size())
      copy.map.strides[i] = count * 4;
  }
  copy.start = std::move(start);
  for (uint64_t i = 0; i < count; ++i)
    copy.tensor.push_back(i + 1);
  return copy;
}

/// What lies at an element of the box, by the definition of a tile.
uint32_t expected(const Copy &copy, uint32_t element) {
  uint64_t index = 0, stride = 1;
  for (unsigned i = 0; i < copy.map.rank; ++i) {
    uint32_t step = i ? copy.map.elementStrides[i] : 1;
    uint32_t extent = (copy.map.box[i] + step - 1) / step;
    int64_t x = copy.start[i] + int64_t(element % extent) * step;
    element /= extent;
    if (x < 0 || uint64_t(x) >= copy.map.sizes[i])
      return 0;
    index += x * stride;
    stride *= copy.map.sizes[i];
  }
  return index + 1;
}

void expectLoad(Copy copy) {
  ASSERT_EQ(copy.run(), "");
  for (uint32_t e = 0; e < boxBytes(copy.map) / 4; ++e)
    ASSERT_EQ(copy.image[e], expected(copy, e))
        << "rank " << copy.map.rank << " element " << e;
}
} // namespace

TEST(TensorCopy, LoadsEveryRank) {
  expectLoad(words32({100}, {16}, {40}));
  expectLoad(words32({20, 9}, {8, 4}, {4, 3}));
  expectLoad(words32({8, 5, 6}, {4, 3, 2}, {4, 1, 3}));
  expectLoad(words32({8, 5, 4, 3}, {4, 2, 3, 2}, {0, 2, 1, 1}));
  expectLoad(words32({4, 3, 4, 3, 4}, {4, 2, 2, 2, 3}, {0, 1, 1, 0, 1}));
}

TEST(TensorCopy, FillsOutsideWithZeros) {
  expectLoad(words32({20, 9}, {8, 4}, {-3, -2}));
  expectLoad(words32({20, 9}, {8, 4}, {16, 7}));
  expectLoad(words32({20, 9}, {8, 4}, {-40, 3}));
  expectLoad(words32({20, 9}, {8, 4}, {0, 1000000}));
}

TEST(TensorCopy, SkipsByElementStrides) {
  Copy copy = words32({8, 30, 6}, {8, 9, 6}, {0, 2, 1});
  copy.map.elementStrides = {3, 2, 4, 1, 1}; // that of dimension 0 is ignored
  expectLoad(copy);
}

TEST(TensorCopy, LazyGivesTheSame) {
  Copy copy = words32({20, 9}, {8, 4}, {-3, 3});
  copy.async = AsyncMode::Lazy;
  expectLoad(copy);
}

TEST(TensorCopy, FillsWithNaN) {
  Copy copy = words32({20, 9}, {8, 4}, {16, 3});
  copy.map.type = TensorType::F32;
  copy.map.fillsNaN = true;
  ASSERT_EQ(copy.run(), "");
  EXPECT_EQ(copy.image[3], 80u);
  EXPECT_NE(asFloat(copy.image[4]), asFloat(copy.image[4]));
}

TEST(TensorCopy, Swizzles) {
  // The chunk of 16 bytes goes where the tables of the ISA put it: row 128 B
  // long, chunk c of row r at c ^ (r % 8); with 64 and 32 bytes, rows of that
  // length and c ^ (r / 2 % 4), c ^ (r / 4 % 2).
  for (unsigned mode = 1; mode <= 3; ++mode) {
    unsigned chunks = 1u << mode;
    Copy copy = words32({chunks * 4, 16}, {chunks * 4, 16}, {0, 0});
    copy.map.swizzle = TensorSwizzle(mode);
    ASSERT_EQ(copy.run(), "");
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned chunk = 0; chunk < chunks; ++chunk) {
        unsigned phase = mode == 3   ? row % 8
                         : mode == 2 ? row / 2 % 4
                                     : row / 4 % 2;
        unsigned at = row * chunks * 4 + (chunk ^ phase) * 4;
        EXPECT_EQ(copy.image[at], (row * chunks + chunk) * 4 + 1)
            << "mode " << mode << " row " << row << " chunk " << chunk;
      }
  }
}

TEST(TensorCopy, StoresInside) {
  Copy copy = words32({20, 9}, {8, 4}, {16, -1});
  copy.stores = true;
  std::vector<uint32_t> before = copy.tensor;
  ASSERT_EQ(copy.run(), "");
  for (unsigned y = 0; y < 9; ++y)
    for (unsigned x = 0; x < 20; ++x) {
      bool inside = x >= 16 && y < 3;
      uint32_t byte = ((y + 1) * 8 + (x - 16)) * 4;
      EXPECT_EQ(copy.tensor[y * 20 + x], inside ? byte : before[y * 20 + x]);
    }
}

TEST(TensorCopy, Reduces) {
  Copy copy = words32({20, 9}, {8, 4}, {0, 0});
  copy.stores = true;
  copy.reduction = ".add";
  copy.async = AsyncMode::Lazy;
  ASSERT_EQ(copy.run(), "");
  EXPECT_EQ(copy.tensor[21], 22u + 36);
  copy.reduction = ".inc";
  copy.map.type = TensorType::S32;
  EXPECT_NE(copy.run().find("does not have elements of type '.s32'"),
            std::string::npos);
}

TEST(TensorCopy, NegativeRank) {
  Copy copy = words32({20, 9}, {8, 4}, {0});
  EXPECT_NE(copy.run().find("expects a tensor of rank 1, but the map has 2"),
            std::string::npos);
}

TEST(TensorCopy, NegativeTensorBeyondItsBuffer) {
  Copy copy = words32({20, 9}, {8, 4}, {0, 8});
  copy.map.sizes[1] = 11;
  EXPECT_NE(copy.run().find("out of bounds"), std::string::npos);
}

TEST(TensorMap, NegativeParameters) {
  auto problem = [](auto change) {
    Copy copy = words32({20, 9}, {8, 4}, {0, 0});
    change(copy.map);
    return copy.run();
  };
  using D = TensorDescription;
  EXPECT_NE(problem([](D &d) { d.rank = 6; }).find("a rank from 1 to 5"),
            std::string::npos);
  EXPECT_NE(problem([](D &d) { d.box[1] = 257; }).find("a box from 1 to 256"),
            std::string::npos);
  EXPECT_NE(problem([](D &d) { d.strides[0] = 84; }).find("multiple of 16"),
            std::string::npos);
  EXPECT_NE(problem([](D &d) {
              d.elementStrides[1] = 9;
            }).find("an element stride from 1 to 8"),
            std::string::npos);
  EXPECT_NE(problem([](D &d) {
              d.box[0] = 6;
            }).find("inner dimension is a multiple of 16 bytes"),
            std::string::npos);
  EXPECT_NE(problem([](D &d) {
              d.swizzle = TensorSwizzle::B32;
              d.box[0] = 12;
            }).find("at most 32 bytes"),
            std::string::npos);
  EXPECT_NE(
      problem([](D &d) { d.fillsNaN = true; }).find("floating-point elements"),
      std::string::npos);
  EXPECT_NE(problem([](D &d) { d.sizes[0] = 0; }).find("a size from 1"),
            std::string::npos);
}

TEST(TensorMap, AnyChangedByteIsSeen) {
  Copy copy = words32({20, 9}, {8, 4}, {0, 0});
  copy.map.address = 4096;
  TensorMapStorage map;
  ASSERT_EQ(encodeTensorMap(copy.map, map), "");
  TensorDescription read;
  ASSERT_TRUE(decodeTensorMap(map.data(), read));
  EXPECT_EQ(read.strides[0], 80u);
  for (uint8_t &byte : map) {
    byte ^= 1;
    EXPECT_FALSE(decodeTensorMap(map.data(), read));
    byte ^= 1;
  }
}

TEST(TensorMap, CInterface) {
  alignas(64) uint8_t map[128];
  uint64_t sizes[] = {20, 9}, strides[] = {80};
  uint32_t box[] = {8, 4}, steps[] = {1, 1};
  auto *address = reinterpret_cast<void *>(4096);
  EXPECT_EQ(mtaEmulatorTensorMapEncodeTiled(map, 7, 2, address, sizes, strides,
                                            box, steps, 0, 1, 2, 0),
            0)
      << mtaEmulatorLastError();
  TensorDescription read;
  ASSERT_TRUE(decodeTensorMap(map, read));
  EXPECT_EQ(read.type, TensorType::F32);
  EXPECT_EQ(read.swizzle, TensorSwizzle::B32);
  EXPECT_NE(mtaEmulatorTensorMapEncodeTiled(map, 7, 2, address, sizes, strides,
                                            box, steps, 1, 1, 2, 0),
            0);
  EXPECT_STREQ(mtaEmulatorLastError(), "expects interleave 0, but got 1");
  EXPECT_NE(mtaEmulatorTensorMapEncodeTiled(map, 7, 2, address, sizes, nullptr,
                                            box, steps, 0, 1, 2, 0),
            0);
}

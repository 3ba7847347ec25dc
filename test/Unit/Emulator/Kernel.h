//===- Kernel.h - Running small PTX kernels in tests ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TEST_UNIT_EMULATOR_KERNEL_H
#define MTA_TEST_UNIT_EMULATOR_KERNEL_H

#include "mta/Emulator/Launch.h"
#include "gtest/gtest.h"
#include <cstring>

namespace mta::emulator::test {

/// A kernel `k` of one pointer, whose body is given. %rd0 holds the pointer,
/// %r0 the thread index. Registers of every kind are declared.
class Kernel {
public:
  explicit Kernel(std::string body, std::string target = "sm_80")
      : text(".version 8.8\n.target " + target +
             "\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n"
             ".reg .pred %p<10>;\n.reg .b16 %h<20>;\n.reg .b32 %r<60>;\n"
             ".reg .f32 %f<60>;\n.reg .b64 %rd<30>;\n.reg .f64 %fd<20>;\n"
             "ld.param.u64 %rd0, [p];\nmov.u32 %r0, %tid.x;\n" +
             body + "\nret;\n}\n") {
    config.entry = "k";
  }

  Kernel &block(uint32_t threads) {
    config.block[0] = threads;
    return *this;
  }
  Kernel &grid(uint32_t blocks) {
    config.grid[0] = blocks;
    return *this;
  }
  Kernel &shared(uint32_t bytes) {
    config.dynamicShared = bytes;
    return *this;
  }

  /// Runs with the bytes of `data` as an in-out buffer.
  template <typename T> Expected<Counters> run(std::vector<T> &data) {
    return runAs(data, Access::InOut);
  }
  template <typename T>
  Expected<Counters> runAs(std::vector<T> &data, Access access) {
    Expected<Module> module = Module::parse(text, "test.ptx");
    if (!module)
      return module.error();
    MemorySpace memory;
    memory.add(data.data(), data.size() * sizeof(T), access, "data");
    uint64_t address = reinterpret_cast<uintptr_t>(data.data());
    config.parameters.resize(8);
    std::memcpy(config.parameters.data(), &address, 8);
    return module->launch(config, memory);
  }

  /// The message of the error that running ends with, "" if there is none.
  template <typename T> std::string error(std::vector<T> &data) {
    Expected<Counters> result = run(data);
    return result ? "" : result.error().str();
  }
  std::string error() {
    std::vector<uint32_t> data(1024);
    return error(data);
  }

  LaunchConfig config;

private:
  std::string text;
};

/// Runs `k` with the results of its first thread: the body writes 32-bit words
/// to [%rd0], [%rd0+4], …
inline std::vector<uint32_t> words(std::string body, size_t count,
                                   std::string target = "sm_80") {
  std::vector<uint32_t> data(count);
  Expected<Counters> result = Kernel(std::move(body), target).run(data);
  EXPECT_TRUE(bool(result)) << (result ? "" : result.error().str());
  return data;
}

/// The value of %r1 after one instruction (or more).
inline uint32_t word(const std::string &instruction,
                     std::string target = "sm_80") {
  return words(instruction + "\nst.global.u32 [%rd0], %r1;", 1, target)[0];
}
/// The value of %rd1.
inline uint64_t wide(const std::string &instruction,
                     std::string target = "sm_80") {
  std::vector<uint32_t> pair =
      words(instruction + "\nst.global.u64 [%rd0], %rd1;", 2, target);
  return uint64_t(pair[1]) << 32 | pair[0];
}
/// The value of %h1.
inline uint16_t half(const std::string &instruction,
                     std::string target = "sm_80") {
  return words(instruction + "\nst.global.u16 [%rd0], %h1;", 1, target)[0];
}
/// 0 or 1: predicate %p1.
inline uint32_t predicate(const std::string &instruction,
                          std::string target = "sm_80") {
  return word(instruction + "\nselp.u32 %r1, 1, 0, %p1;", target);
}
inline float asFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

} // namespace mta::emulator::test

#endif // MTA_TEST_UNIT_EMULATOR_KERNEL_H

//===- InstructionSet.cpp - Choosing the handlers for this machine --------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"

namespace mta::emulator {

namespace baseline {
void registerAll(InstructionTable &table);
}
#ifdef MTA_EMULATOR_HAS_AVX2
namespace avx2 {
void registerAll(InstructionTable &table);
}
#endif

const InstructionTable &InstructionTable::get() {
  static const InstructionTable table = [] {
    InstructionTable result;
#ifdef MTA_EMULATOR_HAS_AVX2
    // What -march=x86-64-v3 lets the compiler use.
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("f16c")) {
      avx2::registerAll(result);
      return result;
    }
#endif
    baseline::registerAll(result);
    return result;
  }();
  return table;
}

} // namespace mta::emulator

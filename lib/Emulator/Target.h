//===- Target.h - Limits of the targets -------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_TARGET_H
#define MTA_LIB_EMULATOR_TARGET_H

#include <cstdint>

namespace mta::emulator {

/// What one block may use on a target.
struct TargetLimits {
  unsigned sm = 0;
  /// Bytes of shared memory after opting in.
  uint32_t sharedPerBlock = 0;
};

constexpr uint32_t MaxThreadsPerBlock = 1024;
constexpr uint32_t MaxStaticShared = 48 * 1024;
constexpr uint32_t MaxRegistersPerThread = 255;
constexpr uint32_t RegistersPerBlock = 65536;

/// The limits of the newest listed target that is not newer than `sm`; null
/// for targets before sm_70, which the emulator does not model.
const TargetLimits *targetLimits(unsigned sm);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_TARGET_H

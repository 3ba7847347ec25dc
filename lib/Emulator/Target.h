//===- Target.h - Limits of the targets -------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_TARGET_H
#define MTA_LIB_EMULATOR_TARGET_H

#include "mta/Hardware/GPU.h"

namespace mta::emulator {

using hardware::MaxRegistersPerThread;
using hardware::MaxThreadsPerBlock;

constexpr uint32_t MaxStaticShared = 48 * 1024;
constexpr uint32_t RegistersPerBlock = hardware::Registers;

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_TARGET_H

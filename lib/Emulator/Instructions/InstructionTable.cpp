//===- InstructionTable.cpp - All instruction families --------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

void registerAll(InstructionTable &table) {
  registerMove(table);
  registerInteger(table);
  registerIntegerWide(table);
  registerBits(table);
  registerFloat(table);
  registerFloatSpecial(table);
  registerHalf(table);
  registerCompare(table);
  registerConvert(table);
  registerLoadStore(table);
  registerAtomics(table);
  registerAsyncCopy(table);
  registerWarpSync(table);
  registerControl(table);
  registerLoadMatrix(table);
  registerMma(table);
  registerWmma(table);
  registerMbarrier(table);
  registerFence(table);
  registerWgmma(table);
  registerWarpgroup(table);
  registerCluster(table);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

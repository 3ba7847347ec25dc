//===- SharedObjects.h - Addresses of what lies in shared memory --*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands of mbarrier and bulk instructions: addresses that are generic or in
// .shared::cta or .shared::cluster. A cluster is one block here, so both name
// the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_SHAREDOBJECTS_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_SHAREDOBJECTS_H

#include "../MemoryAccess.h"
#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

/// Decodes [a] in shared memory, or generic if `space` is Space::Generic, and
/// appends three rows: the address, its offset, and bit 0 wide, bit 1 generic.
void sharedOperand(Decoder &d, Space space);
/// The address of a lane in shared memory, from the rows at inst.op[first].
/// False after a fault.
bool sharedAddress(Warp &warp, const Instruction &inst, unsigned first,
                   unsigned lane, uint32_t &offset);
/// The mbarrier at inst.op[first], or null after a fault. Checks that it is
/// initialised, and before what this lane does now.
Mbarrier *mbarrierOf(Warp &warp, const Instruction &inst, unsigned first,
                     unsigned lane);
/// Adds to the tx-count; false after a fault.
bool expectBytes(Warp &warp, const Instruction &inst, unsigned lane,
                 Mbarrier &object, int64_t bytes);
/// {.shared{::cta}, .shared::cluster}; Space::Generic if there is none.
/// `cluster` tells which it was.
Space acceptShared(Decoder &d, bool *cluster = nullptr);

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_SHAREDOBJECTS_H

//===- Bulk.h - What bulk copies have in common -----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_BULK_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_BULK_H

#include "SharedObjects.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

/// Checks the shared memory of a copy and issues it. A load completes on the
/// mbarrier at inst.op[mbarrier]; a store or reduction joins the bulk group of
/// the lane. The global memory has been checked.
void issueLoad(Warp &warp, const Instruction &inst, unsigned lane,
               unsigned mbarrier, BulkJob job);
void issueStore(Warp &warp, const Instruction &inst, unsigned lane,
                BulkJob job);

/// {.level::cache_hint}, after which a 64-bit policy is the last operand.
bool acceptCacheHint(Decoder &d);
void cachePolicy(Decoder &d, bool hinted);
/// .mbarrier::complete_tx::bytes{.multicast::cluster}; whether it multicasts.
bool acceptLoadCompletion(Decoder &d);
/// The mask of blocks of a multicast, op[row]: only this block exists.
bool checkMulticast(Warp &warp, const Instruction &inst, unsigned lane,
                    uint32_t row);
/// The operation of a reduction.
ReduceOp expectReduction(Decoder &d);

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_BULK_H

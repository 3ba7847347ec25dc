//===- Families.h - Registration of the instruction families ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One source file per family. A new family adds a file, a line here and a call
// in InstructionTable.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTIONS_FAMILIES_H
#define MTA_LIB_EMULATOR_INSTRUCTIONS_FAMILIES_H

#include "../Decoder.h"
#include "../Lanes.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {

void registerMove(InstructionTable &table);
void registerInteger(InstructionTable &table);
void registerIntegerWide(InstructionTable &table);
void registerBits(InstructionTable &table);
void registerFloat(InstructionTable &table);
void registerFloatSpecial(InstructionTable &table);
void registerHalf(InstructionTable &table);
void registerCompare(InstructionTable &table);
void registerConvert(InstructionTable &table);
void registerLoadStore(InstructionTable &table);
void registerAtomics(InstructionTable &table);
void registerAsyncCopy(InstructionTable &table);
void registerWarpSync(InstructionTable &table);
void registerControl(InstructionTable &table);
void registerLoadMatrix(InstructionTable &table);
void registerMma(InstructionTable &table);
void registerWmma(InstructionTable &table);
void registerMbarrier(InstructionTable &table);
void registerFence(InstructionTable &table);
void registerWgmma(InstructionTable &table);
void registerWarpgroup(InstructionTable &table);
void registerCluster(InstructionTable &table);

// Parts of cp, whose modifiers say which family it is.
void decodeCopyArrive(Decoder &d);
void decodeBulk(Decoder &d);
void decodeBulkReduce(Decoder &d);
/// Decodes cp.async.bulk.tensor and cp.async.bulk.prefetch.tensor, or a
/// reduction.
void decodeTensor(Decoder &d, bool prefetches, bool reduces);
void decodePrefetchMap(Decoder &d);
void decodeClusterBarrier(Decoder &d);
/// Completes the cp.async of the active lanes.
void completeCopies(Warp &warp);

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTIONS_FAMILIES_H

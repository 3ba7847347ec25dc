//===- ProgramBuilder.h - From parsed functions to a program ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_PROGRAMBUILDER_H
#define MTA_LIB_EMULATOR_PROGRAMBUILDER_H

#include "Decoder.h"
#include <memory>

namespace mta::emulator {

using SymbolMap = std::unordered_map<std::string, SymbolAddress>;

/// Decodes `entry` and every function it calls. `globals` are the .global and
/// .const variables of the module.
Expected<std::unique_ptr<Program>> buildProgram(const ParsedModule &module,
                                                const Function &entry,
                                                const SymbolMap &globals);

/// The registers that instructions of one function use, by pc.
struct FunctionUses {
  uint32_t firstPc = 0;
  uint32_t firstRegister = 0;
  const Function *function = nullptr;
  std::vector<RegisterUses> uses;
};

/// Finds the reads of registers that some path reaches without a write, and
/// has the interpreter track exactly those registers (Program::validity).
void trackValidity(Program &program, const FunctionUses &uses);

/// Finds the registers that wgmma uses and has the interpreter track them.
void trackAsyncRegisters(Program &program, const FunctionUses &uses);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_PROGRAMBUILDER_H

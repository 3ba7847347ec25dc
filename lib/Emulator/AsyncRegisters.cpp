//===- AsyncRegisters.cpp - Registers that wgmma uses ---------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds the registers that are operands of some wgmma and the instructions that
// touch them, so that the interpreter looks at the state of registers only
// there.
//
//===----------------------------------------------------------------------===//

#include "ProgramBuilder.h"

namespace mta::emulator {

namespace {
using Ids = std::map<uint32_t, uint32_t>; // by register of the program

std::vector<uint32_t> numberRegisters(Program &program,
                                      const FunctionUses &uses,
                                      const std::vector<uint32_t> &registers,
                                      Ids &ids) {
  std::vector<uint32_t> result;
  for (uint32_t reg : registers) {
    auto [it, isNew] = ids.emplace(reg, program.asyncRegisters.size());
    if (isNew)
      program.asyncRegisters.push_back(
          uses.function->registers[reg - uses.firstRegister].name);
    result.push_back(it->second);
  }
  return result;
}

void addUses(Program &program, uint32_t pc, const Ids &ids,
             const std::vector<uint32_t> &registers, bool isWrite) {
  for (uint32_t reg : registers) {
    auto found = ids.find(reg);
    if (found == ids.end())
      continue;
    if (program.validity.size() <= pc)
      program.validity.resize(pc + 1);
    program.code[pc].tracksValidity = true;
    program.validity[pc].async.push_back({found->second, isWrite});
  }
}
} // namespace

void trackAsyncRegisters(Program &program, const FunctionUses &uses) {
  Ids ids;
  for (uint32_t i = 0; i < uses.uses.size(); ++i) {
    const RegisterUses &use = uses.uses[i];
    if (!use.isWgmma)
      continue;
    WgmmaOperands &operands =
        program.wgmmas[program.code[uses.firstPc + i].target];
    operands.accumulators =
        numberRegisters(program, uses, use.accumulators, ids);
    operands.factors = numberRegisters(program, uses, use.factors, ids);
  }
  for (uint32_t i = 0; i < uses.uses.size() && !ids.empty(); ++i) {
    const RegisterUses &use = uses.uses[i];
    if (use.isWgmma)
      continue;
    addUses(program, uses.firstPc + i, ids, use.reads, false);
    addUses(program, uses.firstPc + i, ids, use.writes, true);
  }
}

} // namespace mta::emulator

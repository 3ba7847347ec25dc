//===- Validity.cpp - Reads of registers that may be unwritten ------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A forward data-flow analysis: which registers are certainly written when an
// instruction starts. Most reads are proved good here and cost nothing later.
//
//===----------------------------------------------------------------------===//

#include "ProgramBuilder.h"
#include <algorithm>

namespace mta::emulator {

namespace {
using BitSet = std::vector<uint64_t>;
bool test(const BitSet &set, uint32_t bit) {
  return set[bit / 64] >> (bit % 64) & 1;
}
void assign(BitSet &set, uint32_t bit, bool value) {
  uint64_t mask = uint64_t(1) << (bit % 64);
  set[bit / 64] = value ? set[bit / 64] | mask : set[bit / 64] & ~mask;
}

class ValidityAnalysis {
public:
  ValidityAnalysis(Program &program, const FunctionUses &uses)
      : program(program), uses(uses), size(uses.uses.size()),
        words((uses.function->registers.size() + 63) / 64) {}

  void run();

private:
  uint32_t local(uint32_t reg) const { return reg - uses.firstRegister; }
  const Instruction &at(uint32_t i) const {
    return program.code[uses.firstPc + i];
  }
  bool isGuarded(uint32_t i) const {
    return at(i).guard != program.truePredicate;
  }
  void findLeaders();
  std::vector<uint32_t> successors(uint32_t last) const;
  void transfer(uint32_t i, BitSet &valid) const;
  void solve();
  void track();
  uint32_t maskOf(uint32_t reg);
  Validity &validityAt(uint32_t i);

  Program &program;
  const FunctionUses &uses;
  uint32_t size;
  size_t words;
  std::vector<uint32_t> leaders; // first instructions of the basic blocks
  std::vector<uint32_t> blockOf; // by instruction
  std::vector<BitSet> in;        // by block; empty if unreached
  std::map<uint32_t, uint32_t> masks;
};

std::vector<uint32_t> ValidityAnalysis::successors(uint32_t last) const {
  const Instruction &inst = at(last);
  std::vector<uint32_t> result;
  bool falls = isGuarded(last);
  switch (inst.control) {
  case Control::Branch:
    result.push_back(inst.target - uses.firstPc);
    break;
  case Control::BranchIndexed:
    for (uint32_t target : program.branchTables[inst.target])
      result.push_back(target - uses.firstPc);
    break;
  case Control::Return:
  case Control::Exit:
  case Control::Trap:
    break;
  default:
    falls = true;
  }
  if (falls && last + 1 < size)
    result.push_back(last + 1);
  return result;
}

void ValidityAnalysis::findLeaders() {
  std::vector<bool> leads(size, false);
  leads[0] = true;
  for (uint32_t i = 0; i < size; ++i) {
    Control control = at(i).control;
    bool plain = control == Control::None || control == Control::WarpSync ||
                 control == Control::Barrier || control == Control::Call ||
                 control == Control::Await;
    if (plain)
      continue;
    for (uint32_t next : successors(i))
      leads[next] = true;
    if (i + 1 < size)
      leads[i + 1] = true;
  }
  blockOf.resize(size);
  for (uint32_t i = 0; i < size; ++i) {
    if (leads[i])
      leaders.push_back(i);
    blockOf[i] = leaders.size() - 1;
  }
}

void ValidityAnalysis::transfer(uint32_t i, BitSet &valid) const {
  const RegisterUses &use = uses.uses[i];
  bool good = true;
  if (use.isMove)
    for (uint32_t reg : use.reads)
      good &= test(valid, local(reg));
  for (uint32_t reg : use.writes) {
    if (isGuarded(i))
      good &= test(valid, local(reg));
    assign(valid, local(reg), good);
  }
}

void ValidityAnalysis::solve() {
  in.resize(leaders.size());
  in[0].assign(words, 0);
  std::vector<uint32_t> work = {0};
  while (!work.empty()) {
    uint32_t block = work.back();
    work.pop_back();
    BitSet valid = in[block];
    uint32_t end = block + 1 < leaders.size() ? leaders[block + 1] : size;
    for (uint32_t i = leaders[block]; i < end; ++i)
      transfer(i, valid);
    for (uint32_t next : successors(end - 1)) {
      BitSet &target = in[blockOf[next]];
      bool changed = target.empty();
      if (changed)
        target = valid;
      for (size_t w = 0; w < words; ++w) {
        uint64_t met = target[w] & valid[w];
        changed |= met != target[w];
        target[w] = met;
      }
      if (changed)
        work.push_back(blockOf[next]);
    }
  }
}

Validity &ValidityAnalysis::validityAt(uint32_t i) {
  uint32_t pc = uses.firstPc + i;
  if (program.validity.size() <= pc)
    program.validity.resize(pc + 1);
  program.code[pc].tracksValidity = true;
  return program.validity[pc];
}

uint32_t ValidityAnalysis::maskOf(uint32_t reg) {
  auto [it, isNew] = masks.emplace(reg, 0);
  if (isNew) {
    program.registerBytes = (program.registerBytes + 3) & ~3u;
    it->second = program.registerBytes;
    program.registerBytes += 4;
    program.validityMasks.push_back(it->second);
  }
  return it->second;
}

void ValidityAnalysis::track() {
  for (uint32_t block = 0; block < leaders.size(); ++block) {
    if (in[block].empty())
      continue;
    BitSet valid = in[block];
    uint32_t end = block + 1 < leaders.size() ? leaders[block + 1] : size;
    for (uint32_t i = leaders[block]; i < end; ++i) {
      const RegisterUses &use = uses.uses[i];
      for (uint32_t reg : use.reads) {
        if (test(valid, local(reg)))
          continue;
        Validity &validity = validityAt(i);
        validity.propagates = use.isMove;
        validity.reads.push_back({maskOf(reg),
                                  uses.function->registers[local(reg)].name,
                                  false, 0, 0});
      }
      for (uint32_t reg : use.accumulators)
        if (!test(valid, local(reg)))
          validityAt(i).reads.push_back(
              {maskOf(reg), uses.function->registers[local(reg)].name, true,
               use.accumulates, use.accumulatesFlip});
      int32_t guard = uses.function->statements[i].guard;
      if (guard >= 0 && !test(valid, guard))
        validityAt(i).reads.push_back(
            {maskOf(uses.firstRegister + guard),
             "@" + uses.function->registers[guard].name, false, 0, 0});
      transfer(i, valid);
    }
  }
  for (uint32_t i = 0; i < size; ++i)
    for (uint32_t reg : uses.uses[i].writes) {
      auto found = masks.find(reg);
      if (found != masks.end())
        validityAt(i).writes.push_back(found->second);
    }
}

void ValidityAnalysis::run() {
  if (!size || !words)
    return;
  findLeaders();
  solve();
  track();
}
} // namespace

void trackValidity(Program &program, const FunctionUses &uses) {
  ValidityAnalysis(program, uses).run();
}

} // namespace mta::emulator

//===- ProgramBuilder.cpp - From parsed functions to a program ------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions are laid out callees first. With lowest-first scheduling a warp
// then finishes a callee before any lane goes on in the caller, so lanes that
// called together return together.
//
//===----------------------------------------------------------------------===//

#include "ProgramBuilder.h"
#include <algorithm>
#include <functional>

namespace mta::emulator {

namespace {
constexpr uint32_t MaxLocalBytes = 512 * 1024; // CUDA C++ guide, table 30
constexpr uint32_t MaxSharedBytes = 1 << 20;   // far above any target

uint32_t alignTo(uint64_t value, uint32_t align) {
  return (value + align - 1) / align * align;
}

class ProgramBuilder {
public:
  ProgramBuilder(const ParsedModule &module, const Function &entry,
                 const SymbolMap &globals)
      : module(module), entry(entry), symbols(globals),
        program(std::make_unique<Program>()) {
    program->module = &module;
    program->entry = &entry;
  }

  Expected<std::unique_ptr<Program>> build();

private:
  bool fail(unsigned line, const std::string &message) {
    if (error.message.empty())
      error = {module.file, line, message};
    return false;
  }
  bool collect(const Function &function, unsigned depth);
  bool layOutShared();
  bool placeShared(const Variable &variable, SymbolMap &map);
  bool layOutParameters();
  bool layOutFrame(const Function &function, FunctionFrame &frame);
  bool placeInThread(const Variable &variable, FunctionFrame &frame);
  bool decodeFunction(Decoder &decoder, const Function &function);
  void finish();

  const ParsedModule &module;
  const Function &entry;
  SymbolMap symbols;
  std::unique_ptr<Program> program;
  std::vector<const Function *> order;
  std::map<const Function *, bool> visited; // true once complete
  std::map<const Variable *, SymbolAddress> functionShared;
  uint32_t registerCount = 0;
  Error error;
};

/// Orders the functions callees first; refuses recursion.
bool ProgramBuilder::collect(const Function &function, unsigned depth) {
  auto [it, isNew] = visited.emplace(&function, false);
  if (!isNew)
    return it->second ||
           fail(function.line,
                "recursion through '" + function.name + "' is not supported");
  program->maxCallDepth = std::max(program->maxCallDepth, depth + 1);
  for (const Statement &statement : function.statements) {
    if (statement.opcode != "call")
      continue;
    const Function *callee = nullptr;
    std::string name;
    for (const Operand &operand : statement.operands)
      if (operand.kind == Operand::Kind::Symbol && name.empty())
        name = operand.name;
    callee = module.find(name);
    if (!callee || callee->isEntry)
      return fail(statement.line, "call of unknown function '" + name +
                                      "'\n  instruction: " + statement.text);
    if (!callee->isDefined)
      return fail(statement.line, "function '" + name +
                                      "' is declared but not defined in this "
                                      "module\n  instruction: " +
                                      statement.text);
    if (!collect(*callee, depth + 1))
      return false;
  }
  visited[&function] = true;
  order.push_back(&function);
  return true;
}

bool ProgramBuilder::placeShared(const Variable &variable, SymbolMap &map) {
  SymbolAddress address;
  address.space = Space::Shared;
  address.address = alignTo(program->staticShared, variable.align);
  address.bytes = variable.bytes();
  if (address.address + variable.bytes() > MaxSharedBytes)
    return fail(variable.line,
                "shared variable '" + variable.name + "' is too large");
  program->staticShared = address.address + variable.bytes();
  map[variable.name] = address;
  return true;
}

void forEachSymbol(const Operand &operand,
                   const std::function<void(const std::string &)> &visit) {
  if (operand.kind == Operand::Kind::Symbol)
    visit(operand.name);
  for (const Operand &element : operand.elements)
    forEachSymbol(element, visit);
}

/// Gives the .shared variables that the program names their place, then the
/// dynamic ones theirs behind them.
bool ProgramBuilder::layOutShared() {
  std::map<std::string, bool> used;
  for (const Function *function : order)
    for (const Statement &statement : function->statements)
      for (const Operand &operand : statement.operands)
        forEachSymbol(operand, [&](const std::string &n) { used[n] = true; });
  for (const Variable &variable : module.variables)
    if (variable.space == Space::Shared && used.count(variable.name) &&
        !variable.isExtern && !placeShared(variable, symbols))
      return false;
  for (const Function *function : order)
    for (const Variable &variable : function->variables) {
      if (variable.space != Space::Shared)
        continue;
      SymbolMap place;
      if (!placeShared(variable, place))
        return false;
      functionShared[&variable] = place[variable.name];
    }
  // All dynamic arrays start at one address, aligned for the strictest.
  uint32_t align = 16;
  for (const Variable &variable : module.variables)
    if (variable.space == Space::Shared && variable.isExtern)
      align = std::max(align, variable.align);
  program->dynamicSharedOffset = program->staticShared;
  for (const Variable &variable : module.variables) {
    if (variable.space != Space::Shared || !variable.isExtern ||
        !used.count(variable.name))
      continue;
    program->dynamicSharedOffset = alignTo(program->staticShared, align);
    symbols[variable.name] = {Space::Shared, program->dynamicSharedOffset, 0};
  }
  return true;
}

bool ProgramBuilder::layOutParameters() {
  uint64_t offset = 0;
  for (const Variable &parameter : entry.parameters) {
    offset = alignTo(offset, parameter.align);
    // PTX ISA 5.1.6.4: kernel parameters take at most 32764 bytes.
    if (parameter.bytes() > 32764 || offset + parameter.bytes() > 32764)
      return fail(parameter.line, "the parameters of '" + entry.name +
                                      "' are larger than 32764 bytes");
    program->parameters.push_back(
        {parameter.name, parameter.type, uint32_t(offset),
         uint32_t(parameter.bytes()), parameter.align, parameter.isPointer});
    offset += parameter.bytes();
  }
  program->parameterBytes = offset;
  return true;
}

/// Places a variable of which every thread has its own.
bool ProgramBuilder::placeInThread(const Variable &variable,
                                   FunctionFrame &frame) {
  bool isParam = variable.space == Space::Param;
  uint32_t &top = isParam ? program->callParamBytes : program->localBytes;
  uint64_t place = alignTo(top, std::min(variable.align, 4096u));
  if (place + variable.bytes() > MaxLocalBytes)
    return fail(variable.line, "variable '" + variable.name +
                                   "' needs more than 512 KiB a thread");
  top = place + variable.bytes();
  frame.symbols[variable.name] = {
      variable.space, place + (isParam ? CallParamBase : 0), variable.bytes()};
  return true;
}

bool ProgramBuilder::layOutFrame(const Function &function,
                                 FunctionFrame &frame) {
  frame.function = &function;
  frame.basePc = program->code.size();
  frame.firstRegister = registerCount;
  registerCount += function.registers.size();
  for (const RegisterDecl &reg : function.registers) {
    unsigned bytes =
        reg.type == Type::Pred ? 4 : typeBytes(reg.type) * WarpSize;
    uint32_t align = reg.type == Type::Pred ? 4 : 32;
    uint64_t offset = alignTo(program->registerBytes, align);
    if (offset + bytes > UINT32_MAX / 64)
      return fail(function.line,
                  "too many registers in '" + function.name + "'");
    frame.rows.push_back(offset);
    program->registerBytes = offset + bytes;
  }
  if (&function == &entry) {
    for (const EntryParameter &parameter : program->parameters)
      frame.symbols[parameter.name] = {Space::Param, parameter.offset,
                                       parameter.bytes};
  } else {
    for (const auto *list : {&function.parameters, &function.results})
      for (const Variable &variable : *list)
        if (!placeInThread(variable, frame))
          return false;
  }
  for (const Variable &variable : function.variables) {
    if (variable.space == Space::Shared)
      frame.symbols[variable.name] = functionShared[&variable];
    else if (variable.space == Space::Local || variable.space == Space::Param) {
      if (!placeInThread(variable, frame))
        return false;
    } else {
      return fail(variable.line, "variable '" + variable.name + "' in ." +
                                     std::string(spaceName(variable.space)) +
                                     " is not supported inside a function");
    }
  }
  return true;
}

bool ProgramBuilder::decodeFunction(Decoder &decoder,
                                    const Function &function) {
  FunctionFrame &frame = decoder.functions[function.name];
  if (!layOutFrame(function, frame))
    return false;
  FunctionUses uses;
  uses.firstPc = frame.basePc;
  uses.firstRegister = frame.firstRegister;
  uses.function = &function;
  for (const Statement &statement : function.statements) {
    if (!decoder.decode(frame, statement)) {
      error = decoder.error;
      return false;
    }
    uses.uses.push_back(std::move(decoder.uses));
  }
  trackValidity(*program, uses);
  trackAsyncRegisters(*program, uses);
  return true;
}

void ProgramBuilder::finish() {
  for (size_t pc = 0; pc < program->code.size(); ++pc)
    program->code[pc].op =
        program->operandPool.data() + program->operandStarts[pc];
}

Expected<std::unique_ptr<Program>> ProgramBuilder::build() {
  const uint32_t *cluster = entry.clusterBlocks;
  if (cluster[0] * cluster[1] * cluster[2] > 1)
    fail(entry.line, "'" + entry.name + "' needs a cluster of " +
                         std::to_string(cluster[0]) + "x" +
                         std::to_string(cluster[1]) + "x" +
                         std::to_string(cluster[2]) +
                         " blocks; clusters of more than one block are not "
                         "supported");
  if (!error.message.empty() || !collect(entry, 0) || !layOutShared() ||
      !layOutParameters())
    return error;
  Decoder decoder(*program, symbols);
  for (const Function *function : order)
    if (!decodeFunction(decoder, *function))
      return error;
  program->entryPc = decoder.functions[entry.name].basePc;
  finish();
  return std::move(program);
}
} // namespace

Expected<std::unique_ptr<Program>> buildProgram(const ParsedModule &module,
                                                const Function &entry,
                                                const SymbolMap &globals) {
  return ProgramBuilder(module, entry, globals).build();
}

} // namespace mta::emulator

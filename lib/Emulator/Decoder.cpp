//===- Decoder.cpp - Decoding one instruction -----------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include "Types.h"
#include <cstring>

namespace mta::emulator {

const char *className(Class cls) {
  static const char *const Names[NumClasses] = {
      "move",        "integer",      "float32",     "float64",
      "half",        "convert",      "special",     "matrix",
      "load_global", "store_global", "load_shared", "store_shared",
      "load_matrix", "local",        "parameter",   "atomic",
      "async_copy",  "bulk_load",    "bulk_store",  "bulk_reduce",
      "mbarrier",    "shuffle",      "barrier",     "fence",
      "branch",      "other"};
  return Names[unsigned(cls)];
}

DecodeFunction InstructionTable::find(const Statement &statement) const {
  Domain wanted = Domain::Any;
  for (size_t i = statement.modifiers.size();
       i-- > 0 && wanted == Domain::Any;) {
    std::optional<Type> type = parseType(statement.modifiers[i]);
    if (!type || *type == Type::Pred)
      continue;
    wanted = *type == Type::F32 || *type == Type::F64 ? Domain::Float
             : isFloat(*type)                         ? Domain::Half
                                                      : Domain::Integer;
  }
  auto [begin, end] = entries.equal_range(statement.opcode);
  for (auto it = begin; it != end; ++it)
    if (it->second.domain == wanted || it->second.domain == Domain::Any)
      return it->second.decode;
  return nullptr;
}

void Decoder::fail(const std::string &message) {
  if (failed())
    return;
  error = {program.module->file, statement ? statement->line : 0,
           message + (statement ? "\n  instruction: " + statement->text : "")};
}

bool Decoder::decode(const FunctionFrame &newFrame,
                     const Statement &newStatement) {
  frame = &newFrame;
  statement = &newStatement;
  inst = {};
  inst.pc = program.code.size();
  uses = {};
  operands.clear();
  modifierCursor = operandCursor = 0;
  inst.guard = program.truePredicate;
  if (statement->guard >= 0) {
    inst.guard = frame->rows[statement->guard];
    inst.guardFlip = statement->guardNegated ? AllLanes : 0;
  }
  DecodeFunction decodeFunction = InstructionTable::get().find(*statement);
  if (!decodeFunction)
    fail("unknown instruction '" + statement->opcode + "'");
  else
    decodeFunction(*this);
  if (failed())
    return false;
  program.statements.push_back(statement);
  program.code.push_back(inst);
  // The pool moves while it grows; the builder turns indices into pointers.
  program.operandStarts.push_back(program.operandPool.size());
  program.operandPool.insert(program.operandPool.end(), operands.begin(),
                             operands.end());
  return true;
}

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

std::string_view Decoder::nextModifier() const {
  return modifierCursor < statement->modifiers.size()
             ? std::string_view(statement->modifiers[modifierCursor])
             : std::string_view();
}

bool Decoder::accept(std::string_view name) {
  if (modifierCursor >= statement->modifiers.size() || nextModifier() != name)
    return false;
  ++modifierCursor;
  return true;
}

int Decoder::acceptAny(std::initializer_list<const char *> names) {
  int index = 0;
  for (const char *name : names) {
    if (accept(name))
      return index;
    ++index;
  }
  return -1;
}

void Decoder::expect(std::string_view name) {
  if (!accept(name))
    fail("expects modifier '." + std::string(name) + "', but got '" +
         (nextModifier().empty() ? "" : ".") + std::string(nextModifier()) +
         "'");
}

int Decoder::expectAny(std::initializer_list<const char *> names) {
  int index = acceptAny(names);
  if (index >= 0)
    return index;
  std::string list;
  for (const char *name : names)
    list += std::string(list.empty() ? "." : ", .") + name;
  fail("expects one of " + list + ", but got '" +
       (nextModifier().empty() ? "" : ".") + std::string(nextModifier()) + "'");
  return 0;
}

Type Decoder::anyType() {
  std::optional<Type> type = parseType(nextModifier());
  if (!type) {
    fail("expects a type, but got '" +
         std::string(nextModifier().empty() ? "" : ".") +
         std::string(nextModifier()) + "'");
    return Type::B32;
  }
  ++modifierCursor;
  return *type;
}

Type Decoder::expectType(std::initializer_list<Type> types) {
  Type type = anyType();
  if (failed())
    return *types.begin();
  for (Type allowed : types)
    if (type == allowed)
      return type;
  fail("type '." + std::string(typeName(type)) +
       "' is not allowed in this place");
  return *types.begin();
}

void Decoder::require(unsigned target, unsigned versionMajor,
                      unsigned versionMinor, const char *what) {
  const ParsedModule &module = *program.module;
  if (module.target < target)
    fail(std::string(what) + " needs .target sm_" + std::to_string(target) +
         " or later, but the module is for " + module.targetName);
  if (module.versionMajor < versionMajor ||
      (module.versionMajor == versionMajor &&
       module.versionMinor < versionMinor))
    fail(std::string(what) + " needs .version " + std::to_string(versionMajor) +
         "." + std::to_string(versionMinor) + " or later, but the module has " +
         std::to_string(module.versionMajor) + "." +
         std::to_string(module.versionMinor));
}

void Decoder::requireArchitecture(const char *what) {
  const std::string &name = program.module->targetName;
  if (name != "sm_90a")
    fail(std::string(what) + " needs .target sm_90a, but the module is for " +
         name);
}

void Decoder::finish(Class cls, Handler handler) {
  if (!nextModifier().empty())
    fail("unknown or misplaced modifier '." + std::string(nextModifier()) +
         "'");
  if (operandsLeft())
    fail("expects " + std::to_string(operandCursor) + " operands, but got " +
         std::to_string(statement->operands.size()));
  inst.cls = cls;
  inst.handler = handler;
}

} // namespace mta::emulator

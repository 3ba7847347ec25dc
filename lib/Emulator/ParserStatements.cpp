//===- ParserStatements.cpp - Parser of PTX function bodies ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"

namespace mta::emulator {

namespace {
/// Far above what any compiler emits; bounds the memory a hostile text takes.
constexpr size_t MaxRegisters = 1 << 20;
constexpr unsigned MaxScopeDepth = 256;
constexpr unsigned MaxOperandDepth = 4;
} // namespace

bool Parser::body(Function &function) {
  current = &function;
  scopes.assign(1, {});
  function.scopeParents.assign(1, 0);
  scopeCount = 0;
  currentLocation = {};
  if (!expect('{', "to open a function body"))
    return false;
  for (Variable &parameter : function.parameters)
    scopes[0].variables[parameter.name] = parameter.name;
  for (Variable &result : function.results)
    scopes[0].variables[result.name] = result.name;
  while (!scopes.empty())
    if (!statement())
      return false;
  // A body may end without `ret`, or with a label.
  Statement implied;
  implied.opcode = "ret";
  implied.line = peek().line;
  implied.location = currentLocation;
  implied.text = "end of " + function.name;
  function.statements.push_back(std::move(implied));
  current = nullptr;
  return true;
}

bool Parser::statement() {
  if (accept('{')) {
    if (scopes.size() >= MaxScopeDepth)
      return fail("scopes are nested too deeply");
    uint32_t parent = scopes.back().index;
    scopes.emplace_back();
    scopes.back().index = current->scopeParents.size();
    current->scopeParents.push_back(parent);
    ++scopeCount;
    return true;
  }
  if (accept('}')) {
    scopes.pop_back();
    return true;
  }
  if (accept(';'))
    return true;
  const Token &token = peek();
  if (token.kind == TokenKind::End)
    return fail("function '" + current->name + "' does not end");
  if (token.kind == TokenKind::Dotted)
    return bodyDirective(take());
  if (token.kind == TokenKind::Identifier && peek(1).is(':')) {
    take();
    take();
    return label(token);
  }
  return instruction();
}

bool Parser::label(const Token &token) {
  std::string name(token.text);
  if (current->labels.count({scopes.back().index, name}) ||
      current->branchTargets.count(name))
    return failAt(token, "label '" + name + "' is defined twice");
  if (acceptDotted("branchtargets")) {
    std::vector<std::string> &targets = current->branchTargets[name];
    do {
      targets.emplace_back();
      if (!expectName(targets.back(), "a label"))
        return false;
    } while (accept(','));
    return expect(';', "after '.branchtargets'");
  }
  if (peek().kind == TokenKind::Dotted &&
      (peek().text == "callprototype" || peek().text == "calltargets"))
    return fail("indirect calls are not supported");
  current->labels[{scopes.back().index, name}] = current->statements.size();
  return true;
}

bool Parser::bodyDirective(const Token &directive) {
  std::string_view name = directive.text;
  if (name == "reg")
    return registers();
  if (name == "loc")
    return location();
  if (name == "shared")
    return scopedVariable(Space::Shared);
  if (name == "local")
    return scopedVariable(Space::Local);
  if (name == "param")
    return scopedVariable(Space::Param);
  if (name == "global")
    return scopedVariable(Space::Global);
  if (name == "const")
    return scopedVariable(Space::Const);
  if (name == "pragma") {
    if (peek().kind != TokenKind::String)
      return fail("expects a string after '.pragma', but got " +
                  spelled(peek()));
    take();
    return expect(';', "after '.pragma'");
  }
  return failAt(directive, "unknown directive " + spelled(directive));
}

bool Parser::registers() {
  if (peek().kind != TokenKind::Dotted)
    return fail("expects a register type, but got " + spelled(peek()));
  const Token &token = take();
  std::optional<Type> type = parseType(token.text);
  bool ok = type && (*type == Type::Pred || typeBits(*type) >= 8);
  if (!ok)
    return failAt(token, "unknown register type " + spelled(token));
  do {
    std::string name;
    const Token &nameToken = peek();
    if (!expectName(name, "a register name"))
      return false;
    uint64_t count = 1;
    bool isRange = accept('<');
    if (isRange && (!expectInteger(count, "a number of registers") ||
                    !expect('>', "after a number of registers")))
      return false;
    if (count > MaxRegisters ||
        current->registers.size() + count > MaxRegisters)
      return failAt(nameToken, "too many registers in '" + current->name + "'");
    for (uint64_t i = 0; i < count; ++i) {
      std::string full = isRange ? name + std::to_string(i) : name;
      if (!scopes.back()
               .registers.emplace(full, current->registers.size())
               .second)
        return failAt(nameToken, "register '" + full + "' is declared twice");
      current->registers.push_back({full, *type});
    }
  } while (accept(','));
  return expect(';', "after registers");
}

bool Parser::scopedVariable(Space space) {
  Variable result;
  const Token &token = peek();
  if (!variable(space, false, result))
    return false;
  std::string unique = result.name;
  if (scopes.size() > 1)
    unique += "@" + std::to_string(scopeCount);
  if (!scopes.back().variables.emplace(result.name, unique).second)
    return failAt(token, "variable '" + result.name + "' is declared twice");
  result.name = unique;
  current->variables.push_back(std::move(result));
  return expect(';', "after a variable");
}

/// `.loc file line column [, function_name label[+n], inlined_at …]`
bool Parser::location() {
  uint64_t fileIndex = 0, line = 0, column = 0;
  if (!expectInteger(fileIndex, "a file index") ||
      !expectInteger(line, "a line") || !expectInteger(column, "a column"))
    return false;
  currentLocation = {unsigned(fileIndex), unsigned(line)};
  while (accept(',')) {
    std::string word;
    if (!expectName(word, "'function_name' or 'inlined_at'"))
      return false;
    if (word == "function_name") {
      int64_t ignored = 0;
      if (!expectName(word, "a label") || !offset(ignored))
        return false;
    } else if (word == "inlined_at") {
      if (!expectInteger(fileIndex, "a file index") ||
          !expectInteger(line, "a line") || !expectInteger(column, "a column"))
        return false;
    } else {
      return fail("unknown attribute '" + word + "' of '.loc'");
    }
  }
  return true;
}

bool Parser::resolveRegister(const std::string &name, uint32_t &index) const {
  for (size_t i = scopes.size(); i-- > 0;) {
    auto found = scopes[i].registers.find(name);
    if (found != scopes[i].registers.end()) {
      index = found->second;
      return true;
    }
  }
  return false;
}

bool Parser::instruction() {
  Statement result;
  uint32_t begin = peek().begin;
  result.line = peek().line;
  result.location = currentLocation;
  result.scope = scopes.back().index;
  if (accept('@')) {
    result.guardNegated = accept('!');
    std::string name;
    uint32_t index = 0;
    const Token &token = peek();
    if (!expectName(name, "a predicate register after '@'"))
      return false;
    if (!resolveRegister(name, index) ||
        current->registers[index].type != Type::Pred)
      return failAt(token,
                    "expects a predicate register, but got '" + name + "'");
    result.guard = index;
  }
  if (!expectName(result.opcode, "an instruction"))
    return false;
  while (peek().kind == TokenKind::Dotted && peek().adjacent)
    result.modifiers.emplace_back(take().text);
  if (!peek().is(';')) {
    do {
      result.operands.emplace_back();
      if (!operand(result.operands.back()))
        return false;
    } while (accept(','));
  }
  uint32_t end = peek().end;
  if (!expect(';', "after an instruction"))
    return false;
  for (char c : text.substr(begin, end - begin)) {
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      result.text += c;
    else if (result.text.back() != ' ')
      result.text += ' ';
  }
  current->statements.push_back(std::move(result));
  return true;
}

bool Parser::offset(int64_t &result) {
  result = 0;
  while (peek().is('+') || peek().is('-')) {
    bool negative = take().is('-');
    negative ^= accept('-');
    uint64_t value = 0;
    if (!expectInteger(value, "an offset"))
      return false;
    result += negative ? 0 - value : value;
  }
  return true;
}

bool Parser::list(Operand &result, char close, unsigned depth) {
  if (depth > MaxOperandDepth)
    return fail("operand is nested too deeply");
  if (accept(close))
    return true;
  do {
    result.elements.emplace_back();
    if (!operand(result.elements.back(), depth + 1))
      return false;
  } while (accept(','));
  return expect(close, "after a list of operands");
}

bool Parser::address(Operand &result, unsigned depth) {
  result.kind = Operand::Kind::Address;
  Operand base;
  if (!operand(base, depth + 1))
    return false;
  switch (base.kind) {
  case Operand::Kind::Register:
  case Operand::Kind::Symbol:
  case Operand::Kind::Integer:
    break;
  default:
    return fail("expects a register, a symbol or a constant as address");
  }
  if (base.kind == Operand::Kind::Register && !offset(result.offset))
    return false;
  if (base.kind == Operand::Kind::Symbol)
    result.offset = base.offset;
  result.elements.push_back(std::move(base));
  while (accept(',')) {
    result.elements.emplace_back();
    if (!operand(result.elements.back(), depth + 1))
      return false;
  }
  return expect(']', "after an address");
}

bool Parser::operand(Operand &result, unsigned depth) {
  if (depth > MaxOperandDepth)
    return fail("operand is nested too deeply");
  if (accept('[')) {
    if (!address(result, depth))
      return false;
  } else if (accept('{')) {
    result.kind = Operand::Kind::Vector;
    if (!list(result, '}', depth))
      return false;
  } else if (accept('(')) {
    result.kind = Operand::Kind::Group;
    if (!list(result, ')', depth))
      return false;
  } else if (peek().kind == TokenKind::Identifier || peek().is('!')) {
    if (!named(result))
      return false;
  } else if (!constant(result)) {
    return false;
  }
  if (!accept('|'))
    return true;
  result.second = std::make_shared<Operand>();
  return operand(*result.second, MaxOperandDepth);
}

bool Parser::named(Operand &result) {
  result.negated = accept('!');
  const Token &token = peek();
  std::string name;
  if (!expectName(name, "an operand"))
    return false;
  if (name == "_") {
    result.kind = Operand::Kind::Sink;
    return true;
  }
  if (resolveRegister(name, result.index)) {
    result.kind = Operand::Kind::Register;
    if (result.negated && current->registers[result.index].type != Type::Pred)
      return failAt(token,
                    "expects a predicate after '!', but got '" + name + "'");
    return true;
  }
  if (result.negated)
    return failAt(token, "unknown predicate '" + name + "'");
  if (name[0] == '%') {
    result.kind = Operand::Kind::Special;
    result.name = name.substr(1);
    if (peek().kind == TokenKind::Dotted && peek().adjacent)
      result.name += "." + std::string(take().text);
    return true;
  }
  result.kind = Operand::Kind::Symbol;
  result.name = name;
  for (size_t i = scopes.size(); i-- > 0;) {
    auto found = scopes[i].variables.find(name);
    if (found != scopes[i].variables.end()) {
      result.name = found->second;
      break;
    }
  }
  return offset(result.offset);
}

bool Parser::constant(Operand &result) {
  bool negative = accept('-');
  const Token &token = peek();
  switch (token.kind) {
  case TokenKind::Integer:
    result.kind = Operand::Kind::Integer;
    result.bits = negative ? 0 - token.bits : token.bits;
    break;
  case TokenKind::Float32:
    result.kind = Operand::Kind::Float32;
    result.bits = token.bits ^ (negative ? uint64_t(1) << 31 : 0);
    break;
  case TokenKind::Float64:
    result.kind = Operand::Kind::Float64;
    result.bits = token.bits ^ (negative ? uint64_t(1) << 63 : 0);
    break;
  default:
    return fail("expects an operand, but got " + spelled(token));
  }
  take();
  return true;
}

} // namespace mta::emulator

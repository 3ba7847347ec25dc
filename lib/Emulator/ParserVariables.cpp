//===- ParserVariables.cpp - Parser of PTX variables ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"

namespace mta::emulator {

namespace {
/// No GPU has a variable this large; arithmetic on sizes stays far from
/// overflow.
constexpr uint64_t MaxVariableBytes = uint64_t(1) << 40;
constexpr unsigned MaxBraceDepth = 16;
} // namespace

/// The attributes and type of a variable, up to its name.
bool Parser::variableType(Variable &result) {
  uint64_t align = 0;
  unsigned vectorWidth = 1;
  bool aligned = false;
  while (peek().kind == TokenKind::Dotted) {
    const Token &token = take();
    if (token.text == "align") {
      if (!expectInteger(align, "an alignment"))
        return false;
      if (align == 0 || (align & (align - 1)) || align > 65536)
        return failAt(token, "expects an alignment that is a power of two, "
                             "but got " +
                                 std::to_string(align));
      aligned = true;
    } else if (token.text == "v2" || token.text == "v4") {
      vectorWidth = token.text[1] - '0';
    } else if (token.text == "attribute") {
      // `.attribute(.managed)` changes nothing here: host memory is visible.
      if (!accept('(') || !acceptDotted("managed") || !accept(')'))
        return fail("expects '(.managed)' after '.attribute'");
    } else if (token.text == "ptr") {
      result.isPointer = true;
      if (!acceptDotted("global"))
        if (!acceptDotted("shared"))
          acceptDotted("const") || acceptDotted("local");
      // The alignment after `.ptr` is that of the memory pointed to.
      if (acceptDotted("align") && !expectInteger(align, "an alignment"))
        return false;
      break;
    } else if (std::optional<Type> type = parseType(token.text)) {
      if (result.type != Type::None)
        return failAt(token,
                      "expects one type, but got a second, " + spelled(token));
      if (*type == Type::Pred || typeBits(*type) % 8 || typeBits(*type) < 8)
        return failAt(token,
                      "type " + spelled(token) + " cannot be stored in memory");
      result.type = *type;
    } else {
      return failAt(token,
                    "unknown attribute " + spelled(token) + " of a variable");
    }
  }
  if (result.type == Type::None)
    return fail("expects the type of a variable, but got " + spelled(peek()));
  result.count = vectorWidth;
  result.align = aligned ? align : typeBytes(result.type) * vectorWidth;
  return true;
}

bool Parser::arrayBounds(Variable &result, unsigned depth) {
  for (; accept('['); ++depth) {
    result.isArray = true;
    if (accept(']')) {
      if (depth)
        return fail("expects only the first dimension to be open");
      result.unsized = true;
      continue;
    }
    uint64_t bound = 0;
    const Token &token = peek();
    if (!expectInteger(bound, "an array bound"))
      return false;
    if (bound && result.count > MaxVariableBytes / bound)
      return failAt(token, "array '" + result.name + "' is too large");
    result.count *= bound;
    if (!expect(']', "after an array bound"))
      return false;
  }
  return true;
}

bool Parser::variable(Space space, bool isExtern, Variable &result) {
  result.space = space;
  result.isExtern = isExtern;
  result.line = peek().line;
  if (!variableType(result) || !expectName(result.name, "a variable name") ||
      !arrayBounds(result, 0))
    return false;
  if (accept('=')) {
    if (space != Space::Global && space != Space::Const)
      return fail("expects an initialiser only on .global and .const");
    if (!initializer(result))
      return false;
  }
  if (result.unsized && !isExtern)
    result.count = result.initializers.size();
  return true;
}

bool Parser::initializer(Variable &result) {
  bool braces = peek().is('{');
  if (braces != result.isArray && result.count == 1)
    return fail("expects the initialiser to match the variable '" +
                result.name + "'");
  if (braces ? !initializerList(result, 0) : !initializerValue(result))
    return false;
  if (!result.unsized && result.initializers.size() > result.count)
    return fail("expects at most " + std::to_string(result.count) +
                " initial values of '" + result.name + "', but got " +
                std::to_string(result.initializers.size()));
  return true;
}

bool Parser::initializerList(Variable &result, unsigned depth) {
  if (depth > MaxBraceDepth)
    return fail("initialiser is nested too deeply");
  if (!expect('{', "to open an initialiser"))
    return false;
  if (accept('}'))
    return true;
  do {
    bool nested = peek().is('{');
    if (nested ? !initializerList(result, depth + 1)
               : !initializerValue(result))
      return false;
  } while (accept(','));
  return expect('}', "after an initialiser");
}

/// A number, or `symbol`, `symbol+offset`, `generic(symbol)+offset`.
bool Parser::initializerValue(Variable &result) {
  Variable::Initializer value;
  bool negative = accept('-');
  const Token &token = peek();
  switch (token.kind) {
  case TokenKind::Integer:
    value.bits = negative ? 0 - token.bits : token.bits;
    take();
    break;
  case TokenKind::Float32:
  case TokenKind::Float64: {
    Operand number;
    cursor -= negative;
    if (!constant(number))
      return false;
    value.isFloat = true;
    value.bits = number.bits;
    if (number.kind == Operand::Kind::Float32 && result.type != Type::F32)
      return failAt(token, "expects a single-precision constant only for .f32");
    value.isDouble = number.kind == Operand::Kind::Float64;
    break;
  }
  case TokenKind::Identifier: {
    if (negative)
      return fail("expects a constant after '-'");
    value.generic = token.text == "generic" && peek(1).is('(');
    if (value.generic) {
      take();
      take();
    }
    if (!expectName(value.symbol, "a symbol") ||
        (value.generic && !expect(')', "after a generic address")))
      return false;
    int64_t addend = 0;
    if (!offset(addend))
      return false;
    value.bits = addend;
    break;
  }
  default:
    return fail("expects an initial value, but got " + spelled(token));
  }
  result.initializers.push_back(std::move(value));
  return true;
}

} // namespace mta::emulator

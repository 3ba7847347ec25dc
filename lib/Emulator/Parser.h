//===- Parser.h - Parser of PTX text ----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_PARSER_H
#define MTA_LIB_EMULATOR_PARSER_H

#include "Lexer.h"
#include "Syntax.h"
#include <algorithm>
#include <string>
#include <unordered_map>

namespace mta::emulator {

/// Parses a whole PTX module. The grammar is checked, and names of registers
/// and scoped variables are resolved; opcodes and modifiers are not looked at.
Expected<ParsedModule> parseModule(std::string_view text,
                                   std::string_view file);

/// A recursive-descent parser; methods return false after setting `error`.
class Parser {
public:
  Parser(std::string_view text, std::string_view file,
         std::vector<Token> tokens)
      : text(text), file(file), tokens(std::move(tokens)) {}

  bool parse(ParsedModule &result);
  Error error;

private:
  /// The registers and variables that one pair of braces declares.
  struct Scope {
    uint32_t index = 0; // in Function::scopeParents
    std::unordered_map<std::string, uint32_t> registers;
    std::unordered_map<std::string, std::string> variables;
  };
  struct Linkage {
    bool isExtern = false;
  };

  // Cursor.
  const Token &peek(unsigned ahead = 0) const {
    return tokens[std::min(cursor + ahead, tokens.size() - 1)];
  }
  const Token &take() {
    const Token &token = peek();
    if (cursor + 1 < tokens.size())
      ++cursor;
    return token;
  }
  bool accept(char punctuation);
  bool acceptDotted(std::string_view name);
  bool expect(char punctuation, const char *where);
  bool expectInteger(uint64_t &value, const char *what);
  bool expectName(std::string &name, const char *what);
  bool fail(const std::string &message) { return failAt(peek(), message); }
  bool failAt(const Token &token, const std::string &message);
  std::string spelled(const Token &token) const;

  // Module level (Parser.cpp).
  bool topLevel();
  bool version();
  bool target();
  bool fileDirective();
  bool section();
  bool linkage(Linkage &result);
  bool function(bool isEntry, Linkage linkage);
  bool parameterList(std::vector<Variable> &parameters);
  bool tuningDirectives(Function &function);
  bool dimensions(uint32_t (&values)[3], const char *what);

  // Variables (ParserVariables.cpp).
  bool variable(Space space, bool isExtern, Variable &result);
  bool variableType(Variable &result);
  bool arrayBounds(Variable &result, unsigned depth);
  bool initializer(Variable &result);
  bool initializerList(Variable &result, unsigned depth);
  bool initializerValue(Variable &result);

  // Function bodies (ParserStatements.cpp).
  bool body(Function &function);
  bool statement();
  bool bodyDirective(const Token &directive);
  bool registers();
  bool scopedVariable(Space space);
  bool location();
  bool label(const Token &token);
  bool instruction();
  bool operand(Operand &result, unsigned depth = 0);
  bool named(Operand &result);
  bool constant(Operand &result);
  bool address(Operand &result, unsigned depth);
  bool list(Operand &result, char close, unsigned depth);
  bool offset(int64_t &result);
  bool resolveRegister(const std::string &name, uint32_t &index) const;

  std::string_view text, file;
  std::vector<Token> tokens;
  size_t cursor = 0;
  ParsedModule module;

  // State of the function being parsed.
  Function *current = nullptr;
  std::vector<Scope> scopes;
  unsigned scopeCount = 0;
  SourceLocation currentLocation;
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_PARSER_H

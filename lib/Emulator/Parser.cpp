//===- Parser.cpp - Parser of PTX modules ---------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parser.h"
#include <cstdlib>

namespace mta::emulator {

bool Parser::failAt(const Token &token, const std::string &message) {
  if (error.message.empty())
    error = {std::string(file), token.line, message};
  return false;
}

std::string Parser::spelled(const Token &token) const {
  if (token.kind == TokenKind::End)
    return "the end of the file";
  std::string dot = token.kind == TokenKind::Dotted ? "." : "";
  return "'" + dot + std::string(token.text) + "'";
}

bool Parser::accept(char punctuation) {
  if (!peek().is(punctuation))
    return false;
  take();
  return true;
}

bool Parser::acceptDotted(std::string_view name) {
  if (peek().kind != TokenKind::Dotted || peek().text != name)
    return false;
  take();
  return true;
}

bool Parser::expect(char punctuation, const char *where) {
  if (accept(punctuation))
    return true;
  return fail(std::string("expects '") + punctuation + "' " + where +
              ", but got " + spelled(peek()));
}

bool Parser::expectInteger(uint64_t &value, const char *what) {
  if (peek().kind != TokenKind::Integer)
    return fail(std::string("expects ") + what + ", but got " +
                spelled(peek()));
  value = take().bits;
  return true;
}

bool Parser::expectName(std::string &name, const char *what) {
  if (peek().kind != TokenKind::Identifier)
    return fail(std::string("expects ") + what + ", but got " +
                spelled(peek()));
  name = std::string(take().text);
  return true;
}

bool Parser::parse(ParsedModule &result) {
  module.file = std::string(file);
  if (!version() || !target())
    return false;
  while (peek().kind != TokenKind::End)
    if (!topLevel())
      return false;
  result = std::move(module);
  return true;
}

/// `.version 8.7`: the lexer sees a decimal floating-point constant.
bool Parser::version() {
  if (!acceptDotted("version"))
    return fail("expects '.version' first, but got " + spelled(peek()));
  const Token &number = peek();
  if (number.kind != TokenKind::Float64)
    return fail("expects a version such as 8.0, but got " + spelled(number));
  std::string spelling(number.text);
  size_t dot = spelling.find('.');
  module.versionMajor = std::strtoul(spelling.c_str(), nullptr, 10);
  module.versionMinor = std::strtoul(spelling.c_str() + dot + 1, nullptr, 10);
  if (module.versionMajor < 6 || module.versionMajor > 9 ||
      spelling.find_first_not_of("0123456789.") != std::string::npos)
    return fail("expects PTX version 6.0 to 9.x, but got " + spelling);
  take();
  return true;
}

bool Parser::target() {
  if (!acceptDotted("target"))
    return fail("expects '.target' after '.version', but got " +
                spelled(peek()));
  std::string name;
  const Token &token = peek();
  if (!expectName(name, "a target such as sm_80"))
    return false;
  char *end = nullptr;
  unsigned long number =
      name.rfind("sm_", 0) == 0 ? std::strtoul(name.c_str() + 3, &end, 10) : 0;
  bool suffix = end && (*end == 0 || ((*end == 'a' || *end == 'f') && !end[1]));
  if (number < 20 || number > 999 || !suffix)
    return failAt(token,
                  "expects a target such as sm_80, but got '" + name + "'");
  module.target = number;
  module.targetName = name;
  while (accept(',')) {
    std::string option;
    const Token &optionToken = peek();
    if (!expectName(option, "a target option"))
      return false;
    if (option != "debug")
      return failAt(optionToken, "unsupported target option '" + option + "'");
  }
  return true;
}

bool Parser::topLevel() {
  Linkage link;
  const Token &first = peek();
  if (!linkage(link))
    return false;
  const Token &token = peek();
  if (token.kind != TokenKind::Dotted)
    return fail("expects a directive, but got " + spelled(token));
  std::string_view name = take().text;
  if (name == "entry" || name == "func")
    return function(name == "entry", link);
  Space space = name == "global"   ? Space::Global
                : name == "const"  ? Space::Const
                : name == "shared" ? Space::Shared
                                   : Space::Generic;
  if (space != Space::Generic) {
    Variable result;
    if (!variable(space, link.isExtern, result))
      return false;
    module.variables.push_back(std::move(result));
    return expect(';', "after a variable");
  }
  if (&first != &token)
    return failAt(token, "expects a variable or function after its linkage, "
                         "but got " +
                             spelled(token));
  if (name == "address_size") {
    uint64_t bits = 0;
    if (!expectInteger(bits, "an address size"))
      return false;
    if (bits != 64)
      return failAt(token,
                    "expects address size 64, but got " + std::to_string(bits));
    return true;
  }
  if (name == "file")
    return fileDirective();
  if (name == "section")
    return section();
  if (name == "pragma") {
    if (peek().kind != TokenKind::String)
      return fail("expects a string after '.pragma', but got " +
                  spelled(peek()));
    take();
    return expect(';', "after '.pragma'");
  }
  return failAt(token, "unknown directive " + spelled(token));
}

bool Parser::linkage(Linkage &result) {
  while (true) {
    if (acceptDotted("visible") || acceptDotted("weak") ||
        acceptDotted("common"))
      continue;
    if (!acceptDotted("extern"))
      return true;
    result.isExtern = true;
  }
}

bool Parser::fileDirective() {
  uint64_t index = 0, ignored = 0;
  if (!expectInteger(index, "a file index"))
    return false;
  if (peek().kind != TokenKind::String)
    return fail("expects a file name, but got " + spelled(peek()));
  module.files[index] = std::string(take().text);
  while (accept(','))
    if (!expectInteger(ignored, "a timestamp or file size"))
      return false;
  return true;
}

/// Debug sections carry nothing that is executed.
bool Parser::section() {
  take();
  if (!expect('{', "to open a section"))
    return false;
  while (!peek().is('}')) {
    if (peek().kind == TokenKind::End || peek().is('{'))
      return fail("section does not end");
    take();
  }
  take();
  return true;
}

bool Parser::parameterList(std::vector<Variable> &parameters) {
  if (!accept('('))
    return true;
  if (accept(')'))
    return true;
  do {
    if (acceptDotted("reg"))
      return fail("function parameters in registers are not supported, only "
                  "'.param'");
    if (!acceptDotted("param"))
      return fail("expects '.param', but got " + spelled(peek()));
    Variable parameter;
    if (!variable(Space::Param, false, parameter))
      return false;
    parameters.push_back(std::move(parameter));
  } while (accept(','));
  return expect(')', "after the parameters");
}

bool Parser::dimensions(uint32_t (&values)[3], const char *what) {
  values[0] = values[1] = values[2] = 1;
  for (unsigned i = 0; i < 3; ++i) {
    uint64_t value = 0;
    if (!expectInteger(value, what))
      return false;
    values[i] = value > UINT32_MAX ? UINT32_MAX : value;
    if (!accept(','))
      break;
  }
  return true;
}

bool Parser::tuningDirectives(Function &result) {
  while (peek().kind == TokenKind::Dotted) {
    uint64_t value = 0;
    if (acceptDotted("maxntid")) {
      if (!dimensions(result.maxThreads, "a number of threads"))
        return false;
    } else if (acceptDotted("reqntid")) {
      if (!dimensions(result.requiredThreads, "a number of threads"))
        return false;
    } else if (acceptDotted("reqnctapercluster")) {
      if (!dimensions(result.clusterBlocks, "a number of blocks"))
        return false;
    } else if (acceptDotted("maxclusterrank")) {
      if (!expectInteger(value, "a number of blocks"))
        return false;
    } else if (acceptDotted("maxnreg")) {
      if (!expectInteger(value, "a number of registers"))
        return false;
      result.maxRegisters = value;
    } else if (acceptDotted("minnctapersm") || acceptDotted("maxnctapersm")) {
      if (!expectInteger(value, "a number of blocks"))
        return false;
      result.minBlocks = value;
    } else if (acceptDotted("pragma")) {
      if (take().kind != TokenKind::String || !accept(';'))
        return fail("expects a string and ';' after '.pragma'");
    } else if (!acceptDotted("noreturn") && !acceptDotted("explicitcluster") &&
               !acceptDotted("blocksareclusters")) {
      return fail("unknown directive " + spelled(peek()) + " of a function");
    }
  }
  return true;
}

bool Parser::function(bool isEntry, Linkage link) {
  Function result;
  result.isEntry = isEntry;
  result.line = peek().line;
  if (!isEntry && peek().is('(') && !parameterList(result.results))
    return false;
  if (!expectName(result.name, "a function name") ||
      !parameterList(result.parameters) || !tuningDirectives(result))
    return false;
  if (const Function *other = module.find(result.name))
    if (other->isDefined && !peek().is(';'))
      return fail("function '" + result.name + "' is defined twice");
  if (accept(';')) {
    module.functions.push_back(std::move(result));
    return true;
  }
  if (link.isExtern)
    return fail("expects ';' after an extern function");
  result.isDefined = true;
  if (!body(result))
    return false;
  module.functions.push_back(std::move(result));
  return true;
}

Expected<ParsedModule> parseModule(std::string_view text,
                                   std::string_view file) {
  Expected<std::vector<Token>> tokens = tokenize(text, file);
  if (!tokens)
    return tokens.error();
  Parser parser(text, file, std::move(*tokens));
  ParsedModule module;
  if (!parser.parse(module))
    return parser.error;
  return module;
}

} // namespace mta::emulator

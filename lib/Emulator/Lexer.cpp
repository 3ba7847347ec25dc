//===- Lexer.cpp - Tokens of PTX text -------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"
#include <cstdlib>
#include <cstring>
#include <string>

namespace mta::emulator {

namespace {
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || c == '%';
}
bool isWord(char c) { return isWordStart(c) || isDigit(c); }

int digitValue(char c) {
  if (isDigit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

class Lexer {
public:
  Lexer(std::string_view text, std::string_view file)
      : text(text), file(file) {}

  Expected<std::vector<Token>> run();

private:
  char at(size_t index) const { return index < text.size() ? text[index] : 0; }
  bool fail(std::string message) {
    error = {std::string(file), line, std::move(message)};
    return false;
  }
  bool skipBlanks();
  bool next(Token &token);
  bool number(Token &token);
  bool hexFloat(Token &token, unsigned digits);
  bool digits(Token &token, unsigned base);
  bool string(Token &token);
  void finish(Token &token, TokenKind kind) {
    token.kind = kind;
    token.end = position;
    token.text = text.substr(token.begin, position - token.begin);
  }

  std::string_view text, file;
  size_t position = 0;
  unsigned line = 1;
  Error error;
};

/// Skips white space and comments; false on a comment that does not end.
bool Lexer::skipBlanks() {
  while (position < text.size()) {
    char c = text[position];
    if (c == '\n')
      ++line;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++position;
    } else if (c == '/' && at(position + 1) == '/') {
      while (position < text.size() && text[position] != '\n')
        ++position;
    } else if (c == '/' && at(position + 1) == '*') {
      size_t close = text.find("*/", position + 2);
      if (close == std::string_view::npos)
        return fail("comment does not end");
      for (; position < close + 2; ++position)
        line += text[position] == '\n';
    } else {
      break;
    }
  }
  return true;
}

bool Lexer::hexFloat(Token &token, unsigned count) {
  position += 2;
  uint64_t bits = 0;
  for (unsigned i = 0; i < count; ++i, ++position) {
    int digit = digitValue(at(position));
    if (digit == 16)
      return fail("expects " + std::to_string(count) +
                  " hexadecimal digits in a floating-point constant");
    bits = bits << 4 | digit;
  }
  token.bits = bits;
  finish(token, count == 8 ? TokenKind::Float32 : TokenKind::Float64);
  return true;
}

bool Lexer::digits(Token &token, unsigned base) {
  uint64_t value = 0;
  size_t first = position;
  for (; digitValue(at(position)) < int(base); ++position) {
    uint64_t digit = digitValue(at(position));
    if (value > (UINT64_MAX - digit) / base)
      return fail("integer constant does not fit in 64 bits");
    value = value * base + digit;
  }
  if (position == first)
    return fail("expects digits in an integer constant");
  if (at(position) == 'U')
    ++position;
  if (isWord(at(position)))
    return fail("unexpected '" + std::string(1, at(position)) +
                "' in a constant");
  token.bits = value;
  finish(token, TokenKind::Integer);
  return true;
}

bool Lexer::number(Token &token) {
  char c = at(position), d = at(position + 1);
  if (c == '0' && (d == 'f' || d == 'F'))
    return hexFloat(token, 8);
  if (c == '0' && (d == 'd' || d == 'D'))
    return hexFloat(token, 16);
  if (c == '0' && (d == 'x' || d == 'X')) {
    position += 2;
    return digits(token, 16);
  }
  if (c == '0' && (d == 'b' || d == 'B')) {
    position += 2;
    return digits(token, 2);
  }
  size_t end = position;
  while (isDigit(at(end)))
    ++end;
  bool decimal = at(end) == '.' && isDigit(at(end + 1));
  if (!decimal)
    return digits(token, c == '0' && isDigit(d) ? 8 : 10);
  for (++end; isDigit(at(end));)
    ++end;
  if (at(end) == 'e' || at(end) == 'E') {
    ++end;
    end += at(end) == '-' || at(end) == '+';
    while (isDigit(at(end)))
      ++end;
  }
  double value = std::strtod(
      std::string(text.substr(position, end - position)).c_str(), nullptr);
  std::memcpy(&token.bits, &value, sizeof value);
  position = end;
  finish(token, TokenKind::Float64);
  return true;
}

bool Lexer::string(Token &token) {
  size_t close = ++position;
  while (close < text.size() && text[close] != '"' && text[close] != '\n')
    close += text[close] == '\\' ? 2 : 1;
  if (at(close) != '"')
    return fail("string does not end");
  token.begin = position;
  position = close;
  finish(token, TokenKind::String);
  ++position;
  return true;
}

bool Lexer::next(Token &token) {
  size_t before = position;
  if (!skipBlanks())
    return false;
  token.adjacent = before == position;
  token.line = line;
  token.begin = position;
  if (position >= text.size()) {
    finish(token, TokenKind::End);
    return true;
  }
  char c = text[position];
  if (isWordStart(c)) {
    ++position;
    while (isWord(at(position)))
      ++position;
    finish(token, TokenKind::Identifier);
    return true;
  }
  if (isDigit(c))
    return number(token);
  if (c == '"')
    return string(token);
  if (c == '.' && isWord(at(position + 1))) {
    token.begin = ++position;
    while (isWord(at(position)) ||
           (at(position) == ':' && at(position + 1) == ':'))
      position += at(position) == ':' ? 2 : 1;
    finish(token, TokenKind::Dotted);
    return true;
  }
  if (std::strchr(",;:[]{}()<>@!+-|=*/&~^", c) && c) {
    ++position;
    finish(token, TokenKind::Punctuation);
    return true;
  }
  if (c < 0x20 || c > 0x7e)
    return fail("unexpected byte " + std::to_string(uint8_t(c)));
  return fail("unexpected character '" + std::string(1, c) + "'");
}

Expected<std::vector<Token>> Lexer::run() {
  std::vector<Token> tokens;
  if (text.size() >= UINT32_MAX)
    return Error{std::string(file), 0, "expects less than 4 GiB of PTX"};
  // nvcc and LLVM end their output with one NUL at times.
  while (!text.empty() && text.back() == '\0')
    text.remove_suffix(1);
  do {
    tokens.emplace_back();
    if (!next(tokens.back()))
      return error;
  } while (tokens.back().kind != TokenKind::End);
  return tokens;
}
} // namespace

Expected<std::vector<Token>> tokenize(std::string_view text,
                                      std::string_view file) {
  return Lexer(text, file).run();
}

} // namespace mta::emulator

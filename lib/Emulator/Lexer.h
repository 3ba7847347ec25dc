//===- Lexer.h - Tokens of PTX text -----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_LEXER_H
#define MTA_LIB_EMULATOR_LEXER_H

#include "mta/Emulator/Error.h"
#include <cstdint>
#include <string_view>
#include <vector>

namespace mta::emulator {

enum class TokenKind : uint8_t {
  End,
  Identifier, // name, %name, $name, _
  Dotted,     // .name, .L2::128B; text excludes the first dot
  Integer,    // value in `bits`
  Float32,    // 0f…, value in `bits`
  Float64,    // 0d… or decimal, value in `bits`
  String,     // text excludes the quotes
  Punctuation,
};

struct Token {
  TokenKind kind = TokenKind::End;
  /// No white space between this token and the one before.
  bool adjacent = false;
  unsigned line = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint64_t bits = 0;
  std::string_view text;

  bool is(char punctuation) const {
    return kind == TokenKind::Punctuation && text[0] == punctuation;
  }
};

/// Splits `text` into tokens, the last of kind End. The tokens refer to `text`.
Expected<std::vector<Token>> tokenize(std::string_view text,
                                      std::string_view file);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_LEXER_H

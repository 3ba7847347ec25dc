//===- JsonWriter.h - Writing JSON ------------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_JSONWRITER_H
#define MTA_LIB_EMULATOR_JSONWRITER_H

#include <cstdint>
#include <cstdio>
#include <string>

namespace mta::emulator {

/// Writes JSON in the order of the calls, indented by two spaces.
class JsonWriter {
public:
  void beginObject(const char *key = nullptr) { open(key, '{'); }
  void endObject() { close('}'); }
  void beginArray(const char *key = nullptr) { open(key, '['); }
  void endArray() { close(']'); }
  void field(const char *key, uint64_t value) {
    start(key);
    out += std::to_string(value);
  }
  void field(const char *key, double value) {
    start(key);
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6g", value);
    out += buffer;
  }
  void field(const char *key, const std::string &value) {
    start(key);
    quote(value);
  }
  void flag(const char *key, bool value) {
    start(key);
    out += value ? "true" : "false";
  }
  const std::string &text() const { return out; }

private:
  void start(const char *key) {
    if (!isFirst)
      out += ',';
    if (depth)
      out += '\n' + std::string(2 * depth, ' ');
    isFirst = false;
    if (!key)
      return;
    quote(key);
    out += ": ";
  }
  void open(const char *key, char bracket) {
    start(key);
    out += bracket;
    ++depth;
    isFirst = true;
  }
  void close(char bracket) {
    --depth;
    if (!isFirst)
      out += '\n' + std::string(2 * depth, ' ');
    out += bracket;
    isFirst = false;
  }
  void quote(const std::string &value) {
    out += '"';
    for (char c : value) {
      if (c == '"' || c == '\\')
        out += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        char buffer[8];
        std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
        out += buffer;
      } else {
        out += c;
      }
    }
    out += '"';
  }

  std::string out;
  unsigned depth = 0;
  bool isFirst = true;
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_JSONWRITER_H

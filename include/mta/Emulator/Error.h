//===- Error.h - Errors of the PTX emulator ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The emulator reports through values, not exceptions: a function that can fail
// returns Expected<T> or fills an Error. An Error names the file and line it is
// about when there is one.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_ERROR_H
#define MTA_EMULATOR_ERROR_H

#include <string>
#include <utility>
#include <variant>

namespace mta::emulator {

/// What went wrong, and where. `line` is 0 when no line of text is to blame.
struct Error {
  std::string file;
  unsigned line = 0;
  std::string message;

  /// "file:line: error: message", leaving out what is not known.
  std::string str() const {
    std::string text = file;
    if (line)
      text += ":" + std::to_string(line);
    return (text.empty() ? "" : text + ": ") + "error: " + message;
  }
};

/// A value or the Error that prevented it.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : storage(std::move(value)) {}
  Expected(Error error) : storage(std::move(error)) {}

  explicit operator bool() const { return storage.index() == 0; }
  T &operator*() { return std::get<0>(storage); }
  const T &operator*() const { return std::get<0>(storage); }
  T *operator->() { return &std::get<0>(storage); }
  const T *operator->() const { return &std::get<0>(storage); }
  const Error &error() const { return std::get<1>(storage); }

private:
  std::variant<T, Error> storage;
};

} // namespace mta::emulator

#endif // MTA_EMULATOR_ERROR_H

//===- Template.cpp - Texts with places for others --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Template.h"

#include "llvm/ADT/StringExtras.h"

using namespace mta;
using llvm::StringRef;

// Made by CMakeLists.txt from the files in Templates.
const llvm::StringLiteral bundle::launcherTemplate =
#include "kernel.c.inc"
    ;
const llvm::StringLiteral bundle::headerTemplate =
#include "kernel.h.inc"
    ;
const llvm::StringLiteral bundle::readmeTemplate =
#include "README.txt.inc"
    ;

std::string bundle::fillTemplate(StringRef text,
                                 const llvm::StringMap<std::string> &values) {
  std::string result;
  while (true) {
    auto [before, after] = text.split('@');
    result += before;
    if (after.empty())
      return result;
    auto [name, rest] = after.split('@');
    auto value = values.find(name);
    assert(value != values.end() && "a place without a value");
    result += value->second;
    text = rest;
  }
}

std::string bundle::joinLines(llvm::ArrayRef<std::string> items, size_t column,
                              size_t indent) {
  std::string text;
  for (const std::string &item : items) {
    // A blank before it, a comma or what ends the list after it.
    bool isFirst = &item == items.begin();
    if (!isFirst && column + 1 + item.size() + 3 > 80) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!isFirst) {
      text += " ";
      ++column;
    }
    text += item;
    column += item.size();
    if (&item != &items.back())
      text += ",", ++column;
  }
  return text;
}

//===- CHeader.cpp - Functions for C programs -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/CHeader.h"

#include "mta/Version.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mta;
using llvm::ArrayRef;
using llvm::StringRef;

// ISO/IEC 9899:2011, 6.4.1, ISO/IEC 14882:2017, 5.11 and 5.5, the keywords of
// C++20 and C23, and macros of <stdint.h>'s neighbours that are plain words.
static const char *const reservedWords[] = {"alignas",     "alignof",
                                            "and",         "and_eq",
                                            "asm",         "auto",
                                            "bitand",      "bitor",
                                            "bool",        "break",
                                            "case",        "catch",
                                            "char",        "char8_t",
                                            "char16_t",    "char32_t",
                                            "class",       "co_await",
                                            "co_return",   "co_yield",
                                            "compl",       "concept",
                                            "const",       "const_cast",
                                            "consteval",   "constexpr",
                                            "constinit",   "continue",
                                            "decltype",    "default",
                                            "delete",      "do",
                                            "double",      "dynamic_cast",
                                            "else",        "enum",
                                            "explicit",    "export",
                                            "extern",      "false",
                                            "float",       "for",
                                            "friend",      "goto",
                                            "if",          "inline",
                                            "int",         "linux",
                                            "long",        "mutable",
                                            "namespace",   "new",
                                            "noexcept",    "not",
                                            "not_eq",      "nullptr",
                                            "operator",    "or",
                                            "or_eq",       "private",
                                            "protected",   "public",
                                            "register",    "reinterpret_cast",
                                            "requires",    "restrict",
                                            "return",      "short",
                                            "signed",      "sizeof",
                                            "static",      "static_assert",
                                            "static_cast", "struct",
                                            "switch",      "template",
                                            "this",        "thread_local",
                                            "throw",       "true",
                                            "try",         "typedef",
                                            "typeid",      "typename",
                                            "typeof",      "typeof_unqual",
                                            "union",       "unix",
                                            "unsigned",    "using",
                                            "virtual",     "void",
                                            "volatile",    "wchar_t",
                                            "while",       "xor",
                                            "xor_eq"};

bool mta::isCIdentifier(StringRef name) {
  static const llvm::StringSet<> reserved = [] {
    llvm::StringSet<> words;
    for (const char *word : reservedWords)
      words.insert(word);
    return words;
  }();
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  // A leading underscore belongs to the implementation, two anywhere to that
  // of C++.
  return !name.empty() && llvm::isAlpha(name.front()) &&
         llvm::all_of(name, isWord) && !name.contains("__") &&
         !reserved.contains(name);
}

static std::string text(const CFunction &function, const CExtent &extent) {
  if (extent.isConstant())
    return std::to_string(extent.offset);
  std::string name = function.sizes[extent.parameter].name;
  if (extent.factor != 1)
    name = std::to_string(extent.factor) + " * " + name;
  if (extent.offset > 0)
    name += " + " + std::to_string(extent.offset);
  if (extent.offset < 0)
    name += " - " + std::to_string(-extent.offset);
  return name;
}

static std::string product(const CFunction &function,
                           ArrayRef<CExtent> extents) {
  return llvm::join(
      llvm::map_range(extents,
                      [&](const CExtent &e) { return text(function, e); }),
      " * ");
}

static void writeParameter(llvm::raw_ostream &os, const CFunction &function,
                           const CParameter &parameter) {
  os << "//   " << parameter.name;
  for (const CExtent &extent : parameter.shape)
    os << "[" << text(function, extent) << "]";
  os << ": " << parameter.sourceType << (parameter.isInput ? "" : ", written");
  if (!parameter.note.empty())
    os << "; " << parameter.note;
  os << "\n";
}

static void writeSizes(llvm::raw_ostream &os, const CFunction &function) {
  if (!function.sizes.empty()) {
    os << "// Sizes, at least 0:";
    for (const auto &[index, size] : llvm::enumerate(function.sizes))
      os << (index ? ", " : " ") << size.name;
    os << ".\n";
  }
  for (const CCondition &condition : function.conditions) {
    os << "// Expects " << text(function, condition.left);
    switch (condition.kind) {
    case CCondition::Kind::Equal:
      os << " = ";
      break;
    case CCondition::Kind::AtLeast:
      os << " >= ";
      break;
    case CCondition::Kind::MultipleOf:
      os << " to be a multiple of ";
      break;
    }
    os << product(function, condition.right) << ".\n";
  }
}

/// The declaration, one parameter on a line.
static void writeDeclaration(llvm::raw_ostream &os, const CFunction &function) {
  std::vector<std::string> parameters;
  for (const CParameter &argument : function.arguments)
    parameters.push_back((argument.isArray ? "const " : "") + argument.type +
                         (argument.isArray ? " *" : " ") + argument.name);
  for (const CParameter &result : function.results)
    parameters.push_back(result.type + " *" + result.name);
  for (const CSize &size : function.sizes)
    parameters.push_back("int64_t " + size.name);
  if (parameters.empty())
    parameters.push_back("void");
  std::string indent(function.name.size() + 5, ' ');
  os << "int " << function.name << "(" << llvm::join(parameters, ",\n" + indent)
     << ");\n";
}

static void writeFunction(llvm::raw_ostream &os, const CFunction &function) {
  os << "\n// " << function.name << "\n//\n";
  for (const CParameter &argument : function.arguments)
    writeParameter(os, function, argument);
  for (const CParameter &result : function.results)
    writeParameter(os, function, result);
  if (!function.sizes.empty() || !function.conditions.empty())
    os << "//\n";
  writeSizes(os, function);
  writeDeclaration(os, function);
}

static constexpr llvm::StringLiteral conventions = R"(//
// Arrays are the caller's and contiguous, the last dimension varying fastest:
// element [i][j] of an array[m][n] is at index i * n + j. They need no more
// alignment than their elements. What is written must not overlap with another
// array. After "name[sizes]:" stands the compiler's type. Dimensions that are
// parameters of one name are equal; a parameter means as many elements.
//
// Functions return MTA_KERNEL_SUCCESS or a negative MtaKernelStatus; they end
// no program and print nothing. On a bad size or a null pointer nothing is
// written. An array without elements may be a null pointer. Functions keep no
// state: any number of threads may call them at the same time.
)";

static constexpr llvm::StringLiteral definitions = R"(
#ifndef MTA_KERNEL_TYPES
#define MTA_KERNEL_TYPES

// The bits of an f16, a binary16 number of IEEE 754.
typedef uint16_t MtaF16;
// The bits of a bf16, the upper half of those of a float.
typedef uint16_t MtaBF16;

enum MtaKernelStatus {
  MTA_KERNEL_SUCCESS = 0,
  // A size is negative, breaks a condition, or makes an array of 2^47 bytes.
  MTA_KERNEL_BAD_SIZE = -1,
  // An array that has elements is a null pointer.
  MTA_KERNEL_NULL_POINTER = -2,
  // No memory for what is computed on the way; results are unspecified.
  MTA_KERNEL_OUT_OF_MEMORY = -3
};

#endif // MTA_KERNEL_TYPES
)";

std::string mta::writeCHeader(ArrayRef<CFunction> functions, StringRef machine,
                              bool needsOpenMP) {
  std::string result;
  llvm::raw_string_ostream os(result);
  std::string guard = "MTA_KERNEL_" + functions.front().name + "_H";
  os << "// Made by the MTA compiler " << MTA_VERSION << " for the processor "
     << machine << ".\n// Link with the math library (-lm)"
     << (needsOpenMP ? " and LLVM's OpenMP library (libomp.so.5)" : "") << ".\n"
     << conventions << "\n#ifndef " << guard << "\n#define " << guard
     << "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n"
     << "#endif\n"
     << definitions;
  for (const CFunction &function : functions)
    writeFunction(os, function);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif // " << guard << "\n";
  return result;
}

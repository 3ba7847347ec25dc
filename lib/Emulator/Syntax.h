//===- Syntax.h - Parsed PTX, before decoding -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the parser makes of the text, one structure per construct. Names are
// resolved where scopes matter (registers and labels live in the scope that
// declares them), everything else waits for the decoder.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_SYNTAX_H
#define MTA_LIB_EMULATOR_SYNTAX_H

#include "Types.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mta::emulator {

/// A `.loc`: the source line that the following instructions come from.
struct SourceLocation {
  unsigned file = 0;
  unsigned line = 0;
};

/// A register of a function; `.reg .b32 %r<9>` declares nine.
struct RegisterDecl {
  std::string name;
  Type type = Type::None;
};

/// A variable in a state space, or a parameter.
struct Variable {
  struct Initializer {
    uint64_t bits = 0;
    bool isFloat = false;
    /// A double; in an .f32 variable it is rounded.
    bool isDouble = false;
    /// The variable whose address is added, and whether it is wanted generic.
    std::string symbol;
    bool generic = false;
  };

  std::string name;
  Space space = Space::Global;
  Type type = Type::None;
  unsigned line = 0;
  uint32_t align = 1;
  uint64_t count = 1; // of elements, vectors and all dimensions included
  bool isArray = false;
  bool isExtern = false;
  bool unsized = false;
  bool isPointer = false;
  std::vector<Initializer> initializers;

  uint64_t bytes() const { return count * typeBytes(type); }
};

struct Operand {
  enum class Kind : uint8_t {
    Register, // index: register of the function; negated: !p
    Special,  // name: "tid.x"
    Integer,  // bits
    Float32,  // bits
    Float64,  // bits
    Symbol,   // name + offset: variable, function or label
    Address,  // [elements[0] + offset], further elements are coordinates
    Vector,   // {elements…}
    Group,    // (elements…) of a call
    Sink,     // _
  };

  Kind kind = Kind::Sink;
  bool negated = false;
  uint32_t index = 0;
  int64_t offset = 0;
  uint64_t bits = 0;
  std::string name;
  std::vector<Operand> elements;
  /// The second destination of `p|q`.
  std::shared_ptr<Operand> second;
};

struct Statement {
  std::string opcode;
  std::vector<std::string> modifiers;
  std::vector<Operand> operands;
  int32_t guard = -1; // register index
  bool guardNegated = false;
  unsigned line = 0;
  uint32_t scope = 0; // in Function::scopeParents
  SourceLocation location;
  /// The text, for messages.
  std::string text;
};

struct Function {
  std::string name;
  bool isEntry = false;
  bool isDefined = false;
  unsigned line = 0;
  std::vector<Variable> parameters;
  std::vector<Variable> results;
  std::vector<RegisterDecl> registers;
  /// Variables of all scopes; names made unique as "name" or "name@scope".
  std::vector<Variable> variables;
  std::vector<Statement> statements;
  /// Label, in the scope that defines it, to the index of the statement after.
  std::map<std::pair<uint32_t, std::string>, uint32_t> labels;
  /// The scope around each scope; scope 0 is the body, and its own parent.
  std::vector<uint32_t> scopeParents;
  /// `.branchtargets` lists by label.
  std::map<std::string, std::vector<std::string>> branchTargets;
  uint32_t maxThreads[3] = {0, 0, 0};
  uint32_t requiredThreads[3] = {0, 0, 0};
  uint32_t clusterBlocks[3] = {0, 0, 0};
  uint32_t maxRegisters = 0;
  uint32_t minBlocks = 0;

  /// The statement that a label means in a scope; false if there is none.
  bool findLabel(const std::string &label, uint32_t scope,
                 uint32_t &target) const {
    while (true) {
      auto found = labels.find({scope, label});
      if (found != labels.end()) {
        target = found->second;
        return true;
      }
      if (!scope)
        return false;
      scope = scopeParents[scope];
    }
  }
};

struct ParsedModule {
  std::string file;
  unsigned versionMajor = 0, versionMinor = 0;
  unsigned target = 0;    // 80 for sm_80
  std::string targetName; // with its suffix: "sm_90a"
  unsigned addressSize = 64;
  std::map<unsigned, std::string> files;
  std::vector<Variable> variables;
  std::vector<Function> functions;

  const Function *find(const std::string &name) const {
    const Function *found = nullptr;
    for (const Function &function : functions)
      if (function.name == name && (!found || function.isDefined))
        found = &function;
    return found;
  }
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_SYNTAX_H

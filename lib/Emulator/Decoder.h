//===- Decoder.h - Decoding one instruction ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instruction family registers a decode function per opcode. It consumes the
// modifiers in the order the PTX ISA gives them, then the operands, and fills
// the Instruction. Errors are sticky: after the first, every method returns
// something harmless, and the driver reports the error.
//
//   void decodeExample(Decoder &d) {
//     bool ftz = d.accept("ftz");
//     Type type = d.expectType({Type::F32});
//     d.destination(type);
//     d.source(type);
//     d.finish(Class::Float32, handler);
//   }
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_DECODER_H
#define MTA_LIB_EMULATOR_DECODER_H

#include "Instruction.h"
#include "mta/Emulator/Error.h"
#include <initializer_list>
#include <map>
#include <tuple>
#include <unordered_map>

namespace mta::emulator {

/// Where a variable lives.
struct SymbolAddress {
  Space space = Space::Generic;
  uint64_t address = 0;
  uint64_t bytes = 0;
};

class ModuleStorage;
class Decoder;
using DecodeFunction = void (*)(Decoder &);

/// Which of the decode functions of an opcode is meant, by its last type.
enum class Domain : uint8_t { Any, Integer, Float, Half };

/// All opcodes that are known.
class InstructionTable {
public:
  void add(const char *opcode, Domain domain, DecodeFunction decode) {
    entries.emplace(opcode, Entry{domain, decode});
  }
  /// The decode function for a statement, or null.
  DecodeFunction find(const Statement &statement) const;
  /// The table for this machine's instruction set.
  static const InstructionTable &get();

private:
  struct Entry {
    Domain domain;
    DecodeFunction decode;
  };
  std::unordered_multimap<std::string, Entry> entries;
};

/// Rows and symbols of the function being decoded.
struct FunctionFrame {
  const Function *function = nullptr;
  uint32_t basePc = 0;
  std::vector<uint32_t> rows; // by register
  uint32_t firstRegister = 0; // index of its registers in the program
  std::unordered_map<std::string, SymbolAddress> symbols;
};

/// Registers that an instruction reads and writes, by program-wide index.
struct RegisterUses {
  std::vector<uint32_t> reads, writes;
  bool isMove = false;
  /// A wgmma: its accumulators are read where `accumulates` holds, a predicate
  /// and the bits to flip in it.
  bool isWgmma = false;
  std::vector<uint32_t> accumulators, factors;
  uint32_t accumulates = 0, accumulatesFlip = 0;
};

class Decoder {
public:
  Decoder(Program &program,
          const std::unordered_map<std::string, SymbolAddress> &globals)
      : program(program), globals(globals) {
    program.truePredicate = constantRow(~uint64_t(0), 0, 4);
  }

  /// Decodes `statement` into the next instruction of the program.
  bool decode(const FunctionFrame &frame, const Statement &statement);

  // Modifiers.
  /// Consumes the next modifier if it is `name`.
  bool accept(std::string_view name);
  /// Consumes the next modifier if it is one of `names`; its index or -1.
  int acceptAny(std::initializer_list<const char *> names);
  /// Consumes the next modifier, which has to be `name`.
  void expect(std::string_view name);
  /// Consumes the next modifier, which has to be one of `names`.
  int expectAny(std::initializer_list<const char *> names);
  /// Consumes a type, which has to be one of `types`.
  Type expectType(std::initializer_list<Type> types);
  Type anyType();
  /// The next modifier, "" if there is none.
  std::string_view nextModifier() const;

  // Operands. Each call consumes one and appends its row to the instruction.
  size_t operandsLeft() const;
  const Operand *nextOperand() const;
  void destination(Type type);
  /// A destination whose register may be wider; returns bytes of its cell.
  unsigned wideDestination(Type type);
  void source(Type type);
  /// A source whose register may be wider; returns bytes of its cell.
  unsigned wideSource(Type type);
  /// A predicate source; returns all ones if it is negated.
  uint32_t predicateSource();
  /// A predicate destination, or `p|q`, the second a spare row if absent.
  void predicateDestinations(bool allowSecond);
  /// [address] in `space`; fills offset, addressCell, space.
  void address(Space space);
  /// {a, b, …} or a single operand, which stands for a vector of one.
  void destinationVector(Type type, unsigned count);
  void sourceVector(Type type, unsigned count);
  /// A constant known now.
  int64_t immediate(int64_t low, int64_t high, const char *what);
  void label();
  /// Appends a constant row.
  void constantOperand(uint64_t bits, unsigned cell);
  /// Appends the row of a constant, a register or a spare as is.
  void append(uint32_t offset) { operands.push_back(offset); }
  uint32_t lastOperand() const {
    return operands.empty() ? 0 : operands.back();
  }
  /// Takes the next operand off without meaning.
  const Operand *takeOperand();
  void pushSource(const Operand &operand, Type type, unsigned *wideCell);
  void pushDestination(const Operand &operand, Type type, unsigned *wideCell);

  // Requirements.
  /// Refuses the instruction unless the target and PTX version have it.
  void require(unsigned target, unsigned versionMajor, unsigned versionMinor,
               const char *what);
  unsigned target() const { return program.module->target; }
  /// Refuses the instruction unless the target has the features of sm_90a.
  void requireArchitecture(const char *what);
  void fail(const std::string &message);
  bool failed() const { return !error.message.empty(); }

  /// Sets class and handler and checks that nothing is left over.
  void finish(Class cls, Handler handler);

  Instruction inst;
  RegisterUses uses;
  Error error;
  Program &program;
  /// The functions that are decoded already, callees before callers.
  std::map<std::string, FunctionFrame> functions;
  const FunctionFrame *frame = nullptr;
  const Statement *statement = nullptr;

  uint32_t newRow(unsigned cell);
  uint32_t constantRow(uint64_t low, uint64_t high, unsigned cell);
  uint32_t predicateRow(bool value);
  bool symbol(const std::string &name, SymbolAddress &result) const;
  uint32_t specialRow(const std::string &name, Type type);
  const RegisterDecl &declaration(uint32_t index) const {
    return frame->function->registers[index];
  }

private:
  uint64_t constantBits(const Operand &operand, Type type);

  const std::unordered_map<std::string, SymbolAddress> &globals;
  std::vector<uint32_t> operands;
  size_t modifierCursor = 0, operandCursor = 0;
  std::map<std::tuple<uint64_t, uint64_t, unsigned>, uint32_t> constants;
  std::map<std::string, uint32_t> specials;
  std::map<unsigned, uint32_t> sinks;
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_DECODER_H

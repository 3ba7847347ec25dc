//===- Operands.cpp - Decoding operands -----------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"
#include <cstring>

namespace mta::emulator {

size_t Decoder::operandsLeft() const {
  return statement->operands.size() - operandCursor;
}

const Operand *Decoder::nextOperand() const {
  return operandsLeft() ? &statement->operands[operandCursor] : nullptr;
}

const Operand *Decoder::takeOperand() {
  if (!operandsLeft()) {
    fail("expects more than " + std::to_string(operandCursor) + " operands");
    return nullptr;
  }
  return &statement->operands[operandCursor++];
}

uint32_t Decoder::newRow(unsigned cell) {
  uint32_t offset = (program.registerBytes + 31) & ~31u;
  program.registerBytes = offset + WarpSize * cell;
  return offset;
}

uint32_t Decoder::constantRow(uint64_t low, uint64_t high, unsigned cell) {
  if (cell < 8)
    low &= (uint64_t(1) << (8 * cell)) - 1;
  auto [it, isNew] = constants.emplace(std::make_tuple(low, high, cell), 0);
  if (isNew) {
    it->second = newRow(cell);
    program.constants.push_back({it->second, cell, {low, high}});
  }
  return it->second;
}

/// Predicates are masks of one word, so a constant one is a row of one word.
uint32_t Decoder::predicateRow(bool value) {
  return value ? program.truePredicate : constantRow(0, 0, 4);
}

void Decoder::constantOperand(uint64_t bits, unsigned cell) {
  append(constantRow(bits, 0, cell));
}

bool Decoder::symbol(const std::string &name, SymbolAddress &result) const {
  auto local = frame->symbols.find(name);
  if (local != frame->symbols.end()) {
    result = local->second;
    return true;
  }
  auto global = globals.find(name);
  if (global == globals.end())
    return false;
  result = global->second;
  return true;
}

namespace {
/// The special registers (PTX ISA 10) whose value is fixed for a block.
unsigned specialBits(const std::string &name) {
  for (const char *vector :
       {"tid.", "ntid.", "ctaid.", "nctaid.", "clusterid.", "nclusterid.",
        "cluster_ctaid.", "cluster_nctaid."})
    if (name.rfind(vector, 0) == 0) {
      std::string rest = name.substr(std::strlen(vector));
      return rest == "x" || rest == "y" || rest == "z" ? 32 : 0;
    }
  for (const char *word :
       {"laneid", "warpid", "nwarpid", "smid", "nsmid", "lanemask_eq",
        "lanemask_le", "lanemask_lt", "lanemask_ge", "lanemask_gt",
        "dynamic_smem_size", "total_smem_size", "cluster_ctarank",
        "cluster_nctarank"})
    if (name == word)
      return 32;
  return name == "gridid" ? 64 : 0;
}
} // namespace

uint32_t Decoder::specialRow(const std::string &name, Type type) {
  unsigned bits = specialBits(name);
  if (!bits) {
    fail("unknown register '%" + name + "'");
    return 0;
  }
  if (typeBits(type) != bits) {
    fail("expects a " + std::to_string(typeBits(type)) +
         "-bit operand, but got '%" + name + "'");
    return 0;
  }
  auto [it, isNew] = specials.emplace(name, 0);
  if (isNew) {
    it->second = newRow(bits / 8);
    program.specials.push_back({name, it->second, bits / 8});
  }
  return it->second;
}

/// The bits of a constant as `type`; integers wrap as in ptxas.
uint64_t Decoder::constantBits(const Operand &operand, Type type) {
  bool isFloatType = type == Type::F32 || type == Type::F64;
  switch (operand.kind) {
  case Operand::Kind::Integer:
    if (isFloat(type) && type != Type::F16 && type != Type::BF16 &&
        type != Type::F16x2 && type != Type::BF16x2)
      fail("expects a floating-point constant, but got an integer");
    return operand.bits;
  case Operand::Kind::Float32:
    if (type != Type::F32 && !(isBits(type) && typeBits(type) == 32))
      fail("expects a ." + std::string(typeName(type)) +
           " constant, but got a single-precision one");
    return operand.bits;
  case Operand::Kind::Float64: {
    if (!isFloatType && !(isBits(type) && typeBits(type) == 64))
      fail("expects a ." + std::string(typeName(type)) +
           " constant, but got a double-precision one");
    if (type != Type::F32)
      return operand.bits;
    double value;
    std::memcpy(&value, &operand.bits, sizeof value);
    float rounded = float(value);
    uint32_t bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    return bits;
  }
  default:
    return 0;
  }
}

void Decoder::pushSource(const Operand &operand, Type type,
                         unsigned *wideCell) {
  unsigned cell = typeBytes(type);
  if (wideCell)
    *wideCell = cell;
  if (operand.second)
    return fail("expects one source, but got two separated by '|'");
  switch (operand.kind) {
  case Operand::Kind::Register: {
    const RegisterDecl &reg = declaration(operand.index);
    unsigned bits = typeBits(reg.type);
    bool fits = wideCell ? bits >= typeBits(type) : bits == typeBits(type);
    if ((reg.type == Type::Pred) != (type == Type::Pred) || !fits)
      fail("expects a ." + std::string(typeName(type)) +
           " operand, but register '" + reg.name + "' is ." +
           std::string(typeName(reg.type)));
    if (wideCell)
      *wideCell = bits / 8;
    uses.reads.push_back(frame->firstRegister + operand.index);
    append(frame->rows[operand.index]);
    return;
  }
  case Operand::Kind::Special:
    append(specialRow(operand.name, type));
    return;
  case Operand::Kind::Integer:
  case Operand::Kind::Float32:
  case Operand::Kind::Float64:
    if (type == Type::Pred)
      append(predicateRow(operand.bits != 0));
    else
      append(constantRow(constantBits(operand, type), 0, cell));
    return;
  case Operand::Kind::Symbol: {
    SymbolAddress address;
    if (!symbol(operand.name, address))
      return fail("unknown name '" + operand.name + "'");
    bool narrow =
        address.space != Space::Global && address.space != Space::Const;
    if (cell != 8 && !(cell == 4 && narrow))
      return fail("the address of '" + operand.name + "' does not fit in a ." +
                  std::string(typeName(type)) + " operand");
    append(constantRow(address.address + operand.offset, 0, cell));
    return;
  }
  default:
    fail("expects a ." + std::string(typeName(type)) +
         " register or constant as operand " + std::to_string(operandCursor));
  }
}

void Decoder::pushDestination(const Operand &operand, Type type,
                              unsigned *wideCell) {
  unsigned cell = type == Type::Pred ? 4 : typeBytes(type);
  if (wideCell)
    *wideCell = cell;
  if (operand.kind == Operand::Kind::Sink) {
    auto [it, isNew] = sinks.emplace(cell, 0);
    if (isNew)
      it->second = newRow(cell);
    append(it->second);
    return;
  }
  if (operand.kind != Operand::Kind::Register || operand.negated) {
    fail("expects a register as destination");
    return;
  }
  const RegisterDecl &reg = declaration(operand.index);
  unsigned bits = typeBits(reg.type);
  bool fits = wideCell ? bits >= typeBits(type) : bits == typeBits(type);
  if ((reg.type == Type::Pred) != (type == Type::Pred) || !fits)
    fail("expects a ." + std::string(typeName(type)) +
         " destination, but register '" + reg.name + "' is ." +
         std::string(typeName(reg.type)));
  if (wideCell)
    *wideCell = bits / 8;
  uses.writes.push_back(frame->firstRegister + operand.index);
  append(frame->rows[operand.index]);
}

void Decoder::destination(Type type) {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  if (operand->second)
    return fail("expects one destination, but got two separated by '|'");
  pushDestination(*operand, type, nullptr);
}

unsigned Decoder::wideDestination(Type type) {
  unsigned cell = typeBytes(type);
  if (const Operand *operand = takeOperand())
    pushDestination(*operand, type, &cell);
  return cell;
}

void Decoder::source(Type type) {
  if (const Operand *operand = takeOperand()) {
    if (operand->negated)
      fail("expects an operand without '!'");
    pushSource(*operand, type, nullptr);
  }
}

unsigned Decoder::wideSource(Type type) {
  unsigned cell = typeBytes(type);
  if (const Operand *operand = takeOperand())
    pushSource(*operand, type, &cell);
  return cell;
}

uint32_t Decoder::predicateSource() {
  const Operand *operand = takeOperand();
  if (!operand)
    return 0;
  pushSource(*operand, Type::Pred, nullptr);
  return operand->negated ? AllLanes : 0;
}

void Decoder::predicateDestinations(bool allowSecond) {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  pushDestination(*operand, Type::Pred, nullptr);
  if (operand->second && !allowSecond)
    return fail("expects one destination predicate");
  if (allowSecond)
    pushDestination(operand->second ? *operand->second : Operand(), Type::Pred,
                    nullptr);
}

void Decoder::address(Space space) {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  inst.space = space;
  if (operand->kind != Operand::Kind::Address || operand->elements.size() != 1)
    return fail("expects an address in brackets");
  const Operand &base = operand->elements[0];
  inst.offset = operand->offset;
  inst.addressCell = 8;
  switch (base.kind) {
  case Operand::Kind::Register: {
    unsigned bits = typeBits(declaration(base.index).type);
    bool narrow = space == Space::Shared || space == Space::Local ||
                  space == Space::Param;
    if (bits != 64 && !(bits == 32 && narrow))
      return fail("expects a 64-bit address register, but '" +
                  declaration(base.index).name + "' has " +
                  std::to_string(bits) + " bits");
    inst.addressCell = bits / 8;
    uses.reads.push_back(frame->firstRegister + base.index);
    append(frame->rows[base.index]);
    return;
  }
  case Operand::Kind::Integer:
    append(constantRow(base.bits, 0, 8));
    return;
  case Operand::Kind::Symbol: {
    SymbolAddress address;
    if (!symbol(base.name, address))
      return fail("unknown name '" + base.name + "'");
    bool allowed =
        address.space == space ||
        (space == Space::Generic &&
         (address.space == Space::Global || address.space == Space::Const));
    if (!allowed)
      return fail("'" + base.name + "' is in ." +
                  std::string(spaceName(address.space)) + ", not in ." +
                  std::string(spaceName(space)));
    append(constantRow(address.address, 0, 8));
    return;
  }
  default:
    return fail("expects a register, a name or a constant as address");
  }
}

void Decoder::destinationVector(Type type, unsigned count) {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  if (operand->kind != Operand::Kind::Vector) {
    if (count != 1)
      return fail("expects a vector of " + std::to_string(count));
    return pushDestination(*operand, type, nullptr);
  }
  if (operand->elements.size() != count)
    return fail("expects a vector of " + std::to_string(count) +
                ", but got one of " + std::to_string(operand->elements.size()));
  for (const Operand &element : operand->elements)
    pushDestination(element, type, nullptr);
}

void Decoder::sourceVector(Type type, unsigned count) {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  if (operand->kind != Operand::Kind::Vector) {
    if (count != 1)
      return fail("expects a vector of " + std::to_string(count));
    return pushSource(*operand, type, nullptr);
  }
  if (operand->elements.size() != count)
    return fail("expects a vector of " + std::to_string(count) +
                ", but got one of " + std::to_string(operand->elements.size()));
  for (const Operand &element : operand->elements)
    pushSource(element, type, nullptr);
}

int64_t Decoder::immediate(int64_t low, int64_t high, const char *what) {
  const Operand *operand = takeOperand();
  if (!operand)
    return low;
  int64_t value = operand->bits;
  if (operand->kind != Operand::Kind::Integer || value < low || value > high) {
    fail(std::string("expects ") + what + " from " + std::to_string(low) +
         " to " + std::to_string(high));
    return low;
  }
  return value;
}

void Decoder::label() {
  const Operand *operand = takeOperand();
  if (!operand)
    return;
  if (operand->kind != Operand::Kind::Symbol || operand->offset)
    return fail("expects a label");
  uint32_t index = 0;
  if (!frame->function->findLabel(operand->name, statement->scope, index))
    return fail("unknown label '" + operand->name + "'");
  inst.target = frame->basePc + index;
}

} // namespace mta::emulator

//===- Types.cpp - Scalar types and state spaces of PTX -------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Types.h"

namespace mta::emulator {

namespace {
struct TypeRow {
  Type type;
  std::string_view name;
  uint8_t bits;
};

// The order of the enumerators, so that a type indexes its row.
constexpr TypeRow Types[] = {
    {Type::None, "", 0},          {Type::U8, "u8", 8},
    {Type::U16, "u16", 16},       {Type::U32, "u32", 32},
    {Type::U64, "u64", 64},       {Type::S4, "s4", 4},
    {Type::U4, "u4", 4},          {Type::S8, "s8", 8},
    {Type::S16, "s16", 16},       {Type::S32, "s32", 32},
    {Type::S64, "s64", 64},       {Type::B1, "b1", 1},
    {Type::B8, "b8", 8},          {Type::B16, "b16", 16},
    {Type::B32, "b32", 32},       {Type::B64, "b64", 64},
    {Type::B128, "b128", 128},    {Type::F16, "f16", 16},
    {Type::F16x2, "f16x2", 32},   {Type::BF16, "bf16", 16},
    {Type::BF16x2, "bf16x2", 32}, {Type::TF32, "tf32", 32},
    {Type::F32, "f32", 32},       {Type::F64, "f64", 64},
    {Type::E4M3, "e4m3", 8},      {Type::E5M2, "e5m2", 8},
    {Type::E4M3x2, "e4m3x2", 16}, {Type::E5M2x2, "e5m2x2", 16},
    {Type::U16x2, "u16x2", 32},   {Type::S16x2, "s16x2", 32},
    {Type::Pred, "pred", 1},
};

constexpr bool rowsAreInOrder() {
  for (unsigned i = 0; i < sizeof(Types) / sizeof(Types[0]); ++i)
    if (Types[i].type != static_cast<Type>(i))
      return false;
  return true;
}
static_assert(rowsAreInOrder(), "typeBits indexes by enumerator");
} // namespace

std::optional<Type> parseType(std::string_view name) {
  for (const TypeRow &row : Types)
    if (row.type != Type::None && row.name == name)
      return row.type;
  return std::nullopt;
}

std::string_view typeName(Type type) {
  return Types[static_cast<unsigned>(type)].name;
}

unsigned typeBits(Type type) { return Types[static_cast<unsigned>(type)].bits; }

std::string_view spaceName(Space space) {
  switch (space) {
  case Space::Generic:
    return "generic";
  case Space::Register:
    return "reg";
  case Space::Global:
    return "global";
  case Space::Shared:
    return "shared";
  case Space::Local:
    return "local";
  case Space::Const:
    return "const";
  case Space::Param:
    return "param";
  }
  return "";
}

bool isFloat(Type type) {
  switch (type) {
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
  case Type::TF32:
  case Type::F32:
  case Type::F64:
    return true;
  default:
    return false;
  }
}

bool isSigned(Type type) {
  return type == Type::S4 || type == Type::S8 || type == Type::S16 ||
         type == Type::S32 || type == Type::S64 || type == Type::S16x2;
}

bool isInteger(Type type) {
  switch (type) {
  case Type::U8:
  case Type::U16:
  case Type::U32:
  case Type::U64:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
    return true;
  default:
    return false;
  }
}

bool isBits(Type type) {
  return type == Type::B8 || type == Type::B16 || type == Type::B32 ||
         type == Type::B64 || type == Type::B128;
}

} // namespace mta::emulator

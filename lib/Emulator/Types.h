//===- Types.h - Scalar types and state spaces of PTX -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_TYPES_H
#define MTA_LIB_EMULATOR_TYPES_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace mta::emulator {

/// The fundamental and packed types an instruction can name (PTX ISA 5.2).
enum class Type : uint8_t {
  None,
  U8,
  U16,
  U32,
  U64,
  S4,
  U4,
  S8,
  S16,
  S32,
  S64,
  B1,
  B8,
  B16,
  B32,
  B64,
  B128,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
  U16x2,
  S16x2,
  Pred,
};

/// State spaces (PTX ISA 5.1).
enum class Space : uint8_t {
  Generic,
  Register,
  Global,
  Shared,
  Local,
  Const,
  Param,
};

/// The type a modifier such as "f32" names, if it names one.
std::optional<Type> parseType(std::string_view name);
/// The name without the leading dot.
std::string_view typeName(Type type);
std::string_view spaceName(Space space);
/// Width in bits; 1 for predicates and .b1.
unsigned typeBits(Type type);
inline unsigned typeBytes(Type type) { return (typeBits(type) + 7) / 8; }

bool isFloat(Type type);
bool isSigned(Type type);
/// .u8 to .u64 and .s8 to .s64.
bool isInteger(Type type);
/// .b8 to .b128.
bool isBits(Type type);

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_TYPES_H

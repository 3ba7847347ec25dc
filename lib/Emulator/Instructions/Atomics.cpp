//===- Atomics.cpp - atom and red -----------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.13.5 and 9.7.13.6. Lanes act in order of their index. On global
// memory each lane's operation is atomic towards other host threads; the result
// of floating-point sums therefore depends on the order of blocks, as on a GPU.
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "../SmallFloat.h"
#include "Families.h"
#include <algorithm>
#include <cmath>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

enum class Operation : uint8_t {
  Add,
  Inc,
  Dec,
  Min,
  Max,
  And,
  Or,
  Xor,
  Exchange,
  CompareAndSwap
};

/// Arithmetic on the bits of a cell, by what they mean.
struct AsUnsigned {
  template <typename T> static T apply(Operation op, T old, T b, T) {
    switch (op) {
    case Operation::Add:
      return old + b;
    case Operation::Inc:
      return old >= b ? 0 : old + 1;
    case Operation::Dec:
      return old == 0 || old > b ? b : old - 1;
    case Operation::Min:
      return std::min(old, b);
    case Operation::Max:
      return std::max(old, b);
    case Operation::And:
      return old & b;
    case Operation::Or:
      return old | b;
    case Operation::Xor:
      return old ^ b;
    default:
      return b;
    }
  }
};
struct AsSigned {
  template <typename T> static T apply(Operation op, T old, T b, T c) {
    using S = std::make_signed_t<T>;
    if (op == Operation::Min)
      return std::min(S(old), S(b));
    if (op == Operation::Max)
      return std::max(S(old), S(b));
    return AsUnsigned::apply<T>(op, old, b, c);
  }
};
/// atom.add.f32 on global memory flushes subnormals; the ISA leaves shared
/// memory's behaviour to the target, which keeps them.
struct AsFloat {
  template <typename T> static T apply(Operation, T old, T b, T) {
    return bitsOf(canonical(floatOf(old) + floatOf(b)));
  }
};
struct AsDouble {
  template <typename T> static T apply(Operation, T old, T b, T) {
    return bitsOf(doubleOf(old) + doubleOf(b));
  }
};
template <float (*Widen)(uint16_t), uint16_t (*Narrow)(float)> struct AsHalf {
  template <typename T> static T apply(Operation, T old, T b, T) {
    T result = 0;
    for (unsigned shift = 0; shift < 8 * sizeof(T); shift += 16)
      result |= T(Narrow(Widen(old >> shift) + Widen(b >> shift))) << shift;
    return result;
  }
};
using AsF16 = AsHalf<halfToFloat, floatToHalf>;
using AsBF16 = AsHalf<bfloatToFloat, floatToBfloat>;

/// One lane's operation; returns the value before.
template <typename T, typename F>
T updateGlobal(T *memory, Operation op, T b, T c) {
  T old = __atomic_load_n(memory, __ATOMIC_RELAXED);
  while (true) {
    if (op == Operation::CompareAndSwap && old != b)
      return old;
    T next = op == Operation::CompareAndSwap
                 ? c
                 : F::template apply<T>(op, old, b, c);
    if (__atomic_compare_exchange_n(memory, &old, next, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED))
      return old;
  }
}

template <typename T, typename F>
T updateShared(std::byte *memory, Operation op, T b, T c) {
  T old;
  std::memcpy(&old, memory, sizeof old);
  if (op == Operation::CompareAndSwap && old != b)
    return old;
  T next =
      op == Operation::CompareAndSwap ? c : F::template apply<T>(op, old, b, c);
  std::memcpy(memory, &next, sizeof next);
  return old;
}

/// op = address, d, b, c.
template <typename T, typename F>
void atomicHandler(Warp &warp, const Instruction &inst) {
  LaneAddresses lanes;
  loadAddresses(warp, inst, inst.op[0], lanes);
  const T *b = warp.row<T>(inst.op[2]), *c = warp.row<T>(inst.op[3]);
  Operation op = Operation(inst.variant);
  T old[WarpSize] = {};
  LaneAddresses global = lanes, shared = lanes;
  if (inst.space == Space::Generic) {
    global = selectSpace(lanes, Space::Global);
    shared = selectSpace(lanes, Space::Shared);
    uint32_t rest = lanes.mask & ~global.mask & ~shared.mask;
    if (rest)
      return warp.fail(inst, __builtin_ctz(rest),
                       "atomic access outside global and shared memory");
  }
  if (inst.space != Space::Shared && global.mask) {
    if (!accessGlobal(warp, inst, global, AccessKind::Atomic))
      return;
    for (uint32_t left = global.mask; left; left &= left - 1) {
      unsigned l = __builtin_ctz(left);
      old[l] = updateGlobal<T, F>(reinterpret_cast<T *>(global.address[l]), op,
                                  b[l], c[l]);
    }
  }
  if (inst.space != Space::Global && shared.mask) {
    if (!accessShared(warp, inst, shared, AccessKind::Atomic, nullptr))
      return;
    std::byte *memory = warp.block->shared.data();
    for (uint32_t left = shared.mask; left; left &= left - 1) {
      unsigned l = __builtin_ctz(left);
      old[l] = updateShared<T, F>(memory + shared.address[l], op, b[l], c[l]);
    }
  }
  writeLanes<T>(warp, inst.op[1], [&](unsigned l) { return old[l]; });
}

template <typename F> Handler handlerOf(unsigned bytes) {
  return bytes == 2   ? atomicHandler<uint16_t, F>
         : bytes == 4 ? atomicHandler<uint32_t, F>
                      : atomicHandler<uint64_t, F>;
}

Handler handlerFor(Type type) {
  switch (type) {
  case Type::F32:
    return atomicHandler<uint32_t, AsFloat>;
  case Type::F64:
    return atomicHandler<uint64_t, AsDouble>;
  case Type::F16:
    return atomicHandler<uint16_t, AsF16>;
  case Type::F16x2:
    return atomicHandler<uint32_t, AsF16>;
  case Type::BF16:
    return atomicHandler<uint16_t, AsBF16>;
  case Type::BF16x2:
    return atomicHandler<uint32_t, AsBF16>;
  default:
    return isSigned(type) ? handlerOf<AsSigned>(typeBytes(type))
                          : handlerOf<AsUnsigned>(typeBytes(type));
  }
}

/// Which types an operation has (PTX ISA 9.7.13.5).
bool hasType(Operation op, Type type) {
  switch (op) {
  case Operation::Add:
    return type == Type::U32 || type == Type::S32 || type == Type::U64 ||
           isFloat(type);
  case Operation::Inc:
  case Operation::Dec:
    return type == Type::U32;
  case Operation::Min:
  case Operation::Max:
    return type == Type::U32 || type == Type::S32 || type == Type::U64 ||
           type == Type::S64;
  case Operation::And:
  case Operation::Or:
  case Operation::Xor:
  case Operation::Exchange:
    return type == Type::B32 || type == Type::B64;
  case Operation::CompareAndSwap:
    return type == Type::B16 || type == Type::B32 || type == Type::B64;
  }
  return false;
}

void acceptOrdering(Decoder &d) {
  d.acceptAny({"relaxed", "acquire", "release", "acq_rel"});
  if (d.acceptAny({"cta", "gpu", "sys", "cluster"}) == 3)
    d.require(90, 7, 8, "scope .cluster");
}

void requireType(Decoder &d, Type type) {
  if (type == Type::F16 || type == Type::B16)
    d.require(70, 6, 3, "a 16-bit atomic");
  if (type == Type::BF16 || type == Type::BF16x2)
    d.require(90, 7, 8, "an atomic on bf16");
}

void decodeAtomic(Decoder &d, bool returns) {
  acceptOrdering(d);
  d.inst.space = d.accept("global") ? Space::Global
                 : d.accept("shared") || d.accept("shared::cta")
                     ? Space::Shared
                     : Space::Generic;
  Operation op = Operation(d.expectAny(
      {"add", "inc", "dec", "min", "max", "and", "or", "xor", "exch", "cas"}));
  d.accept("noftz");
  if (d.nextModifier() == "v2" || d.nextModifier() == "v4")
    return d.fail("vector atomics are not supported");
  Type type = d.anyType();
  if (d.failed())
    return;
  if (!hasType(op, type) || (!returns && op >= Operation::Exchange))
    return d.fail("type ." + std::string(typeName(type)) +
                  " does not have this operation");
  requireType(d, type);
  d.inst.isStrong = true;
  d.inst.width = typeBytes(type);
  d.inst.count = 1;
  d.inst.variant = uint8_t(op);
  const Operand *result = returns ? d.takeOperand() : nullptr;
  d.address(d.inst.space);
  d.pushDestination(result ? *result : Operand(), type, nullptr);
  d.source(type);
  if (op == Operation::CompareAndSwap)
    d.source(type);
  else
    d.constantOperand(0, typeBytes(type));
  d.finish(Class::Atomic, handlerFor(type));
}

void decodeAtom(Decoder &d) { decodeAtomic(d, true); }
void decodeRed(Decoder &d) {
  if (d.nextModifier() == "async")
    return d.fail("red.async is not supported yet");
  decodeAtomic(d, false);
}

} // namespace

void registerAtomics(InstructionTable &table) {
  table.add("atom", Domain::Any, decodeAtom);
  table.add("red", Domain::Any, decodeRed);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- Wmma.cpp - wmma ----------------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.14.4. How a fragment is spread over the lanes is not specified.
// Here the matrix, in its order in memory, is cut into 32 equal runs, one for
// each lane; where the fragment has more room, the run repeats, so that
// programs that change every element of a fragment work. C and D are in the
// order of rows.
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "../SmallFloat.h"
#include "Families.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

struct Shape {
  const char *name;
  unsigned m, n, k;
};
constexpr Shape Shapes[] = {{"m16n16k16", 16, 16, 16},
                            {"m32n8k16", 32, 8, 16},
                            {"m8n32k16", 8, 32, 16},
                            {"m16n16k8", 16, 16, 8}};

enum class Role : uint8_t { A, B, Accumulator };

/// A matrix of a wmma instruction, packed into Instruction::aux.
struct Fragment {
  Role role = Role::A;
  unsigned shape = 0;
  Type type = Type::F16;
  bool columnMajor = false;

  uint32_t pack() const {
    return uint32_t(role) | shape << 2 | uint32_t(columnMajor) << 4 |
           uint32_t(type) << 8;
  }
  static Fragment unpack(uint32_t bits) {
    return {Role(bits & 3), bits >> 2 & 3, Type(bits >> 8 & 0xff),
            bool(bits >> 4 & 1)};
  }
  unsigned rows() const {
    return role == Role::B ? Shapes[shape].k : Shapes[shape].m;
  }
  unsigned columns() const {
    return role == Role::A ? Shapes[shape].k : Shapes[shape].n;
  }
  unsigned perLane() const { return rows() * columns() / WarpSize; }
  unsigned elementBytes() const {
    return type == Type::F16 || type == Type::BF16 ? 2 : 4;
  }
  /// Registers of 32 bits (PTX ISA, table of wmma fragments).
  unsigned registers() const {
    if (role != Role::Accumulator && type == Type::F16)
      return 8;
    return perLane() * elementBytes() / 4;
  }
  /// The element of a lane; accumulators ignore the order in memory.
  void element(unsigned lane, unsigned index, unsigned &row,
               unsigned &column) const {
    unsigned linear = lane * perLane() + index;
    bool byColumns = columnMajor && role != Role::Accumulator;
    unsigned length = byColumns ? rows() : columns();
    row = byColumns ? linear % length : linear / length;
    column = byColumns ? linear / length : linear % length;
  }
};

bool wholeWarp(Warp &warp, const Instruction &inst) {
  if (warp.active == AllLanes)
    return true;
  warp.fail(inst, -1, "expects all 32 lanes of the warp");
  return false;
}

/// One step of a fragment's access: the same elements of every lane.
struct Steps {
  unsigned count;    // of steps
  unsigned elements; // in a step, contiguous in memory
};
Steps stepsOf(const Fragment &fragment) {
  bool contiguous =
      !(fragment.role == Role::Accumulator && fragment.columnMajor);
  unsigned vector = contiguous ? 16 / fragment.elementBytes() : 1;
  vector = std::min(vector, fragment.perLane());
  return {fragment.perLane() / vector, vector};
}

/// The addresses of a step; op[1] is the matrix, op[2] the stride.
void stepAddresses(Warp &warp, const Instruction &inst,
                   const Fragment &fragment, const Steps &steps, unsigned step,
                   LaneAddresses &lanes) {
  LaneAddresses base;
  loadAddresses(warp, inst, inst.op[1], base);
  const uint32_t *stride = warp.row<uint32_t>(inst.op[2]);
  lanes.mask = warp.active;
  lanes.bytes = steps.elements * fragment.elementBytes();
  for (unsigned lane = 0; lane < WarpSize; ++lane) {
    unsigned row, column;
    fragment.element(lane, step * steps.elements, row, column);
    uint64_t offset = fragment.columnMajor
                          ? uint64_t(column) * stride[lane] + row
                          : uint64_t(row) * stride[lane] + column;
    lanes.address[lane] = base.address[lane] + offset * fragment.elementBytes();
  }
}

/// Checks a step and returns where the lanes' data are.
bool resolve(Warp &warp, const Instruction &inst, const LaneAddresses &lanes,
             AccessKind kind, const std::byte *values,
             std::byte *(&where)[WarpSize]) {
  LaneAddresses shared = lanes;
  if (inst.space == Space::Generic)
    shared = selectSpace(lanes, Space::Shared);
  bool isShared = inst.space == Space::Shared ||
                  (inst.space == Space::Generic && shared.mask == lanes.mask);
  bool ok = isShared ? accessShared(warp, inst, shared, kind, values)
                     : accessGlobal(warp, inst, lanes, kind);
  if (!ok)
    return false;
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    where[lane] = isShared ? warp.block->shared.data() + shared.address[lane]
                           : reinterpret_cast<std::byte *>(lanes.address[lane]);
  return true;
}

/// The bytes of element `index` of a lane within its registers.
std::byte *elementOf(const Warp &warp, const uint32_t *op,
                     const Fragment &fragment, unsigned lane, unsigned index) {
  unsigned byte = index * fragment.elementBytes();
  return warp.row<std::byte>(op[byte / 4]) + lane * 4 + byte % 4;
}

/// op = members, address, stride, d….
void loadFragment(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  Fragment fragment = Fragment::unpack(inst.aux);
  Steps steps = stepsOf(fragment);
  unsigned bytes = fragment.elementBytes();
  unsigned slots = fragment.registers() * 4 / bytes;
  for (unsigned step = 0; step < steps.count; ++step) {
    LaneAddresses lanes;
    std::byte *where[WarpSize];
    stepAddresses(warp, inst, fragment, steps, step, lanes);
    if (!resolve(warp, inst, lanes, AccessKind::Read, nullptr, where))
      return;
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      for (unsigned i = 0; i < steps.elements; ++i)
        for (unsigned slot = step * steps.elements + i; slot < slots;
             slot += fragment.perLane())
          std::memcpy(elementOf(warp, inst.op + 3, fragment, lane, slot),
                      where[lane] + i * bytes, bytes);
  }
}

void storeFragment(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  Fragment fragment = Fragment::unpack(inst.aux);
  Steps steps = stepsOf(fragment);
  unsigned bytes = fragment.elementBytes();
  for (unsigned step = 0; step < steps.count; ++step) {
    LaneAddresses lanes;
    std::byte values[WarpSize * 16]; // packed, lane after lane
    std::byte *where[WarpSize];
    stepAddresses(warp, inst, fragment, steps, step, lanes);
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      for (unsigned i = 0; i < steps.elements; ++i)
        std::memcpy(values + lane * lanes.bytes + i * bytes,
                    elementOf(warp, inst.op + 3, fragment, lane,
                              step * steps.elements + i),
                    bytes);
    if (!resolve(warp, inst, lanes, AccessKind::Write, values, where))
      return;
    for (unsigned lane = 0; lane < WarpSize; ++lane)
      std::memcpy(where[lane], values + lane * lanes.bytes, lanes.bytes);
  }
}

float valueOf(const std::byte *bytes, Type type) {
  uint16_t half;
  uint32_t word;
  if (type == Type::F16 || type == Type::BF16) {
    std::memcpy(&half, bytes, sizeof half);
    return type == Type::F16 ? halfToFloat(half) : bfloatToFloat(half);
  }
  std::memcpy(&word, bytes, sizeof word);
  return floatOf(type == Type::TF32 ? word & 0xffffe000 : word);
}

/// A fragment as a matrix of single precision.
void gather(const Warp &warp, const uint32_t *op, const Fragment &fragment,
            float (&matrix)[32][32]) {
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    for (unsigned i = 0; i < fragment.perLane(); ++i) {
      unsigned row, column;
      fragment.element(lane, i, row, column);
      matrix[row][column] =
          valueOf(elementOf(warp, op, fragment, lane, i), fragment.type);
    }
}

void scatter(const Warp &warp, const uint32_t *op, const Fragment &fragment,
             const float (&matrix)[32][32]) {
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    for (unsigned i = 0; i < fragment.perLane(); ++i) {
      unsigned row, column;
      fragment.element(lane, i, row, column);
      std::byte *bytes = elementOf(warp, op, fragment, lane, i);
      float value = canonical(matrix[row][column]);
      uint16_t half = floatToHalf(value);
      if (fragment.type == Type::F16)
        std::memcpy(bytes, &half, sizeof half);
      else
        std::memcpy(bytes, &value, sizeof value);
    }
}

/// The four fragments of an mma; kept in the program's side table.
struct Product {
  Fragment d, a, b, c;
};

/// op = members, d…, a…, b…, c…. offset: the packed fragments of a and b in the
/// low and high half; target: of d and c.
void multiply(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  uint64_t factors = inst.offset;
  Product p = {Fragment::unpack(inst.target & 0xffff),
               Fragment::unpack(uint32_t(factors)),
               Fragment::unpack(factors >> 32),
               Fragment::unpack(inst.target >> 16)};
  const uint32_t *d = inst.op + 1, *a = d + p.d.registers();
  const uint32_t *b = a + p.a.registers(), *c = b + p.b.registers();
  static thread_local float x[32][32], y[32][32], sum[32][32];
  gather(warp, a, p.a, x);
  gather(warp, b, p.b, y);
  gather(warp, c, p.c, sum);
  const Shape &shape = Shapes[p.d.shape];
  for (unsigned row = 0; row < shape.m; ++row)
    for (unsigned k = 0; k < shape.k; ++k)
      for (unsigned column = 0; column < shape.n; ++column)
        sum[row][column] += x[row][k] * y[k][column];
  scatter(warp, d, p.d, sum);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void wholeWarpSync(Decoder &d) {
  d.expect("sync");
  d.expect("aligned");
  d.inst.control = Control::WarpSync;
  d.append(d.program.truePredicate); // members: everybody
}

unsigned takeShape(Decoder &d) {
  return d.expectAny({"m16n16k16", "m32n8k16", "m8n32k16", "m16n16k8"});
}

void checkTypes(Decoder &d, const Fragment &fragment) {
  bool isTF32Shape = fragment.shape == 3;
  if (fragment.role != Role::Accumulator &&
      isTF32Shape != (fragment.type == Type::TF32))
    d.fail("expects m16n16k8 with .tf32, and only there");
  if (fragment.type == Type::BF16 || fragment.type == Type::TF32)
    d.require(80, 7, 0, "wmma of bf16 and tf32");
}

Type fragmentType(Decoder &d, Role role) {
  return role == Role::Accumulator
             ? d.expectType({Type::F32, Type::F16})
             : d.expectType({Type::F16, Type::BF16, Type::TF32});
}

/// wmma.load and wmma.store
void decodeTransfer(Decoder &d, bool loads) {
  Fragment fragment;
  fragment.role =
      loads ? Role(d.expectAny({"a", "b", "c"})) : Role::Accumulator;
  if (!loads)
    d.expect("d");
  wholeWarpSync(d);
  fragment.columnMajor = d.expectAny({"row", "col"}) == 1;
  fragment.shape = takeShape(d);
  d.inst.space = d.accept("global") ? Space::Global
                 : d.accept("shared") || d.accept("shared::cta")
                     ? Space::Shared
                     : Space::Generic;
  fragment.type = fragmentType(d, fragment.role);
  checkTypes(d, fragment);
  const Operand *values = loads ? d.takeOperand() : nullptr;
  d.address(d.inst.space);
  if (!loads)
    values = d.takeOperand();
  if (!values || d.failed())
    return;
  if (d.operandsLeft())
    d.source(Type::U32);
  else
    d.constantOperand(
        fragment.columnMajor ? fragment.rows() : fragment.columns(), 4);
  if (values->kind != Operand::Kind::Vector ||
      values->elements.size() != fragment.registers())
    return d.fail("expects a vector of " +
                  std::to_string(fragment.registers()));
  for (const Operand &element : values->elements)
    loads ? d.pushDestination(element, Type::B32, nullptr)
          : d.pushSource(element, Type::B32, nullptr);
  d.inst.aux = fragment.pack();
  bool shared = d.inst.space == Space::Shared;
  Class cls = loads ? (shared ? Class::LoadShared : Class::LoadGlobal)
                    : (shared ? Class::StoreShared : Class::StoreGlobal);
  d.finish(cls, loads ? loadFragment : storeFragment);
}

void decodeProduct(Decoder &d) {
  wholeWarpSync(d);
  Product p;
  p.a.role = Role::A;
  p.b.role = Role::B;
  p.c.role = p.d.role = Role::Accumulator;
  p.a.columnMajor = d.expectAny({"row", "col"}) == 1;
  p.b.columnMajor = d.expectAny({"row", "col"}) == 1;
  p.a.shape = p.b.shape = p.c.shape = p.d.shape = takeShape(d);
  p.d.type = d.expectType({Type::F32, Type::F16});
  std::string_view next = d.nextModifier();
  if (next == "bf16" || next == "tf32") {
    p.a.type = d.anyType();
    p.b.type = d.expectType({p.a.type});
  }
  p.c.type = d.expectType({Type::F32, Type::F16});
  checkTypes(d, p.a);
  if (d.accept("satfinite"))
    d.fail("wmma with .satfinite is not supported");
  d.destinationVector(Type::B32, p.d.registers());
  d.sourceVector(Type::B32, p.a.registers());
  d.sourceVector(Type::B32, p.b.registers());
  d.sourceVector(Type::B32, p.c.registers());
  const Shape &shape = Shapes[p.d.shape];
  d.inst.offset = uint64_t(p.b.pack()) << 32 | p.a.pack();
  d.inst.target = p.c.pack() << 16 | p.d.pack();
  d.inst.aux = shape.m * shape.n * shape.k;
  d.finish(Class::Matrix, multiply);
}

void decodeWmma(Decoder &d) {
  int kind = d.expectAny({"load", "store", "mma"});
  if (kind == 2)
    decodeProduct(d);
  else
    decodeTransfer(d, kind == 0);
}

} // namespace

void registerWmma(InstructionTable &table) {
  table.add("wmma", Domain::Any, decodeWmma);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- Wgmma.cpp - wgmma --------------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.15. Warp w of a warpgroup computes rows 16 w to 16 w + 15, eight
// columns after eight with the tile of mma (figures of 9.7.15.5.1.1: fragments
// of wgmma are those of mma.m16n8k16 and m16n8k8, side by side). The products
// are computed when the instruction is issued; until it is waited for, its
// registers and its part of shared memory are in flight, so that nobody can
// tell.
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "Families.h"
#include "MatrixTiles.h"
#include "WgmmaOperands.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

/// Bits of Instruction::variant. Instruction::count is N / 8.
enum : uint8_t {
  RegistersA = 1,
  NegateA = 2,
  NegateB = 4,
  TransposeA = 8,
  TransposeB = 16,
  HalfD = 32,
};
constexpr unsigned RowsOfWarp = 16, MaxColumns = 256;
constexpr unsigned RowBytes = 32; // of 16 or 8 products

/// The rows of one operand, as bytes [row][k].
using OperandRows = std::byte[MaxColumns][RowBytes];

bool wholeWarp(Warp &warp, const Instruction &inst) {
  if (warp.active == AllLanes)
    return true;
  warp.fail(inst, -1, "expects all 32 lanes of the warp");
  return false;
}

bool wholeWarpgroup(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return false;
  unsigned first = warp.index / WarpgroupWarps * WarpgroupWarps;
  if (first + WarpgroupWarps <= warp.block->warps.size())
    return true;
  warp.fail(inst, -1,
            "expects a warpgroup of four warps, but the block has " +
                std::to_string(warp.block->warps.size() - first) +
                " of this one");
  return false;
}

/// A descriptor, which all lanes have in common.
bool descriptorOf(Warp &warp, const Instruction &inst, uint32_t row,
                  uint64_t &bits) {
  const uint64_t *values = warp.row<uint64_t>(row);
  bits = values[0];
  for (unsigned lane = 1; lane < WarpSize; ++lane)
    if (values[lane] != bits) {
      warp.fail(inst, lane, "the matrix descriptor differs between lanes");
      return false;
    }
  const char *problem = MatrixDescriptor(bits).refuse();
  if (*problem)
    warp.fail(inst, -1, problem);
  return !*problem;
}

/// Compares with what the other warps of the warpgroup execute at this place.
bool joinWarpgroup(Warp &warp, const Instruction &inst, uint64_t a,
                   uint64_t b) {
  Block &block = *warp.block;
  WarpgroupLog &log = block.warpgroups[warp.index / WarpgroupWarps];
  uint64_t place = warp.warpgroup.executed++ - log.first;
  if (place >= log.entries.size())
    log.entries.push_back({inst.pc, a, b});
  const WarpgroupLog::Entry &entry = log.entries[place];
  if (entry.pc != inst.pc || entry.a != a || entry.b != b) {
    warp.fail(inst, -1,
              "expects the warps of a warpgroup to execute the same wgmma with "
              "the same descriptors, but another warp has executed line " +
                  std::to_string(block.program.statements[entry.pc]->line) +
                  (entry.pc == inst.pc ? " with others" : ""));
    return false;
  }
  unsigned first = warp.index / WarpgroupWarps * WarpgroupWarps;
  uint64_t least = UINT64_MAX;
  for (unsigned w = first; w < first + WarpgroupWarps; ++w)
    least = std::min(least, block.warps[w].warpgroup.executed);
  for (; log.first < least; ++log.first)
    log.entries.pop_front();
  return true;
}

/// Checks the states of the registers of a wgmma, see Warpgroups.h.
bool checkRegisters(Warp &warp, const Instruction &inst) {
  const Program &program = warp.block->program;
  const WgmmaOperands &operands = program.wgmmas[inst.target];
  const WarpgroupState &state = warp.warpgroup;
  auto fail = [&](uint32_t id, const char *what) {
    warp.fail(inst, -1, "register " + program.asyncRegisters[id] + " " + what);
    return false;
  };
  for (const auto *ids : {&operands.accumulators, &operands.factors})
    for (uint32_t id : *ids)
      if (state.registers[id] & WarpgroupState::Accessed)
        return fail(id, "is accessed without a wgmma.fence before this wgmma");
  for (uint32_t id : operands.accumulators) {
    if (state.registers[id] & WarpgroupState::Read)
      return fail(id, "is still read by a wgmma that is not waited for");
    if ((state.registers[id] & WarpgroupState::Written) &&
        state.kinds[id] != operands.kind)
      return fail(id, "is still written by a wgmma of another shape or type "
                      "that is not waited for");
  }
  for (uint32_t id : operands.factors)
    if (state.registers[id] & WarpgroupState::Written)
      return fail(id, "is still written by a wgmma that is not waited for");
  return true;
}

/// Reads 16 bytes that the tensor cores read.
bool readUnit(Warp &warp, const Instruction &inst, uint32_t offset,
              std::vector<SharedRange> &ranges, std::byte (&unit)[16]) {
  SharedMemory &shared = warp.block->shared;
  if (uint64_t(offset) + 16 > shared.size()) {
    warp.fail(inst, -1,
              "matrix out of bounds: the block has " +
                  std::to_string(shared.size()) + " bytes of shared memory",
              offset);
    return false;
  }
  SharedAccess access;
  access.warp = warp.index;
  access.lane = WarpSize; // what single lanes know does not count
  access.offset = offset;
  access.bytes = 16;
  access.pc = inst.pc;
  SharedFault fault;
  if (!shared.beginRead(access, warp.clock, fault)) {
    reportShared(warp, inst, -1, fault, "read by the tensor cores");
    return false;
  }
  if (!ranges.empty() && ranges.back().offset + ranges.back().bytes == offset)
    ranges.back().bytes += 16;
  else
    ranges.push_back({offset, 16});
  std::memcpy(unit, shared.data() + offset, 16);
  return true;
}

/// Reads rows [first, first + count) of a matrix with 32 bytes along k.
bool readMatrix(Warp &warp, const Instruction &inst, uint64_t bits,
                bool transposed, unsigned first, unsigned count,
                std::vector<SharedRange> &ranges, OperandRows &rows) {
  MatrixDescriptor matrix(bits);
  std::byte unit[16];
  if (!transposed) {
    for (unsigned row = 0; row < count; ++row)
      for (unsigned half = 0; half < 2; ++half) {
        if (!readUnit(warp, inst, matrix.kMajor(first + row, half), ranges,
                      unit))
          return false;
        std::memcpy(rows[row] + 16 * half, unit, sizeof unit);
      }
    return true;
  }
  // Elements of 16 bits, eight rows in a unit.
  for (unsigned row = 0; row < count; row += 8)
    for (unsigned k = 0; k < 16; ++k) {
      if (!readUnit(warp, inst, matrix.rowMajor((first + row) / 8, k), ranges,
                    unit))
        return false;
      for (unsigned i = 0; i < 8; ++i)
        std::memcpy(rows[row + i] + 2 * k, unit + 2 * i, 2);
    }
  return true;
}

template <typename E, unsigned K>
void widenRow(const std::byte *row, bool negate, float *values) {
  for (unsigned k = 0; k < K; ++k) {
    typename E::Bits bits;
    std::memcpy(&bits, row + k * sizeof bits, sizeof bits);
    values[k] = negate ? -E::widen(bits) : E::widen(bits);
  }
}

/// Multiplies, eight columns at a time. `d` are the rows of the accumulators.
template <typename E, unsigned K>
void multiply(Warp &warp, const Instruction &inst, const uint32_t *d,
              const float (&a)[Rows][K], const OperandRows &rows) {
  bool accumulates = (warp.predicate(inst.op[1]) ^ uint32_t(inst.offset)) & 1;
  bool half = inst.variant & HalfD;
  for (unsigned block = 0; block < inst.count; ++block) {
    float b[K][Columns], sum[Rows][Columns] = {};
    for (unsigned column = 0; column < Columns; ++column) {
      float values[K];
      widenRow<E, K>(rows[block * Columns + column], inst.variant & NegateB,
                     values);
      for (unsigned k = 0; k < K; ++k)
        b[k][column] = values[k];
    }
    const uint32_t *registers = d + block * (half ? 2 : 4);
    if (accumulates && half)
      gatherHalves(warp, registers, sum);
    else if (accumulates)
      gatherC<float>(warp, registers, sum);
    multiplyAdd<float, K>(a, b, sum);
    if (half) {
      scatterHalves(warp, registers, sum);
      continue;
    }
    for (auto &row : sum)
      for (float &value : row)
        value = canonical(value);
    scatterC<float>(warp, registers, sum);
  }
}

void beginFlight(Warp &warp, const Instruction &inst,
                 std::vector<SharedRange> ranges) {
  WarpgroupState &state = warp.warpgroup;
  const WgmmaOperands &operands = warp.block->program.wgmmas[inst.target];
  for (uint32_t id : operands.accumulators) {
    state.registers[id] |= WarpgroupState::Written;
    state.kinds[id] = operands.kind;
  }
  for (uint32_t id : operands.factors)
    state.registers[id] |= WarpgroupState::Read;
  state.pending.push_back(
      {inst.pc, state.committed, inst.target, std::move(ranges)});
}

/// op = members, scale-d, A (a descriptor or four registers), B, D….
template <typename E, unsigned K>
void wgmmaHandler(Warp &warp, const Instruction &inst) {
  if (!wholeWarpgroup(warp, inst))
    return;
  bool registers = inst.variant & RegistersA;
  const uint32_t *opB = inst.op + (registers ? 6 : 3);
  uint64_t a = 0, b = 0;
  if ((!registers && !descriptorOf(warp, inst, inst.op[2], a)) ||
      !descriptorOf(warp, inst, opB[0], b) ||
      !joinWarpgroup(warp, inst, a, b) || !checkRegisters(warp, inst))
    return;
  uint32_t scale = warp.predicate(inst.op[1]) ^ uint32_t(inst.offset);
  if (scale != 0 && scale != AllLanes)
    return warp.fail(inst, -1, "scale-d differs between lanes");
  std::vector<SharedRange> ranges;
  OperandRows rows;
  alignas(64) float x[Rows][K];
  unsigned position = warp.index % WarpgroupWarps;
  if (registers) {
    gatherA<E, K>(warp, inst.op + 2, x);
    for (auto &row : x)
      for (float &value : row)
        value = inst.variant & NegateA ? -value : value;
  } else {
    if (!readMatrix(warp, inst, a, inst.variant & TransposeA,
                    position * RowsOfWarp, RowsOfWarp, ranges, rows))
      return;
    for (unsigned row = 0; row < Rows; ++row)
      widenRow<E, K>(rows[row], inst.variant & NegateA, x[row]);
    countSharedBytes(warp, inst, RowsOfWarp * RowBytes);
  }
  unsigned columns = inst.count * Columns;
  if (!readMatrix(warp, inst, b, inst.variant & TransposeB, 0, columns, ranges,
                  rows))
    return;
  // The four tensor cores of a multiprocessor share B.
  if (position == 0)
    countSharedBytes(warp, inst, columns * RowBytes);
  multiply<E, K>(warp, inst, opB + 1, x, rows);
  beginFlight(warp, inst, std::move(ranges));
}

void fenceHandler(Warp &warp, const Instruction &inst) {
  if (!wholeWarpgroup(warp, inst))
    return;
  for (uint8_t &state : warp.warpgroup.registers)
    state &= ~WarpgroupState::Accessed;
}

void commitHandler(Warp &warp, const Instruction &inst) {
  if (wholeWarpgroup(warp, inst))
    ++warp.warpgroup.committed;
}

void waitHandler(Warp &warp, const Instruction &inst) {
  if (!wholeWarpgroup(warp, inst))
    return;
  WarpgroupState &state = warp.warpgroup;
  SharedMemory &shared = warp.block->shared;
  auto isDue = [&](const PendingWgmma &wgmma) {
    return uint64_t(wgmma.group) + inst.aux < state.committed;
  };
  bool any = false;
  for (const PendingWgmma &wgmma : state.pending) {
    if (!isDue(wgmma))
      continue;
    any = true;
    for (SharedRange range : wgmma.reads)
      shared.endRead(warp.index, WarpSize, range, warp.clock.now);
  }
  if (!any)
    return;
  state.pending.erase(
      std::remove_if(state.pending.begin(), state.pending.end(), isDue),
      state.pending.end());
  for (const PendingWgmma &wgmma : state.pending)
    for (SharedRange range : wgmma.reads)
      shared.keepRead(warp.index, range);
  state.refresh(warp.block->program);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// .m64nNk8 or .m64nNk16: N / 8 and k.
bool parseShape(std::string_view name, unsigned &blocks, unsigned &k) {
  if (name.substr(0, 4) != "m64n")
    return false;
  size_t at = 4;
  unsigned n = 0;
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9' && n < 1000;
       ++at)
    n = 10 * n + (name[at] - '0');
  std::string_view rest = name.substr(at);
  // k32 and k256 are those of smaller elements, which factorTypes refuses.
  k = rest == "k8"     ? 8
      : rest == "k16"  ? 16
      : rest == "k32"  ? 32
      : rest == "k256" ? 256
                       : 0;
  blocks = n / Columns;
  return k && n && n % Columns == 0 && n <= MaxColumns;
}

/// An operand that is 1 or -1; whether it is -1.
bool negates(Decoder &d, const char *what) {
  int64_t value = d.immediate(-1, 1, what);
  if (!value)
    d.fail(std::string("expects ") + what + " of 1 or -1");
  return value < 0;
}

struct Factors {
  Type type = Type::F16;
  bool half = false;
  unsigned k = 16;
};

bool factorTypes(Decoder &d, Factors &factors) {
  Type result = d.expectType({Type::F32, Type::F16});
  Type a = d.anyType(), b = d.anyType();
  bool known = a == Type::F16 || a == Type::BF16 || a == Type::TF32;
  if (!d.failed() && !known)
    d.fail("wgmma of '." + std::string(typeName(a)) + "' is not supported");
  if (!d.failed() && a != b)
    d.fail("expects A and B of one type");
  factors.half = result == Type::F16;
  factors.type = a;
  if (!d.failed() && (factors.k != (a == Type::TF32 ? 8u : 16u) ||
                      (factors.half && a != Type::F16)))
    d.fail("wgmma does not have this combination of shape and types");
  return !d.failed();
}

Handler handlerFor(Type type) {
  return type == Type::F16    ? wgmmaHandler<HalfElement, 16>
         : type == Type::BF16 ? wgmmaHandler<BfloatElement, 16>
                              : wgmmaHandler<TF32Element, 8>;
}

/// The accumulators: written, and read where scale-d holds.
void accumulators(Decoder &d, const Operand &operand, const Factors &factors) {
  unsigned count = d.inst.count * (factors.half ? 2 : 4);
  if (operand.kind != Operand::Kind::Vector || operand.elements.size() != count)
    return d.fail("expects a vector of " + std::to_string(count) +
                  " accumulators");
  for (const Operand &element : operand.elements) {
    d.pushDestination(element, factors.half ? Type::B32 : Type::F32, nullptr);
    if (d.failed())
      return;
    if (element.kind != Operand::Kind::Register)
      return d.fail("expects registers as accumulators");
    d.uses.accumulators.push_back(d.frame->firstRegister + element.index);
  }
}

void wholeWarpSync(Decoder &d) {
  d.requireArchitecture("wgmma");
  d.expect("sync");
  d.expect("aligned");
  d.inst.control = Control::WarpSync;
  d.append(d.program.truePredicate); // members: everybody
}

/// scale-a, scale-b and the transposes of what is in shared memory.
void scalesAndTransposes(Decoder &d, const Factors &factors) {
  uint8_t &variant = d.inst.variant;
  variant |= negates(d, "a scale of A") ? NegateA : 0;
  variant |= negates(d, "a scale of B") ? NegateB : 0;
  if (factors.type == Type::TF32)
    return;
  if (!(variant & RegistersA))
    variant |= d.immediate(0, 1, "a transpose of A") ? TransposeA : 0;
  variant |= d.immediate(0, 1, "a transpose of B") ? TransposeB : 0;
}

void decodeMultiply(Decoder &d) {
  if (d.nextModifier() == "sp")
    return d.fail("wgmma.mma_async.sp is not supported");
  wholeWarpSync(d);
  Factors factors;
  unsigned blocks = 0;
  if (!parseShape(d.nextModifier(), blocks, factors.k))
    return d.fail("expects a shape from m64n8k8 to m64n256k16, but got "
                  "'." +
                  std::string(d.nextModifier()) + "'");
  d.accept(d.nextModifier());
  d.inst.count = blocks;
  if (!factorTypes(d, factors))
    return;
  d.uses.isWgmma = true;
  if (d.statement->operands.size() < 6)
    return d.fail("expects at least 6 operands");
  d.inst.variant = factors.half ? HalfD : 0;
  const Operand *results = d.takeOperand(), *a = d.takeOperand();
  const Operand *b = d.takeOperand(), *scale = d.takeOperand();
  d.pushSource(*scale, Type::Pred, nullptr);
  d.inst.offset = scale->negated ? AllLanes : 0;
  d.uses.accumulates = d.lastOperand();
  d.uses.accumulatesFlip = d.inst.offset;
  if (a->kind == Operand::Kind::Vector) {
    d.inst.variant |= RegistersA;
    if (a->elements.size() != 4)
      return d.fail("expects A as a vector of 4 registers");
    for (const Operand &element : a->elements) {
      d.pushSource(element, Type::B32, nullptr);
      if (element.kind != Operand::Kind::Register)
        return d.fail("expects A in registers");
      d.uses.factors.push_back(d.frame->firstRegister + element.index);
    }
  } else {
    d.pushSource(*a, Type::B64, nullptr);
  }
  d.pushSource(*b, Type::B64, nullptr);
  accumulators(d, *results, factors);
  scalesAndTransposes(d, factors);
  d.inst.aux = RowsOfWarp * Columns * blocks * factors.k;
  d.inst.target = d.program.wgmmas.size();
  d.finish(Class::Matrix, handlerFor(factors.type));
  if (d.failed())
    return;
  WgmmaOperands operands;
  operands.kind = blocks | factors.half << 8 | uint32_t(factors.type) << 16;
  d.program.wgmmas.push_back(operands);
}

void decodeWgmma(Decoder &d) {
  switch (d.expectAny({"mma_async", "fence", "commit_group", "wait_group"})) {
  case 0:
    return decodeMultiply(d);
  case 1:
    wholeWarpSync(d);
    return d.finish(Class::Fence, fenceHandler);
  case 2:
    wholeWarpSync(d);
    return d.finish(Class::AsyncCopy, commitHandler);
  default:
    wholeWarpSync(d);
    d.inst.aux = d.immediate(0, INT32_MAX, "a number of groups");
    return d.finish(Class::AsyncCopy, waitHandler);
  }
}

} // namespace

void registerWgmma(InstructionTable &table) {
  table.add("wgmma", Domain::Any, decodeWgmma);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

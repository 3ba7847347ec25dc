//===- LoadMatrix.cpp - ldmatrix, stmatrix and movmatrix ------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.14.5.15 to 9.7.14.5.17. Lane 8 m + r has the address of row r of
// matrix m. Untransposed, a register of the 32 lanes is the 8x8 matrix in the
// order of its rows.
//
//===----------------------------------------------------------------------===//

#include "../MemoryAccess.h"
#include "Families.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

constexpr unsigned RowBytes = 16, MatrixRows = 8;

bool wholeWarp(Warp &warp, const Instruction &inst) {
  if (warp.active == AllLanes)
    return true;
  warp.fail(inst, -1, "expects all 32 lanes of the warp");
  return false;
}

void transpose(const uint16_t (&from)[64], uint16_t (&to)[64]) {
  for (unsigned row = 0; row < 8; ++row)
    for (unsigned column = 0; column < 8; ++column)
      to[column * 8 + row] = from[row * 8 + column];
}

/// The lanes whose addresses count, checked. op[1] is the address.
bool rowAddresses(Warp &warp, const Instruction &inst, AccessKind kind,
                  const std::byte *values, LaneAddresses &lanes) {
  loadAddresses(warp, inst, inst.op[1], lanes);
  if (inst.space == Space::Generic) {
    LaneAddresses shared = selectSpace(lanes, Space::Shared);
    unsigned rows = inst.count * MatrixRows;
    uint32_t used = rows == WarpSize ? AllLanes : (1u << rows) - 1;
    if (used & ~shared.mask) {
      warp.fail(inst, __builtin_ctz(used & ~shared.mask),
                "expects an address in shared memory");
      return false;
    }
    lanes = shared;
  }
  lanes.bytes = RowBytes;
  unsigned rows = inst.count * MatrixRows;
  lanes.mask = rows == WarpSize ? AllLanes : (1u << rows) - 1;
  return accessShared(warp, inst, lanes, kind, values);
}

/// op = members, address, d….
void loadMatrix(Warp &warp, const Instruction &inst) {
  LaneAddresses lanes;
  if (!wholeWarp(warp, inst) ||
      !rowAddresses(warp, inst, AccessKind::Read, nullptr, lanes))
    return;
  const std::byte *memory = warp.block->shared.data();
  for (unsigned m = 0; m < inst.count; ++m) {
    uint16_t matrix[64], transposed[64];
    for (unsigned row = 0; row < MatrixRows; ++row)
      std::memcpy(matrix + row * 8,
                  memory + lanes.address[m * MatrixRows + row], RowBytes);
    if (inst.variant)
      transpose(matrix, transposed);
    std::memcpy(warp.row<uint16_t>(inst.op[2 + m]),
                inst.variant ? transposed : matrix, sizeof matrix);
  }
}

void storeMatrix(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  uint16_t matrices[4][64];
  for (unsigned m = 0; m < inst.count; ++m) {
    uint16_t matrix[64];
    std::memcpy(matrix, warp.row<uint16_t>(inst.op[2 + m]), sizeof matrix);
    if (inst.variant)
      transpose(matrix, matrices[m]);
    else
      std::copy_n(matrix, 64, matrices[m]);
  }
  LaneAddresses lanes;
  if (!rowAddresses(warp, inst, AccessKind::Write,
                    reinterpret_cast<const std::byte *>(matrices), lanes))
    return;
  std::byte *memory = warp.block->shared.data();
  for (unsigned row = 0; row < inst.count * MatrixRows; ++row)
    std::memcpy(memory + lanes.address[row],
                &matrices[row / MatrixRows][row % MatrixRows * 8], RowBytes);
}

void moveMatrix(Warp &warp, const Instruction &inst) {
  if (!wholeWarp(warp, inst))
    return;
  uint16_t matrix[64], transposed[64];
  std::memcpy(matrix, warp.row<uint16_t>(inst.op[2]), sizeof matrix);
  transpose(matrix, transposed);
  std::memcpy(warp.row<uint16_t>(inst.op[1]), transposed, sizeof transposed);
}

void wholeWarpSync(Decoder &d) {
  d.expect("sync");
  d.expect("aligned");
  d.inst.control = Control::WarpSync;
  d.append(d.program.truePredicate); // members: everybody
}

/// .m8n8.xN{.trans}{.shared}.b16
void matrixModifiers(Decoder &d) {
  wholeWarpSync(d);
  d.expect("m8n8");
  static constexpr uint8_t Counts[] = {1, 2, 4};
  d.inst.count = Counts[d.expectAny({"x1", "x2", "x4"})];
  d.inst.variant = d.accept("trans");
  bool shared = d.accept("shared") || d.accept("shared::cta");
  d.inst.space = shared ? Space::Shared : Space::Generic;
  d.expectType({Type::B16});
  d.inst.width = RowBytes;
}

void decodeLoad(Decoder &d) {
  matrixModifiers(d);
  d.require(75, 6, 5, "ldmatrix");
  const Operand *results = d.takeOperand();
  d.address(d.inst.space);
  if (!results || d.failed())
    return;
  bool isVector = results->kind == Operand::Kind::Vector;
  if (isVector ? results->elements.size() != d.inst.count : d.inst.count != 1)
    return d.fail("expects a vector of " + std::to_string(d.inst.count));
  if (!isVector)
    d.pushDestination(*results, Type::B32, nullptr);
  for (const Operand &element : results->elements)
    d.pushDestination(element, Type::B32, nullptr);
  d.finish(Class::LoadMatrix, loadMatrix);
}

void decodeStore(Decoder &d) {
  matrixModifiers(d);
  d.require(90, 7, 8, "stmatrix");
  d.address(d.inst.space);
  d.sourceVector(Type::B32, d.inst.count);
  d.finish(Class::StoreShared, storeMatrix);
}

void decodeMove(Decoder &d) {
  wholeWarpSync(d);
  d.expect("m8n8");
  d.expect("trans");
  d.expectType({Type::B16});
  d.require(75, 7, 8, "movmatrix");
  d.destination(Type::B32);
  d.source(Type::B32);
  d.finish(Class::Shuffle, moveMatrix);
}

} // namespace

void registerLoadMatrix(InstructionTable &table) {
  table.add("ldmatrix", Domain::Any, decodeLoad);
  table.add("stmatrix", Domain::Any, decodeStore);
  table.add("movmatrix", Domain::Any, decodeMove);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- BulkData.cpp - Moving the data of bulk copies ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything has been checked when a copy was issued; this only moves bytes.
//
//===----------------------------------------------------------------------===//

#include "Execution.h"
#include "SmallFloat.h"
#include <algorithm>
#include <cmath>

namespace mta::emulator {

namespace {
template <typename T> T reduceInteger(ReduceOp op, T old, T value) {
  switch (op) {
  case ReduceOp::Add:
    return old + value;
  case ReduceOp::Min:
    return std::min(old, value);
  case ReduceOp::Max:
    return std::max(old, value);
  case ReduceOp::Inc:
    return old >= value ? 0 : old + 1;
  case ReduceOp::Dec:
    return old == 0 || old > value ? value : old - 1;
  case ReduceOp::And:
    return old & value;
  case ReduceOp::Or:
    return old | value;
  case ReduceOp::Xor:
    return old ^ value;
  case ReduceOp::None:
    break;
  }
  return value;
}

float reduceFloat(ReduceOp op, float old, float value) {
  return op == ReduceOp::Min   ? std::fmin(old, value)
         : op == ReduceOp::Max ? std::fmax(old, value)
                               : old + value;
}

uint64_t reduceBits(ReduceOp op, Type type, uint64_t old, uint64_t value) {
  switch (type) {
  case Type::F16:
    return floatToHalf(reduceFloat(op, halfToFloat(old), halfToFloat(value)));
  case Type::BF16:
    return floatToBfloat(
        reduceFloat(op, bfloatToFloat(old), bfloatToFloat(value)));
  case Type::F32:
    return bitsOf(canonical(
        reduceFloat(op, floatOf(uint32_t(old)), floatOf(uint32_t(value)))));
  case Type::F64:
    return bitsOf(doubleOf(old) + doubleOf(value));
  case Type::S32:
    return reduceInteger<int32_t>(op, old, value);
  case Type::S64:
    return reduceInteger<int64_t>(op, old, value);
  case Type::U32:
  case Type::B32:
    return reduceInteger<uint32_t>(op, old, value);
  default:
    return reduceInteger<uint64_t>(op, old, value);
  }
}

/// Combines one element of global memory, which other blocks may combine, too.
template <typename T>
void combine(uint64_t address, const std::byte *source, ReduceOp op,
             Type type) {
  T *target = reinterpret_cast<T *>(address);
  T value, old = __atomic_load_n(target, __ATOMIC_RELAXED), next;
  std::memcpy(&value, source, sizeof value);
  do
    next = reduceBits(op, type, old, value);
  while (!__atomic_compare_exchange_n(target, &old, next, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}

/// A run of bytes between shared and global memory.
void moveRun(const BulkJob &job, std::byte *shared, uint64_t global,
             uint32_t bytes) {
  auto *memory = reinterpret_cast<std::byte *>(global);
  switch (job.kind) {
  case BulkJob::Kind::Load:
    std::memcpy(shared, memory, bytes);
    return;
  case BulkJob::Kind::Store:
    std::memcpy(memory, shared, bytes);
    return;
  case BulkJob::Kind::Reduce:
    break;
  }
  unsigned width = typeBytes(job.type);
  for (uint32_t i = 0; i < bytes; i += width) {
    if (width == 2)
      combine<uint16_t>(global + i, shared + i, job.reduce, job.type);
    else if (width == 4)
      combine<uint32_t>(global + i, shared + i, job.reduce, job.type);
    else
      combine<uint64_t>(global + i, shared + i, job.reduce, job.type);
  }
}

/// What a load writes for elements outside the tensor: zeros, or the NaN of
/// all ones that cuTensorMapEncodeTiled's fill stands for.
void fillOutside(const BulkJob &job, std::byte *shared, uint32_t bytes) {
  std::memset(shared, job.map.fillsNaN ? 0xff : 0, bytes);
}
} // namespace

void moveData(Block &block, const BulkJob &job) {
  std::byte *memory = block.shared.data();
  if (!job.isTensor)
    return moveRun(job, memory + job.shared, job.global, job.bytes);
  bool loads = job.kind == BulkJob::Kind::Load;
  // A swizzle keeps chunks of 16 bytes together.
  constexpr uint32_t Chunk = 16;
  for (const TensorPiece &piece : job.map.pieces(job.start)) {
    if (!piece.inside && !loads)
      continue;
    for (uint32_t done = 0; done < piece.bytes;) {
      uint32_t at = job.shared + piece.tile + done;
      uint32_t count = std::min(piece.bytes - done, Chunk - at % Chunk);
      std::byte *shared = memory + swizzled(at, job.map.swizzle);
      if (piece.inside)
        moveRun(job, shared, piece.global + done, count);
      else
        fillOutside(job, shared, count);
      done += count;
    }
  }
}

} // namespace mta::emulator

//===- TensorMap.h - Tensor maps for bulk tensor copies ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// cp.async.bulk.tensor takes a tensor map: 128 opaque bytes that the host makes
// with cuTensorMapEncodeTiled. The driver's encoding is not public, so kernels
// that run in the emulator get maps made here, with the same parameters. A
// checksum tells them from anything else.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_TENSORMAP_H
#define MTA_EMULATOR_TENSORMAP_H

#include <array>
#include <cstdint>
#include <string>

namespace mta::emulator {

/// Types of elements; the values are those of CUtensorMapDataType.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
};

/// How rows of shared memory are permuted, as in CUtensorMapSwizzle.
enum class TensorSwizzle : uint8_t { None, B32, B64, B128 };

/// A tensor in global memory and the box that one copy moves. Dimension 0 is
/// the innermost, whose elements are next to each other.
struct TensorDescription {
  TensorType type = TensorType::F32;
  uint32_t rank = 1; // 1 to 5
  uint64_t address = 0;
  std::array<uint64_t, 5> sizes = {1, 1, 1, 1, 1};
  /// Bytes from one element of dimension i + 1 to the next.
  std::array<uint64_t, 4> strides = {0, 0, 0, 0};
  /// Elements of the tensor that the box spans.
  std::array<uint32_t, 5> box = {1, 1, 1, 1, 1};
  /// Of which every n-th is copied.
  std::array<uint32_t, 5> elementStrides = {1, 1, 1, 1, 1};
  TensorSwizzle swizzle = TensorSwizzle::None;
  /// Elements outside the tensor are NaN instead of zero.
  bool fillsNaN = false;
};

constexpr unsigned TensorMapBytes = 128;
using TensorMapStorage = std::array<uint8_t, TensorMapBytes>;

/// Bytes of an element.
unsigned tensorTypeBytes(TensorType type);

/// Encodes a map; "" or which parameter is wrong, by the rules of
/// cuTensorMapEncodeTiled.
std::string encodeTensorMap(const TensorDescription &description,
                            TensorMapStorage &map);
/// Reads a map; false if the bytes are no map that encodeTensorMap made.
bool decodeTensorMap(const uint8_t *bytes, TensorDescription &description);

} // namespace mta::emulator

#endif // MTA_EMULATOR_TENSORMAP_H

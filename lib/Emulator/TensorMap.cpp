//===- TensorMap.cpp - Tensor maps for bulk tensor copies -----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorMap.h"
#include <algorithm>
#include <cstddef>
#include <cstring>

namespace mta::emulator {

namespace {
constexpr uint32_t Magic = 0x414d5445;

/// What the 128 bytes are.
struct Encoded {
  uint32_t magic = Magic;
  uint8_t type = 0, rank = 0, swizzle = 0, fillsNaN = 0;
  uint64_t address = 0;
  uint32_t lastSizes[5] = {}; // sizes minus one, so that 2^32 fits
  uint16_t box[5] = {};
  uint8_t elementStrides[5] = {};
  uint8_t padding[5] = {};
  uint64_t strides[4] = {};
  uint8_t unused[32] = {};
  uint64_t checksum = 0;
};
static_assert(sizeof(Encoded) == TensorMapBytes, "a tensor map has 128 bytes");

/// FNV-1a over everything before the checksum.
uint64_t checksumOf(const Encoded &encoded) {
  const auto *bytes = reinterpret_cast<const uint8_t *>(&encoded);
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < offsetof(Encoded, checksum); ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

std::string number(uint64_t value) { return std::to_string(value); }

std::string checkDimension(const TensorDescription &d, unsigned i) {
  std::string which = " of dimension " + number(i);
  if (d.sizes[i] < 1 || d.sizes[i] > uint64_t(1) << 32)
    return "expects a size from 1 to 2^32" + which + ", but got " +
           number(d.sizes[i]);
  if (d.box[i] < 1 || d.box[i] > 256)
    return "expects a box from 1 to 256" + which + ", but got " +
           number(d.box[i]);
  if (d.elementStrides[i] < 1 || d.elementStrides[i] > 8)
    return "expects an element stride from 1 to 8" + which + ", but got " +
           number(d.elementStrides[i]);
  if (!i)
    return "";
  uint64_t stride = d.strides[i - 1];
  if (stride % 16 || stride == 0 || stride >= uint64_t(1) << 40)
    return "expects a stride that is a multiple of 16 below 2^40" + which +
           ", but got " + number(stride);
  return "";
}

/// The inner dimension of the box (CUDA driver API, cuTensorMapEncodeTiled).
std::string checkInner(const TensorDescription &d) {
  uint64_t bytes = uint64_t(d.box[0]) * tensorTypeBytes(d.type);
  if (bytes % 16)
    return "expects a box whose inner dimension is a multiple of 16 bytes, "
           "but got " +
           number(bytes);
  if (d.swizzle == TensorSwizzle::None)
    return "";
  uint64_t most = 16u << unsigned(d.swizzle);
  if (bytes > most)
    return "expects at most " + number(most) +
           " bytes in the inner dimension of a box with this swizzle, but "
           "got " +
           number(bytes);
  return "";
}
} // namespace

unsigned tensorTypeBytes(TensorType type) {
  static const uint8_t Bytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
  return Bytes[unsigned(type)];
}

std::string encodeTensorMap(const TensorDescription &d, TensorMapStorage &map) {
  if (unsigned(d.type) > unsigned(TensorType::BF16))
    return "expects a known type of elements, but got " +
           number(unsigned(d.type));
  if (unsigned(d.swizzle) > unsigned(TensorSwizzle::B128))
    return "expects a known swizzle, but got " + number(unsigned(d.swizzle));
  if (d.rank < 1 || d.rank > 5)
    return "expects a rank from 1 to 5, but got " + number(d.rank);
  if (!d.address || d.address % 16)
    return "expects an address that is a multiple of 16";
  for (unsigned i = 0; i < d.rank; ++i) {
    std::string problem = checkDimension(d, i);
    if (!problem.empty())
      return problem;
  }
  bool isFloat = d.type == TensorType::F16 || d.type == TensorType::BF16 ||
                 d.type == TensorType::F32 || d.type == TensorType::F64;
  if (d.fillsNaN && !isFloat)
    return "expects floating-point elements to fill with NaN";
  std::string problem = checkInner(d);
  if (!problem.empty())
    return problem;
  Encoded encoded;
  encoded.type = uint8_t(d.type);
  encoded.rank = d.rank;
  encoded.swizzle = uint8_t(d.swizzle);
  encoded.fillsNaN = d.fillsNaN;
  encoded.address = d.address;
  for (unsigned i = 0; i < d.rank; ++i) {
    encoded.lastSizes[i] = d.sizes[i] - 1;
    encoded.box[i] = d.box[i];
    // Dimension 0 has no stride; the driver ignores what it is given.
    encoded.elementStrides[i] = i ? d.elementStrides[i] : 1;
    if (i)
      encoded.strides[i - 1] = d.strides[i - 1];
  }
  encoded.checksum = checksumOf(encoded);
  std::memcpy(map.data(), &encoded, sizeof encoded);
  return "";
}

bool decodeTensorMap(const uint8_t *bytes, TensorDescription &d) {
  Encoded encoded;
  std::memcpy(&encoded, bytes, sizeof encoded);
  if (encoded.magic != Magic || encoded.checksum != checksumOf(encoded))
    return false;
  d = {};
  d.type = TensorType(encoded.type);
  d.rank = encoded.rank;
  d.swizzle = TensorSwizzle(encoded.swizzle);
  d.fillsNaN = encoded.fillsNaN;
  d.address = encoded.address;
  for (unsigned i = 0; i < d.rank; ++i) {
    d.sizes[i] = uint64_t(encoded.lastSizes[i]) + 1;
    d.box[i] = encoded.box[i];
    d.elementStrides[i] = encoded.elementStrides[i];
    if (i)
      d.strides[i - 1] = encoded.strides[i - 1];
  }
  return true;
}

uint32_t TensorMap::boxBytes() const {
  uint32_t bytes = tensorTypeBytes(type);
  for (unsigned i = 0; i < rank; ++i)
    bytes *= boxElements(i);
  return bytes;
}

namespace {
/// One row of the box: the elements of dimension 0 at a place of the others, as
/// what lies before, in and after the tensor.
void addRow(const TensorMap &map, int64_t start, bool outside, uint64_t row,
            uint32_t tile, std::vector<TensorPiece> &result) {
  unsigned width = tensorTypeBytes(map.type);
  int64_t end = start + map.boxElements(0), size = map.sizes[0];
  int64_t first = outside ? end : std::clamp<int64_t>(0, start, end);
  int64_t last = outside ? end : std::clamp<int64_t>(size, first, end);
  auto add = [&](int64_t from, int64_t to, bool inside) {
    if (from < to)
      result.push_back({uint32_t(tile + (from - start) * width),
                        row + from * width, uint32_t((to - from) * width),
                        inside});
  };
  add(start, first, false);
  add(first, last, true);
  add(last, end, false);
}
} // namespace

std::vector<TensorPiece> TensorMap::pieces(const int32_t (&start)[5]) const {
  std::vector<TensorPiece> result;
  uint32_t index[5] = {0, 0, 0, 0, 0};
  uint32_t rowBytes = boxElements(0) * tensorTypeBytes(type);
  for (uint32_t tile = 0;; tile += rowBytes) {
    uint64_t row = address;
    bool outside = false;
    for (unsigned i = 1; i < rank; ++i) {
      int64_t x = int64_t(start[i]) + int64_t(index[i]) * elementStrides[i];
      outside |= x < 0 || uint64_t(x) >= sizes[i];
      row += x * strides[i - 1];
    }
    addRow(*this, start[0], outside, row, tile, result);
    unsigned i = 1;
    while (i < rank && ++index[i] == boxElements(i))
      index[i++] = 0;
    if (i >= rank)
      return result;
  }
}

} // namespace mta::emulator

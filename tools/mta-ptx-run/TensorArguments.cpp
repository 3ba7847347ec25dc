//===- TensorArguments.cpp - Tensor maps as arguments ---------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   map[64x32,swizzle=64]=in:q.npy
//
// is a map of the array in q.npy, rows last as NumPy has them, and of boxes of
// 64 rows of 32 elements.
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "mta/Emulator/TensorMap.h"
#include <algorithm>
#include <cstdlib>

namespace mta::ptxrun {

using emulator::TensorDescription;
using emulator::TensorSwizzle;
using emulator::TensorType;

namespace {
struct TensorTypeRow {
  const char *name;
  TensorType type;
};
constexpr TensorTypeRow TensorTypes[] = {
    {"u8", TensorType::U8},   {"u16", TensorType::U16},
    {"u32", TensorType::U32}, {"i32", TensorType::S32},
    {"u64", TensorType::U64}, {"i64", TensorType::S64},
    {"f16", TensorType::F16}, {"f32", TensorType::F32},
    {"f64", TensorType::F64}, {"bf16", TensorType::BF16},
};

/// What stands between the brackets.
struct MapOptions {
  std::vector<uint64_t> box, shape;
  std::string type;
  TensorSwizzle swizzle = TensorSwizzle::None;
  bool fillsNaN = false;
};

/// Extents such as 64x32; false if it is none.
bool parseExtents(const std::string &text, std::vector<uint64_t> &extents) {
  size_t at = 0;
  while (at <= text.size()) {
    size_t end = std::min(text.find('x', at), text.size());
    std::string digits = text.substr(at, end - at);
    bool isNumber = !digits.empty() && digits.size() < 12 &&
                    digits.find_first_not_of("0123456789") == std::string::npos;
    if (!isNumber)
      return false;
    extents.push_back(std::strtoull(digits.c_str(), nullptr, 10));
    at = end + 1;
  }
  return !extents.empty() && extents.size() <= 5;
}

std::string parseOption(const std::string &word, MapOptions &options) {
  if (word == "nan") {
    options.fillsNaN = true;
    return "";
  }
  static constexpr const char *Swizzles[] = {"swizzle=0", "swizzle=32",
                                             "swizzle=64", "swizzle=128"};
  for (unsigned i = 0; i < 4; ++i)
    if (word == Swizzles[i]) {
      options.swizzle = TensorSwizzle(i);
      return "";
    }
  if (word.rfind("type=", 0) == 0) {
    options.type = word.substr(5);
    return "";
  }
  if (word.rfind("shape=", 0) == 0 &&
      parseExtents(word.substr(6), options.shape))
    return "";
  return "unknown option '" + word + "' of a tensor map";
}

std::string parseOptions(const std::string &text, MapOptions &options) {
  size_t comma = text.find(',');
  if (!parseExtents(text.substr(0, comma), options.box))
    return "expects a box of at most five extents, such as map[64x32]";
  while (comma != std::string::npos) {
    size_t next = text.find(',', comma + 1);
    std::string problem =
        parseOption(text.substr(comma + 1, next - comma - 1), options);
    if (!problem.empty())
      return problem;
    comma = next;
  }
  return "";
}

/// The description of a dense array, innermost dimension first.
std::string describe(const MapOptions &options, uint64_t address,
                     uint64_t bytes, TensorDescription &result) {
  const TensorTypeRow *found = nullptr;
  for (const TensorTypeRow &row : TensorTypes)
    if (options.type == row.name)
      found = &row;
  if (!found)
    return "a tensor map cannot have elements of type '" + options.type + "'";
  size_t rank = options.shape.size();
  if (rank != options.box.size())
    return "expects a box of " + std::to_string(rank) +
           " extents, as many as the array has, but got " +
           std::to_string(options.box.size());
  result.type = found->type;
  result.rank = rank;
  result.address = address;
  result.swizzle = options.swizzle;
  result.fillsNaN = options.fillsNaN;
  uint64_t stride = emulator::tensorTypeBytes(found->type);
  for (size_t i = 0; i < rank; ++i) {
    result.sizes[i] = options.shape[rank - 1 - i];
    uint64_t box = options.box[rank - 1 - i];
    result.box[i] = std::min<uint64_t>(box, UINT32_MAX);
    if (!result.sizes[i] || result.sizes[i] > bytes / stride)
      return "the shape is empty or larger than the buffer";
    stride *= result.sizes[i];
    if (i + 1 < rank)
      result.strides[i] = stride;
  }
  return "";
}
} // namespace

std::string Arguments::addMap(const emulator::ParameterInfo &parameter,
                              const std::string &spec, size_t index) {
  size_t close = spec.find("]=");
  if (close == std::string::npos)
    return "expects map[BOX]=BUFFER";
  MapOptions options;
  std::string problem = parseOptions(spec.substr(4, close - 4), options);
  if (!problem.empty())
    return problem;
  std::string rest = spec.substr(close + 2);
  const Buffer *buffer = nullptr;
  if (rest[0] == '@') {
    for (const Buffer &other : buffers)
      if (std::to_string(other.index + 1) == rest.substr(1))
        buffer = &other;
    if (!buffer)
      return "expects @ and the number of an earlier argument with a buffer";
  } else {
    uint64_t address = 0;
    bool isBuffer = rest.rfind("in:", 0) == 0 || rest.rfind("inout:", 0) == 0 ||
                    rest.rfind("out:", 0) == 0;
    if (!isBuffer)
      return "expects in:, out:, inout: or @N after map[BOX]=";
    problem = addBuffer(rest, index, address);
    if (!problem.empty())
      return problem;
    buffer = &buffers.back();
  }
  if (options.type.empty())
    options.type = buffer->type;
  if (options.shape.empty())
    options.shape.assign(buffer->shape.begin(), buffer->shape.end());
  TensorDescription description;
  emulator::TensorMapStorage map;
  problem = describe(options, reinterpret_cast<uintptr_t>(buffer->data),
                     buffer->bytes, description);
  if (problem.empty())
    problem = emulator::encodeTensorMap(description, map);
  return problem.empty() ? store(parameter, spec, map.data(), map.size())
                         : problem;
}

} // namespace mta::ptxrun

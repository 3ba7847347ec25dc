//===- Arguments.cpp - Arguments of a kernel ------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace mta::ptxrun {

using emulator::Access;
using emulator::EntryInfo;
using emulator::ParameterInfo;

namespace {
constexpr size_t RedZone = 4096, Alignment = 256;
constexpr uint64_t MaxBufferBytes = uint64_t(1) << 36;

struct TypeRow {
  const char *name, *descr;
  unsigned bytes;
  bool isFloat, isSigned;
};
constexpr TypeRow Types[] = {
    {"i8", "|i1", 1, false, true},  {"u8", "|u1", 1, false, false},
    {"i16", "<i2", 2, false, true}, {"u16", "<u2", 2, false, false},
    {"i32", "<i4", 4, false, true}, {"u32", "<u4", 4, false, false},
    {"i64", "<i8", 8, false, true}, {"u64", "<u8", 8, false, false},
    {"f16", "<f2", 2, true, true},  {"bf16", "<u2", 2, true, true},
    {"f32", "<f4", 4, true, true},  {"f64", "<f8", 8, true, true},
};

const TypeRow *findType(const std::string &name) {
  for (const TypeRow &row : Types)
    if (name == row.name)
      return &row;
  return nullptr;
}

/// The bits of a finite value with the given field widths, to nearest even.
uint16_t smallFloat(double value, int mantissaBits, int bias) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (magnitude == 0)
    return sign;
  uint16_t infinity = uint16_t((2 * bias + 1) << mantissaBits);
  if (std::isnan(value))
    return infinity | 1 << (mantissaBits - 1);
  int exponent =
      std::isinf(value) ? 2 * bias : std::max(std::ilogb(magnitude), 1 - bias);
  double units = std::nearbyint(std::ldexp(magnitude, mantissaBits - exponent));
  double bits = units + std::ldexp(exponent + bias - 1, mantissaBits);
  return sign | (bits >= infinity ? infinity : uint16_t(bits));
}

/// The value of a scalar argument; false if it does not fit its type.
bool parseScalar(const TypeRow &type, const std::string &text, uint64_t &bits) {
  char *end = nullptr;
  errno = 0;
  bits = 0;
  if (text.empty() || text[0] == ' ')
    return false;
  if (type.isFloat) {
    double value = std::strtod(text.c_str(), &end);
    float narrow = float(value);
    if (type.bytes == 8)
      std::memcpy(&bits, &value, 8);
    else if (type.bytes == 4)
      std::memcpy(&bits, &narrow, 4);
    else
      bits = type.name[0] == 'b' ? smallFloat(value, 7, 127)
                                 : smallFloat(value, 10, 15);
    return *end == 0;
  }
  bool negative = text[0] == '-';
  bits = std::strtoull(text.c_str(), &end, 0);
  if (*end || errno || (negative && !type.isSigned))
    return false;
  unsigned width = 8 * type.bytes;
  if (type.isSigned) {
    int64_t value = std::strtoll(text.c_str(), &end, 0);
    int64_t limit = INT64_MAX >> (64 - width);
    return !errno && value >= -limit - 1 && value <= limit;
  }
  return width == 64 || bits >> width == 0;
}

bool parseHex(const std::string &text, std::vector<uint8_t> &bytes) {
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    char *end = nullptr;
    std::string pair = text.substr(i, 2);
    bytes.push_back(std::strtoul(pair.c_str(), &end, 16));
    if (*end || pair[0] == '-' || pair[0] == '+' || pair[0] == ' ')
      return false;
  }
  return text.size() % 2 == 0 && !bytes.empty();
}

std::string before(const std::string &text, char separator) {
  return text.substr(0, text.find(separator));
}
std::string after(const std::string &text, char separator) {
  size_t at = text.find(separator);
  return at == std::string::npos ? "" : text.substr(at + 1);
}
} // namespace

std::string Arguments::prepare(const EntryInfo &entry,
                               const std::vector<std::string> &specs) {
  if (specs.size() != entry.parameters.size())
    return "'" + entry.name + "' expects " +
           std::to_string(entry.parameters.size()) + " arguments, but got " +
           std::to_string(specs.size());
  block.assign(entry.parameterBytes, 0);
  // Buffers refer to their storage by address.
  buffers.reserve(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    std::string problem = add(entry.parameters[i], specs[i], i);
    if (!problem.empty())
      return "argument " + std::to_string(i + 1) + ", '" + specs[i] +
             "': " + problem;
  }
  return "";
}

std::string Arguments::add(const ParameterInfo &parameter,
                           const std::string &spec, size_t index) {
  std::string kind = before(spec, ':'), rest = after(spec, ':');
  uint64_t bits = 0;
  if (spec == "null")
    return store(parameter, spec, &bits, 8);
  if (kind == "in" || kind == "inout" || kind == "out") {
    std::string problem = addBuffer(spec, index, bits);
    return problem.empty() ? store(parameter, spec, &bits, 8) : problem;
  }
  if (spec.rfind("map[", 0) == 0)
    return addMap(parameter, spec, index);
  if (kind == "bytes") {
    std::vector<uint8_t> bytes;
    if (!parseHex(rest, bytes))
      return "expects pairs of hexadecimal digits";
    return store(parameter, spec, bytes.data(), bytes.size());
  }
  const TypeRow *type = findType(kind);
  if (!type)
    return "expects in:, out:, inout:, map[BOX]=, bytes:, null or a type and a "
           "value";
  if (!parseScalar(*type, rest, bits))
    return "'" + rest + "' is not a value of type " + kind;
  return store(parameter, spec, &bits, type->bytes);
}

std::string Arguments::store(const ParameterInfo &parameter,
                             const std::string &, const void *value,
                             size_t bytes) {
  if (bytes != parameter.size)
    return "has " + std::to_string(bytes) + " bytes, but parameter '" +
           parameter.name + "' is ." + parameter.type + " of " +
           std::to_string(parameter.size) + " bytes";
  std::memcpy(block.data() + parameter.offset, value, bytes);
  return "";
}

/// `rest` is FILE:TYPE:SHAPE.
std::string Arguments::addOutput(Buffer &buffer, const std::string &rest) {
  buffer.isOutput = true;
  buffer.target = before(rest, ':');
  std::string typeAndShape = after(rest, ':');
  const TypeRow *type = findType(before(typeAndShape, ':'));
  std::string shape = after(typeAndShape, ':');
  if (buffer.target.empty() || !type || shape.empty())
    return "expects out:FILE.npy:TYPE:SHAPE, such as out:c.npy:f32:64x128";
  buffer.descr = type->descr;
  buffer.type = type->name;
  buffer.elementBytes = type->bytes;
  uint64_t bytes = type->bytes;
  while (!shape.empty()) {
    std::string extentText = before(shape, 'x');
    char *end = nullptr;
    uint64_t extent = std::strtoull(extentText.c_str(), &end, 10);
    if (*end || extent == 0 || extent > MaxBufferBytes / bytes)
      return "'" + extentText + "' is not an extent";
    bytes *= extent;
    buffer.shape.push_back(extent);
    shape = after(shape, 'x');
  }
  buffer.bytes = bytes;
  return "";
}

std::string Arguments::addBuffer(const std::string &spec, size_t index,
                                 uint64_t &address) {
  std::string kind = before(spec, ':'), rest = after(spec, ':');
  Buffer buffer;
  std::vector<uint8_t> contents;
  if (kind == "out") {
    std::string problem = addOutput(buffer, rest);
    if (!problem.empty())
      return problem;
  } else {
    std::string path = before(rest, ':');
    Expected<NpyArray> array = readNpy(path);
    if (!array)
      return array.error().str();
    std::string target = after(rest, ':');
    if (kind == "in" && !target.empty())
      return "expects in:FILE.npy";
    buffer.target = kind == "in" ? "" : target.empty() ? path : target;
    buffer.descr = array->descr;
    for (const TypeRow &row : Types)
      if (buffer.descr == row.descr && buffer.type.empty())
        buffer.type = row.name;
    buffer.elementBytes = array->elementBytes;
    buffer.shape = array->shape;
    buffer.bytes = array->data.size();
    contents = std::move(array->data);
  }
  buffer.index = index;
  buffer.argument =
      "argument " + std::to_string(index + 1) + " (" + before(rest, ':') + ")";
  size_t padded = buffer.bytes + 2 * RedZone + Alignment;
  buffer.storage.reset(new uint8_t[padded]);
  auto start = reinterpret_cast<uintptr_t>(buffer.storage.get()) + RedZone;
  address = (start + Alignment - 1) / Alignment * Alignment;
  buffer.data = reinterpret_cast<uint8_t *>(address);
  if (!contents.empty())
    std::memcpy(buffer.data, contents.data(), contents.size());
  Access access = kind == "in"    ? Access::In
                  : kind == "out" ? Access::Out
                                  : Access::InOut;
  if (buffer.bytes &&
      !space.add(buffer.data, buffer.bytes, access, buffer.argument))
    return "the buffer overlaps another";
  buffers.push_back(std::move(buffer));
  return "";
}

std::string Arguments::checkOutputs() const {
  std::string problems;
  for (const Buffer &buffer : buffers) {
    if (!buffer.isOutput)
      continue;
    size_t first = 0;
    size_t unwritten =
        space.countUnwritten(buffer.data, buffer.elementBytes, first);
    if (!unwritten)
      continue;
    std::string position;
    size_t rest = first;
    for (size_t d = buffer.shape.size(); d-- > 0; rest /= buffer.shape[d])
      position = std::to_string(rest % buffer.shape[d]) +
                 (position.empty() ? "" : ", " + position);
    problems += (problems.empty() ? "" : "\n") + buffer.argument +
                ": error: nothing wrote " + std::to_string(unwritten) + " of " +
                std::to_string(buffer.bytes / buffer.elementBytes) +
                " elements, the first at [" + position + "]";
  }
  return problems;
}

std::string Arguments::write() const {
  for (const Buffer &buffer : buffers) {
    if (buffer.target.empty())
      continue;
    std::string problem = writeNpy(buffer.target, buffer.descr, buffer.shape,
                                   buffer.data, buffer.bytes);
    if (!problem.empty())
      return problem;
  }
  return "";
}

} // namespace mta::ptxrun

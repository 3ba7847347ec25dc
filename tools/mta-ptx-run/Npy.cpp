//===- Npy.cpp - Arrays in NumPy files ------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NumPy enhancement proposal 1: "\x93NUMPY", version, length of the header,
// and the header as a Python dictionary.
//
//===----------------------------------------------------------------------===//

#include "Npy.h"
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <unistd.h>

namespace mta::ptxrun {

namespace {
/// What follows `'key':` in the header, or "".
std::string valueOf(const std::string &header, const std::string &key) {
  size_t at = header.find("'" + key + "'");
  if (at == std::string::npos)
    return "";
  at = header.find(':', at);
  if (at == std::string::npos)
    return "";
  at = header.find_first_not_of(' ', at + 1);
  return at == std::string::npos ? "" : header.substr(at);
}

bool parseShape(const std::string &text, std::vector<uint64_t> &shape) {
  if (text.empty() || text[0] != '(')
    return false;
  const char *at = text.c_str() + 1;
  while (*at && *at != ')') {
    char *end = nullptr;
    uint64_t extent = std::strtoull(at, &end, 10);
    if (end == at)
      return false;
    shape.push_back(extent);
    at = end;
    while (*at == ',' || *at == ' ')
      ++at;
  }
  return *at == ')';
}

bool multiply(uint64_t a, uint64_t b, uint64_t &product) {
  return !__builtin_mul_overflow(a, b, &product);
}
} // namespace

Expected<std::string> readFile(const std::string &path) {
  std::string text;
  FILE *file = std::fopen(path.c_str(), "rb");
  char buffer[1 << 16];
  // A folder opens, but does not read.
  while (file && !std::ferror(file) && !std::feof(file))
    text.append(buffer, std::fread(buffer, 1, sizeof buffer, file));
  bool ok = file && !std::ferror(file);
  int reason = errno;
  if (file)
    std::fclose(file);
  if (!ok)
    return Error{path, 0, std::string("cannot read: ") + std::strerror(reason)};
  return text;
}

Expected<NpyArray> readNpy(const std::string &path) {
  Expected<std::string> text = readFile(path);
  if (!text)
    return text.error();
  std::vector<uint8_t> bytes(text->begin(), text->end());
  auto fail = [&](const std::string &message) {
    return Error{path, 0, message};
  };
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6))
    return fail("not a .npy file");
  bool wide = bytes[6] >= 2;
  size_t start = wide ? 12 : 10;
  size_t length = bytes[8] | bytes[9] << 8;
  if (wide)
    length |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
  if (bytes[6] < 1 || bytes[6] > 3 || length > bytes.size() - start)
    return fail("the header of the .npy file is damaged");
  std::string header(reinterpret_cast<char *>(bytes.data()) + start, length);
  NpyArray array;
  std::string descr = valueOf(header, "descr");
  size_t quote = descr.find('\'', 1);
  if (descr.empty() || descr[0] != '\'' || quote == std::string::npos)
    return fail("expects a simple element type, but got " + descr);
  array.descr = descr.substr(1, quote - 1);
  if (array.descr.size() < 3 || array.descr[0] == '>')
    return fail("expects little-endian elements, but got '" + array.descr +
                "'");
  array.elementBytes = std::strtoul(array.descr.c_str() + 2, nullptr, 10);
  if (array.elementBytes == 0 || array.elementBytes > 16)
    return fail("expects elements of 1 to 16 bytes, but got '" + array.descr +
                "'");
  if (!parseShape(valueOf(header, "shape"), array.shape))
    return fail("the header of the .npy file has no shape");
  uint64_t expected = array.elementBytes;
  for (uint64_t extent : array.shape)
    if (!multiply(expected, extent, expected))
      return fail("the shape of the .npy file is too large");
  if (valueOf(header, "fortran_order").rfind("False", 0) != 0 &&
      array.shape.size() > 1)
    return fail("expects an array in C order");
  size_t available = bytes.size() - start - length;
  if (available != expected)
    return fail("expects " + std::to_string(expected) +
                " bytes of elements, but got " + std::to_string(available));
  array.data.assign(bytes.begin() + start + length, bytes.end());
  return array;
}

namespace {
std::string writeBytes(const std::string &path, const std::string &head,
                       const void *data, size_t bytes) {
  std::string temporary = path + ".tmp" + std::to_string(getpid());
  std::ofstream stream(temporary, std::ios::binary);
  stream.write(head.data(), head.size());
  stream.write(static_cast<const char *>(data), bytes);
  stream.close();
  if (stream && std::rename(temporary.c_str(), path.c_str()) == 0)
    return "";
  std::string reason = std::strerror(errno);
  std::remove(temporary.c_str());
  return path + ": error: cannot write: " + reason;
}
} // namespace

std::string writeNpy(const std::string &path, const std::string &descr,
                     const std::vector<uint64_t> &shape, const void *data,
                     size_t bytes) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (uint64_t extent : shape)
    header += std::to_string(extent) + ", ";
  if (shape.size() > 1)
    header.erase(header.size() - 2);
  else if (!shape.empty())
    header.pop_back();
  header += "), }";
  // The elements start at a multiple of 64 bytes; the header ends in a newline.
  size_t padded = (10 + header.size() + 1 + 63) / 64 * 64;
  header.resize(padded - 10 - 1, ' ');
  header += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += char(header.size() & 0xff);
  head += char(header.size() >> 8);
  return writeBytes(path, head + header, data, bytes);
}

std::string writeFile(const std::string &path, const std::string &text) {
  return writeBytes(path, text, nullptr, 0);
}

} // namespace mta::ptxrun

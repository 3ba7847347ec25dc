//===- Memory.h - Memory that kernels may touch -----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Device addresses are host addresses. A kernel may touch exactly the ranges
// that are registered here, and the variables of its module.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_MEMORY_H
#define MTA_EMULATOR_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mta::emulator {

/// What kernels may do with a range.
enum class Access : uint8_t {
  In,    // read
  Out,   // write; read only what was written before; poisoned with 0xff
  InOut, // read and write
};

/// One byte of state per byte of a range, allocated as untouched zero pages,
/// so that large ranges cost only what is used.
class ByteMap {
public:
  ByteMap() = default;
  explicit ByteMap(size_t size);
  ~ByteMap();
  ByteMap(ByteMap &&other) noexcept;
  ByteMap &operator=(ByteMap &&other) noexcept;
  ByteMap(const ByteMap &) = delete;
  ByteMap &operator=(const ByteMap &) = delete;

  explicit operator bool() const { return bytes != nullptr; }
  uint8_t *data() { return bytes; }
  const uint8_t *data() const { return bytes; }
  size_t size() const { return length; }
  /// Remembers that [offset, offset + count) is about to be marked.
  void touch(size_t offset, size_t count) {
    for (size_t c = offset >> ChunkBits; c <= (offset + count - 1) >> ChunkBits;
         ++c)
      chunks[c] = 1;
  }
  void mark(size_t offset, size_t count) {
    touch(offset, count);
    __builtin_memset(bytes + offset, 1, count);
  }
  /// How many bytes are marked.
  size_t countMarked() const;

private:
  static constexpr unsigned ChunkBits = 16;
  uint8_t *bytes = nullptr;
  uint8_t *chunks = nullptr;
  size_t length = 0;
};

/// A registered range.
struct MemoryRange {
  uint64_t base = 0;
  uint64_t size = 0;
  Access access = Access::InOut;
  /// For messages, such as "argument 2 (c.npy)".
  std::string name;
  /// Bytes that were written since an Out range was registered.
  ByteMap initialized;
  /// Bytes read and written by the current launch.
  ByteMap read, written;
};

/// The set of registered ranges. Ranges do not overlap. Not to be changed
/// during a launch.
class MemorySpace {
public:
  /// Registers `size` bytes at `base`; an Out range is filled with 0xff.
  /// Returns false if it overlaps another range, is empty or wraps around.
  bool add(void *base, size_t size, Access access, std::string name);
  /// Unregisters the range that starts at `base`; false if there is none.
  /// Later accesses are reported as uses after release.
  bool remove(void *base);

  MemoryRange *find(uint64_t address) const;
  /// The last range that ends at or before `address`, for messages.
  const MemoryRange *before(uint64_t address) const;
  /// The name of a range that was removed and contained `address`, or null.
  const std::string *released(uint64_t address) const;

  /// Elements of `elementBytes` that nothing wrote in the Out range at `base`;
  /// `first` gets the index of the first one.
  size_t countUnwritten(void *base, size_t elementBytes, size_t &first) const;

  /// Clears the maps of what a launch touched.
  void beginLaunch();
  /// Unique bytes read and written since beginLaunch.
  uint64_t uniqueRead() const;
  uint64_t uniqueWritten() const;

private:
  struct Released {
    uint64_t base, size;
    std::string name;
  };
  std::map<uint64_t, std::unique_ptr<MemoryRange>> ranges;
  std::vector<Released> releasedRanges;
};

} // namespace mta::emulator

#endif // MTA_EMULATOR_MEMORY_H

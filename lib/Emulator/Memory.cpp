//===- Memory.cpp - Memory that kernels may touch -------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Emulator/Memory.h"
#include <cstdlib>
#include <cstring>
#include <utility>

namespace mta::emulator {

namespace {
/// Enough history to explain a dangling pointer, bounded for long programs.
constexpr size_t MaxReleased = 4096;
} // namespace

ByteMap::ByteMap(size_t size)
    : bytes(static_cast<uint8_t *>(std::calloc(size, 1))),
      chunks(static_cast<uint8_t *>(std::calloc((size >> ChunkBits) + 1, 1))),
      length(size) {
  if (!bytes || !chunks)
    std::abort();
}

ByteMap::~ByteMap() {
  std::free(bytes);
  std::free(chunks);
}

ByteMap::ByteMap(ByteMap &&other) noexcept
    : bytes(std::exchange(other.bytes, nullptr)),
      chunks(std::exchange(other.chunks, nullptr)),
      length(std::exchange(other.length, 0)) {}

ByteMap &ByteMap::operator=(ByteMap &&other) noexcept {
  std::swap(bytes, other.bytes);
  std::swap(chunks, other.chunks);
  std::swap(length, other.length);
  return *this;
}

size_t ByteMap::countMarked() const {
  size_t marked = 0;
  for (size_t chunk = 0; bytes && chunk << ChunkBits < length; ++chunk) {
    if (!chunks[chunk])
      continue;
    size_t begin = chunk << ChunkBits;
    size_t end = std::min(length, begin + (size_t(1) << ChunkBits));
    for (size_t i = begin; i < end; ++i)
      marked += bytes[i];
  }
  return marked;
}

bool MemorySpace::add(void *base, size_t size, Access access,
                      std::string name) {
  uint64_t start = reinterpret_cast<uintptr_t>(base);
  if (!size || start + size < start)
    return false;
  auto next = ranges.lower_bound(start);
  if (next != ranges.end() && next->first < start + size)
    return false;
  if (next != ranges.begin()) {
    const MemoryRange &previous = *std::prev(next)->second;
    if (previous.base + previous.size > start)
      return false;
  }
  auto range = std::make_unique<MemoryRange>();
  range->base = start;
  range->size = size;
  range->access = access;
  range->name = std::move(name);
  if (access == Access::Out) {
    std::memset(base, 0xff, size);
    range->initialized = ByteMap(size);
  }
  ranges.emplace_hint(next, start, std::move(range));
  return true;
}

bool MemorySpace::remove(void *base) {
  auto found = ranges.find(reinterpret_cast<uintptr_t>(base));
  if (found == ranges.end())
    return false;
  if (releasedRanges.size() == MaxReleased)
    releasedRanges.erase(releasedRanges.begin(),
                         releasedRanges.begin() + MaxReleased / 2);
  MemoryRange &range = *found->second;
  releasedRanges.push_back({range.base, range.size, std::move(range.name)});
  ranges.erase(found);
  return true;
}

MemoryRange *MemorySpace::find(uint64_t address) const {
  auto next = ranges.upper_bound(address);
  if (next == ranges.begin())
    return nullptr;
  MemoryRange &range = *std::prev(next)->second;
  return address - range.base < range.size ? &range : nullptr;
}

const MemoryRange *MemorySpace::before(uint64_t address) const {
  auto next = ranges.upper_bound(address);
  return next == ranges.begin() ? nullptr : std::prev(next)->second.get();
}

const std::string *MemorySpace::released(uint64_t address) const {
  for (size_t i = releasedRanges.size(); i-- > 0;)
    if (address - releasedRanges[i].base < releasedRanges[i].size)
      return &releasedRanges[i].name;
  return nullptr;
}

size_t MemorySpace::countUnwritten(void *base, size_t elementBytes,
                                   size_t &first) const {
  auto found = ranges.find(reinterpret_cast<uintptr_t>(base));
  if (found == ranges.end() || !found->second->initialized)
    return 0;
  const ByteMap &map = found->second->initialized;
  size_t unwritten = 0;
  for (size_t i = 0; i + elementBytes <= map.size(); i += elementBytes) {
    bool whole = true;
    for (size_t byte = 0; byte < elementBytes; ++byte)
      whole &= map.data()[i + byte] != 0;
    if (whole)
      continue;
    if (!unwritten++)
      first = i / elementBytes;
  }
  return unwritten;
}

void MemorySpace::beginLaunch() {
  for (auto &[base, range] : ranges) {
    range->read = ByteMap(range->size);
    range->written =
        range->access == Access::In ? ByteMap() : ByteMap(range->size);
  }
}

uint64_t MemorySpace::uniqueRead() const {
  uint64_t total = 0;
  for (const auto &[base, range] : ranges)
    total += range->read.countMarked();
  return total;
}

uint64_t MemorySpace::uniqueWritten() const {
  uint64_t total = 0;
  for (const auto &[base, range] : ranges)
    total += range->written.countMarked();
  return total;
}

} // namespace mta::emulator

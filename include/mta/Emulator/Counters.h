//===- Counters.h - What a launch did, counted ------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counters are exact and do not depend on the number of host threads or on the
// order of warps, as long as the kernel's control flow does not.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_COUNTERS_H
#define MTA_EMULATOR_COUNTERS_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mta::emulator {

/// Counts of one instruction, one line or one kernel.
struct Count {
  /// Instructions executed by a warp, and the lanes that were active in them.
  uint64_t warps = 0, lanes = 0;
  /// Matrix operations of a warp, and the multiply-adds they stand for.
  uint64_t matrixOps = 0, multiplyAdds = 0;
  /// Requests to global memory, the 32-byte sectors they touch, and the bytes
  /// asked for.
  uint64_t globalRequests = 0, globalSectors = 0, globalBytes = 0;
  uint64_t sectorsRead = 0, sectorsWritten = 0;
  uint64_t bytesRead = 0, bytesWritten = 0;
  /// Passes through shared memory, and the fewest that the width of the
  /// access allows; the excess is bank conflicts.
  uint64_t sharedWavefronts = 0, sharedIdealWavefronts = 0, sharedBytes = 0;
  /// Bytes copied by asynchronous copies (they count as global reads too).
  uint64_t asyncBytes = 0;
  /// Bytes of global memory that bulk copies read and wrote; they count as
  /// global reads and writes too.
  uint64_t bulkBytesRead = 0, bulkBytesWritten = 0;
  /// Lanes that executed an mbarrier instruction.
  uint64_t mbarrierOps = 0;
  /// Branches whose lanes went different ways.
  uint64_t divergentBranches = 0;

  void add(const Count &other);
};

/// Counts by line of the PTX text or of the source that `.loc` names.
struct LineCount {
  std::string file;
  unsigned line = 0;
  std::string text; // the instruction, for PTX lines
  Count count;
};

struct Counters {
  std::string kernel;
  uint64_t blocks = 0, threads = 0;
  Count total;
  /// Warp and lane instructions by class, in the order of the classes' names.
  std::map<std::string, Count> classes;
  /// By opcode with modifiers.
  std::map<std::string, Count> opcodes;
  std::vector<LineCount> ptxLines, sourceLines;
  uint64_t uniqueBytesRead = 0, uniqueBytesWritten = 0;
  uint64_t barriers = 0;
  uint32_t sharedBytes = 0, localBytes = 0;

  /// JSON with a stable order of keys.
  std::string json() const;
  /// A table for people; `lines` source or PTX lines with the most work.
  std::string table(unsigned lines) const;
};

} // namespace mta::emulator

#endif // MTA_EMULATOR_COUNTERS_H

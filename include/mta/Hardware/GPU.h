//===- GPU.h - What is published about GPUs ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Limits of architectures and rates of products, for the compiler, which
// chooses the shape of a kernel by them, and for the emulator, which refuses
// launches and bounds times by them. Plain C++: the emulator has no MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_HARDWARE_GPU_H
#define MTA_HARDWARE_GPU_H

#include <cstdint>
#include <string_view>

namespace mta::hardware {

/// CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute
/// Capability".
struct Architecture {
  /// The number in "sm_90a".
  unsigned number;
  /// Bytes of shared memory of a block, after opting in, and of a
  /// multiprocessor.
  uint32_t blockBytes, multiprocessorBytes;
  /// Threads and blocks that are resident on a multiprocessor at once.
  unsigned threads, blocks;
};

inline constexpr Architecture Architectures[] = {
    {70, 96 * 1024, 96 * 1024, 2048, 32},
    {72, 96 * 1024, 96 * 1024, 2048, 32},
    {75, 64 * 1024, 64 * 1024, 1024, 16},
    {80, 163 * 1024, 164 * 1024, 2048, 32},
    {86, 99 * 1024, 100 * 1024, 1536, 16},
    {87, 163 * 1024, 164 * 1024, 1536, 16},
    {88, 163 * 1024, 164 * 1024, 1536, 16},
    {89, 99 * 1024, 100 * 1024, 1536, 24},
    {90, 227 * 1024, 228 * 1024, 2048, 32},
    {100, 227 * 1024, 228 * 1024, 2048, 32},
    {101, 227 * 1024, 228 * 1024, 1536, 24},
    {103, 227 * 1024, 228 * 1024, 2048, 32},
    {110, 227 * 1024, 228 * 1024, 1536, 24},
    {120, 99 * 1024, 100 * 1024, 1536, 24},
    {121, 99 * 1024, 100 * 1024, 1536, 24},
};

// Common to the listed architectures.
inline constexpr uint32_t MaxThreadsPerBlock = 1024;
inline constexpr uint32_t MaxRegistersPerThread = 255;
inline constexpr uint32_t Registers = 65536; // of a block and a multiprocessor
/// Registers come to warps in multiples of this many, hence to threads in
/// multiples of 8.
inline constexpr uint32_t RegisterUnit = 256;
/// Shared memory that the system takes of every block, from sm_80 on.
inline constexpr uint32_t ReservedBytesPerBlock = 1024;
inline constexpr unsigned Schedulers = 4; // each issues one warp instruction
/// From L2 to one multiprocessor. Shared memory serves one wavefront a cycle.
inline constexpr double L2BytesPerCycle = 64;

/// The newest listed architecture that is not newer than `number`; null before
/// the first one.
constexpr const Architecture *findArchitecture(unsigned number) {
  const Architecture *best = nullptr;
  for (const Architecture &architecture : Architectures)
    if (architecture.number <= number)
      best = &architecture;
  return best;
}

/// The number in "sm_90a"; 0 if there is none.
constexpr unsigned architectureNumber(std::string_view chip) {
  constexpr std::string_view prefix = "sm_";
  if (chip.substr(0, prefix.size()) != prefix)
    return 0;
  unsigned number = 0;
  for (char digit : chip.substr(prefix.size(), 4)) {
    if (digit < '0' || digit > '9')
      break;
    number = 10 * number + (digit - '0');
  }
  return number;
}

/// Whether the tensor cores have wgmma (PTX ISA 9.7.15), which no other chip
/// has.
constexpr bool hasWarpgroups(std::string_view chip) { return chip == "sm_90a"; }

/// Published figures of a product.
struct GpuFigures {
  const char *name;
  const char *source;
  unsigned architecture;
  unsigned multiprocessors;
  double clockGHz;     // boost
  double tensorTFlops; // 16-bit factors, 32-bit sums, dense
  /// The part of it that mma.sync reaches, without wgmma.
  double mmaSyncPart;
  double memoryGBs; // of DRAM
  /// Lanes a multiprocessor serves in a cycle.
  unsigned floatLanes, integerLanes, specialLanes;

  /// Multiply-adds of 16-bit factors that a multiprocessor does in a cycle.
  constexpr double tensorPerCycle() const {
    return tensorTFlops * 1e3 / 2 / (multiprocessors * clockGHz);
  }
};

// Multiprocessors, boost clock, dense 16-bit tensor rate with 32-bit sums and
// DRAM bandwidth from the vendor's data sheets and architecture white papers;
// lanes per cycle from the CUDA C++ Programming Guide, table "Throughput of
// Native Arithmetic Instructions"; the part of mma.sync on Hopper from
// measurements (Luo et al., arXiv 2402.13499).
inline constexpr GpuFigures Gpus[] = {
    {"a100-sxm", "NVIDIA A100 80GB data sheet", 80, 108, 1.41, 312.0, 1, 2039,
     64, 64, 16},
    {"h100-sxm", "NVIDIA H100 SXM5 data sheet and H100 white paper", 90, 132,
     1.83, 989.4, 0.629, 3350, 128, 64, 16},
    {"h200", "NVIDIA H200 SXM data sheet", 90, 132, 1.83, 989.4, 0.629, 4800,
     128, 64, 16},
    {"l40s", "NVIDIA L40S data sheet and Ada white paper", 89, 142, 2.52, 362.1,
     1, 864, 128, 64, 16},
    {"rtx4090", "NVIDIA Ada GPU architecture white paper", 89, 128, 2.52, 165.2,
     1, 1008, 128, 64, 16},
};

/// The first product of the newest architecture that is not newer than
/// `architecture`; null before the first one.
constexpr const GpuFigures *findGpu(unsigned architecture) {
  const GpuFigures *best = nullptr;
  for (const GpuFigures &gpu : Gpus)
    if (gpu.architecture <= architecture &&
        (!best || best->architecture < gpu.architecture))
      best = &gpu;
  return best;
}

} // namespace mta::hardware

#endif // MTA_HARDWARE_GPU_H

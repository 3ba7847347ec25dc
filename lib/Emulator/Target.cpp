//===- Target.cpp - Limits of the targets ---------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Target.h"

namespace mta::emulator {

// CUDA C++ Programming Guide 13.0, "Technical Specifications per Compute
// Capability": maximum amount of shared memory per thread block.
static const TargetLimits Limits[] = {
    {70, 96 * 1024},   {72, 96 * 1024},   {75, 64 * 1024},   {80, 163 * 1024},
    {86, 99 * 1024},   {87, 163 * 1024},  {88, 163 * 1024},  {89, 99 * 1024},
    {90, 227 * 1024},  {100, 227 * 1024}, {101, 227 * 1024}, {103, 227 * 1024},
    {110, 227 * 1024}, {120, 99 * 1024},  {121, 99 * 1024},
};

const TargetLimits *targetLimits(unsigned sm) {
  const TargetLimits *best = nullptr;
  for (const TargetLimits &limits : Limits)
    if (limits.sm <= sm)
      best = &limits;
  return best;
}

} // namespace mta::emulator

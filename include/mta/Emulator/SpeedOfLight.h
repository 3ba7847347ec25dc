//===- SpeedOfLight.h - A bound on the speed of a kernel --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From the counters of a launch and the published figures of a GPU: how long
// each part of the GPU is busy at least, and so how long the kernel takes at
// least. A model, not a simulation: it knows no latency and assumes that every
// block is resident and every unit is always fed.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_EMULATOR_SPEEDOFLIGHT_H
#define MTA_EMULATOR_SPEEDOFLIGHT_H

#include "mta/Emulator/Counters.h"
#include "mta/Emulator/Error.h"
#include "mta/Hardware/GPU.h"

namespace mta::emulator {

struct PipeTime {
  std::string pipe;
  /// Cycles of one multiprocessor, if all share the work equally.
  double cycles;
  double microseconds;
};

struct SpeedOfLight {
  const hardware::GpuFigures *gpu = nullptr;
  std::vector<PipeTime> pipes;
  std::string limit;
  double microseconds = 0;
  std::vector<std::string> assumptions;

  std::string json() const;
  std::string table() const;
};

/// Names that `speedOfLight` knows, separated by ", ".
std::string knownGpus();
Expected<SpeedOfLight> speedOfLight(const Counters &counters,
                                    const std::string &gpu);

} // namespace mta::emulator

#endif // MTA_EMULATOR_SPEEDOFLIGHT_H

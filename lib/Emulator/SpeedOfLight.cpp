//===- SpeedOfLight.cpp - A bound on the speed of a kernel ----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Emulator/SpeedOfLight.h"
#include "JsonWriter.h"
#include <algorithm>
#include <cstdio>

namespace mta::emulator {

namespace {
using hardware::GpuFigures;

uint64_t warpsOf(const Counters &counters, const char *name) {
  auto found = counters.classes.find(name);
  return found == counters.classes.end() ? 0 : found->second.warps;
}

/// Multiply-adds in units of those with 16-bit factors by the fastest
/// instruction.
double tensorWork(const Counters &counters, const GpuFigures &gpu) {
  double work = 0;
  for (const auto &entry : counters.opcodes) {
    auto has = [&](const char *part) {
      return entry.first.find(part) != std::string::npos;
    };
    double factor = has(".tf32")               ? 2
                    : has(".s8") || has(".u8") ? 0.5
                    : has(".f64")              ? 16
                                               : 1;
    if (entry.first.rfind("wgmma", 0) != 0)
      factor /= gpu.mmaSyncPart;
    work += factor * double(entry.second.multiplyAdds);
  }
  return work;
}

std::string percent(double part) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3g %%", 100 * part);
  return text;
}

class Model {
public:
  Model(const Counters &counters, const GpuFigures &gpu)
      : counters(counters), gpu(gpu) {
    result.gpu = &gpu;
  }
  SpeedOfLight run();

private:
  /// Cycles of all multiprocessors together, shared equally.
  void add(const char *pipe, double cycles) {
    double each = cycles / gpu.multiprocessors;
    result.pipes.push_back({pipe, each, each / (gpu.clockGHz * 1e3)});
  }
  double lanesOf(const char *cls) const {
    return 32.0 * double(warpsOf(counters, cls));
  }

  const Counters &counters;
  const GpuFigures &gpu;
  SpeedOfLight result;
};

SpeedOfLight Model::run() {
  add("issue", double(counters.total.warps) / hardware::Schedulers);
  add("tensor", tensorWork(counters, gpu) / gpu.tensorPerCycle());
  add("float32", lanesOf("float32") / gpu.floatLanes);
  add("integer", (lanesOf("integer") + lanesOf("move")) / gpu.integerLanes);
  // Packed halves run at the rate of single precision.
  add("half", lanesOf("half") / gpu.floatLanes);
  add("special", (lanesOf("special") + lanesOf("convert")) / gpu.specialLanes);
  add("shared", double(counters.total.sharedWavefronts) +
                    double(warpsOf(counters, "shuffle")));
  double sectorBytes =
      32.0 * double(counters.total.sectorsRead + counters.total.sectorsWritten);
  add("l2", sectorBytes / hardware::L2BytesPerCycle);
  double dramBytes =
      double(counters.uniqueBytesRead) + double(counters.uniqueBytesWritten);
  double dramMicroseconds = dramBytes / (gpu.memoryGBs * 1e3);
  result.pipes.push_back(
      {"dram", dramMicroseconds * gpu.clockGHz * 1e3, dramMicroseconds});
  auto worst = std::max_element(
      result.pipes.begin(), result.pipes.end(),
      [](const PipeTime &a, const PipeTime &b) { return a.cycles < b.cycles; });
  result.limit = worst->pipe;
  result.microseconds = worst->microseconds;
  result.assumptions = {
      std::string("figures: ") + gpu.source,
      "PTX instructions stand for machine instructions one to one",
      "mma.sync reaches " + percent(gpu.mmaSyncPart) + " of the tensor rate",
      "the work spreads over all multiprocessors, at the boost clock",
      "every byte crosses DRAM once; every sector comes from L2, 64 bytes a "
      "cycle for a multiprocessor",
      "no latency, no launch overhead: the kernel takes at least this long"};
  return result;
}
} // namespace

std::string knownGpus() {
  std::string names;
  for (const GpuFigures &gpu : hardware::Gpus)
    names += (names.empty() ? "" : ", ") + std::string(gpu.name);
  return names;
}

Expected<SpeedOfLight> speedOfLight(const Counters &counters,
                                    const std::string &name) {
  for (const GpuFigures &gpu : hardware::Gpus)
    if (name == gpu.name)
      return Model(counters, gpu).run();
  return Error{"", 0,
               "expects one of " + knownGpus() + " as GPU, but got '" + name +
                   "'"};
}

std::string SpeedOfLight::json() const {
  JsonWriter json;
  json.beginObject();
  json.field("gpu", std::string(gpu->name));
  json.field("limit", limit);
  json.field("microseconds", microseconds);
  json.beginObject("pipes");
  for (const PipeTime &pipe : pipes) {
    json.beginObject(pipe.pipe.c_str());
    json.field("cycles", pipe.cycles);
    json.field("microseconds", pipe.microseconds);
    json.endObject();
  }
  json.endObject();
  json.beginArray("assumptions");
  for (const std::string &assumption : assumptions)
    json.field(nullptr, assumption);
  json.endArray();
  json.endObject();
  return json.text() + "\n";
}

std::string SpeedOfLight::table() const {
  std::string text = "at least, on " + std::string(gpu->name) + ":\n";
  char buffer[128];
  for (const PipeTime &pipe : pipes) {
    std::snprintf(buffer, sizeof buffer, "  %-10s %14.1f cycles %12.3f us%s\n",
                  pipe.pipe.c_str(), pipe.cycles, pipe.microseconds,
                  pipe.pipe == limit ? "  <- limit" : "");
    text += buffer;
  }
  text += "assumed:\n";
  for (const std::string &assumption : assumptions)
    text += "  " + assumption + "\n";
  return text;
}

} // namespace mta::emulator

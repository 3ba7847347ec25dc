//===- CAPI.cpp - C ABI of the PTX emulator -------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonWriter.h"
#include "mta-c/Emulator.h"
#include "mta/Emulator/Launch.h"
#include "mta/Emulator/TensorMap.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace mta::emulator;

struct MtaEmulatorModule {
  Module module;
};
struct MtaEmulatorMemory {
  MemorySpace space;
};

namespace {
thread_local std::string lastError;

std::nullptr_t failNull(std::string message) {
  lastError = std::move(message);
  return nullptr;
}
int failCode(std::string message) {
  lastError = std::move(message);
  return 1;
}

char *copyString(const std::string &text) {
  char *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (!copy)
    return failNull("out of memory");
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

void writeTriple(JsonWriter &json, const char *key, const uint32_t (&v)[3]) {
  json.beginArray(key);
  for (uint32_t value : v)
    json.field(nullptr, uint64_t(value));
  json.endArray();
}

void writeEntry(JsonWriter &json, const EntryInfo &entry) {
  json.beginObject();
  json.field("name", entry.name);
  json.field("parameter_bytes", uint64_t(entry.parameterBytes));
  writeTriple(json, "required_threads", entry.requiredThreads);
  writeTriple(json, "max_threads", entry.maxThreads);
  json.beginArray("parameters");
  for (const ParameterInfo &parameter : entry.parameters) {
    json.beginObject();
    json.field("name", parameter.name);
    json.field("type", parameter.type);
    json.field("offset", uint64_t(parameter.offset));
    json.field("size", uint64_t(parameter.size));
    json.field("align", uint64_t(parameter.align));
    json.flag("array", parameter.isArray);
    json.endObject();
  }
  json.endArray();
  json.endObject();
}
} // namespace

const char *mtaEmulatorLastError(void) { return lastError.c_str(); }

void mtaEmulatorFree(void *pointer) { std::free(pointer); }

MtaEmulatorModule *mtaEmulatorModuleParse(const char *text, size_t length,
                                          const char *name) {
  lastError.clear();
  if (!text)
    return failNull("expects a text, but got NULL");
  Expected<Module> module =
      Module::parse(std::string_view(text, length), name ? name : "<ptx>");
  if (!module)
    return failNull(module.error().str());
  return new MtaEmulatorModule{std::move(*module)};
}

void mtaEmulatorModuleDestroy(MtaEmulatorModule *module) { delete module; }

char *mtaEmulatorModuleEntries(const MtaEmulatorModule *module) {
  lastError.clear();
  if (!module)
    return failNull("expects a module, but got NULL");
  JsonWriter json;
  json.beginObject();
  json.field("target", module->module.target());
  json.beginArray("entries");
  for (const EntryInfo &entry : module->module.entries())
    writeEntry(json, entry);
  json.endArray();
  json.endObject();
  return copyString(json.text());
}

void *mtaEmulatorModuleVariable(const MtaEmulatorModule *module,
                                const char *name, size_t *size) {
  lastError.clear();
  if (!module || !name)
    return failNull("expects a module and a name, but got NULL");
  size_t bytes = 0;
  void *address = module->module.variable(name, bytes);
  if (!address)
    return failNull(std::string("no variable '") + name + "'");
  if (size)
    *size = bytes;
  return address;
}

int mtaEmulatorModuleCheck(MtaEmulatorModule *module, const char *entry) {
  lastError.clear();
  if (!module || !entry)
    return failCode("expects a module and an entry, but got NULL");
  Expected<EntryInfo> info = module->module.check(entry);
  return info ? 0 : failCode(info.error().str());
}

MtaEmulatorMemory *mtaEmulatorMemoryCreate(void) {
  return new MtaEmulatorMemory();
}

void mtaEmulatorMemoryDestroy(MtaEmulatorMemory *memory) { delete memory; }

int mtaEmulatorMemoryAdd(MtaEmulatorMemory *memory, void *base, size_t size,
                         int access, const char *name) {
  lastError.clear();
  if (!memory || !base)
    return failCode("expects a memory and an address, but got NULL");
  if (access < MTA_EMULATOR_IN || access > MTA_EMULATOR_INOUT)
    return failCode("expects access 0, 1 or 2, but got " +
                    std::to_string(access));
  if (!memory->space.add(base, size, Access(access), name ? name : "a range"))
    return failCode("the range is empty or overlaps another");
  return 0;
}

int mtaEmulatorMemoryRemove(MtaEmulatorMemory *memory, void *base) {
  lastError.clear();
  if (!memory)
    return failCode("expects a memory, but got NULL");
  if (!memory->space.remove(base))
    return failCode("no range starts at this address");
  return 0;
}

size_t mtaEmulatorMemoryCountUnwritten(const MtaEmulatorMemory *memory,
                                       void *base, size_t elementBytes,
                                       size_t *first) {
  size_t index = 0;
  size_t count = memory && elementBytes
                     ? memory->space.countUnwritten(base, elementBytes, index)
                     : 0;
  if (first)
    *first = index;
  return count;
}

int mtaEmulatorTensorMapEncodeTiled(
    void *tensorMap, int dataType, uint32_t rank, void *globalAddress,
    const uint64_t *sizes, const uint64_t *strides, const uint32_t *box,
    const uint32_t *elementStrides, int interleave, int swizzle, int,
    int fill) {
  lastError.clear();
  if (!tensorMap || !sizes || !box || !elementStrides || (rank > 1 && !strides))
    return failCode("expects a map, sizes, strides, a box and element "
                    "strides, but got NULL");
  if (interleave)
    return failCode("expects interleave 0, but got " +
                    std::to_string(interleave));
  if (dataType < 0 || dataType > 255 || swizzle < 0 || swizzle > 255 ||
      fill < 0 || fill > 1)
    return failCode("expects a known type, swizzle and fill");
  if (rank < 1 || rank > 5)
    return failCode("expects a rank from 1 to 5, but got " +
                    std::to_string(rank));
  TensorDescription description;
  description.type = TensorType(dataType);
  description.rank = rank;
  description.address = reinterpret_cast<uintptr_t>(globalAddress);
  std::copy_n(sizes, rank, description.sizes.begin());
  std::copy_n(box, rank, description.box.begin());
  std::copy_n(elementStrides, rank, description.elementStrides.begin());
  if (rank > 1)
    std::copy_n(strides, rank - 1, description.strides.begin());
  description.swizzle = TensorSwizzle(swizzle);
  description.fillsNaN = fill;
  TensorMapStorage map;
  std::string problem = encodeTensorMap(description, map);
  if (!problem.empty())
    return failCode(problem);
  std::memcpy(tensorMap, map.data(), map.size());
  return 0;
}

char *mtaEmulatorLaunch(MtaEmulatorModule *module, MtaEmulatorMemory *memory,
                        const MtaEmulatorLaunchConfig *given) {
  lastError.clear();
  if (!module || !memory || !given || !given->entry)
    return failNull("expects a module, a memory and an entry, but got NULL");
  if (given->size != sizeof(MtaEmulatorLaunchConfig))
    return failNull("expects a configuration of " +
                    std::to_string(sizeof(MtaEmulatorLaunchConfig)) +
                    " bytes, but got " + std::to_string(given->size));
  if (given->async != MTA_EMULATOR_ASYNC_EAGER &&
      given->async != MTA_EMULATOR_ASYNC_LAZY)
    return failNull("expects async 0 or 1, but got " +
                    std::to_string(given->async));
  LaunchConfig config;
  config.entry = given->entry;
  std::copy_n(given->grid, 3, config.grid);
  std::copy_n(given->block, 3, config.block);
  config.dynamicShared = given->dynamicShared;
  const auto *bytes = static_cast<const uint8_t *>(given->parameters);
  if (bytes)
    config.parameters.assign(bytes, bytes + given->parameterBytes);
  config.async = AsyncMode(given->async);
  config.seed = given->seed;
  config.threads = given->threads;
  if (given->maxSteps)
    config.maxSteps = given->maxSteps;
  if (given->progress)
    config.progress = [given](uint64_t done, uint64_t all) {
      given->progress(done, all, given->user);
    };
  Expected<Counters> counters = module->module.launch(config, memory->space);
  if (!counters)
    return failNull(counters.error().str());
  return copyString(counters->json());
}

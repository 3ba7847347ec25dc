//===- Driver.cpp - The stand-in driver's calls and set-up ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mta::standin;

static std::string variable(const char *name, const char *otherwise) {
  const char *value = std::getenv(name);
  return value && *value ? value : otherwise;
}

static unsigned long long number(const char *name, const char *otherwise) {
  return std::strtoull(variable(name, otherwise).c_str(), nullptr, 10);
}

Driver &Driver::get() {
  // Never destroyed: threads of the program may call until the process ends.
  static Driver *driver = new Driver();
  return *driver;
}

Driver::Driver() : logPath(variable("MTA_DRIVER_LOG", "")) {
  version = int(number("MTA_DRIVER_VERSION", "13000"));
  if (variable("MTA_DRIVER_ASYNC", "eager") == "lazy")
    async = emulator::AsyncMode::Lazy;
  std::string fail = variable("MTA_DRIVER_FAIL", "");
  for (size_t begin = 0; begin < fail.size();) {
    size_t end = std::min(fail.find(',', begin), fail.size());
    std::string one = fail.substr(begin, end - begin);
    size_t equals = one.find('='), colon = one.find(':');
    begin = end + 1;
    if (equals == std::string::npos)
      continue;
    unsigned nth = colon < equals ? std::atoi(one.c_str() + colon + 1) : 1;
    failures[one.substr(0, std::min(colon, equals))][nth] =
        CUresult(std::atoi(one.c_str() + equals + 1));
  }
}

CUresult Driver::initialize() {
  std::string chip = variable("MTA_DRIVER_CHIP", "sm_90");
  unsigned wanted = hardware::architectureNumber(chip);
  const hardware::Architecture *found = hardware::findArchitecture(wanted);
  if (!found) {
    std::fprintf(stderr,
                 "MTA_DRIVER_CHIP: expects a chip of sm_70 or newer, but got "
                 "'%s'\n",
                 chip.c_str());
    return CUDA_ERROR_NO_DEVICE;
  }
  if (!isInitialized) {
    auto count = int(number("MTA_DRIVER_DEVICES", "1"));
    for (int ordinal = 0; ordinal < count; ++ordinal) {
      Device device{ordinal, *found,
                    number("MTA_DRIVER_MEMORY", "17179869184")};
      device.limits.number = wanted;
      devices.push_back(device);
    }
  }
  isInitialized = true;
  return devices.empty() ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
}

CUresult Driver::deviceOf(CUdevice ordinal, Device *&device) {
  if (ordinal < 0 || size_t(ordinal) >= devices.size())
    return CUDA_ERROR_INVALID_DEVICE;
  device = &devices[ordinal];
  return CUDA_SUCCESS;
}

std::vector<Context *> &Driver::stack() {
  static thread_local std::vector<Context *> contexts;
  return contexts;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

CUresult Driver::injected(const char *name) {
  auto found = failures.find(name);
  unsigned count = ++calls[name];
  if (found == failures.end() || !found->second.count(count))
    return CUDA_SUCCESS;
  return found->second[count];
}

void Driver::record(const char *name, CUresult result) {
  if (logPath.empty())
    return;
  std::FILE *log = std::fopen(logPath.c_str(), "a");
  if (!log)
    return;
  const char *text = nameOf(result);
  std::fprintf(log, "%s%s -> %s\n", name, detail.c_str(),
               text ? text : std::to_string(int(result)).c_str());
  std::fclose(log);
}

CUresult Driver::call(const char *name, const Body &body) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  detail.clear();
  CUresult result = injected(name);
  if (result == CUDA_SUCCESS)
    result = body();
  record(name, result);
  return result;
}

CUresult Driver::callInitialized(const char *name, const Body &body) {
  return call(name, [&] {
    return isInitialized ? body() : CUDA_ERROR_NOT_INITIALIZED;
  });
}

CUresult Driver::callInContext(const char *name,
                               const std::function<CUresult(Context &)> &body) {
  return callInitialized(name, [&] {
    Context *context = current();
    // Also one that another thread has destroyed.
    if (!contexts.find(context))
      return CUDA_ERROR_INVALID_CONTEXT;
    return context->fault != CUDA_SUCCESS ? context->fault : body(*context);
  });
}

MTA_ENTRY cuInit(unsigned flags) {
  return Driver::get().call("cuInit", [&] {
    return flags ? CUDA_ERROR_INVALID_VALUE : Driver::get().initialize();
  });
}

MTA_ENTRY cuDriverGetVersion(int *version) {
  return Driver::get().call("cuDriverGetVersion", [&] {
    store(version, Driver::get().version);
    return version ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

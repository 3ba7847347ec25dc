//===- mta-ptx-run.cpp - Runs PTX kernels without a GPU -------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "Options.h"
#include "mta/Emulator/SpeedOfLight.h"
#include "mta/Version.h"
#include <cstdio>
#include <unistd.h>

using namespace mta::emulator;
using namespace mta::ptxrun;

namespace {
int fail(const std::string &message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 1;
}
int failTool(const std::string &message) {
  return fail("mta-ptx-run: error: " + message);
}

std::string shape(const uint32_t (&v)[3]) {
  return std::to_string(v[0]) + "x" + std::to_string(v[1]) + "x" +
         std::to_string(v[2]);
}

int listEntries(const Module &module) {
  std::printf("target %s\n", module.target().c_str());
  for (const EntryInfo &entry : module.entries()) {
    std::printf("entry %s\n", entry.name.c_str());
    if (entry.requiredThreads[0])
      std::printf("  requires blocks of %s\n",
                  shape(entry.requiredThreads).c_str());
    if (entry.maxThreads[0])
      std::printf("  at most %s threads\n", shape(entry.maxThreads).c_str());
    for (const ParameterInfo &parameter : entry.parameters)
      std::printf("  %s: .%s%s, %u bytes at %u\n", parameter.name.c_str(),
                  parameter.type.c_str(), parameter.isArray ? "[]" : "",
                  parameter.size, parameter.offset);
  }
  return 0;
}

int checkEntries(Module &module, const std::string &only) {
  int status = 0;
  for (const EntryInfo &entry : module.entries()) {
    if (!only.empty() && entry.name != only)
      continue;
    Expected<EntryInfo> info = module.check(entry.name);
    if (!info)
      status = fail(info.error().str());
  }
  return status;
}

/// The entry to run: the one given, or the only one.
Expected<EntryInfo> chooseEntry(Module &module, const std::string &name) {
  if (!name.empty())
    return module.check(name);
  std::vector<EntryInfo> entries = module.entries();
  if (entries.size() != 1)
    return Error{"mta-ptx-run", 0,
                 "the module has " + std::to_string(entries.size()) +
                     " entries; choose one with --entry"};
  return module.check(entries[0].name);
}

void showProgress(uint64_t done, uint64_t all) {
  std::fprintf(stderr, "\r%llu of %llu blocks%s",
               static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(all), done == all ? "\n" : "");
  std::fflush(stderr);
}

int report(const Options &options, const Counters &counters) {
  if (!options.quiet)
    std::fputs(counters.table(options.tableLines).c_str(), stdout);
  std::string problem;
  if (!options.countersPath.empty())
    problem = writeFile(options.countersPath, counters.json());
  if (!problem.empty())
    return fail(problem);
  if (options.gpu.empty())
    return 0;
  Expected<SpeedOfLight> bound = speedOfLight(counters, options.gpu);
  if (!bound)
    return failTool(bound.error().message);
  if (!options.quiet)
    std::fputs(bound->table().c_str(), stdout);
  if (!options.estimatePath.empty())
    problem = writeFile(options.estimatePath, bound->json());
  return problem.empty() ? 0 : fail(problem);
}

int run(Module &module, Options &options) {
  Expected<EntryInfo> entry = chooseEntry(module, options.launch.entry);
  if (!entry)
    return fail(entry.error().str());
  Arguments arguments;
  std::string problem = arguments.prepare(*entry, options.arguments);
  if (!problem.empty())
    return failTool(problem);
  LaunchConfig config = options.launch;
  config.entry = entry->name;
  config.parameters = arguments.parameters();
  if (options.progress || isatty(STDERR_FILENO))
    config.progress = showProgress;
  Expected<Counters> counters = module.launch(config, arguments.memory());
  if (!counters)
    return fail(counters.error().str());
  problem = arguments.checkOutputs();
  if (problem.empty())
    problem = arguments.write();
  if (!problem.empty())
    return fail(problem);
  return report(options, *counters);
}
} // namespace

int main(int argc, char **argv) {
  Options options;
  std::string problem = parseOptions(argc, argv, options);
  if (!problem.empty())
    return failTool(problem + " (see --help)");
  if (options.help) {
    std::fputs(HelpText, stdout);
    return 0;
  }
  if (options.version) {
    std::puts("mta " MTA_VERSION);
    return 0;
  }
  // Refuse what would only fail after the kernel has run.
  if (!options.gpu.empty())
    if (Expected<SpeedOfLight> known = speedOfLight(Counters(), options.gpu);
        !known)
      return failTool(known.error().message);
  Expected<std::string> text = readFile(options.input);
  if (!text) {
    std::string reason =
        text.error().message.substr(sizeof "cannot read: " - 1);
    return failTool("cannot read '" + options.input + "': " + reason);
  }
  Expected<Module> module = Module::parse(*text, options.input);
  if (!module)
    return fail(module.error().str());
  if (options.list)
    return listEntries(*module);
  if (options.check)
    return checkEntries(*module, options.launch.entry);
  return run(*module, options);
}

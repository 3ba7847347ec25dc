//===- Options.h - Command line of mta-ptx-run ------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTAPTXRUN_OPTIONS_H
#define MTA_TOOLS_MTAPTXRUN_OPTIONS_H

#include "mta/Emulator/Launch.h"

namespace mta::ptxrun {

struct Options {
  std::string input;
  emulator::LaunchConfig launch;
  std::vector<std::string> arguments;
  std::string countersPath, estimatePath, gpu;
  unsigned tableLines = 8;
  bool list = false, check = false, help = false, quiet = false;
  bool progress = false, version = false;
};

extern const char *const HelpText;

/// Parses the command line; returns "" or what is wrong with it.
std::string parseOptions(int argc, char **argv, Options &options);

} // namespace mta::ptxrun

#endif // MTA_TOOLS_MTAPTXRUN_OPTIONS_H

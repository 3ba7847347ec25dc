//===- Options.cpp - Command line of mta-ptx-run --------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace mta::ptxrun {

const char *const HelpText =
    R"(mta-ptx-run: runs, checks and counts PTX kernels without a GPU

usage: mta-ptx-run KERNEL.ptx [--entry NAME] --grid X[,Y[,Z]] --block X[,Y[,Z]]
                   [--shared BYTES] --args ARGUMENT... [options]

arguments, in the order of the kernel's parameters, after --args up to the next
option:
  in:FILE.npy              a buffer that the kernel may only read
  inout:FILE.npy[:TO.npy]  a buffer to read and write; written back to FILE, or
                           to TO
  out:FILE.npy:TYPE:SHAPE  a buffer to write, such as out:c.npy:f32:64x128;
                           every element has to be written
  TYPE:VALUE               a scalar, such as i32:-5, u64:0x10, f32:0.5, bf16:1
  bytes:HEX                a structure passed by value
  map[BOX,…]=BUFFER        a tensor map of one of the buffers above, or of that
                           of argument N, written @N: the array with its shape,
                           of which one copy moves BOX, such as 64x32, in the
                           same order. After the box: swizzle=32, 64 or 128;
                           nan to fill with NaN; type=bf16 and the like;
                           shape=… to see the array as another
  null                     a null pointer
TYPE is i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64. NumPy has no bf16; such
an output is written as u16.

launch:
  --entry NAME             the kernel; optional if the module has only one
  --grid X[,Y[,Z]]         blocks (default 1)
  --block X[,Y[,Z]]        threads of a block (default 1)
  --shared BYTES           dynamic shared memory (default 0)
  --async=eager|lazy       asynchronous copies land at once, or at their wait
                           (default eager; a correct kernel gives the same)
  --seed N                 the order in which warps run (default 0: by index)
  --max-steps N            instructions a warp may execute (default 100000000)
  --threads N              host threads (default: all cores)

output:
  --counters FILE          what the kernel did, as JSON
  --gpu NAME               a bound on its time on a GPU: a100-sxm, h100-sxm,
                           h200, l40s, rtx4090
  --estimate FILE          that bound as JSON
  --lines N                lines in the table of the busiest (default 8)
  --quiet                  no table
  --progress               blocks done, on stderr (default on a terminal)
  --list                   the entries of the module and their parameters
  --check                  decode every entry, or the one given; run nothing
  --help
  --version

The exit status is 0 if the kernel ran to its end and broke no rule, otherwise
1; outputs are written only in the first case.
)";

namespace {
bool parseNumber(const std::string &text, uint64_t &value) {
  if (text.empty() || text[0] < '0' || text[0] > '9')
    return false;
  char *end = nullptr;
  errno = 0;
  value = std::strtoull(text.c_str(), &end, 0);
  return *end == 0 && errno == 0;
}

bool parseDimensions(const std::string &text, uint32_t (&values)[3]) {
  values[0] = values[1] = values[2] = 1;
  size_t at = 0;
  for (unsigned i = 0; i < 3; ++i) {
    size_t comma = text.find(',', at);
    uint64_t value = 0;
    if (!parseNumber(text.substr(at, comma - at), value) || value > UINT32_MAX)
      return false;
    values[i] = value;
    if (comma == std::string::npos)
      return true;
    at = comma + 1;
  }
  return false;
}

/// What an option does with its value; returns false if the value is bad.
struct OptionRow {
  const char *name;
  bool hasValue;
  std::function<bool(const std::string &)> apply;
};

template <typename T>
std::function<bool(const std::string &)> number(T &target, uint64_t most) {
  return [&target, most](const std::string &text) {
    uint64_t value = 0;
    if (!parseNumber(text, value) || value > most)
      return false;
    target = value;
    return true;
  };
}

std::function<bool(const std::string &)> text(std::string &target) {
  return [&target](const std::string &value) {
    target = value;
    return !value.empty();
  };
}

std::function<bool(const std::string &)> flag(bool &target) {
  return [&target](const std::string &) { return target = true; };
}

std::vector<OptionRow> optionRows(Options &o) {
  return {
      {"--entry", true, text(o.launch.entry)},
      {"--grid", true,
       [&o](const std::string &v) {
         return parseDimensions(v, o.launch.grid);
       }},
      {"--block", true,
       [&o](const std::string &v) {
         return parseDimensions(v, o.launch.block);
       }},
      {"--shared", true, number(o.launch.dynamicShared, UINT32_MAX >> 4)},
      {"--async", true,
       [&o](const std::string &v) {
         o.launch.async = v == "lazy" ? emulator::AsyncMode::Lazy
                                      : emulator::AsyncMode::Eager;
         return v == "lazy" || v == "eager";
       }},
      {"--seed", true, number(o.launch.seed, UINT64_MAX)},
      {"--max-steps", true, number(o.launch.maxSteps, UINT64_MAX)},
      {"--threads", true, number(o.launch.threads, 4096)},
      {"--counters", true, text(o.countersPath)},
      {"--gpu", true, text(o.gpu)},
      {"--estimate", true, text(o.estimatePath)},
      {"--lines", true, number(o.tableLines, 100000)},
      {"--quiet", false, flag(o.quiet)},
      {"--progress", false, flag(o.progress)},
      {"--list", false, flag(o.list)},
      {"--check", false, flag(o.check)},
      {"--help", false, flag(o.help)},
      {"--version", false, flag(o.version)},
  };
}
} // namespace

std::string parseOptions(int argc, char **argv, Options &options) {
  std::vector<OptionRow> rows = optionRows(options);
  bool inArguments = false;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      if (inArguments)
        options.arguments.push_back(word);
      else if (options.input.empty())
        options.input = word;
      else
        return "expects one file, but got '" + word + "' after '" +
               options.input + "'";
      continue;
    }
    inArguments = word == "--args";
    if (inArguments)
      continue;
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    const OptionRow *found = nullptr;
    for (const OptionRow &row : rows)
      if (name == row.name)
        found = &row;
    if (!found)
      return "unknown option '" + name + "'";
    std::string value;
    if (equals != std::string::npos)
      value = word.substr(equals + 1);
    else if (found->hasValue && ++i < argc)
      value = argv[i];
    if (found->hasValue == value.empty() || !found->apply(value))
      return "bad value '" + value + "' of " + name;
  }
  if (options.help || options.version)
    return "";
  if (options.input.empty())
    return "expects a PTX file";
  if (!options.estimatePath.empty() && options.gpu.empty())
    return "--estimate needs --gpu";
  return "";
}

} // namespace mta::ptxrun

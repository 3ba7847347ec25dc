//===- Module.cpp - PTX modules -------------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuleStorage.h"
#include "Parser.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace mta::emulator {

namespace {
/// Unregistered bytes around every variable, so that running off one is seen.
constexpr size_t RedZone = 256;
constexpr uint64_t MaxModuleBytes = uint64_t(1) << 32;
} // namespace

ModuleStorage::~ModuleStorage() {
  for (void *allocation : allocations)
    std::free(allocation);
}

bool ModuleStorage::placeVariables(Error &error) {
  uint64_t total = 0;
  for (const Variable &variable : module.variables) {
    bool stored =
        variable.space == Space::Global || variable.space == Space::Const;
    // Declarations without a definition fail where they are used.
    if (!stored || variable.isExtern)
      continue;
    auto fail = [&](const std::string &message) {
      error = {module.file, variable.line, message};
      return false;
    };
    uint64_t bytes = std::max<uint64_t>(variable.bytes(), 1);
    total += bytes;
    if (total > MaxModuleBytes)
      return fail("the variables of the module need more than 4 GiB");
    if (symbols.count(variable.name))
      return fail("variable '" + variable.name + "' is defined twice");
    size_t align = std::max<size_t>(variable.align, 256);
    size_t padded = (bytes + RedZone + align - 1) / align * align + align;
    auto *memory = static_cast<uint8_t *>(std::aligned_alloc(align, padded));
    if (!memory)
      return fail("no memory for variable '" + variable.name + "'");
    allocations.push_back(memory);
    std::memset(memory, 0, padded);
    this->memory.add(memory, bytes,
                     variable.space == Space::Const ? Access::In
                                                    : Access::InOut,
                     "variable '" + variable.name + "'");
    symbols[variable.name] = {variable.space,
                              reinterpret_cast<uintptr_t>(memory), bytes};
  }
  for (const Variable &variable : module.variables) {
    if (variable.initializers.empty())
      continue;
    auto *bytes = reinterpret_cast<uint8_t *>(symbols[variable.name].address);
    if (!initialize(variable, bytes, error))
      return false;
  }
  return true;
}

bool ModuleStorage::initialize(const Variable &variable, uint8_t *bytes,
                               Error &error) {
  unsigned width = typeBytes(variable.type);
  for (const Variable::Initializer &value : variable.initializers) {
    uint64_t bits = value.bits;
    if (!value.symbol.empty()) {
      auto found = symbols.find(value.symbol);
      if (found == symbols.end() || width != 8) {
        error = {module.file, variable.line,
                 "cannot initialise '" + variable.name + "' with '" +
                     value.symbol + "'"};
        return false;
      }
      bits += found->second.address;
    }
    if (value.isDouble && variable.type == Type::F32) {
      double wide;
      std::memcpy(&wide, &bits, sizeof wide);
      float narrow = float(wide);
      std::memcpy(&bits, &narrow, sizeof narrow);
    }
    std::memcpy(bytes, &bits, std::min(width, 8u));
    bytes += width;
  }
  return true;
}

Expected<const Program *> ModuleStorage::program(const std::string &entry) {
  auto found = programs.find(entry);
  if (found != programs.end())
    return found->second.get();
  const Function *function = module.find(entry);
  if (!function || !function->isEntry || !function->isDefined) {
    std::string known;
    for (const Function &other : module.functions)
      if (other.isEntry && other.isDefined)
        known += (known.empty() ? "" : ", ") + other.name;
    return Error{module.file, 0,
                 "no entry '" + entry +
                     "'; the module has: " + (known.empty() ? "none" : known)};
  }
  Expected<std::unique_ptr<Program>> built =
      buildProgram(module, *function, symbols);
  if (!built)
    return built.error();
  return (programs[entry] = std::move(*built)).get();
}

Module::Module(std::unique_ptr<ModuleStorage> storage)
    : storage(std::move(storage)) {}
Module::Module(Module &&) noexcept = default;
Module &Module::operator=(Module &&) noexcept = default;
Module::~Module() = default;

Expected<Module> Module::parse(std::string_view text, std::string file) {
  Expected<ParsedModule> parsed = parseModule(text, file);
  if (!parsed)
    return parsed.error();
  auto storage = std::make_unique<ModuleStorage>();
  storage->module = std::move(*parsed);
  Error error;
  if (!storage->placeVariables(error))
    return error;
  return Module(std::move(storage));
}

const std::string &Module::target() const { return storage->module.targetName; }

static EntryInfo entryInfo(const Function &function) {
  EntryInfo info;
  info.name = function.name;
  uint64_t offset = 0;
  for (const Variable &parameter : function.parameters) {
    offset = (offset + parameter.align - 1) / parameter.align * parameter.align;
    info.parameters.push_back({parameter.name,
                               std::string(typeName(parameter.type)),
                               uint32_t(offset), uint32_t(parameter.bytes()),
                               parameter.align, parameter.isArray});
    offset += parameter.bytes();
  }
  info.parameterBytes = offset;
  std::copy_n(function.requiredThreads, 3, info.requiredThreads);
  std::copy_n(function.maxThreads, 3, info.maxThreads);
  return info;
}

std::vector<EntryInfo> Module::entries() const {
  std::vector<EntryInfo> result;
  for (const Function &function : storage->module.functions)
    if (function.isEntry && function.isDefined)
      result.push_back(entryInfo(function));
  return result;
}

void *Module::variable(const std::string &name, size_t &bytes) const {
  auto found = storage->symbols.find(name);
  if (found == storage->symbols.end())
    return nullptr;
  bytes = found->second.bytes;
  return reinterpret_cast<void *>(found->second.address);
}

std::vector<std::string> Module::variables() const {
  std::vector<std::string> names;
  for (const auto &[name, symbol] : storage->symbols)
    names.push_back(name);
  return names;
}

Expected<EntryInfo> Module::check(const std::string &entry) {
  Expected<const Program *> program = storage->program(entry);
  if (!program)
    return program.error();
  EntryInfo info = entryInfo(*(*program)->entry);
  info.staticSharedBytes = (*program)->staticShared;
  return info;
}

} // namespace mta::emulator

//===- ModuleStorage.h - A module and the memory of its variables --*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_MODULESTORAGE_H
#define MTA_LIB_EMULATOR_MODULESTORAGE_H

#include "ProgramBuilder.h"
#include "mta/Emulator/Launch.h"

namespace mta::emulator {

class ModuleStorage {
public:
  ModuleStorage() = default;
  ~ModuleStorage();
  ModuleStorage(const ModuleStorage &) = delete;
  ModuleStorage &operator=(const ModuleStorage &) = delete;

  /// Allocates and initialises the variables; false with `error` set.
  bool placeVariables(Error &error);
  /// The decoded program of an entry, built on first use.
  Expected<const Program *> program(const std::string &entry);

  ParsedModule module;
  SymbolMap symbols;
  /// The variables as ranges that every kernel of the module may touch.
  MemorySpace memory;

private:
  bool initialize(const Variable &variable, uint8_t *bytes, Error &error);
  std::vector<void *> allocations;
  std::map<std::string, std::unique_ptr<Program>> programs;
};

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_MODULESTORAGE_H

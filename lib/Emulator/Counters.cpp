//===- Counters.cpp - Counters of a launch --------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Emulator/Counters.h"
#include "Execution.h"

namespace mta::emulator {

void Count::add(const Count &other) {
  warps += other.warps;
  lanes += other.lanes;
  matrixOps += other.matrixOps;
  multiplyAdds += other.multiplyAdds;
  globalRequests += other.globalRequests;
  globalSectors += other.globalSectors;
  globalBytes += other.globalBytes;
  sectorsRead += other.sectorsRead;
  sectorsWritten += other.sectorsWritten;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  sharedWavefronts += other.sharedWavefronts;
  sharedIdealWavefronts += other.sharedIdealWavefronts;
  sharedBytes += other.sharedBytes;
  asyncBytes += other.asyncBytes;
  bulkBytesRead += other.bulkBytesRead;
  bulkBytesWritten += other.bulkBytesWritten;
  mbarrierOps += other.mbarrierOps;
  divergentBranches += other.divergentBranches;
}

namespace {
Count countOf(const Instruction &inst, const PcCount &raw) {
  Count count;
  count.warps = raw.warps;
  count.lanes = raw.lanes;
  if (inst.cls == Class::Matrix) {
    count.matrixOps = raw.warps;
    count.multiplyAdds = raw.warps * inst.aux;
  }
  count.globalRequests = raw.requests;
  count.globalSectors = raw.sectors;
  count.globalBytes = raw.globalBytes;
  // An atomic reads and writes what it touches.
  bool reduces = inst.cls == Class::Atomic || inst.cls == Class::BulkReduce;
  bool stores = inst.cls == Class::StoreGlobal || inst.cls == Class::BulkStore;
  bool writes = stores || reduces, reads = !stores;
  count.sectorsRead = reads ? raw.sectors : 0;
  count.sectorsWritten = writes ? raw.sectors : 0;
  count.bytesRead = reads ? raw.globalBytes : 0;
  count.bytesWritten = writes ? raw.globalBytes : 0;
  count.sharedWavefronts = raw.wavefronts;
  count.sharedIdealWavefronts = raw.idealWavefronts;
  count.sharedBytes = raw.sharedBytes;
  count.asyncBytes = inst.cls == Class::AsyncCopy ? raw.globalBytes : 0;
  bool isBulk = inst.cls == Class::BulkLoad || inst.cls == Class::BulkStore ||
                inst.cls == Class::BulkReduce;
  count.bulkBytesRead = isBulk && reads ? raw.globalBytes : 0;
  count.bulkBytesWritten = isBulk && writes ? raw.globalBytes : 0;
  count.mbarrierOps = inst.cls == Class::Mbarrier ? raw.lanes : 0;
  count.divergentBranches = raw.divergent;
  return count;
}

std::string opcodeOf(const Statement &statement) {
  std::string name = statement.opcode;
  for (const std::string &modifier : statement.modifiers)
    name += "." + modifier;
  return name;
}
} // namespace

Counters collectCounters(const Program &program, const LaunchConfig &config,
                         const std::vector<PcCount> &counts) {
  Counters result;
  result.kernel = program.entry->name;
  result.blocks = uint64_t(config.grid[0]) * config.grid[1] * config.grid[2];
  result.threads =
      result.blocks * config.block[0] * config.block[1] * config.block[2];
  result.sharedBytes = program.dynamicSharedOffset + config.dynamicShared;
  result.localBytes = program.localBytes;
  const ParsedModule &module = *program.module;
  std::map<unsigned, LineCount> ptx;
  std::map<std::pair<std::string, unsigned>, LineCount> source;
  for (size_t pc = 0; pc < counts.size(); ++pc) {
    if (!counts[pc].warps)
      continue;
    const Instruction &inst = program.code[pc];
    const Statement &statement = *program.statements[pc];
    Count count = countOf(inst, counts[pc]);
    result.total.add(count);
    result.classes[className(inst.cls)].add(count);
    result.opcodes[opcodeOf(statement)].add(count);
    if (inst.control == Control::Barrier)
      result.barriers += count.warps;
    LineCount &line = ptx[statement.line];
    line.file = module.file;
    line.line = statement.line;
    line.text = statement.text;
    line.count.add(count);
    auto file = module.files.find(statement.location.file);
    if (!statement.location.line || file == module.files.end())
      continue;
    LineCount &sourceLine = source[{file->second, statement.location.line}];
    sourceLine.file = file->second;
    sourceLine.line = statement.location.line;
    sourceLine.count.add(count);
  }
  for (auto &[key, line] : ptx)
    result.ptxLines.push_back(std::move(line));
  for (auto &[key, line] : source)
    result.sourceLines.push_back(std::move(line));
  return result;
}

} // namespace mta::emulator

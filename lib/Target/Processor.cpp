//===- Processor.cpp - Names of CPUs ----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Processor.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace mta;

static llvm::Triple hostTriple() {
  return llvm::Triple(llvm::sys::getDefaultTargetTriple());
}

static const llvm::Target *hostTarget(std::string &error) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  return llvm::TargetRegistry::lookupTarget(hostTriple(), error);
}

static std::string hostFeatures() {
  llvm::SubtargetFeatures features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.first(), feature.second);
  return features.getString();
}

std::unique_ptr<llvm::TargetMachine> Processor::createMachine() const {
  std::string error;
  const llvm::Target *target = hostTarget(error);
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      hostTriple(), name, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

bool Processor::has(StringRef feature) const {
  std::string error;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      hostTarget(error)->createMCSubtargetInfo(hostTriple(), name, features));
  return subtarget->checkFeatures(("+" + feature).str());
}

FailureOr<Processor> mta::findProcessor(Location loc, StringRef name) {
  std::string error;
  const llvm::Target *target = hostTarget(error);
  if (!target)
    return emitError(loc) << error;
  Processor processor;
  processor.name = name;
  if (name == "native") {
    processor.name = llvm::sys::getHostCPUName();
    processor.features = hostFeatures();
  }
  auto describe = [&](StringRef cpu) {
    return std::unique_ptr<llvm::MCSubtargetInfo>(
        target->createMCSubtargetInfo(hostTriple(), cpu, processor.features));
  };
  // Asked about an unknown name the backend would print to standard error and
  // go on with another one, and about one of 32 bits it would end the process.
  bool known = describe("")->isCPUStringValid(processor.name);
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget =
      describe(known ? processor.name : "");
  if (!known || (hostTriple().isX86() && !subtarget->checkFeatures("+64bit")))
    return emitError(loc) << "expects a 64-bit processor that LLVM knows, such "
                             "as native or x86-64-v3, but got '"
                          << name << "'";
  // Backends complain about names of features of another architecture.
  if (hostTriple().isX86())
    processor.units = vectorUnitsOf(
        [&](StringRef feature) { return processor.has(feature); });
  return processor;
}

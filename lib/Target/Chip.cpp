//===- Chip.cpp - Names of NVIDIA targets -----------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Hardware/GPU.h"
#include "mta/Target/PTX.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;

LogicalResult mta::verifyChip(Location loc, StringRef chip) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  std::string error;
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return emitError(loc) << error;
  // The backend itself says what it knows; asked about an unknown name it
  // would print to standard error and go on with another chip.
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(
      target->createMCSubtargetInfo(triple, "sm_80", ""));
  bool known = subtarget->isCPUStringValid(chip);
  if (!known || hardware::architectureNumber(chip) < 80)
    return emitError(loc) << "expects a chip of sm_80 or newer, such as sm_80, "
                             "sm_90a or sm_100a, but got '"
                          << chip << "'";
  return success();
}

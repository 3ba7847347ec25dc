//===- mta-opt.cpp - The optimizer driver -----------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mta/InitAll.h"
#include "mta/Target/AtomicOutput.h"
#include "llvm/Support/TargetSelect.h"

int main(int argc, char **argv) {
  mta::setVersionPrinter();
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  mlir::registerAllPasses();
  mta::registerPasses();
  mlir::DialectRegistry registry;
  mta::registerAllDialects(registry);
  return mta::runWithAtomicOutput(argc, argv, [&](int count, char **args) {
    return mlir::asMainReturnCode(mlir::MlirOptMain(
        count, args, "Optimizer of the MTA compiler\n", registry));
  });
}

//===- InitAll.cpp - Registration of everything -----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/InitAll.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"
#include "mta/Pipelines/Pipelines.h"
#include "mta/Version.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"

void mta::registerDialect(mlir::DialectRegistry &registry) {
  registry.insert<MTADialect>();
}

void mta::registerPasses() {
  registerMTAConversionPasses();
  registerMTATransformsPasses();
  registerPipelines();
}

void mta::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registerDialect(registry);
}

void mta::setVersionPrinter() {
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &output) {
    output << "mta " MTA_VERSION ", LLVM " LLVM_VERSION_STRING "\n";
  });
}

//===- mta-lsp-server.cpp - The language server of editors ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "mta/InitAll.h"
#include "llvm/Support/LogicalResult.h"

int main(int argc, char **argv) {
  mta::setVersionPrinter();
  mlir::DialectRegistry registry;
  mta::registerAllDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}

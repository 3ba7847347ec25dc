//===- lower.cpp - A program that uses the C++ libraries --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mta/Conversion/Passes.h"
#include "mta/Dialect/MTA/IR/MTA.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: lower FILE\n";
    return 2;
  }
  DialectRegistry registry;
  registry.insert<func::FuncDialect, mta::MTADialect>();
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(argv[1], &context);
  if (!module)
    return 1;
  module->walk([](mta::AttentionOp attention) {
    llvm::outs() << "queries before: "
                 << attention.getNeighborhood().queriesBefore << "\n";
  });
  PassManager pm(&context);
  pm.addPass(mta::createConvertMTAToLinalgPass());
  if (failed(pm.run(*module)))
    return 1;
  module->print(llvm::outs());
  return 0;
}

//===- Objects.cpp - Translations to code for a CPU -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Objects.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "mta/InitAll.h"
#include "mta/Target/AtomicOutput.h"
#include "mta/Target/CSignature.h"
#include "mta/Target/Object.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static llvm::cl::opt<std::string>
    cpu("cpu",
        llvm::cl::desc("Processor of objects and shared libraries, such as "
                       "x86-64-v3; native for this one"),
        llvm::cl::init("native"));
static llvm::cl::opt<int64_t> vectorBits(
    "vector-bits",
    llvm::cl::desc("Bits of a vector register, 0 for those of the processor"),
    llvm::cl::init(0));
// LLVM's libraries have an option --threads already.
static llvm::cl::opt<bool>
    noThreads("no-threads",
              llvm::cl::desc("Run on one thread instead of those of OpenMP"));
static llvm::cl::opt<std::string>
    header("header", llvm::cl::desc("Also write the C header to this file"),
           llvm::cl::value_desc("file"));
static llvm::cl::opt<std::string> linker(
    "linker",
    llvm::cl::desc("The C compiler or linker that links shared libraries"),
    llvm::cl::value_desc("program"));

static mta::ObjectOptions getOptions() {
  mta::ObjectOptions options;
  options.cpu = cpu;
  options.vectorBits = vectorBits;
  options.threads = !noThreads;
  return options;
}

static LogicalResult writeHeader(ModuleOp module, StringRef text) {
  std::string error;
  if (header.empty() ||
      succeeded(mta::writeFileAtomically(header, text, error)))
    return success();
  return module.emitError(error);
}

static LogicalResult toHeader(ModuleOp module, llvm::raw_ostream &output) {
  auto text = mta::translateToHeader(module, getOptions());
  if (failed(text))
    return failure();
  output << *text;
  return success();
}

static LogicalResult toObject(ModuleOp module, llvm::raw_ostream &output,
                              bool link) {
  mta::ObjectOptions options = getOptions();
  auto object = mta::translateToObject(module, options);
  if (failed(object))
    return failure();
  if (link) {
    auto library = mta::linkSharedLibrary(module.getLoc(), object->code, linker,
                                          options.threads);
    if (failed(library))
      return failure();
    object->code = std::move(*library);
  }
  // Nothing is written before everything is there.
  if (failed(writeHeader(module, object->header)))
    return failure();
  output << object->code;
  return success();
}

void mta::registerTranslationWithNames(
    StringRef name, StringRef description,
    std::function<LogicalResult(ModuleOp, llvm::raw_ostream &)> translate) {
  TranslateRegistration registration(
      name, description,
      [translate](const std::shared_ptr<llvm::SourceMgr> &source,
                  llvm::raw_ostream &output, MLIRContext *context) {
        DialectRegistry registry;
        mta::registerAllDialects(registry);
        context->appendDialectRegistry(registry);
        // The operation as it is in the middle of a lowering says little to
        // someone who asked for machine code, and at great length.
        context->printOpOnDiagnostic(false);
        auto module = mta::parseWithNames(source, context);
        return module ? translate(*module, output) : failure();
      });
}

void mta::registerObjectTranslations() {
  registerTranslationWithNames(
      "mta-to-object", "compile with mta-cpu to an object file for C programs",
      [](ModuleOp module, llvm::raw_ostream &output) {
        return toObject(module, output, /*link=*/false);
      });
  registerTranslationWithNames("mta-to-shared-library",
                               "as --mta-to-object, linked to a shared library",
                               [](ModuleOp module, llvm::raw_ostream &output) {
                                 return toObject(module, output, /*link=*/true);
                               });
  registerTranslationWithNames("mta-to-header",
                               "the C header of what --mta-to-object compiles",
                               toHeader);
}

//===- mta-translate.cpp - The translation driver ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundles.h"
#include "Objects.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllTranslations.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "mta/InitAll.h"
#include "mta/Target/AtomicOutput.h"
#include "mta/Target/Contract.h"
#include "mta/Target/PTX.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

static llvm::cl::list<std::string>
    chips("chip", llvm::cl::CommaSeparated,
          llvm::cl::desc("NVIDIA target, such as sm_80 or sm_90a; several for "
                         "a bundle, with commas. Left out, it is that of the "
                         "module's PTX, or sm_80"),
          llvm::cl::value_desc("chip"));
static llvm::cl::opt<std::string> kernelDirectory(
    "kernel-dir",
    llvm::cl::desc("Write every kernel to a file of its own in this folder and "
                   "print the files' names"),
    llvm::cl::value_desc("folder"));
static llvm::cl::opt<std::string>
    ptxas("ptxas", llvm::cl::desc("The ptxas to assemble cubins with"),
          llvm::cl::value_desc("program"));
static llvm::cl::list<std::string> ptxasFlags(
    "ptxas-flags", llvm::cl::CommaSeparated,
    llvm::cl::desc("Flags for ptxas, separated by commas, such as -O2,-v"),
    llvm::cl::value_desc("flags"));
static llvm::cl::opt<bool> reference(
    "reference",
    llvm::cl::desc("Lower to the unfused reference kernels, which form every "
                   "score matrix"));

/// The option, as the chip of a translation to one thing.
static std::string getChip(ModuleOp module) {
  return chips.empty() ? mta::findChip(module) : llvm::join(chips, ",");
}

static mta::PTXOptions getPTXOptions(ModuleOp module) {
  mta::PTXOptions options;
  options.chip = getChip(module);
  options.mergeKernels = kernelDirectory.empty();
  options.reference = reference;
  return options;
}

static FailureOr<mta::BundleOptions> getBundleOptions(Location loc) {
  using Cubins = mta::BundleOptions::Cubins;
  if (reference || !kernelDirectory.empty())
    return emitError(loc, "expects a bundle of fused kernels in one text, but "
                          "got --")
           << (reference ? "reference" : "kernel-dir");
  mta::BundleOptions options;
  if (!chips.empty())
    options.chips = chips;
  options.cubins = ptxas.getNumOccurrences() || ptxasFlags.getNumOccurrences()
                       ? Cubins::Required
                       : Cubins::IfPossible;
  options.ptxas = ptxas;
  options.ptxasFlags = ptxasFlags;
  return options;
}

/// Writes `contents` to the output or, with --kernel-dir, to a file there.
static LogicalResult emitResult(ModuleOp module, StringRef name,
                                StringRef suffix, StringRef contents,
                                llvm::raw_ostream &output) {
  if (kernelDirectory.empty()) {
    output << contents;
    return success();
  }
  if (name.empty() ||
      name.find_first_of(StringRef("/\\\0", 3)) != StringRef::npos)
    return emitError(module.getLoc(), "expects names of GPU modules that are "
                                      "names of files, but got '")
           << name << "'";
  SmallString<128> path(kernelDirectory);
  llvm::sys::path::append(path, name + suffix);
  std::string error;
  if (std::error_code code = llvm::sys::fs::create_directories(kernelDirectory))
    return module.emitError("cannot create '")
           << kernelDirectory << "': " << code.message();
  if (failed(mta::writeFileAtomically(path, contents, error)))
    return module.emitError(error);
  output << path << "\n";
  return success();
}

static LogicalResult translate(Operation *op, llvm::raw_ostream &output,
                               bool assemble) {
  // The operation as it is in the middle of a lowering says little to someone
  // who asked for PTX, and at great length.
  op->getContext()->printOpOnDiagnostic(false);
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitError("expects a builtin.module at the top level");
  auto texts = mta::translateToPTX(module, getPTXOptions(module));
  if (failed(texts))
    return failure();
  if (kernelDirectory.empty() && texts->size() > 1)
    return module.emitError("has several GPU binaries that cannot be merged; "
                            "use --kernel-dir");
  // Nothing is written before everything is there.
  for (mta::PTXModule &text : *texts) {
    if (!assemble)
      continue;
    auto cubin = mta::assemblePTX(module.getLoc(), text.text, getChip(module),
                                  ptxas, std::vector<std::string>(ptxasFlags));
    if (failed(cubin))
      return failure();
    text.text = std::move(*cubin);
  }
  for (const mta::PTXModule &text : *texts)
    if (failed(emitResult(module, text.name, assemble ? ".cubin" : ".ptx",
                          text.text, output)))
      return failure();
  return success();
}

int main(int argc, char **argv) {
  mta::setVersionPrinter();
  registerAllTranslations();
  TranslateFromMLIRRegistration toPTX(
      "mta-to-ptx", "translate a module of any level to PTX",
      [](Operation *op, llvm::raw_ostream &output) {
        return translate(op, output, /*assemble=*/false);
      },
      mta::registerAllDialects);
  TranslateFromMLIRRegistration toCubin(
      "mta-to-cubin", "as --mta-to-ptx, assembled with ptxas",
      [](Operation *op, llvm::raw_ostream &output) {
        return translate(op, output, /*assemble=*/true);
      },
      mta::registerAllDialects);
  mta::registerTranslationWithNames(
      "mta-to-contract", "how to launch the kernels of --mta-to-ptx, as JSON",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        auto text = mta::translateToContract(module, getPTXOptions(module));
        if (failed(text))
          return failure();
        output << *text;
        return success();
      });
  mta::registerObjectTranslations();
  mta::registerBundleTranslation(getBundleOptions);
  auto translateFile = [](int count, char **args) {
    return failed(
        mlirTranslateMain(count, args, "Translations of the MTA compiler"));
  };
  return mta::runWithOutputFolder(argc, argv, [&](int count, char **args) {
    return mta::runWithAtomicOutput(count, args, translateFile);
  });
}

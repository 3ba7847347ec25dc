//===- Bundles.cpp - The translation to a bundle ----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundles.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "mta/InitAll.h"
#include "mta/Target/AtomicOutput.h"
#include "mta/Target/CSignature.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static llvm::cl::list<std::string> others(
    "bundle-with",
    llvm::cl::desc("Another file for --mta-to-bundle; functions of the same "
                   "name are variants of one"),
    llvm::cl::value_desc("file"));
static llvm::cl::opt<std::string> bundleName(
    "bundle-name",
    llvm::cl::desc("The prefix of the functions that load a bundle; by default "
                   "the name of its first function"),
    llvm::cl::value_desc("name"));
static llvm::cl::opt<bool>
    noCubin("no-cubin", llvm::cl::desc("Have no cubins in a bundle, even if "
                                       "PATH has ptxas"));

/// The folder of -o, which the tool does not see.
static std::string &outputFolder() {
  static std::string folder;
  return folder;
}

/// Whether the tool is to translate the parts of a file one by one.
static bool splitsInput = false;

/// Parses a file; diagnostics show its text.
static FailureOr<mta::BundleInput>
parse(std::unique_ptr<llvm::MemoryBuffer> text, MLIRContext *context) {
  std::string file = text->getBufferIdentifier().str();
  auto source = std::make_shared<llvm::SourceMgr>();
  source->AddNewSourceBuffer(std::move(text), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(*source, context);
  auto module = mta::parseWithNames(source, context);
  if (!module)
    return failure();
  return mta::BundleInput{file, std::move(module)};
}

static LogicalResult toBundle(llvm::StringRef first, llvm::StringRef name,
                              const mta::BundleOptions &options,
                              MLIRContext *context) {
  std::vector<mta::BundleInput> inputs;
  auto add = [&](std::unique_ptr<llvm::MemoryBuffer> text) {
    auto input = parse(std::move(text), context);
    if (succeeded(input))
      inputs.push_back(std::move(*input));
    return succeeded(input);
  };
  if (!add(llvm::MemoryBuffer::getMemBufferCopy(first, name)))
    return failure();
  for (const std::string &file : others) {
    std::string error;
    auto text = openInputFile(file, &error);
    if (!text)
      return emitError(UnknownLoc::get(context), error);
    if (!add(std::move(text)))
      return failure();
  }
  Location loc = inputs.front().module->getLoc();
  auto files = mta::translateToBundle(std::move(inputs), options);
  if (failed(files))
    return failure();
  std::string error;
  return succeeded(mta::writeBundle(*files, outputFolder(), error))
             ? success()
             : LogicalResult(emitError(loc, error));
}

void mta::registerBundleTranslation(
    std::function<FailureOr<BundleOptions>(Location)> commonOptions) {
  TranslateRegistration registration(
      "mta-to-bundle",
      "a folder with PTX, cubins, their description in JSON and a launcher in "
      "C; -o is the folder",
      [commonOptions](const std::shared_ptr<llvm::SourceMgr> &source,
                      llvm::raw_ostream &, MLIRContext *context) {
        DialectRegistry registry;
        mta::registerAllDialects(registry);
        context->appendDialectRegistry(registry);
        context->printOpOnDiagnostic(false);
        Location unknown = UnknownLoc::get(context);
        if (outputFolder().empty() || outputFolder() == "-")
          return LogicalResult(emitError(
              unknown, "expects a folder for the bundle, as in -o attention"));
        if (splitsInput)
          return LogicalResult(
              emitError(unknown, "expects a bundle of whole files, but got "
                                 "--split-input-file"));
        FailureOr<BundleOptions> options = commonOptions(unknown);
        if (failed(options))
          return LogicalResult(failure());
        options->name = bundleName;
        if (noCubin && options->cubins == BundleOptions::Cubins::Required)
          return LogicalResult(emitError(
              unknown, "expects one of --no-cubin and --ptxas, but got both"));
        if (noCubin)
          options->cubins = BundleOptions::Cubins::None;
        const llvm::MemoryBuffer *text =
            source->getMemoryBuffer(source->getMainFileID());
        return toBundle(text->getBuffer(), text->getBufferIdentifier(),
                        *options, context);
      });
}

int mta::runWithOutputFolder(int argc, char **argv,
                             llvm::function_ref<int(int, char **)> main) {
  llvm::ArrayRef<char *> arguments(argv, argc);
  bool isBundle = llvm::any_of(arguments, [](llvm::StringRef argument) {
    return argument.ltrim('-') == "mta-to-bundle" && argument.starts_with("-");
  });
  splitsInput = llvm::any_of(arguments, [](llvm::StringRef argument) {
    return argument.ltrim('-').starts_with("split-input-file");
  });
  llvm::SmallVector<char *> kept;
  for (size_t i = 0; i < arguments.size(); ++i) {
    llvm::StringRef argument = arguments[i];
    bool hasValue =
        (argument == "-o" || argument == "--o") && i + 1 < arguments.size();
    if (isBundle && hasValue)
      outputFolder() = arguments[++i];
    else if (isBundle &&
             (argument.starts_with("-o=") || argument.starts_with("--o=")))
      outputFolder() = argument.split('=').second.str();
    else
      kept.push_back(arguments[i]);
  }
  int count = static_cast<int>(kept.size());
  kept.push_back(nullptr);
  return main(count, kept.data());
}

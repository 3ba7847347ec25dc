//===- Bundle.cpp - From modules to a bundle --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Bundle.h"

#include "Model.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mta/Hardware/GPU.h"
#include "mta/Target/Contract.h"
#include "mta/Target/PTX.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

//===----------------------------------------------------------------------===//
// One module of all inputs
//===----------------------------------------------------------------------===//

/// The part of a file's name that tells variants apart: "bf16" of
/// "a/bf16.mlir".
static std::string stemOf(StringRef file) {
  std::string stem = llvm::sys::path::stem(file).str();
  for (char &c : stem)
    if (!llvm::isAlnum(c))
      c = '_';
  return StringRef(stem).trim('_').str();
}

namespace {
/// Moves the functions of modules to the first one, under names of their own.
class InputMerger {
public:
  explicit InputMerger(std::vector<BundleInput> &inputs) : inputs(inputs) {}

  FailureOr<VariantNames> run();

private:
  LogicalResult verifyMovable(BundleInput &input);
  LogicalResult renameFunctions(BundleInput &input);

  std::vector<BundleInput> &inputs;
  /// In how many inputs a name is.
  llvm::StringMap<unsigned> uses;
  llvm::StringSet<> taken;
  VariantNames names;
};
} // namespace

/// Of several modules all symbols have to be found and renamed, which takes
/// functions and nothing else.
LogicalResult InputMerger::verifyMovable(BundleInput &input) {
  for (Operation &op : *input.module->getBody())
    if (!isa<func::FuncOp>(op))
      return emitError(op.getLoc())
             << "expects modules of functions to bundle together, but '"
             << input.file << "' has '" << op.getName() << "'";
  return success();
}

LogicalResult InputMerger::renameFunctions(BundleInput &input) {
  SymbolTable symbols(*input.module);
  for (auto function : llvm::to_vector(input.module->getOps<func::FuncOp>())) {
    StringRef name = function.getName();
    std::string renamed = name.str();
    if (uses[name] > 1)
      renamed += "_" + stemOf(input.file);
    if (!taken.insert(renamed).second)
      return emitError(function.getLoc())
             << "expects files whose names tell functions of one name apart, "
                "but there are two of '"
             << renamed << "'";
    // The name lives in the context, which outlives the operation's own.
    StringRef group = function.getNameAttr().getValue();
    if (function.isPublic() && !function.isExternal())
      names[group].push_back(renamed);
    if (renamed != name && failed(symbols.rename(function, renamed)))
      return emitError(function.getLoc())
             << "cannot rename '" << name << "' to '" << renamed << "'";
  }
  return success();
}

FailureOr<VariantNames> InputMerger::run() {
  for (BundleInput &input : inputs) {
    if (inputs.size() > 1 && failed(verifyMovable(input)))
      return failure();
    for (auto function : input.module->getOps<func::FuncOp>())
      ++uses[function.getName()];
  }
  for (BundleInput &input : inputs)
    if (failed(renameFunctions(input)))
      return failure();
  Block *target = inputs.front().module->getBody();
  for (BundleInput &input : llvm::drop_begin(inputs))
    target->getOperations().splice(target->end(),
                                   input.module->getBody()->getOperations());
  return std::move(names);
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

/// The best one for a device that runs several is first: the newest, and of
/// these the one with the most features ("sm_90a", "sm_90f", "sm_90").
static bool isBetter(const std::string &left, const std::string &right) {
  auto rank = [](StringRef chip) {
    return std::pair(hardware::architectureNumber(chip),
                     chip.ends_with("a") ? 2 : chip.ends_with("f"));
  };
  return rank(left) > rank(right);
}

static FailureOr<Image> compile(ModuleOp module, StringRef chip,
                                const BundleOptions &options) {
  OwningOpRef<ModuleOp> copy = module.clone();
  PTXOptions ptx;
  ptx.chip = chip;
  auto texts = translateToPTX(*copy, ptx);
  if (failed(texts))
    return failure();
  if (texts->size() > 1)
    return emitError(module.getLoc(), "expects one GPU binary, but got ")
           << texts->size();
  auto contracts = collectContracts(*copy);
  if (failed(contracts))
    return failure();
  Image image;
  image.chip = chip;
  image.ptx = std::move(texts->front().text);
  image.ptxVersion = ptxVersionOf(image.ptx);
  image.contracts = std::move(*contracts);
  bool isOnly = options.chips.size() == 1;
  image.ptxFile = isOnly ? "kernel.ptx" : "kernel." + image.chip + ".ptx";
  return image;
}

static LogicalResult assemble(Location loc, Image &image,
                              const BundleOptions &options) {
  auto cubin = assemblePTX(loc, image.ptx, image.chip, options.ptxas,
                           options.ptxasFlags);
  if (failed(cubin))
    return failure();
  image.cubin = std::move(*cubin);
  image.cubinFile = "kernel." + image.chip + ".cubin";
  return success();
}

static LogicalResult buildImages(ModuleOp module, const BundleOptions &options,
                                 Model &model) {
  Location loc = module.getLoc();
  std::vector<std::string> chips = options.chips;
  llvm::sort(chips, isBetter);
  auto repeated = std::adjacent_find(chips.begin(), chips.end());
  if (repeated != chips.end())
    return emitError(loc) << "expects different chips, but got '" << *repeated
                          << "' twice";
  for (const std::string &chip : chips) {
    auto image = compile(module, chip, options);
    if (failed(image))
      return failure();
    model.images.push_back(std::move(*image));
  }
  using Cubins = BundleOptions::Cubins;
  if (options.cubins == Cubins::None ||
      (options.cubins == Cubins::IfPossible && !hasPtxas()))
    return success();
  auto version = ptxasVersion(loc, options.ptxas);
  if (failed(version))
    return failure();
  model.ptxasVersion = std::move(*version);
  model.ptxasFlags = options.ptxasFlags;
  return success(llvm::all_of(model.images, [&](Image &image) {
    return succeeded(assemble(loc, image, options));
  }));
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

FailureOr<std::vector<BundleFile>>
mta::translateToBundle(std::vector<BundleInput> inputs,
                       const BundleOptions &options) {
  auto names = InputMerger(inputs).run();
  if (failed(names))
    return failure();
  ModuleOp module = *inputs.front().module;
  Model model;
  model.name = options.name;
  if (failed(buildImages(module, options, model)))
    return failure();
  // Binaries may be there without the functions that they come from.
  if (names->empty())
    for (LaunchContractAttr contract : model.images.front().contracts)
      (*names)[contract.getFunction()].push_back(contract.getFunction().str());
  if (failed(buildModel(module.getLoc(), *names, model)))
    return failure();
  std::vector<BundleFile> files;
  for (Image &image : model.images) {
    files.push_back({image.ptxFile, image.ptx});
    if (!image.cubin.empty())
      files.push_back({image.cubinFile, image.cubin});
  }
  files.push_back({"kernel.c", writeLauncher(model)});
  files.push_back({"kernel.h", writeHeader(model)});
  llvm::sort(files,
             [](auto &left, auto &right) { return left.name < right.name; });
  std::string readme = writeReadme(model, files);
  std::string manifest = writeManifest(model, files);
  files.push_back({"README.txt", std::move(readme)});
  files.push_back({"kernel.json", std::move(manifest)});
  return files;
}

//===- Model.cpp - What is in a bundle --------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "Names.h"

#include "mta/Target/Contract.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

//===----------------------------------------------------------------------===//
// Types and hashes
//===----------------------------------------------------------------------===//

StringRef bundle::cElementType(Type type) {
  if (type.isF16())
    return "MtaDeviceF16";
  if (type.isBF16())
    return "MtaDeviceBF16";
  if (type.isF32())
    return "float";
  if (type.isF64())
    return "double";
  switch (type.getIntOrFloatBitWidth()) {
  case 8:
    return "int8_t";
  case 16:
    return "int16_t";
  case 32:
    return "int32_t";
  default:
    return "int64_t";
  }
}

std::string bundle::typeConstant(Type type) {
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return "MTA_BUNDLE_" + StringRef(name).upper();
}

int64_t bundle::elementBytes(Type type) {
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

std::string bundle::hashOf(StringRef contents) {
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(contents));
  return llvm::toHex(hash, /*LowerCase=*/true);
}

std::string bundle::hashOf(ArrayRef<BundleFile> files) {
  std::string lines;
  for (const BundleFile &file : files)
    lines += hashOf(file.contents) + "  " + file.name + "\n";
  return hashOf(lines);
}

std::string Model::chips() const {
  std::string text = images.front().chip;
  for (size_t i = 1; i < images.size(); ++i)
    text += (i + 1 < images.size() ? ", " : " and ") + images[i].chip;
  return text;
}

SmallVector<StringRef> Variant::sizeNames() const {
  return SmallVector<StringRef>(sizes.begin(), sizes.end());
}

SmallVector<BufferAttr> Variant::workspaces(unsigned image) const {
  SmallVector<BufferAttr> found;
  for (auto buffer : contracts[image].getBuffers().getAsRange<BufferAttr>())
    if (buffer.getKind() == BufferKind::Workspace)
      found.push_back(buffer);
  return found;
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

static LaunchContractAttr findContract(const Image &image, StringRef function) {
  for (LaunchContractAttr contract : image.contracts)
    if (contract.getFunction() == function)
      return contract;
  return {};
}

/// Inputs and outputs, in order.
static SmallVector<BufferAttr> argumentsOf(LaunchContractAttr contract) {
  SmallVector<BufferAttr> found;
  for (auto buffer : contract.getBuffers().getAsRange<BufferAttr>())
    if (buffer.getKind() != BufferKind::Workspace)
      found.push_back(buffer);
  return found;
}

/// Whether callers see no difference but in alignments, which the launcher
/// knows.
static bool areEqual(BufferAttr left, BufferAttr right) {
  return left.getName() == right.getName() &&
         left.getKind() == right.getKind() &&
         left.getElement() == right.getElement() &&
         left.getShape() == right.getShape();
}

SmallVector<AffineExpr> bundle::narrowNumbers(LaunchContractAttr contract) {
  llvm::SmallSetVector<AffineExpr, 8> numbers;
  for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
    for (Attribute parameter : launch.getParameters())
      if (auto size = dyn_cast<SizeAttr>(parameter)) {
        AffineExpr value = size.getValue().getAffineMap().getResult(0);
        if (size.getType().getWidth() == 32 && isa<AffineBinaryOpExpr>(value))
          numbers.insert(value);
      }
  return numbers.takeVector();
}

SmallVector<AffineExpr> bundle::factorsOf(AffineExpr expression) {
  if (expression.getKind() != AffineExprKind::Mul)
    return {expression};
  auto product = cast<AffineBinaryOpExpr>(expression);
  SmallVector<AffineExpr> factors = factorsOf(product.getLHS());
  llvm::append_range(factors, factorsOf(product.getRHS()));
  return factors;
}

/// The factors that are not constants.
static SmallVector<AffineExpr> variablesOf(AffineExpr expression) {
  SmallVector<AffineExpr> factors = factorsOf(expression);
  llvm::erase_if(factors, llvm::IsaPred<AffineConstantExpr>);
  return factors;
}

bool bundle::isProduct(AffineExpr expression) {
  return variablesOf(expression).size() > 1;
}

/// Whether one is the other times a constant.
static bool areMultiples(AffineExpr left, AffineExpr right) {
  SmallVector<AffineExpr> one = variablesOf(left), other = variablesOf(right);
  return one.size() == other.size() &&
         std::is_permutation(one.begin(), one.end(), other.begin());
}

/// The most that an expression of sizes below 2^31 can be, but for its sign.
/// `narrow` products fit into 32 bits, and so does what is multiplied in them.
static double largest(AffineExpr expression, ArrayRef<AffineExpr> narrow) {
  auto isNarrow = [&](AffineExpr product) {
    return areMultiples(product, expression);
  };
  if (llvm::any_of(narrow, isNarrow)) {
    double bound = 2147483647;
    for (AffineExpr factor : factorsOf(expression))
      if (auto constant = dyn_cast<AffineConstantExpr>(factor))
        bound *= std::fabs(static_cast<double>(constant.getValue()));
    return bound;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return std::fabs(static_cast<double>(constant.getValue()));
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!binary)
    return 2147483647;
  double left = largest(binary.getLHS(), narrow);
  double right = largest(binary.getRHS(), narrow);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return left + right;
  case AffineExprKind::Mul:
    return left * right;
  case AffineExprKind::Mod:
    return right;
  default:
    return left;
  }
}

/// Of a part of a contract.
static LogicalResult verifyExpressions(Location loc, const Variant &variant,
                                       LaunchContractAttr contract,
                                       Attribute part,
                                       ArrayRef<AffineExpr> narrow) {
  SmallVector<AffineMapAttr> maps;
  SmallVector<StringRef> names(
      llvm::to_vector(contract.getSizes().getAsValueRange<StringAttr>()));
  AttrTypeWalker walker;
  walker.addWalk([&](AffineMapAttr map) { maps.push_back(map); });
  walker.walk(part);
  for (AffineMapAttr map : maps)
    for (AffineExpr expression : map.getAffineMap().getResults())
      if (largest(expression, narrow) > 0x1p62)
        return emitError(loc) << "'" << variant.name
                              << "' expects numbers of at most 64 bits, but "
                                 "its contract has '"
                              << printExpression(expression, names) << "'";
  return success();
}

/// The launcher computes with numbers of 64 bits. Before it launches it has
/// checked products that kernels take as 32 bits.
static LogicalResult verifyExpressions(Location loc, const Variant &variant,
                                       LaunchContractAttr contract) {
  SmallVector<AffineExpr> narrow = narrowNumbers(contract);
  llvm::erase_if(narrow, [](AffineExpr number) { return !isProduct(number); });
  for (Attribute part :
       {Attribute(contract.getBuffers()), Attribute(contract.getNonnegative()),
        Attribute(contract.getZero())})
    if (part && failed(verifyExpressions(loc, variant, contract, part, {})))
      return failure();
  return verifyExpressions(loc, variant, contract, contract.getLaunches(),
                           narrow);
}

static LogicalResult verifyContract(Location loc, const Variant &variant,
                                    LaunchContractAttr contract,
                                    const Image &image) {
  for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
    if (llvm::any_of(launch.getCluster().asArrayRef(),
                     [](int64_t n) { return n != 1; }))
      return emitError(loc) << "'" << variant.name
                            << "' expects kernels without clusters, but '"
                            << launch.getKernel().getLeafReference().getValue()
                            << "' has some";
  if (variant.contracts.empty())
    return success();
  LaunchContractAttr first = variant.contracts.front();
  if (first.getSizes() == contract.getSizes() &&
      llvm::equal(argumentsOf(first), argumentsOf(contract), areEqual))
    return success();
  return emitError(loc) << "'" << variant.name
                        << "' expects the same arguments for every chip, but "
                           "has others for "
                        << image.chip;
}

static FailureOr<Variant> buildVariant(Location loc, StringRef name,
                                       const Model &model) {
  Variant variant;
  variant.name = name;
  for (const Image &image : model.images) {
    LaunchContractAttr contract = findContract(image, name);
    if (!contract)
      return emitError(loc) << "'" << name
                            << "' expects a function that launches kernels, "
                               "but it has no launch contract";
    if (failed(verifyContract(loc, variant, contract, image)) ||
        failed(verifyExpressions(loc, variant, contract)))
      return failure();
    variant.contracts.push_back(contract);
  }
  ArgumentNames names;
  LaunchContractAttr first = variant.contracts.front();
  if (first.getLaunches().empty() || argumentsOf(first).empty())
    return emitError(loc) << "'" << name
                          << "' expects a function of arrays that launches "
                             "kernels, but it does not";
  for (auto size : first.getSizes().getAsValueRange<StringAttr>())
    variant.sizes.push_back(
        names.add(size, "size" + std::to_string(variant.sizes.size())));
  for (BufferAttr buffer : argumentsOf(first))
    variant.buffers.push_back(
        {names.add(buffer.getName(),
                   "arg" + std::to_string(variant.buffers.size())),
         buffer});
  return variant;
}

/// A program has one struct of tensors for all variants of a function.
static LogicalResult verifyVariants(Location loc, const Function &function,
                                    const Model &model) {
  const Variant &first = model.firstVariant(function);
  for (unsigned number : function.variants) {
    const Variant &other = model.variants[number];
    auto isSame = [](const Buffer &left, const Buffer &right) {
      return left.name == right.name &&
             left.attr.getKind() == right.attr.getKind();
    };
    if (!llvm::equal(first.buffers, other.buffers, isSame))
      return emitError(loc)
             << "expects variants of '" << function.name
             << "' to have arguments and results of the same names, but '"
             << first.name << "' and '" << other.name << "' differ";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

LogicalResult bundle::buildModel(Location loc, const VariantNames &names,
                                 Model &model) {
  for (const auto &[name, variants] : names) {
    Function function;
    function.name = name;
    for (const std::string &variant : variants) {
      auto built = buildVariant(loc, variant, model);
      if (failed(built))
        return failure();
      function.variants.push_back(model.variants.size());
      model.variants.push_back(std::move(*built));
    }
    if (failed(verifyVariants(loc, function, model)))
      return failure();
    model.functions.push_back(std::move(function));
  }
  if (model.name.empty())
    model.name = model.functions.front().name;
  return verifyNames(loc, model);
}

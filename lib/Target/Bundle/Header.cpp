//===- Header.cpp - kernel.h of a bundle ------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Declarations.h"
#include "Model.h"
#include "Template.h"

#include "mta/Target/Contract.h"
#include "mta/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

/// `first` and the others, each in a line below the first one.
static std::string declare(const std::string &function,
                           ArrayRef<std::string> parameters) {
  std::string indent(function.size() + 5, ' ');
  return "int " + function + "(" + llvm::join(parameters, ",\n" + indent) + ")";
}

std::string bundle::declareCall(const Model &model, const Variant &variant) {
  SmallVector<std::string> parameters = {
      "const " + model.name + "_bundle *bundle", "struct CUstream_st *stream"};
  for (const Buffer &buffer : variant.buffers) {
    bool isInput = buffer.attr.getKind() == BufferKind::Input;
    parameters.push_back((isInput ? "const " : "") +
                         cElementType(buffer.attr.getElement()).str() + " *" +
                         buffer.name);
  }
  parameters.append({"void *workspace", "size_t workspace_bytes"});
  for (const std::string &size : variant.sizes)
    parameters.push_back("int64_t " + size);
  return declare(variant.name, parameters);
}

std::string bundle::declareWorkspace(const Model &model,
                                     const Variant &variant) {
  SmallVector<std::string> parameters = {"const " + model.name +
                                         "_bundle *bundle"};
  for (const std::string &size : variant.sizes)
    parameters.push_back("int64_t " + size);
  parameters.push_back("size_t *bytes");
  return declare(variant.name + "_workspace", parameters);
}

std::string bundle::declareDispatch(const Model &model,
                                    const Function &function) {
  return declare(function.name + "_dispatch",
                 {"const " + model.name + "_bundle *bundle",
                  "struct CUstream_st *stream",
                  "const " + function.name + "_tensors *tensors",
                  "void *workspace", "size_t workspace_bytes"});
}

std::string bundle::declareDispatchWorkspace(const Model &model,
                                             const Function &function) {
  return declare(function.name + "_dispatch_workspace",
                 {"const " + model.name + "_bundle *bundle",
                  "const " + function.name + "_tensors *tensors",
                  "size_t *bytes"});
}

//===----------------------------------------------------------------------===//
// What is said about them
//===----------------------------------------------------------------------===//

static void describeBuffer(llvm::raw_ostream &os, const Variant &variant,
                           unsigned number) {
  const Buffer &buffer = variant.buffers[number];
  os << "//   " << buffer.name;
  for (AffineExpr extent : buffer.attr.getShape().getAffineMap().getResults())
    os << "[" << printExpression(extent, variant.sizeNames()) << "]";
  int64_t alignment = 1;
  for (LaunchContractAttr contract : variant.contracts)
    alignment = std::max(alignment,
                         contract.lookup(buffer.attr.getName()).getAlignment());
  os << ": " << buffer.attr.getElement() << ", aligned to " << alignment
     << (buffer.attr.getKind() == BufferKind::Output ? ", written" : "")
     << "\n";
}

/// "queries - 5 >= 0", for one image.
static SmallVector<std::string> conditions(const Variant &variant,
                                           LaunchContractAttr contract) {
  SmallVector<std::string> texts;
  for (auto [map, relation] : {std::pair(contract.getNonnegative(), " >= 0"),
                               std::pair(contract.getZero(), " == 0")})
    if (map)
      for (AffineExpr expression : map.getAffineMap().getResults())
        texts.push_back(printExpression(expression, variant.sizeNames()) +
                        relation);
  return texts;
}

static void describeSizes(llvm::raw_ostream &os, const Model &model,
                          const Variant &variant) {
  if (variant.sizes.empty())
    return;
  os << "//\n// Sizes, from 0 to 2^31 - 1: " << llvm::join(variant.sizes, ", ")
     << ".\n";
  auto first = conditions(variant, variant.contracts.front());
  bool isCommon = llvm::all_of(variant.contracts, [&](auto contract) {
    return conditions(variant, contract) == first;
  });
  for (auto [image, contract] : llvm::zip(model.images, variant.contracts)) {
    auto texts = conditions(variant, contract);
    if (texts.empty())
      continue;
    os << "// Supported" << (isCommon ? "" : " on " + image.chip) << ": "
       << llvm::join(texts, ",\n//   ") << ".\n";
    if (isCommon)
      return;
  }
}

static void writeVariant(llvm::raw_ostream &os, const Model &model,
                         const Variant &variant) {
  os << "\n// " << variant.name << "\n//\n";
  for (unsigned number = 0; number < variant.buffers.size(); ++number)
    describeBuffer(os, variant, number);
  describeSizes(os, model, variant);
  os << "//\n// The workspace, aligned to 256, has as many bytes as the "
        "function "
        "below says\n// for the same sizes; with 0 it may be null. Its "
        "contents "
        "do not matter.\n"
     << declareCall(model, variant) << ";\n"
     << declareWorkspace(model, variant) << ";\n";
}

static void writeDispatch(llvm::raw_ostream &os, const Model &model,
                          const Function &function) {
  auto names = llvm::map_range(function.variants, [&](unsigned variant) {
    return model.variants[variant].name;
  });
  os << "\n/// The arguments of " << llvm::join(names, ", ")
     << " as tensors.\ntypedef struct " << function.name << "_tensors {\n";
  for (const Buffer &buffer : model.firstVariant(function).buffers)
    os << "  MtaBundleTensor " << buffer.name << ";\n";
  os << "} " << function.name << "_tensors;\n\n"
     << "/// Calls the first of these whose types and shapes are those of the "
        "tensors.\n"
     << declareDispatch(model, function) << ";\n"
     << declareDispatchWorkspace(model, function) << ";\n";
}

std::string bundle::writeHeader(const Model &model) {
  std::string declarations;
  llvm::raw_string_ostream os(declarations);
  for (const Function &function : model.functions) {
    for (unsigned variant : function.variants)
      writeVariant(os, model, model.variants[variant]);
    writeDispatch(os, model, function);
  }
  llvm::StringMap<std::string> values;
  values["NAME"] = model.name;
  values["VERSION"] = MTA_VERSION;
  values["CHIPS"] = model.chips();
  values["EXAMPLE"] = model.variants.front().name;
  values["FUNCTIONS"] = declarations;
  return fillTemplate(headerTemplate, values);
}

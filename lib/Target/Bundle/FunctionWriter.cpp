//===- FunctionWriter.cpp - How a variant is launched, in C -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionWriter.h"

#include "Template.h"

#include "mta/Target/Contract.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

FunctionWriter::FunctionWriter(llvm::raw_ostream &os, const Model &model,
                               const Variant &variant)
    : os(os), model(model), variant(variant), names(variant.sizeNames()) {}

std::string FunctionWriter::text(AffineExpr expression) const {
  return printExpression(expression, names);
}

/// Expressions with commas. C has no empty arrays: an array of rank 0 gets an
/// extent that nobody reads.
std::string FunctionWriter::list(ArrayRef<AffineExpr> expressions) const {
  if (expressions.empty())
    return "1";
  return llvm::join(
      llvm::map_range(expressions, [&](AffineExpr e) { return text(e); }),
      ", ");
}

void FunctionWriter::write() {
  writeMatch();
  for (unsigned image = 0; image < model.images.size(); ++image) {
    writeMeasure(image);
    writeLaunch(image);
  }
}

/// The sizes as variables.
void FunctionWriter::writeStrides(BufferAttr buffer) {
  if (buffer.getStrides())
    os << "    const int64_t strides[] = {" << list(buffer.getStrideExprs())
       << "};\n";
}

/// The variable of `writeStrides`, or what stands for a contiguous array.
static StringRef stridesOf(BufferAttr buffer) {
  return buffer.getStrides() ? "strides" : "NULL";
}

void FunctionWriter::writeSizes(StringRef from) {
  for (auto [index, name] : llvm::enumerate(variant.sizes))
    os << "  const int64_t " << name << " = " << from << "[" << index << "];\n";
  if (variant.sizes.empty())
    os << "  (void)" << from << ";\n";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Sizes are extents of inputs; then all extents follow.
void FunctionWriter::writeMatch() {
  os << "\nstatic int " << variant.name
     << "_match(const MtaBundleTensor *tensors, int64_t *sizes) {\n";
  llvm::SmallBitVector known(variant.sizes.size());
  std::string sizes, strides;
  for (auto [index, buffer] : llvm::enumerate(variant.buffers)) {
    auto shape = buffer.attr.getShape().getAffineMap().getResults();
    os << "  EXPECT(isTensor(&tensors[" << index << "], "
       << typeConstant(buffer.attr.getElement()) << ", " << shape.size()
       << "), MTA_BUNDLE_BAD_TYPE);\n";
    for (auto [dim, extent] : llvm::enumerate(shape)) {
      auto size = dyn_cast<AffineSymbolExpr>(extent);
      if (!size || known.test(size.getPosition()))
        continue;
      known.set(size.getPosition());
      llvm::raw_string_ostream(sizes)
          << "  sizes[" << size.getPosition() << "] = tensors[" << index
          << "].shape[" << dim << "];\n";
    }
    for (auto [dim, step] : llvm::enumerate(buffer.attr.getStrideExprs())) {
      auto size = dyn_cast<AffineSymbolExpr>(step);
      if (!size || !buffer.attr.getStrides())
        continue;
      llvm::raw_string_ostream(strides)
          << "  sizes[" << size.getPosition() << "] = getStride(&tensors["
          << index << "], " << dim << ");\n"
          << "  EXPECT(isSize(sizes[" << size.getPosition()
          << "]), MTA_BUNDLE_BAD_STRIDES);\n";
    }
  }
  os << sizes << strides;
  writeSizes("sizes");
  for (const std::string &name : variant.sizes)
    os << "  EXPECT(isSize(" << name << "), MTA_BUNDLE_BAD_SHAPE);\n";
  for (auto [index, buffer] : llvm::enumerate(variant.buffers)) {
    os << "  {\n    const int64_t shape[] = {"
       << list(buffer.attr.getShape().getAffineMap().getResults()) << "};\n";
    writeStrides(buffer.attr);
    os << "    CHECK(checkTensor(&tensors[" << index << "], shape, "
       << stridesOf(buffer.attr) << "));\n  }\n";
  }
  os << "  return MTA_BUNDLE_SUCCESS;\n}\n";
}

//===----------------------------------------------------------------------===//
// Sizes and workspaces
//===----------------------------------------------------------------------===//

/// Products first, as others may have them as parts.
void FunctionWriter::writeNarrowChecks(LaunchContractAttr contract) {
  SmallVector<AffineExpr> numbers = narrowNumbers(contract);
  for (AffineExpr number : numbers)
    if (isProduct(number)) {
      SmallVector<AffineExpr> factors = factorsOf(number);
      os << "  {\n    const int64_t factors[] = {" << list(factors)
         << "};\n    EXPECT(isSize(getBytes(1, factors, " << factors.size()
         << ")), MTA_BUNDLE_BAD_SIZE);\n  }\n";
    }
  for (AffineExpr number : numbers)
    if (!isProduct(number))
      os << "  EXPECT(isInt32(" << text(number) << "), MTA_BUNDLE_BAD_SIZE);\n";
}

void FunctionWriter::writeMeasure(unsigned image) {
  LaunchContractAttr contract = variant.contracts[image];
  os << "\nstatic int " << variant.name << "_" << model.images[image].chip
     << "_measure(const int64_t *sizes, int64_t *offsets,\n"
        "    int64_t *bytes) {\n";
  writeSizes("sizes");
  auto expect = [&](const std::string &condition) {
    os << "  EXPECT(" << condition << ", MTA_BUNDLE_BAD_SIZE);\n";
  };
  for (const std::string &name : variant.sizes)
    expect("isSize(" + name + ")");
  for (auto [map, relation] : {std::pair(contract.getNonnegative(), " >= 0"),
                               std::pair(contract.getZero(), " == 0")})
    if (map)
      for (AffineExpr expression : map.getAffineMap().getResults())
        expect(text(expression) + relation);
  writeNarrowChecks(contract);
  auto workspaces = variant.workspaces(image);
  for (auto [index, buffer] : llvm::enumerate(workspaces)) {
    auto shape = buffer.getShape().getAffineMap().getResults();
    os << "  {\n    const int64_t shape[] = {" << list(shape)
       << "};\n    CHECK(reserve(" << elementBytes(buffer.getElement())
       << ", shape, " << shape.size() << ", &offsets[" << index
       << "], bytes));\n  }\n";
  }
  if (workspaces.empty())
    os << "  (void)offsets;\n  (void)bytes;\n";
  os << "  return MTA_BUNDLE_SUCCESS;\n}\n";
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void FunctionWriter::writeBufferChecks(unsigned image) {
  for (auto [index, buffer] : llvm::enumerate(variant.buffers)) {
    BufferAttr attr = variant.contracts[image].lookup(buffer.attr.getName());
    auto shape = attr.getShape().getAffineMap().getResults();
    os << "  {\n    const int64_t shape[] = {" << list(shape) << "};\n";
    writeStrides(attr);
    os << "    CHECK(checkBuffer(call->buffers[" << index << "], "
       << elementBytes(attr.getElement()) << ", " << attr.getAlignment()
       << ", shape, " << stridesOf(attr) << ", " << shape.size() << "));\n";
    if (attr.getStrides() && attr.getKind() == BufferKind::Output)
      os << "    EXPECT(lieApart(shape, strides, " << shape.size()
         << "), MTA_BUNDLE_BAD_STRIDES);\n";
    os << "  }\n";
  }
}

/// The address of a buffer of the contract.
std::string FunctionWriter::address(unsigned image, StringRef name) const {
  for (auto [index, buffer] : llvm::enumerate(variant.buffers))
    if (buffer.attr.getName() == name)
      return "call->buffers[" + std::to_string(index) + "]";
  auto workspaces = variant.workspaces(image);
  auto found = llvm::find_if(
      workspaces, [&](BufferAttr buffer) { return buffer.getName() == name; });
  return "(char *)call->workspace + offsets[" +
         std::to_string(found - workspaces.begin()) + "]";
}

void FunctionWriter::writeKernel(unsigned image, KernelLaunchAttr launch,
                                 unsigned number) {
  SmallVector<std::string> pointers;
  os << "  {\n    // " << launch.getKernel().getLeafReference().getValue()
     << "\n    const int64_t grid[] = {"
     << list(launch.getGrid().getAffineMap().getResults()) << "};\n";
  for (auto [index, parameter] :
       llvm::enumerate(launch.getParameters().getAsRange<Attribute>())) {
    std::string name = "p" + std::to_string(index);
    pointers.push_back("&" + name);
    if (auto pointer = dyn_cast<PointerAttr>(parameter)) {
      os << "    const void *" << name << " = "
         << address(image, pointer.getBuffer()) << ";\n";
      continue;
    }
    auto size = cast<SizeAttr>(parameter);
    std::string type = "int" + std::to_string(size.getType().getWidth()) + "_t";
    os << "    " << type << " " << name << " = (" << type << ")("
       << text(size.getValue().getAffineMap().getResult(0)) << ");\n";
  }
  StringRef begin = "    void *parameters[] = {";
  os << begin
     << (pointers.empty() ? "NULL" : joinLines(pointers, begin.size(), 8))
     << "};\n    CHECK(launchKernel(bundle, " << number
     << ", grid, stream, parameters));\n  }\n";
}

void FunctionWriter::writeLaunch(unsigned image) {
  LaunchContractAttr contract = variant.contracts[image];
  os << "\nstatic int " << variant.name << "_" << model.images[image].chip
     << "_launch(const Bundle *bundle, CUstream stream,\n"
        "    const Call *call) {\n"
        "  int64_t offsets[WORKSPACE_COUNT], bytes = 0;\n";
  for (auto [index, name] : llvm::enumerate(variant.sizes))
    os << "  const int64_t " << name << " = call->sizes[" << index << "];\n";
  os << "  CHECK(" << variant.name << "_" << model.images[image].chip
     << "_measure(call->sizes, offsets, &bytes));\n"
     << "  CHECK(checkWorkspace(call, bytes));\n";
  writeBufferChecks(image);
  unsigned number = 0;
  for (LaunchContractAttr other : model.images[image].contracts) {
    if (other == contract)
      break;
    number += other.getLaunches().size();
  }
  for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
    writeKernel(image, launch, number++);
  os << "  return MTA_BUNDLE_SUCCESS;\n}\n";
}

//===- VerifyContract.cpp - Launch contracts beside kernels -----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel is a gpu.func, then an llvm.func, and at last an entry in a text of
// PTX (PTX ISA 12.1, "Kernel and Function Directives: .entry"):
//
//     .visible .entry NAME(
//         .param .u64 .ptr .align 16 NAME_param_0,
//         .param .u32 NAME_param_1
//     )
//     .maxntid 256, 1, 1
//     {
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mta;

namespace {
/// What a contract can be compared with.
struct KernelShape {
  /// The size of a parameter in bytes, and whether it is known to be an address
  /// or known to be none.
  struct Parameter {
    unsigned bytes = 0;
    std::optional<bool> isPointer;
  };
  SmallVector<Parameter> parameters;
  /// Empty if the kernel does not say.
  SmallVector<int64_t> block;
};
} // namespace

static KernelShape shapeOf(FunctionOpInterface kernel) {
  KernelShape shape;
  for (Type type : kernel.getArgumentTypes()) {
    if (isa<IndexType>(type))
      shape.parameters.push_back({8, false});
    else if (type.isIntOrFloat())
      shape.parameters.push_back({type.getIntOrFloatBitWidth() / 8, false});
    else
      shape.parameters.push_back({8, true});
  }
  if (auto function = dyn_cast<gpu::GPUFuncOp>(kernel.getOperation()))
    if (std::optional<ArrayRef<int32_t>> block = function.getKnownBlockSize())
      llvm::append_range(shape.block, *block);
  return shape;
}

static unsigned bytesOfPTXType(StringRef type) {
  unsigned bits = 0;
  type.drop_while([](char c) { return !llvm::isDigit(c); })
      .getAsInteger(10, bits);
  return bits / 8;
}

/// The words of a text without commas and brackets.
static SmallVector<StringRef> wordsOf(StringRef text) {
  SmallVector<StringRef> words;
  while (!(text = text.ltrim(" \t\r\n,()")).empty()) {
    words.push_back(text.take_until(
        [](char c) { return StringRef(" \t\r\n,()").contains(c); }));
    text = text.drop_front(words.back().size());
  }
  return words;
}

/// The entry `name` of a text, if there is one.
static std::optional<KernelShape> findEntry(StringRef ptx, StringRef name) {
  size_t position = ptx.find((".entry " + name + "(").str());
  if (position == StringRef::npos)
    return std::nullopt;
  auto [parameters, rest] =
      ptx.substr(position + name.size() + 8).split("\n{").first.split(')');
  KernelShape shape;
  SmallVector<StringRef> words = wordsOf(parameters);
  for (size_t index = 0; index + 1 < words.size(); ++index)
    if (words[index] == ".param")
      shape.parameters.push_back(
          {bytesOfPTXType(words[index + 1]),
           index + 2 < words.size() && words[index + 2] == ".ptr"
               ? std::optional<bool>(true)
               : std::nullopt});
  // Extents that are left out are 1.
  words = wordsOf(rest);
  auto isOther = [](StringRef word) { return word != ".maxntid"; };
  int64_t extent = 1;
  for (StringRef word : ArrayRef(words).drop_while(isOther).drop_while(
           [](StringRef word) { return word == ".maxntid"; })) {
    if (word.getAsInteger(10, extent))
      break;
    shape.block.push_back(extent);
  }
  if (!shape.block.empty())
    shape.block.resize(3, 1);
  return shape;
}

static LogicalResult verifyLaunch(Operation *op, KernelLaunchAttr launch,
                                  const KernelShape &kernel) {
  auto emitError = [&] {
    return op->emitOpError("expects a launch contract that fits kernel '")
           << launch.getKernel().getLeafReference().getValue() << "', ";
  };
  ArrayAttr parameters = launch.getParameters();
  if (parameters.size() != kernel.parameters.size())
    return emitError() << "which has " << kernel.parameters.size()
                       << " parameters, but got " << parameters.size();
  for (auto [index, pair] :
       llvm::enumerate(llvm::zip_equal(parameters, kernel.parameters))) {
    auto [attribute, parameter] = pair;
    auto size = dyn_cast<SizeAttr>(attribute);
    unsigned bytes = size ? size.getType().getWidth() / 8 : 8;
    if (bytes != parameter.bytes || parameter.isPointer == bool(size))
      return emitError() << "whose parameter #" << index << " has "
                         << parameter.bytes << " bytes"
                         << (parameter.isPointer.value_or(false)
                                 ? " and is an address"
                                 : "")
                         << ", but got " << attribute;
  }
  ArrayRef<int64_t> block = launch.getBlock();
  if (!kernel.block.empty() && ArrayRef(kernel.block) != block)
    return emitError() << "which runs in blocks of [" << kernel.block
                       << "], but got [" << block << "]";
  return success();
}

/// Compares with the kernels of a module, or of a text of PTX.
static LogicalResult verifyLaunch(Operation *op, KernelLaunchAttr launch) {
  StringAttr name = launch.getKernel().getLeafReference();
  auto missing = [&] {
    return op->emitOpError("expects a kernel for its launch contract, but got "
                           "none called '")
           << name.getValue() << "'";
  };
  auto binary = dyn_cast<gpu::BinaryOp>(op);
  if (!binary) {
    auto kernel = dyn_cast_or_null<FunctionOpInterface>(
        SymbolTable::lookupSymbolIn(op, name));
    return kernel ? verifyLaunch(op, launch, shapeOf(kernel)) : missing();
  }
  for (auto object : binary.getObjects().getAsRange<gpu::ObjectAttr>()) {
    if (object.getFormat() != gpu::CompilationTarget::Assembly)
      continue;
    std::optional<KernelShape> kernel =
        findEntry(object.getObject().getValue(), name);
    if (!kernel)
      return missing();
    if (failed(verifyLaunch(op, launch, *kernel)))
      return failure();
  }
  return success();
}

LogicalResult MTADialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
  if (attribute.getName() != getLaunchContractsAttrName())
    return success();
  if (!isa<gpu::GPUModuleOp, gpu::BinaryOp>(op))
    return op->emitOpError("expects launch contracts on a gpu.module or "
                           "gpu.binary only");
  auto contracts = dyn_cast<ArrayAttr>(attribute.getValue());
  if (!contracts || !llvm::all_of(contracts, llvm::IsaPred<LaunchContractAttr>))
    return op->emitOpError("expects ")
           << attribute.getName() << " to be an array of #mta.launch_contract, "
           << "but got " << attribute.getValue();
  StringAttr name = SymbolTable::getSymbolName(op);
  for (auto contract : contracts.getAsRange<LaunchContractAttr>())
    for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
      if (launch.getKernel().getRootReference() == name &&
          failed(verifyLaunch(op, launch)))
        return failure();
  return success();
}

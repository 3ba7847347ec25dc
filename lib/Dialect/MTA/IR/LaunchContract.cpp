//===- LaunchContract.cpp - Launch contracts by themselves ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mta;

using EmitError = function_ref<InFlightDiagnostic()>;

/// CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability".
static constexpr int64_t kLargestBlock = 1024;

/// A map of the sizes to `results` numbers, or any number of them if negative.
static LogicalResult verifyMap(EmitError emitError, StringRef what,
                               AffineMapAttr map, int64_t results) {
  unsigned count = map.getAffineMap().getNumResults();
  if (map.getAffineMap().getNumDims() != 0)
    return emitError() << "expects " << what
                       << " to be a function of symbols only, but got " << map;
  if (results >= 0 && count != results)
    return emitError() << "expects " << results << " results of " << what
                       << ", but got " << count;
  return success();
}

LogicalResult BufferAttr::verify(EmitError emitError, StringRef name,
                                 BufferKind, Type element, AffineMapAttr shape,
                                 AffineMapAttr strides, int64_t alignment) {
  if (!element.isIntOrFloat())
    return emitError() << "expects a buffer of integers or floats, but got "
                       << element;
  if (alignment < 1 || !llvm::isPowerOf2_64(alignment))
    return emitError() << "expects the alignment of '" << name
                       << "' to be a power of two, but got " << alignment;
  if (failed(verifyMap(emitError, "the shape", shape, /*results=*/-1)))
    return failure();
  int64_t rank = shape.getAffineMap().getNumResults();
  return strides ? verifyMap(emitError, "the strides", strides, rank)
                 : success();
}

SmallVector<AffineExpr> BufferAttr::getStrideExprs() const {
  if (AffineMapAttr strides = getStrides())
    return SmallVector<AffineExpr>(strides.getAffineMap().getResults());
  ArrayRef<AffineExpr> shape = getShape().getAffineMap().getResults();
  SmallVector<AffineExpr> strides(shape.size());
  AffineExpr stride = getAffineConstantExpr(1, getContext());
  for (size_t dim = shape.size(); dim-- > 0; stride = stride * shape[dim])
    strides[dim] = stride;
  return strides;
}

LogicalResult SizeAttr::verify(EmitError emitError, IntegerType type,
                               AffineMapAttr value) {
  if (type.getWidth() != 32 && type.getWidth() != 64)
    return emitError() << "expects a number of 32 or 64 bits, but got " << type;
  return verifyMap(emitError, "a number", value, 1);
}

static LogicalResult verifyExtents(EmitError emitError, StringRef what,
                                   ArrayRef<int64_t> extents, int64_t limit) {
  int64_t product = 1;
  for (int64_t extent : extents)
    product = extent < 1 || extent > limit || product > limit
                  ? limit + 1
                  : product * extent;
  if (extents.size() != 3 || product > limit)
    return emitError() << "expects " << what
                       << " to be three positive numbers, of at most " << limit
                       << " together, but got [" << extents << "]";
  return success();
}

LogicalResult KernelLaunchAttr::verify(
    EmitError emitError, SymbolRefAttr kernel, ArrayAttr parameters,
    AffineMapAttr grid, DenseI64ArrayAttr block, DenseI64ArrayAttr cluster,
    int64_t staticBytes, int64_t dynamicBytes, NumericsAttr) {
  if (kernel.getNestedReferences().size() != 1)
    return emitError() << "expects a kernel in a module, but got " << kernel;
  for (Attribute parameter : parameters)
    if (!isa<PointerAttr, SizeAttr>(parameter))
      return emitError() << "expects parameters that are #mta.pointer or "
                            "#mta.size, but got "
                         << parameter;
  if (failed(verifyMap(emitError, "the grid", grid, 3)) ||
      failed(verifyExtents(emitError, "the block", block, kLargestBlock)) ||
      failed(verifyExtents(emitError, "the cluster", cluster, kLargestBlock)))
    return failure();
  for (int64_t bytes : {staticBytes, dynamicBytes})
    if (bytes < 0)
      return emitError() << "expects workgroup memory of at least 0 bytes, but "
                            "got "
                         << bytes;
  return success();
}

BufferAttr LaunchContractAttr::lookup(StringRef buffer) const {
  for (auto candidate : getBuffers().getAsRange<BufferAttr>())
    if (candidate.getName() == buffer)
      return candidate;
  return {};
}

/// What programs in C and in Python can use as a name.
static bool isName(StringRef name) {
  return !name.empty() && !llvm::isDigit(name[0]) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

/// Sizes and buffers are named apart.
static LogicalResult verifyNames(EmitError emitError, ArrayAttr sizes,
                                 ArrayAttr buffers) {
  llvm::StringSet<> names;
  auto add = [&](StringRef name) -> LogicalResult {
    if (!isName(name))
      return emitError() << "expects names of letters, digits and underscores, "
                            "but got '"
                         << name << "'";
    if (!names.insert(name).second)
      return emitError() << "expects names that differ, but got '" << name
                         << "' twice";
    return success();
  };
  for (Attribute size : sizes) {
    auto name = dyn_cast<StringAttr>(size);
    if (!name)
      return emitError() << "expects sizes that are names, but got " << size;
    if (failed(add(name.getValue())))
      return failure();
  }
  for (Attribute attribute : buffers) {
    auto buffer = dyn_cast<BufferAttr>(attribute);
    if (!buffer)
      return emitError() << "expects buffers that are #mta.buffer, but got "
                         << attribute;
    if (failed(add(buffer.getName())))
      return failure();
  }
  return success();
}

static LogicalResult verifySymbols(EmitError emitError, StringRef what,
                                   unsigned symbols, size_t sizes) {
  if (symbols == sizes)
    return success();
  return emitError() << "expects " << what << " to be a function of " << sizes
                     << " sizes, but got one of " << symbols;
}

static LogicalResult verifyLaunch(EmitError emitError, Attribute attribute,
                                  const llvm::StringSet<> &buffers,
                                  size_t sizes) {
  auto launch = dyn_cast<KernelLaunchAttr>(attribute);
  if (!launch)
    return emitError() << "expects launches that are #mta.kernel_launch, but "
                          "got "
                       << attribute;
  if (failed(verifySymbols(emitError, "the grid",
                           launch.getGrid().getAffineMap().getNumSymbols(),
                           sizes)))
    return failure();
  for (Attribute parameter : launch.getParameters()) {
    if (auto pointer = dyn_cast<PointerAttr>(parameter)) {
      if (!buffers.contains(pointer.getBuffer()))
        return emitError() << "expects a buffer of the contract, but got '"
                           << pointer.getBuffer() << "'";
      continue;
    }
    AffineMap value = cast<SizeAttr>(parameter).getValue().getAffineMap();
    if (failed(
            verifySymbols(emitError, "a number", value.getNumSymbols(), sizes)))
      return failure();
  }
  return success();
}

LogicalResult LaunchContractAttr::verify(EmitError emitError, int64_t version,
                                         StringRef, ArrayAttr sizes,
                                         AffineMapAttr nonnegative,
                                         AffineMapAttr zero, ArrayAttr buffers,
                                         ArrayAttr launches) {
  if (version != kVersion)
    return emitError() << "expects version " << kVersion << ", but got "
                       << version;
  if (failed(verifyNames(emitError, sizes, buffers)))
    return failure();
  for (AffineMapAttr map : {nonnegative, zero}) {
    if (!map)
      continue;
    StringRef what = "the supported sizes";
    if (failed(verifyMap(emitError, what, map, /*results=*/-1)) ||
        failed(verifySymbols(emitError, what,
                             map.getAffineMap().getNumSymbols(), sizes.size())))
      return failure();
  }
  llvm::StringSet<> names;
  for (auto buffer : buffers.getAsRange<BufferAttr>()) {
    names.insert(buffer.getName());
    for (auto [what, map] : {std::pair("the shape", buffer.getShape()),
                             std::pair("the strides", buffer.getStrides())})
      if (map && failed(verifySymbols(emitError, what,
                                      map.getAffineMap().getNumSymbols(),
                                      sizes.size())))
        return failure();
  }
  for (Attribute launch : launches)
    if (failed(verifyLaunch(emitError, launch, names, sizes.size())))
      return failure();
  return success();
}

//===- KernelParameters.cpp - Pointers and sizes for kernels ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A memref of rank 4 is eleven parameters of a kernel by the upstream
// conversion: two pointers, an offset, sizes and strides. One that begins where
// its pointer points to needs that, and the sizes and strides that are neither
// static nor follow from the sizes.
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Builders/BufferLayout.h"
#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mta {
#define GEN_PASS_DEF_KERNELPARAMETERSPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

/// Every buffer that the host allocates is aligned to more, and asynchronous
/// copies need this much.
static constexpr int64_t kPointerAlignment = 16;

/// The strides of a layout, none of a contiguous one; failure for one that is
/// not made of strides from the first element on.
static FailureOr<SmallVector<int64_t>> stridesOf(MemRefType type) {
  if (type.getLayout().isIdentity())
    return SmallVector<int64_t>();
  return mta::getStrides(type);
}

static bool isExpanded(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && succeeded(stridesOf(memref)) && !memref.getMemorySpace();
}

/// The types that stand for `type` in a kernel's parameters.
static SmallVector<Type> expandType(Type type) {
  MLIRContext *context = type.getContext();
  if (!isExpanded(type))
    return {type};
  auto memref = cast<MemRefType>(type);
  SmallVector<Type> types = {LLVM::LLVMPointerType::get(context)};
  types.append(memref.getNumDynamicDims(), IntegerType::get(context, 32));
  types.append(llvm::count(*stridesOf(memref), ShapedType::kDynamic),
               IntegerType::get(context, 64));
  return types;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Strides that a layout gives, with the dynamic ones from `parameters`, or
/// those of contiguous rows of `sizes`.
static SmallVector<Value> makeStrides(ImplicitLocOpBuilder &b, MemRefType type,
                                      ArrayRef<Value> sizes,
                                      ValueRange parameters) {
  Type i64 = b.getI64Type();
  auto constant = [&](int64_t number) -> Value {
    return LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(number));
  };
  SmallVector<Value> values;
  SmallVector<int64_t> strides = *stridesOf(type);
  for (int64_t stride : strides) {
    bool isDynamic = ShapedType::isDynamic(stride);
    values.push_back(isDynamic ? parameters.front() : constant(stride));
    parameters = parameters.drop_front(isDynamic);
  }
  if (!values.empty() || sizes.empty())
    return values;
  values.assign(sizes.size(), constant(1));
  for (size_t dim = sizes.size() - 1; dim-- > 0;)
    values[dim] = LLVM::MulOp::create(b, values[dim + 1], sizes[dim + 1]);
  return values;
}

/// The memref of a pointer, its dynamic sizes and its dynamic strides.
static Value makeMemRef(ImplicitLocOpBuilder &b, MemRefType type,
                        ValueRange parameters) {
  LLVMTypeConverter converter(b.getContext());
  Location loc = b.getLoc();
  auto descriptor =
      MemRefDescriptor::poison(b, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(b, loc, parameters[0]);
  descriptor.setAlignedPtr(b, loc, parameters[0]);
  descriptor.setConstantOffset(b, loc, 0);
  parameters = parameters.drop_front();
  SmallVector<Value> sizes;
  Type i64 = b.getI64Type();
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      sizes.push_back(
          LLVM::ConstantOp::create(b, i64, b.getI64IntegerAttr(size)));
      continue;
    }
    sizes.push_back(LLVM::ZExtOp::create(b, i64, parameters.front()));
    parameters = parameters.drop_front();
  }
  SmallVector<Value> strides = makeStrides(b, type, sizes, parameters);
  for (auto [dim, size, stride] : llvm::enumerate(sizes, strides)) {
    descriptor.setSize(b, loc, dim, size);
    descriptor.setStride(b, loc, dim, stride);
  }
  Value value = descriptor;
  return UnrealizedConversionCastOp::create(b, type, value).getResult(0);
}

/// Replaces the arguments of `kernel` by parameters, in the order `order`.
static void expandKernel(gpu::GPUFuncOp kernel, ArrayRef<unsigned> order) {
  Block &entry = kernel.getBody().front();
  unsigned count = kernel.getNumArguments();
  SmallVector<Type> all;
  SmallVector<DictionaryAttr> attributes;
  auto b = ImplicitLocOpBuilder::atBlockBegin(kernel.getLoc(), &entry);
  NamedAttribute alignment =
      b.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(),
                     b.getI64IntegerAttr(kPointerAlignment));
  SmallVector<BlockArgument> old;
  for (unsigned number : order)
    old.push_back(entry.getArgument(number));
  unsigned position = count;
  for (BlockArgument argument : old) {
    Type type = argument.getType();
    SmallVector<Value> parameters;
    for (Type part : expandType(type)) {
      bool isPointer = isa<LLVM::LLVMPointerType>(part);
      all.push_back(part);
      attributes.push_back(isPointer ? b.getDictionaryAttr(alignment)
                                     : b.getDictionaryAttr({}));
      parameters.push_back(
          entry.insertArgument(position++, part, kernel.getLoc()));
    }
    argument.replaceAllUsesWith(
        isExpanded(type) ? makeMemRef(b, cast<MemRefType>(type), parameters)
                         : parameters.front());
  }
  entry.eraseArguments(0, count);
  kernel.setFunctionType(b.getFunctionType(all, {}));
  kernel.setAllArgAttrs(attributes);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// Outlining orders arguments by their first use in the kernel. A caller looks
/// for those of the function in its own order, then the others.
static SmallVector<unsigned> orderOf(gpu::LaunchFuncOp launch) {
  SmallVector<unsigned> places;
  for (Value operand : launch.getKernelOperands()) {
    while (auto view = operand.getDefiningOp<ViewLikeOpInterface>())
      operand = view.getViewSource();
    auto argument = dyn_cast<BlockArgument>(operand);
    places.push_back(argument ? argument.getArgNumber() : ~0u);
  }
  SmallVector<unsigned> order =
      llvm::to_vector(llvm::seq<unsigned>(0, places.size()));
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(places[a], a) < std::pair(places[b], b);
  });
  return order;
}

static void expandLaunch(gpu::LaunchFuncOp launch, ArrayRef<unsigned> order) {
  ImplicitLocOpBuilder b(launch.getLoc(), launch);
  SmallVector<Value> operands;
  for (unsigned number : order) {
    Value operand = launch.getKernelOperand(number);
    if (!isExpanded(operand.getType())) {
      operands.push_back(operand);
      continue;
    }
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, operand);
    address = arith::IndexCastOp::create(b, b.getI64Type(), address);
    operands.push_back(LLVM::IntToPtrOp::create(
        b, LLVM::LLVMPointerType::get(b.getContext()), address));
    auto type = cast<MemRefType>(operand.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        operands.push_back(arith::IndexCastOp::create(
            b, b.getI32Type(), memref::DimOp::create(b, operand, dim)));
    SmallVector<int64_t> strides = *stridesOf(type);
    if (!llvm::is_contained(strides, ShapedType::kDynamic))
      continue;
    auto metadata = memref::ExtractStridedMetadataOp::create(b, operand);
    for (auto [stride, value] : llvm::zip_equal(strides, metadata.getStrides()))
      if (ShapedType::isDynamic(stride))
        operands.push_back(
            arith::IndexCastOp::create(b, b.getI64Type(), value));
  }
  launch.getKernelOperandsMutable().assign(operands);
}

namespace {
struct KernelParametersPass
    : mta::impl::KernelParametersPassBase<KernelParametersPass> {
  void runOnOperation() override {
    // One order for a kernel, that of its first launch.
    llvm::DenseMap<Operation *, SmallVector<unsigned>> orders;
    SymbolTableCollection symbols;
    getOperation()->walk([&](gpu::LaunchFuncOp launch) {
      auto kernel = symbols.lookupNearestSymbolFrom<gpu::GPUFuncOp>(
          launch, launch.getKernel());
      // Kernels of a binary have their parameters.
      if (!kernel)
        return;
      auto [entry, isFirst] = orders.try_emplace(kernel);
      if (isFirst)
        entry->second = orderOf(launch);
      expandLaunch(launch, entry->second);
    });
    getOperation()->walk([&](gpu::GPUFuncOp kernel) {
      if (!kernel.isKernel())
        return;
      SmallVector<unsigned> order = orders.lookup(kernel);
      if (order.empty())
        order =
            llvm::to_vector(llvm::seq<unsigned>(0, kernel.getNumArguments()));
      expandKernel(kernel, order);
    });
  }
};
} // namespace

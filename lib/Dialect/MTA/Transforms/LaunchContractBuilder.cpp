//===- LaunchContractBuilder.cpp - Contracts of functions -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaunchContractBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IntegerSet.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mta;

/// CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability": the dimensions of a grid.
static constexpr int64_t kLargestGrid[] = {2147483647, 65535, 65535};

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The size of a dimension of an argument, an allocation, or a view of all of
/// it.
FailureOr<AffineExpr> LaunchContractBuilder::sizeOf(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return b.getAffineConstantExpr(type.getDimSize(dim));
  if (auto cast = memref.getDefiningOp<memref::CastOp>()) {
    if (!isa<MemRefType>(cast.getSource().getType()))
      return failure();
    return sizeOf(cast.getSource(), dim);
  }
  if (auto collapse = memref.getDefiningOp<memref::CollapseShapeOp>()) {
    AffineExpr product = b.getAffineConstantExpr(1);
    SmallVector<ReassociationIndices> groups =
        collapse.getReassociationIndices();
    for (int64_t part : groups[dim]) {
      FailureOr<AffineExpr> size = sizeOf(collapse.getSrc(), part);
      if (failed(size))
        return failure();
      product = product * *size;
    }
    return product;
  }
  auto *buffer = buffers.find(memref);
  if (buffer == buffers.end())
    return failure();
  return buffer->second.shape[dim];
}

/// A stride of an argument, of which `memref.extract_strided_metadata` has the
/// address, the offset, the sizes and the strides.
FailureOr<AffineExpr> LaunchContractBuilder::strideOf(OpResult stride) {
  auto metadata = cast<memref::ExtractStridedMetadataOp>(stride.getOwner());
  auto *buffer = buffers.find(metadata.getSource());
  unsigned rank = metadata.getSizes().size(), number = stride.getResultNumber();
  if (buffer == buffers.end() || number < 2 + rank ||
      buffer->second.strides.empty())
    return failure();
  return buffer->second.strides[number - 2 - rank];
}

/// A result of `op`, whose operands are known.
FailureOr<AffineExpr>
LaunchContractBuilder::evaluate(Operation *op, ArrayRef<AffineExpr> operands) {
  return llvm::TypeSwitch<Operation *, FailureOr<AffineExpr>>(op)
      .Case<arith::AddIOp>([&](auto) { return operands[0] + operands[1]; })
      .Case<arith::SubIOp>([&](auto) { return operands[0] - operands[1]; })
      .Case<arith::MulIOp>([&](auto) { return operands[0] * operands[1]; })
      // Sizes are not negative.
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](auto) { return operands[0].ceilDiv(operands[1]); })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp>(
          [&](auto) { return operands[0].floorDiv(operands[1]); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](auto) { return operands[0] % operands[1]; })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
            arith::ExtUIOp, arith::TruncIOp>([&](auto) { return operands[0]; })
      .Case<affine::AffineApplyOp>([&](affine::AffineApplyOp apply) {
        AffineMap map = apply.getAffineMap();
        return map.getResult(0).replaceDimsAndSymbols(
            operands.take_front(map.getNumDims()),
            operands.drop_front(map.getNumDims()));
      })
      .Default([](Operation *) { return failure(); });
}

FailureOr<AffineExpr> LaunchContractBuilder::evaluate(Value value) {
  auto found = known.find(value);
  if (found != known.end())
    return found->second;
  FailureOr<AffineExpr> result = failure();
  APInt constant;
  Operation *op = value.getDefiningOp();
  if (matchPattern(value, m_ConstantInt(&constant))) {
    result = b.getAffineConstantExpr(constant.getSExtValue());
  } else if (auto dim = dyn_cast_or_null<memref::DimOp>(op)) {
    std::optional<int64_t> position = dim.getConstantIndex();
    if (position && isa<MemRefType>(dim.getSource().getType()))
      result = sizeOf(dim.getSource(), *position);
  } else if (isa_and_present<memref::ExtractStridedMetadataOp>(op)) {
    result = strideOf(cast<OpResult>(value));
  } else if (op && op->getNumResults() == 1) {
    SmallVector<AffineExpr> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<AffineExpr> number = evaluate(operand);
      if (failed(number))
        return failure();
      operands.push_back(*number);
    }
    result = evaluate(op, operands);
  }
  if (failed(result)) {
    Operation *place = op ? op : function;
    return place->emitOpError("expects a number that follows from the sizes of "
                              "the arguments of '")
           << function.getName() << "', for its launch contract";
  }
  AffineMap map = AffineMap::get(0, sizes.size(), *result);
  return known[value] = simplifyAffineMap(map).getResult(0);
}

AffineMapAttr LaunchContractBuilder::mapOf(ArrayRef<AffineExpr> results) {
  return AffineMapAttr::get(
      AffineMap::get(0, sizes.size(), results, b.getContext()));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

std::string LaunchContractBuilder::unique(StringRef name) {
  std::string candidate = name.str();
  for (unsigned suffix = 2; !taken.insert(candidate).second; ++suffix)
    candidate = (name + "_" + Twine(suffix)).str();
  return candidate;
}

/// Keeps the names that arguments or results have.
void LaunchContractBuilder::takeNames(ArrayAttr attributes) {
  if (!attributes)
    return;
  for (auto dictionary : attributes.getAsRange<DictionaryAttr>())
    if (auto name = dictionary.getAs<StringAttr>(MTADialect::getNameAttrName()))
      taken.insert(name.getValue());
}

static int64_t elementBytes(MemRefType type) {
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

void LaunchContractBuilder::addArgument(BlockArgument argument) {
  auto type = dyn_cast<MemRefType>(argument.getType());
  if (!type)
    return;
  unsigned number = argument.getArgNumber();
  bool isDestination =
      function.getArgAttr(number, MTADialect::getDestinationAttrName()) !=
      nullptr;
  auto given = function.getArgAttrOfType<StringAttr>(
      number, MTADialect::getNameAttrName());
  Buffer buffer;
  buffer.name = given ? given.str() : unique("arg" + std::to_string(number));
  buffer.kind = isDestination ? BufferKind::Output : BufferKind::Input;
  buffer.place = number;
  buffer.type = type;
  buffer.alignment = elementBytes(type);
  auto shape = function.getArgAttrOfType<AffineMapAttr>(
      number, MTADialect::getShapeAttrName());
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (shape) {
      buffer.shape.push_back(shape.getAffineMap().getResult(dim));
    } else if (type.isDynamicDim(dim)) {
      buffer.shape.push_back(b.getAffineSymbolExpr(sizes.size()));
      std::string name = unique(buffer.name + "_size" + std::to_string(dim));
      sizes.push_back(b.getStringAttr(name).getValue());
    } else {
      buffer.shape.push_back(b.getAffineConstantExpr(type.getDimSize(dim)));
    }
  }
  if (auto strides = function.getArgAttrOfType<AffineMapAttr>(
          number, MTADialect::getStridesAttrName()))
    llvm::append_range(buffer.strides, strides.getAffineMap().getResults());
  buffers.insert({argument, std::move(buffer)});
}

/// A workspace, as long as it is not returned.
LogicalResult LaunchContractBuilder::addAllocation(Operation *op) {
  auto alloc = cast<memref::AllocOp>(op);
  Buffer buffer;
  buffer.kind = BufferKind::Workspace;
  buffer.type = alloc.getType();
  buffer.alignment = elementBytes(buffer.type);
  ValueRange dynamic = alloc.getDynamicSizes();
  for (int64_t size : buffer.type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      buffer.shape.push_back(b.getAffineConstantExpr(size));
      continue;
    }
    FailureOr<AffineExpr> number = evaluate(dynamic.front());
    if (failed(number))
      return failure();
    buffer.shape.push_back(*number);
    dynamic = dynamic.drop_front();
  }
  buffers.insert({alloc.getResult(), std::move(buffer)});
  return success();
}

/// What is returned is an output, the rest of the allocations get names.
LogicalResult LaunchContractBuilder::addResults() {
  Operation *terminator = function.getBody().front().getTerminator();
  for (OpOperand &operand : terminator->getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    FailureOr<Buffer *> buffer = bufferOf(operand.get());
    if (failed(buffer))
      return failure();
    if ((*buffer)->kind != BufferKind::Workspace)
      return terminator->emitOpError("expects results that are buffers of "
                                     "their own, but result #")
             << number << " is also '" << (*buffer)->name << "'";
    auto given = function.getResultAttrOfType<StringAttr>(
        number, MTADialect::getNameAttrName());
    (*buffer)->kind = BufferKind::Output;
    (*buffer)->place = function.getNumArguments() + number;
    (*buffer)->name = given ? given.str()
                            : unique(terminator->getNumOperands() == 1
                                         ? "out"
                                         : "out" + std::to_string(number));
  }
  unsigned workspaces = 0;
  for (auto &[value, buffer] : buffers)
    if (buffer.kind == BufferKind::Workspace)
      buffer.name = unique("workspace" + std::to_string(workspaces++));
  return success();
}

FailureOr<LaunchContractBuilder::Buffer *>
LaunchContractBuilder::bufferOf(Value memref) {
  Value root = memref;
  // Views that begin where the buffer does.
  while (isa_and_present<memref::CastOp, memref::CollapseShapeOp,
                         memref::ExpandShapeOp>(root.getDefiningOp()))
    root = cast<ViewLikeOpInterface>(root.getDefiningOp()).getViewSource();
  auto *found = buffers.find(root);
  if (found != buffers.end())
    return &found->second;
  Operation *place = root.getDefiningOp();
  return (place ? place : function.getOperation())
             ->emitOpError("expects an argument or an allocation of '")
         << function.getName() << "' as a buffer, for its launch contract";
}

/// Inputs in the order of arguments, outputs in that of arguments and results,
/// and workspaces.
ArrayAttr LaunchContractBuilder::buffersAttr() {
  SmallVector<const Buffer *> ofKind[3];
  for (auto &[value, buffer] : buffers)
    ofKind[static_cast<unsigned>(buffer.kind)].push_back(&buffer);
  llvm::sort(
      ofKind[static_cast<unsigned>(BufferKind::Output)],
      [](const Buffer *a, const Buffer *b) { return a->place < b->place; });
  SmallVector<Attribute> attributes;
  for (ArrayRef<const Buffer *> kind : ofKind)
    for (const Buffer *buffer : kind)
      attributes.push_back(BufferAttr::get(
          b.getContext(), buffer->name, buffer->kind,
          buffer->type.getElementType(), mapOf(buffer->shape),
          buffer->strides.empty() ? AffineMapAttr() : mapOf(buffer->strides),
          buffer->alignment));
  return b.getArrayAttr(attributes);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

FailureOr<Attribute> LaunchContractBuilder::makeParameter(Value operand,
                                                          Type type,
                                                          int64_t alignment) {
  if (!isa<LLVM::LLVMPointerType>(type)) {
    auto integer =
        isa<IndexType>(type) ? b.getI64Type() : dyn_cast<IntegerType>(type);
    if (!integer)
      return function.emitOpError("expects kernels with pointers and integers "
                                  "as parameters, but got ")
             << type;
    FailureOr<AffineExpr> number = evaluate(operand);
    if (failed(number))
      return failure();
    auto size = SizeAttr::getChecked([&] { return function.emitOpError(); },
                                     b.getContext(), integer, mapOf(*number));
    if (!size)
      return failure();
    return Attribute(size);
  }
  // What mta-kernel-parameters makes of a memref.
  Value address = operand;
  if (auto pointer = address.getDefiningOp<LLVM::IntToPtrOp>())
    address = pointer.getArg();
  if (auto number = address.getDefiningOp<arith::IndexCastOp>())
    address = number.getIn();
  auto extract =
      address.getDefiningOp<memref::ExtractAlignedPointerAsIndexOp>();
  if (!extract)
    return function.emitOpError("expects kernels to take addresses of buffers, "
                                "but got ")
           << operand;
  FailureOr<Buffer *> buffer = bufferOf(extract.getSource());
  if (failed(buffer))
    return failure();
  (*buffer)->alignment = std::max((*buffer)->alignment, alignment);
  return Attribute(PointerAttr::get(b.getContext(), (*buffer)->name));
}

FailureOr<SmallVector<int64_t>>
LaunchContractBuilder::constants(gpu::KernelDim3 values, StringRef what) {
  SmallVector<int64_t> numbers;
  for (Value value : {values.x, values.y, values.z}) {
    FailureOr<AffineExpr> number = evaluate(value);
    if (failed(number))
      return failure();
    auto constant = dyn_cast<AffineConstantExpr>(*number);
    if (!constant)
      return function.emitOpError("expects ")
             << what << " of static size, for its launch contract";
    numbers.push_back(constant.getValue());
  }
  return numbers;
}

/// Whether a number is known to be no larger than one of the sizes.
static bool isAtMostASize(AffineExpr number) {
  if (isa<AffineSymbolExpr>(number))
    return true;
  auto binary = dyn_cast<AffineBinaryOpExpr>(number);
  auto right = binary ? dyn_cast<AffineConstantExpr>(binary.getRHS())
                      : AffineConstantExpr();
  if (!right || !isAtMostASize(binary.getLHS()))
    return false;
  if (binary.getKind() == AffineExprKind::Add)
    return right.getValue() <= 0;
  bool isDivision = binary.getKind() == AffineExprKind::CeilDiv ||
                    binary.getKind() == AffineExprKind::FloorDiv;
  return isDivision && right.getValue() >= 1;
}

void LaunchContractBuilder::limitGrid(ArrayRef<AffineExpr> grid) {
  for (auto [extent, limit] : llvm::zip_equal(grid, kLargestGrid)) {
    AffineExpr left = b.getAffineConstantExpr(limit) - extent;
    // A size is at most 2^31 - 1.
    if (isa<AffineConstantExpr>(extent) ||
        (limit == kLargestGrid[0] && isAtMostASize(extent)) ||
        llvm::is_contained(nonnegative, left))
      continue;
    nonnegative.push_back(left);
  }
}

/// Workgroup memory that the kernel has by itself.
static int64_t staticBytes(gpu::GPUFuncOp kernel) {
  int64_t bytes = 0;
  for (BlockArgument buffer : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(buffer.getType());
    bytes += type.getNumElements() * elementBytes(type);
  }
  return bytes;
}

LogicalResult LaunchContractBuilder::addLaunch(gpu::LaunchFuncOp launch) {
  auto kernel = symbols.lookupNearestSymbolFrom<gpu::GPUFuncOp>(
      launch, launch.getKernel());
  if (!kernel)
    return launch.emitOpError("expects a kernel that is a gpu.func, for its "
                              "launch contract");
  SmallVector<Attribute> parameters;
  for (auto [index, operand] : llvm::enumerate(launch.getKernelOperands())) {
    auto alignment = kernel.getArgAttrOfType<IntegerAttr>(
        index, LLVM::LLVMDialect::getAlignAttrName());
    FailureOr<Attribute> parameter =
        makeParameter(operand, kernel.getArgument(index).getType(),
                      alignment ? alignment.getInt() : 1);
    if (failed(parameter))
      return failure();
    parameters.push_back(*parameter);
  }
  gpu::KernelDim3 blocks = launch.getGridSizeOperandValues();
  SmallVector<AffineExpr> grid;
  for (Value extent : {blocks.x, blocks.y, blocks.z}) {
    FailureOr<AffineExpr> number = evaluate(extent);
    if (failed(number))
      return failure();
    grid.push_back(*number);
  }
  auto block = constants(launch.getBlockSizeOperandValues(), "blocks");
  FailureOr<SmallVector<int64_t>> cluster = SmallVector<int64_t>{1, 1, 1};
  if (launch.hasClusterSize())
    cluster = constants(launch.getClusterSizeOperandValues(), "clusters");
  int64_t dynamicBytes = 0;
  if (Value size = launch.getDynamicSharedMemorySize()) {
    auto bytes = constants({size, size, size}, "workgroup memory");
    if (failed(bytes))
      return failure();
    dynamicBytes = bytes->front();
  }
  if (failed(block) || failed(cluster))
    return failure();
  limitGrid(grid);
  auto attribute = KernelLaunchAttr::getChecked(
      [&] { return launch.emitOpError(); }, b.getContext(),
      launch.getKernelAttr(), b.getArrayAttr(parameters), mapOf(grid),
      b.getDenseI64ArrayAttr(*block), b.getDenseI64ArrayAttr(*cluster),
      staticBytes(kernel), dynamicBytes, readNumerics(kernel));
  if (!attribute)
    return failure();
  launches.push_back(attribute);
  return success();
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

LogicalResult LaunchContractBuilder::visit(Operation &op) {
  if (isa<memref::AllocOp>(op))
    return addAllocation(&op);
  if (isa<memref::DeallocOp, func::ReturnOp>(op) || isMemoryEffectFree(&op) ||
      isa<gpu::LaunchFuncOp>(op))
    return success();
  return op.emitOpError("expects a function that only launches kernels on "
                        "buffers, for its launch contract");
}

FailureOr<LaunchContractAttr> LaunchContractBuilder::build() {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError("expects a function that only launches kernels "
                                "on buffers, for its launch contract");
  if (auto named =
          function->getAttrOfType<ArrayAttr>(MTADialect::getSizesAttrName()))
    for (auto name : named.getAsValueRange<StringAttr>())
      sizes.push_back(name);
  taken.insert_range(sizes);
  takeNames(function.getAllArgAttrs());
  takeNames(function.getAllResultAttrs());
  for (BlockArgument argument : function.getArguments())
    addArgument(argument);
  if (auto supported = function->getAttrOfType<IntegerSetAttr>(
          MTADialect::getSupportedAttrName())) {
    for (auto [size, isEquality] :
         llvm::zip_equal(supported.getValue().getConstraints(),
                         supported.getValue().getEqFlags()))
      (isEquality ? zero : nonnegative).push_back(size);
  }
  for (Operation &op : function.getBody().front())
    if (failed(visit(op)))
      return failure();
  if (failed(addResults()))
    return failure();
  for (auto launch : function.getBody().getOps<gpu::LaunchFuncOp>())
    if (failed(addLaunch(launch)))
      return failure();
  SmallVector<StringRef> names(sizes);
  auto contract = LaunchContractAttr::getChecked(
      [&] { return function.emitOpError(); }, b.getContext(),
      LaunchContractAttr::kVersion, function.getName(),
      b.getStrArrayAttr(names),
      nonnegative.empty() ? AffineMapAttr() : mapOf(nonnegative),
      zero.empty() ? AffineMapAttr() : mapOf(zero), buffersAttr(),
      b.getArrayAttr(launches));
  if (!contract)
    return failure();
  return contract;
}

//===- CEntry.cpp - Functions that C can call -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CEntry.h"

#include "mta/Target/CSignature.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Results as arguments
//===----------------------------------------------------------------------===//

/// A name that no function for C has: '.' does not occur in an identifier.
static std::string entryName(StringRef name) { return (name + ".entry").str(); }

static MemRefType bufferType(RankedTensorType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// Tensor arguments become buffers that are only read.
static void readBuffers(func::FuncOp function) {
  Block &body = function.getBody().front();
  OpBuilder builder(&body, body.begin());
  for (BlockArgument argument : body.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    argument.setType(bufferType(type));
    auto tensor = bufferization::ToTensorOp::create(
        builder, function.getLoc(), type, argument, /*restrict=*/true);
    argument.replaceAllUsesExcept(tensor.getResult(), tensor);
  }
}

/// Results go to buffers that come after the arguments. Bufferization computes
/// them in place where it can, and copies elsewhere.
static void writeResults(func::FuncOp function) {
  Block &body = function.getBody().front();
  auto exit = *function.getBody().getOps<func::ReturnOp>().begin();
  OpBuilder builder(exit);
  for (Value result : exit.getOperands()) {
    MemRefType type = bufferType(cast<RankedTensorType>(result.getType()));
    Value destination = body.addArgument(type, function.getLoc());
    auto write = bufferization::MaterializeInDestinationOp::create(
        builder, function.getLoc(), TypeRange(), result, destination);
    write.setRestrict(true);
    write.setWritable(true);
  }
  exit->setOperands({});
}

void mta::addDestinationFunctions(ModuleOp module) {
  module.getContext()->loadDialect<bufferization::BufferizationDialect>();
  SymbolTable symbols(module);
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    // Names have done their duty, and nothing below knows them.
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    if (!function.isPublic())
      continue;
    std::string name = entryName(function.getName());
    if (Operation *other = symbols.lookup(name))
      (void)symbols.renameToUnique(other, {});
    func::FuncOp entry = function.clone();
    entry.setName(name);
    readBuffers(entry);
    writeResults(entry);
    entry.setType(FunctionType::get(
        module.getContext(), entry.getBody().front().getArgumentTypes(), {}));
    symbols.insert(entry);
    function.setPrivate();
  }
}

//===----------------------------------------------------------------------===//
// The function that C calls
//===----------------------------------------------------------------------===//

namespace {
/// Emits the body of a function that C calls.
class EntryBuilder {
public:
  EntryBuilder(ModuleOp module, const CFunction &signature)
      : signature(signature),
        builder(module.getLoc(), OpBuilder::atBlockEnd(module.getBody())) {}

  void build(LLVM::LLVMFuncOp callee);

private:
  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(builder, builder.getI64Type(), value);
  }
  Value compare(LLVM::ICmpPredicate predicate, Value left, Value right) {
    return LLVM::ICmpOp::create(builder, predicate, left, right);
  }

  /// All parameters of arrays and scalars, in order.
  SmallVector<const CParameter *> parameters() const {
    SmallVector<const CParameter *> all;
    for (const CParameter &argument : signature.arguments)
      all.push_back(&argument);
    for (const CParameter &result : signature.results)
      all.push_back(&result);
    return all;
  }

  LLVM::LLVMFuncOp declare(LLVM::LLVMFuncOp callee);
  void failIf(Value condition, CStatus status);
  Value compute(const CExtent &extent);
  Value holds(const CCondition &condition);
  Value isTooLarge(const CParameter &parameter);
  Value isMissing(const CParameter &parameter, Value pointer);
  void pass(const CParameter &parameter, Value value,
            SmallVectorImpl<Value> &operands);

  const CFunction &signature;
  ImplicitLocOpBuilder builder;
  SmallVector<Value> sizes;
};
} // namespace

/// Leaves the function with `status` if `condition` holds.
void EntryBuilder::failIf(Value condition, CStatus status) {
  Block *block = builder.getBlock();
  Region *region = block->getParent();
  Block *fail = builder.createBlock(region, region->end());
  LLVM::ReturnOp::create(
      builder, LLVM::ConstantOp::create(builder, builder.getI32Type(),
                                        static_cast<int32_t>(status)));
  Block *rest = builder.createBlock(region, region->end());
  builder.setInsertionPointToEnd(block);
  LLVM::CondBrOp::create(builder, condition, fail, rest);
  builder.setInsertionPointToEnd(rest);
}

Value EntryBuilder::compute(const CExtent &extent) {
  if (extent.isConstant())
    return constant(extent.offset);
  Value value = sizes[extent.parameter];
  if (extent.factor != 1)
    value = LLVM::MulOp::create(builder, value, constant(extent.factor));
  if (extent.offset != 0)
    value = LLVM::AddOp::create(builder, value, constant(extent.offset));
  return value;
}

Value EntryBuilder::holds(const CCondition &condition) {
  Value left = compute(condition.left);
  Value right = constant(1);
  for (const CExtent &extent : condition.right)
    right = LLVM::MulOp::create(builder, right, compute(extent));
  switch (condition.kind) {
  case CCondition::Kind::Equal:
    return compare(LLVM::ICmpPredicate::eq, left, right);
  case CCondition::Kind::AtLeast:
    return compare(LLVM::ICmpPredicate::sge, left, right);
  case CCondition::Kind::MultipleOf: {
    // 0 is a multiple of 0 and nothing else is.
    Value zero = constant(0);
    Value isZero = compare(LLVM::ICmpPredicate::eq, right, zero);
    Value divisor = LLVM::SelectOp::create(builder, isZero, constant(1), right);
    Value rest = LLVM::SelectOp::create(
        builder, isZero, left, LLVM::URemOp::create(builder, left, divisor));
    return compare(LLVM::ICmpPredicate::eq, rest, zero);
  }
  }
  llvm_unreachable("every kind is handled above");
}

/// Whether an array, counted with at least 1 in every dimension, has 2^47 bytes
/// or more, the size of an address space. With this bound the sizes of all
/// buffers, which have the arguments' sizes padded to tiles, fit into 64 bits.
Value EntryBuilder::isTooLarge(const CParameter &parameter) {
  Type wide = builder.getIntegerType(128);
  auto extend = [&](Value value) -> Value {
    return LLVM::ZExtOp::create(builder, wide, value);
  };
  Value limit = extend(constant(int64_t(1) << 47));
  Value bytes = extend(constant(parameter.bytes));
  for (const CExtent &extent : parameter.shape) {
    Value size = LLVM::SMaxOp::create(builder, compute(extent), constant(1));
    bytes = LLVM::MulOp::create(builder, bytes, extend(size));
    bytes = LLVM::UMinOp::create(builder, bytes, limit);
  }
  return compare(LLVM::ICmpPredicate::eq, bytes, limit);
}

Value EntryBuilder::isMissing(const CParameter &parameter, Value pointer) {
  Value count = constant(1);
  for (const CExtent &extent : parameter.shape)
    count = LLVM::MulOp::create(builder, count, compute(extent));
  Value null = LLVM::ZeroOp::create(builder, pointer.getType());
  return LLVM::AndOp::create(
      builder, compare(LLVM::ICmpPredicate::eq, pointer, null),
      compare(LLVM::ICmpPredicate::ne, count, constant(0)));
}

/// A memref is the pointer twice, an offset, sizes and strides.
void EntryBuilder::pass(const CParameter &parameter, Value value,
                        SmallVectorImpl<Value> &operands) {
  operands.push_back(value);
  if (!parameter.isArray)
    return;
  operands.push_back(value);
  operands.push_back(constant(0));
  SmallVector<Value> extents, strides;
  for (const CExtent &extent : parameter.shape)
    extents.push_back(compute(extent));
  Value stride = constant(1);
  for (Value extent : llvm::reverse(extents)) {
    strides.push_back(stride);
    stride = LLVM::MulOp::create(builder, stride, extent);
  }
  llvm::append_range(operands, extents);
  llvm::append_range(operands, llvm::reverse(strides));
}

/// The types of scalars are those of the callee's arguments.
LLVM::LLVMFuncOp EntryBuilder::declare(LLVM::LLVMFuncOp callee) {
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Type> types;
  unsigned position = 0;
  for (const CParameter *parameter : parameters()) {
    types.push_back(parameter->isArray ? pointer
                                       : callee.getArgumentTypes()[position]);
    position += parameter->isArray ? 3 + 2 * parameter->shape.size() : 1;
  }
  types.append(signature.sizes.size(), builder.getI64Type());
  return LLVM::LLVMFuncOp::create(
      builder, signature.name,
      LLVM::LLVMFunctionType::get(builder.getI32Type(), types));
}

void EntryBuilder::build(LLVM::LLVMFuncOp callee) {
  LLVM::LLVMFuncOp function = declare(callee);
  Block *body = function.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value status = LLVM::AllocaOp::create(builder, pointer, builder.getI32Type(),
                                        constant(1));
  Value success = LLVM::ConstantOp::create(builder, builder.getI32Type(), 0);
  LLVM::StoreOp::create(builder, success, status);

  SmallVector<const CParameter *> all = parameters();
  sizes =
      llvm::to_vector_of<Value>(function.getArguments().drop_front(all.size()));
  for (Value size : sizes)
    failIf(compare(LLVM::ICmpPredicate::slt, size, constant(0)),
           CStatus::BadSize);
  // Before the conditions, whose products must not overflow.
  for (const CParameter *parameter : all)
    if (llvm::any_of(parameter->shape,
                     [](const CExtent &e) { return !e.isConstant(); }))
      failIf(isTooLarge(*parameter), CStatus::BadSize);
  Value yes = LLVM::ConstantOp::create(builder, builder.getI1Type(), 1);
  for (const CCondition &condition : signature.conditions)
    failIf(LLVM::XOrOp::create(builder, holds(condition), yes),
           CStatus::BadSize);
  for (auto [parameter, value] : llvm::zip_first(all, function.getArguments()))
    if (parameter->isArray)
      failIf(isMissing(*parameter, value), CStatus::NullPointer);

  SmallVector<Value> operands;
  for (auto [parameter, value] : llvm::zip_first(all, function.getArguments()))
    pass(*parameter, value, operands);
  operands.push_back(status);
  LLVM::CallOp::create(builder, callee, operands);
  Value result = LLVM::LoadOp::create(builder, builder.getI32Type(), status);
  LLVM::ReturnOp::create(builder, result);
}

void mta::addCEntry(ModuleOp module, const CFunction &signature) {
  SymbolTable symbols(module);
  // A function of tensors that others call has the name of the one for C.
  if (Operation *other = symbols.lookup(signature.name))
    (void)symbols.renameToUnique(other, {});
  auto callee = symbols.lookup<LLVM::LLVMFuncOp>(entryName(signature.name));
  EntryBuilder(module, signature).build(callee);
}

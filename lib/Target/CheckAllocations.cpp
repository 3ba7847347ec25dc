//===- CheckAllocations.cpp - Failed allocations as a status ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In every function and every loop of OpenMP, a scope:
//
//     %p = malloc(n)     ->  slot of the call <- %p
//                            if %p is null and n is not 0: go to fail
//     free(%p)           ->  free(%p), slots that hold %p <- null
//     %r = call          ->  slots <- buffers that it returns
//     omp.parallel, call ->  if the status is set: go to fail
//   fail:
//     status <- out of memory, free all slots, leave the scope
//
// Iterations of a loop that fail are left, the others run; the function looks
// at the status after the loop.
//
//===----------------------------------------------------------------------===//

#include "CEntry.h"

#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mta;

static bool calls(Operation *op, StringRef name) {
  auto call = dyn_cast<LLVM::CallOp>(op);
  return call && call.getCallee() == name;
}

namespace {
/// The body of a function or of a loop of OpenMP.
class Scope {
public:
  Scope(Region &region, Value status, LLVM::LLVMFuncOp freeFunction);

  /// Expects `omp.parallel` inside of it to be done already.
  LogicalResult check();

private:
  Value null() { return LLVM::ZeroOp::create(builder, pointer); }
  Value addSlot();
  Block *getFailBlock();
  void checkMalloc(LLVM::CallOp call);
  void checkFree(LLVM::CallOp call);
  Operation *trackResults(LLVM::CallOp call);
  void checkStatus(Operation *op);
  void branch(Value condition);
  void buildFailBlock();

  Region &region;
  Operation *owner;
  Value status;
  LLVM::LLVMFuncOp freeFunction;
  ImplicitLocOpBuilder builder;
  Type pointer;
  llvm::MapVector<Value, Value> slots;
  Block *failBlock = nullptr;
};
} // namespace

Scope::Scope(Region &region, Value status, LLVM::LLVMFuncOp freeFunction)
    : region(region), owner(region.getParentOp()), status(status),
      freeFunction(freeFunction), builder(owner->getLoc(), owner->getContext()),
      pointer(LLVM::LLVMPointerType::get(owner->getContext())) {}

/// A variable outside of the loop, one for each thread: memory of the stack
/// that an iteration takes is given back by none.
Value Scope::addSlot() {
  Operation *frame = owner;
  if (!isa<LLVM::LLVMFuncOp>(frame))
    frame = frame->getParentOp();
  while (!isa<LLVM::LLVMFuncOp, omp::ParallelOp>(frame))
    frame = frame->getParentOp();
  builder.setInsertionPointToStart(&frame->getRegion(0).front());
  Value one = LLVM::ConstantOp::create(builder, builder.getI64Type(), 1);
  Value slot = LLVM::AllocaOp::create(builder, pointer, pointer, one);
  if (frame != owner)
    builder.setInsertionPointToStart(&region.front());
  LLVM::StoreOp::create(builder, null(), slot);
  return slot;
}

Block *Scope::getFailBlock() {
  if (!failBlock)
    failBlock = builder.createBlock(&region, region.end());
  return failBlock;
}

/// Goes to the block of failures if `condition`, which was just computed,
/// holds.
void Scope::branch(Value condition) {
  Operation *last = condition.getDefiningOp();
  Block *block = last->getBlock();
  Block *rest = block->splitBlock(std::next(last->getIterator()));
  Block *fail = getFailBlock();
  builder.setInsertionPointToEnd(block);
  LLVM::CondBrOp::create(builder, condition, fail, rest);
}

void Scope::checkMalloc(LLVM::CallOp call) {
  Value slot = addSlot();
  slots[call.getResult()] = slot;
  builder.setInsertionPointAfter(call);
  LLVM::StoreOp::create(builder, call.getResult(), slot);
  Value size = call.getArgOperands()[0];
  Value zero = LLVM::ConstantOp::create(builder, size.getType(), 0);
  Value isNull = LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::eq,
                                      call.getResult(), null());
  Value isWanted =
      LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, size, zero);
  branch(LLVM::AndOp::create(builder, isNull, isWanted));
}

void Scope::checkFree(LLVM::CallOp call) {
  Value freed = call.getArgOperands()[0];
  builder.setInsertionPointAfter(call);
  if (Value slot = slots.lookup(freed)) {
    LLVM::StoreOp::create(builder, null(), slot);
    return;
  }
  // It may be any of them, through a block argument.
  for (auto [allocated, slot] : slots) {
    Value held = LLVM::LoadOp::create(builder, pointer, slot);
    Value isFreed =
        LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::eq, held, freed);
    Value left = LLVM::SelectOp::create(builder, isFreed, null(), held);
    LLVM::StoreOp::create(builder, left, slot);
  }
}

/// The caller owns the buffers that a function returns: a descriptor, which
/// begins with the allocated pointer, or a structure of several. Returns the
/// last operation that this takes.
Operation *Scope::trackResults(LLVM::CallOp call) {
  Operation *last = call;
  auto type = call.getNumResults() == 0
                  ? nullptr
                  : dyn_cast<LLVM::LLVMStructType>(call.getResult().getType());
  if (!type)
    return last;
  auto track = [&](ArrayRef<int64_t> position) {
    Value slot = addSlot();
    builder.setInsertionPointAfter(last);
    Value allocated =
        LLVM::ExtractValueOp::create(builder, call.getResult(), position);
    last = LLVM::StoreOp::create(builder, allocated, slot);
    slots[allocated] = slot;
  };
  if (isa<LLVM::LLVMPointerType>(type.getBody().front())) {
    track({0});
    return last;
  }
  for (auto [index, member] : llvm::enumerate(type.getBody()))
    if (isa<LLVM::LLVMStructType>(member))
      track({static_cast<int64_t>(index), 0});
  return last;
}

/// Looks at the status after `op`.
void Scope::checkStatus(Operation *op) {
  builder.setInsertionPointAfter(op);
  Type type = builder.getI32Type();
  Value value = LLVM::LoadOp::create(builder, type, status, /*alignment=*/4,
                                     /*isVolatile=*/false,
                                     /*isNonTemporal=*/false,
                                     /*isInvariant=*/false,
                                     /*isInvariantGroup=*/false,
                                     LLVM::AtomicOrdering::monotonic);
  Value zero = LLVM::ConstantOp::create(builder, type, 0);
  branch(LLVM::ICmpOp::create(builder, LLVM::ICmpPredicate::ne, value, zero));
}

void Scope::buildFailBlock() {
  builder.setInsertionPointToEnd(failBlock);
  Value code =
      LLVM::ConstantOp::create(builder, builder.getI32Type(),
                               static_cast<int32_t>(CStatus::OutOfMemory));
  // Several threads may fail at the same time.
  LLVM::StoreOp::create(builder, code, status, /*alignment=*/4,
                        /*isVolatile=*/false, /*isNonTemporal=*/false,
                        /*isInvariantGroup=*/false,
                        LLVM::AtomicOrdering::monotonic);
  for (auto [allocated, slot] : slots)
    LLVM::CallOp::create(
        builder, freeFunction,
        ValueRange{LLVM::LoadOp::create(builder, pointer, slot)});
  auto function = dyn_cast<LLVM::LLVMFuncOp>(owner);
  if (!function) {
    omp::YieldOp::create(builder, ValueRange());
    return;
  }
  Type type = function.getFunctionType().getReturnType();
  SmallVector<Value> results;
  if (!isa<LLVM::LLVMVoidType>(type))
    results.push_back(LLVM::ZeroOp::create(builder, type));
  LLVM::ReturnOp::create(builder, results);
}

/// Whether code in `op` can set the status.
static bool canFail(Operation *op) {
  return op
      ->walk([](LLVM::CallOp call) {
        auto callee = SymbolTable::lookupNearestSymbolFrom<LLVM::LLVMFuncOp>(
            call, call.getCalleeAttr());
        bool fails = calls(call, "malloc") || (callee && !callee.isExternal());
        return fails ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

LogicalResult Scope::check() {
  SmallVector<LLVM::CallOp> mallocs, frees;
  SmallVector<Operation *> others;
  for (Operation &op : region.getOps()) {
    if (calls(&op, "malloc"))
      mallocs.push_back(cast<LLVM::CallOp>(op));
    else if (calls(&op, "free"))
      frees.push_back(cast<LLVM::CallOp>(op));
    else if (isa<LLVM::CallOp, omp::ParallelOp>(op) && canFail(&op))
      others.push_back(&op);
  }
  if (mallocs.empty() && others.empty())
    return success();
  if (!isa<LLVM::LLVMFuncOp, omp::LoopNestOp>(owner))
    return emitError(owner->getLoc(), "expects allocations in functions and "
                                      "loops, but got one in '")
           << owner->getName() << "'";
  for (LLVM::CallOp call : mallocs)
    checkMalloc(call);
  for (Operation *op : others) {
    auto call = dyn_cast<LLVM::CallOp>(op);
    checkStatus(call ? trackResults(call) : op);
  }
  // The slots are known now.
  for (LLVM::CallOp call : frees)
    checkFree(call);
  buildFailBlock();
  return success();
}

/// Appends the status to the parameters of every function and to all calls.
static LogicalResult passStatus(ModuleOp module) {
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  llvm::StringSet<> defined;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal())
      continue;
    defined.insert(function.getName());
    SmallVector<Type> types(function.getArgumentTypes());
    types.push_back(pointer);
    function.setFunctionType(LLVM::LLVMFunctionType::get(
        function.getFunctionType().getReturnType(), types));
    function.getBody().addArgument(pointer, function.getLoc());
  }
  module.walk([&](LLVM::CallOp call) {
    if (!call.getCallee() || !defined.contains(*call.getCallee()))
      return;
    auto caller = call->getParentOfType<LLVM::LLVMFuncOp>();
    call.getCalleeOperandsMutable().append(caller.getArguments().back());
  });
  WalkResult result = module.walk([&](LLVM::AddressOfOp op) -> WalkResult {
    if (!defined.contains(op.getGlobalName()))
      return WalkResult::advance();
    return emitError(op.getLoc(), "expects functions to be called by name, but "
                                  "got the address of '")
           << op.getGlobalName() << "'";
  });
  return failure(result.wasInterrupted());
}

LogicalResult mta::checkAllocations(ModuleOp module) {
  // Interfaces on descriptors, which nobody calls here.
  for (auto function :
       llvm::make_early_inc_range(module.getOps<LLVM::LLVMFuncOp>()))
    if (function.getName().starts_with("_mlir_ciface_"))
      function.erase();
  if (failed(passStatus(module)))
    return failure();
  OpBuilder builder(module.getBodyRegion());
  auto freeFunction = LLVM::lookupOrCreateFreeFn(builder, module);
  if (failed(freeFunction))
    return failure();
  SmallVector<LLVM::LLVMFuncOp> functions(module.getOps<LLVM::LLVMFuncOp>());
  for (LLVM::LLVMFuncOp function : functions) {
    if (function.isExternal())
      continue;
    Value status = function.getArguments().back();
    SmallVector<Region *> regions;
    function->walk([&](Region *region) { regions.push_back(region); });
    for (Region *region : regions)
      if (failed(Scope(*region, status, *freeFunction).check()))
        return failure();
  }
  return success();
}

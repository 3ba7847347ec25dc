//===- ComputeAgain.cpp - Indices that do not outlive a loop ----*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop over the keys is the longest part of a kernel, and the one that is
// short of registers. The rows of the workgroup, which are computed before it
// and read again when the output is stored, would take some all the time:
//
//     %row = %block * 16                  %row = %block * 16
//     load %row                           load %row
//     for ...                             for ...
//     store %row                          %again = "mov %ctaid.x" * 16
//                                         store %again
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mta;

static constexpr StringLiteral kReading = "mov.u32 $0, %ctaid.";

namespace {
/// Clones scalar arithmetic on the numbers of a workgroup.
class Recomputation {
public:
  Recomputation(ImplicitLocOpBuilder &b, gpu::LaunchOp launch)
      : b(b), launch(launch) {}

  /// `value` computed again, or itself if it does not follow from the numbers
  /// of the workgroup.
  Value computeAgain(Value value);

private:
  /// The instruction's result is another one than that of the first reading for
  /// every pass.
  Value readAgain(unsigned dim);

  ImplicitLocOpBuilder &b;
  gpu::LaunchOp launch;
  llvm::DenseMap<Value, Value> known;
};
} // namespace

Value Recomputation::readAgain(unsigned dim) {
  std::string text = (kReading + Twine("xyz"[dim]) + ";").str();
  auto id = LLVM::InlineAsmOp::create(
      b, b.getI32Type(), ValueRange(), text, "=r", /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr(), ArrayAttr());
  return arith::IndexCastUIOp::create(b, b.getIndexType(), id.getResult(0));
}

Value Recomputation::computeAgain(Value value) {
  if (Value again = known.lookup(value))
    return again;
  gpu::KernelDim3 ids = launch.getBlockIds();
  for (auto [dim, id] : llvm::enumerate(ArrayRef<Value>{ids.x, ids.y, ids.z}))
    if (value == id)
      return known[value] = readAgain(dim);
  Operation *op = value.getDefiningOp();
  // Behind one loop and before another.
  auto text = dyn_cast_or_null<LLVM::InlineAsmOp>(op);
  if (text && text.getAsmString().starts_with(kReading))
    return known[value] = b.clone(*op)->getResult(0);
  bool isArithmetic = op && op->getNumRegions() == 0 && isPure(op) &&
                      op->getParentOp() == launch &&
                      isa<arith::ArithDialect>(op->getDialect());
  if (!isArithmetic || isa<VectorType>(value.getType()))
    return known[value] = value;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(computeAgain(operand));
  if (llvm::equal(operands, op->getOperands()))
    return known[value] = value;
  Operation *clone = b.clone(*op);
  clone->setOperands(operands);
  return known[value] = clone->getResult(0);
}

void Distributor::computeAgainBehind(Operation *loop) {
  Recomputation recomputation(b, launch);
  auto isBefore = [&](Value value) {
    Operation *op = value.getDefiningOp();
    return value.getParentBlock() == loop->getBlock() &&
           (!op || op->isBeforeInBlock(loop));
  };
  SmallVector<OpOperand *> uses;
  for (Operation *op = loop->getNextNode(); op; op = op->getNextNode())
    op->walk([&](Operation *inner) {
      for (OpOperand &use : inner->getOpOperands())
        if (isBefore(use.get()))
          uses.push_back(&use);
    });
  for (OpOperand *use : uses)
    use->set(recomputation.computeAgain(use->get()));
}

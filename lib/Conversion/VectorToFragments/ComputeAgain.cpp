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

static constexpr StringLiteral kReading = "mov.u32 $0, %";

namespace {
/// Clones scalar arithmetic on the numbers of a workgroup.
class Recomputation {
public:
  /// With `number`, of fewer than 32 bits, assemblers do not see that what is
  /// computed again is the same, either: a zero that they do not know is added.
  Recomputation(ImplicitLocOpBuilder &b, gpu::LaunchOp launch, Value number)
      : b(b), launch(launch), number(number) {}

  /// `value` computed again, or itself if it does not follow from the numbers
  /// of the workgroup.
  Value computeAgain(Value value);

private:
  /// The instruction's result is another one than that of the first reading for
  /// every pass.
  Value readAgain(StringRef name, unsigned dim);

  ImplicitLocOpBuilder &b;
  gpu::LaunchOp launch;
  Value number;
  llvm::DenseMap<Value, Value> known;
};
} // namespace

Value Recomputation::readAgain(StringRef name, unsigned dim) {
  std::string text = (kReading + name + "." + Twine("xyz"[dim]) + ";").str();
  SmallVector<Value> operands;
  if (number) {
    text = "{ .reg .b32 zero; shr.u32 zero, $1, 31; " + text +
           " xor.b32 $0, $0, zero; }";
    operands.push_back(number);
  }
  auto id = LLVM::InlineAsmOp::create(
      b, b.getI32Type(), operands, text, number ? "=r,r" : "=r",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  return arith::IndexCastUIOp::create(b, b.getIndexType(), id.getResult(0));
}

Value Recomputation::computeAgain(Value value) {
  if (Value again = known.lookup(value))
    return again;
  gpu::KernelDim3 ids = launch.getBlockIds(), sizes = launch.getGridSize();
  for (auto [dim, id] : llvm::enumerate(ArrayRef<Value>{ids.x, ids.y, ids.z}))
    if (value == id)
      return known[value] = readAgain("ctaid", dim);
  for (auto [dim, size] :
       llvm::enumerate(ArrayRef<Value>{sizes.x, sizes.y, sizes.z}))
    if (number && value == size)
      return known[value] = readAgain("nctaid", dim);
  Operation *op = value.getDefiningOp();
  // Behind one loop and before another.
  auto text = dyn_cast_or_null<LLVM::InlineAsmOp>(op);
  if (text && text.getAsmString().contains(kReading) &&
      text->getParentOp() == launch && !text.getAsmString().contains("%tid.")) {
    Operation *again = b.clone(*op);
    if (number)
      again->setOperands(number);
    return known[value] = again->getResult(0);
  }
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

void Distributor::computeAgainIn(Block &branch) {
  // Branches without products are those of masks, which few tiles take.
  bool isRare =
      !branch
           .walk([](vector::ContractionOp) { return WalkResult::interrupt(); })
           .wasInterrupted();
  if (!tile || !isRare)
    return;
  Recomputation recomputation(b, launch, tile);
  SmallVector<OpOperand *> uses;
  branch.walk([&](Operation *op) {
    for (OpOperand &use : op->getOpOperands())
      if (use.get().getParentBlock() == &launch.getBody().front())
        uses.push_back(&use);
  });
  for (OpOperand *use : uses)
    use->set(recomputation.computeAgain(use->get()));
}

void Distributor::computeAgainBehind(Operation *loop, Value number) {
  Recomputation recomputation(b, launch, number);
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

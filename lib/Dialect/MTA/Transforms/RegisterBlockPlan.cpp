//===- RegisterBlockPlan.cpp - Which loops become blocks --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterBlocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mta;

/// Registers that hold results; the others hold what is multiplied. AVX-512 has
/// 32 registers, narrower vectors have 16 on some targets.
static int64_t blockRegisters(int64_t vectorBits) {
  return vectorBits >= 512 ? 24 : 12;
}
/// Multiply-adds in flight that hide the latency of one: 4 cycles of two units.
static constexpr int64_t kLatencySteps = 8;
/// What a load costs, in multiply-adds: two units for each, but loads wait for
/// caches.
static constexpr double kLoadCost = 0.25;
/// A copy of a vector operand to a panel pays if this many row blocks read it
/// and its rows are further apart than this.
static constexpr int64_t kPanelReaders = 4, kPanelStrideBytes = 1024;
/// The panel and the rows that it meets fit into the first cache.
static constexpr int64_t kPanelBytes = 1 << 15;

/// Whether `expr` is a sum of loops and numbers, each loop at most once.
static bool isSumOfLoops(AffineExpr expr) {
  if (isa<AffineDimExpr, AffineConstantExpr>(expr))
    return true;
  auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
  return sum && sum.getKind() == AffineExprKind::Add &&
         isSumOfLoops(sum.getLHS()) && isSumOfLoops(sum.getRHS());
}

static bool isContiguous(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

/// Every buffer is indexed by sums of loops, and the vector loop, if it moves
/// an operand, moves its last index only.
static LogicalResult checkOperands(linalg::GenericOp op, unsigned vectorLoop) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!isContiguous(type) || !llvm::all_of(map.getResults(), isSumOfLoops))
      return failure();
    for (AffineExpr expr :
         llvm::drop_end(map.getResults(), map.getNumResults() ? 1 : 0))
      if (expr.isFunctionOfDim(vectorLoop))
        return failure();
  }
  return success();
}

static bool isVectorizable(Operation &inner) {
  return isa<linalg::IndexOp>(inner) ||
         inner.hasTrait<OpTrait::ConstantLike>() ||
         (OpTrait::hasElementwiseMappableTraits(&inner) &&
          inner.getNumResults() == 1);
}

/// A sum or maximum of the output and something, for reductions over lanes.
static bool combinesOutput(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1)
    return false;
  Operation *last =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  BlockArgument output = op.getBlock()->getArguments().back();
  return isa_and_present<arith::AddFOp, arith::MaximumFOp>(last) &&
         llvm::is_contained(last->getOperands(), output) && output.hasOneUse();
}

static std::optional<unsigned> loopOf(AffineExpr expr) {
  auto dim = dyn_cast<AffineDimExpr>(expr);
  return dim ? std::optional<unsigned>(dim.getPosition()) : std::nullopt;
}

/// The loop over the rows of a block: the innermost one along which a vector is
/// used more than once, because it stays the same or because it moves along
/// with the steps of a window.
static std::optional<unsigned> chooseRowLoop(linalg::GenericOp op,
                                             unsigned vectorLoop) {
  AffineMap output = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  auto reusesVectors = [&](unsigned row) {
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      AffineMap map = op.getMatchingIndexingMap(input);
      return map.isFunctionOfDim(vectorLoop) &&
             llvm::none_of(map.getResults(), [&](AffineExpr expr) {
               return loopOf(expr) == row;
             });
    });
  };
  for (AffineExpr expr : llvm::reverse(output.getResults().drop_back()))
    if (std::optional<unsigned> row = loopOf(expr); row && reusesVectors(*row))
      return row;
  return loopOf(output.getResults().drop_back().back());
}

/// Chooses the vector loop and the row loop.
static LogicalResult chooseLoops(linalg::GenericOp op, BlockPlan &plan) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  AffineMap output = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  if (output.getNumResults() == 0)
    return failure();
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    if (map.getNumResults() == 0)
      continue;
    std::optional<unsigned> loop = loopOf(map.getResults().back());
    if (loop && iterators[*loop] == utils::IteratorType::reduction &&
        combinesOutput(op) && op.getNumDpsInputs() == 1) {
      plan.vectorLoop = *loop;
      plan.reducesVectors = true;
      plan.rowLoop = loopOf(output.getResults().back());
      // Lanes are combined by halves.
      return success(plan.extents[*loop] % plan.lanes == 0 &&
                     llvm::isPowerOf2_64(plan.lanes));
    }
  }
  std::optional<unsigned> loop = loopOf(output.getResults().back());
  if (!loop)
    return failure();
  plan.vectorLoop = *loop;
  if (output.getNumResults() > 1 && op.getNumReductionLoops() > 0)
    plan.rowLoop = chooseRowLoop(op, plan.vectorLoop);
  return success();
}

//===----------------------------------------------------------------------===//
// The size of a block
//===----------------------------------------------------------------------===//

/// Multiply-adds and loads, in multiply-adds, of all blocks of `rows` x
/// `vectors` and of those at the edges.
static double blockCost(linalg::GenericOp op, const BlockPlan &plan,
                        int64_t rows, int64_t vectors) {
  int64_t steps = plan.stepLoop ? plan.extents[*plan.stepLoop] : 1;
  auto one = [&](int64_t rows, int64_t vectors) -> double {
    if (rows == 0 || vectors == 0)
      return 0.0;
    int64_t loads = 0;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      bool moves = map.isFunctionOfDim(plan.vectorLoop);
      bool hasRow = plan.rowLoop && map.isFunctionOfDim(*plan.rowLoop);
      bool isShifted = hasRow && moves && plan.stepLoop;
      int64_t times = isShifted ? rows + steps - 1
                      : hasRow  ? rows * steps
                                : steps;
      // Numbers that a window shares stay in registers.
      loads += times * (moves ? vectors : 1);
    }
    double work = std::max(rows * vectors, kLatencySteps) * steps;
    return work + kLoadCost * loads;
  };
  int64_t allRows = plan.rowLoop ? plan.extents[*plan.rowLoop] : 1;
  int64_t allVectors = plan.extents[plan.vectorLoop] / plan.lanes;
  int64_t wholeRows = allRows / rows, lastRows = allRows % rows;
  int64_t wholeVectors = allVectors / vectors;
  int64_t lastVectors = allVectors % vectors;
  return wholeRows * wholeVectors * one(rows, vectors) +
         wholeVectors * one(lastRows, vectors) +
         wholeRows * one(rows, lastVectors) + one(lastRows, lastVectors);
}

/// Chooses the cheapest block that fits into the registers.
static void chooseBlock(linalg::GenericOp op, BlockPlan &plan,
                        int64_t registers) {
  int64_t allRows = plan.rowLoop ? plan.extents[*plan.rowLoop] : 1;
  int64_t allVectors =
      std::max<int64_t>(plan.extents[plan.vectorLoop] / plan.lanes, 1);
  double best = std::numeric_limits<double>::infinity();
  for (int64_t vectors : {4, 3, 2, 1}) {
    int64_t rows = std::min(registers / vectors, allRows);
    for (; vectors <= allVectors && rows > 0; --rows) {
      double cost = blockCost(op, plan, rows, vectors);
      if (cost < best) {
        best = cost;
        plan.rows = rows;
        plan.vectors = vectors;
      }
    }
  }
}

/// The input that row blocks read again and again from rows far apart.
static std::optional<unsigned> choosePanel(linalg::GenericOp op,
                                           const BlockPlan &plan) {
  if (!plan.rowLoop || plan.reductionLoops.size() != 1 ||
      plan.extents[*plan.rowLoop] < kPanelReaders * plan.rows)
    return std::nullopt;
  unsigned reduction = plan.reductionLoops[0];
  for (OpOperand *input : op.getDpsInputOperands()) {
    auto type = dyn_cast<MemRefType>(input->get().getType());
    AffineMap map = op.getMatchingIndexingMap(input);
    int64_t rank = map.getNumResults();
    if (!type || rank < 2 || map.isFunctionOfDim(*plan.rowLoop) ||
        loopOf(map.getResult(rank - 1)) != plan.vectorLoop ||
        loopOf(map.getResult(rank - 2)) != reduction)
      continue;
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(type.getStridesAndOffset(strides, offset)))
      continue;
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    bool isFar = ShapedType::isDynamic(strides[rank - 2]) ||
                 strides[rank - 2] * bytes > kPanelStrideBytes;
    int64_t columns = plan.vectors * plan.lanes;
    if (isFar && plan.extents[reduction] * columns * bytes <= kPanelBytes)
      return input->getOperandNumber();
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// Whether `value` is the product of both inputs, extended to f32.
static bool isProductOfInputs(linalg::GenericOp op, Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  auto inputOf = [](Value factor) -> Value {
    auto extension = factor.getDefiningOp<arith::ExtFOp>();
    return extension ? extension.getIn() : Value();
  };
  Value a = op.getBlock()->getArgument(0), b = op.getBlock()->getArgument(1);
  Value lhs = inputOf(product.getLhs()), rhs = inputOf(product.getRhs());
  return (lhs == a && rhs == b) || (lhs == b && rhs == a);
}

/// Whether the body is out + a * b, of bf16 with a sum in f32.
static bool addsProducts(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      !getElementTypeOrSelf(op.getDpsInits()[0]).isF32() ||
      !llvm::all_of(op.getDpsInputs(), [](Value input) {
        return isa<MemRefType>(input.getType()) &&
               getElementTypeOrSelf(input).isBF16();
      }))
    return false;
  auto sum = op.getBlock()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  if (!sum)
    return false;
  Value out = op.getBlock()->getArgument(2);
  return (sum.getLhs() == out && isProductOfInputs(op, sum.getRhs())) ||
         (sum.getRhs() == out && isProductOfInputs(op, sum.getLhs()));
}

/// The input whose vectors are to be interleaved, if `op` is a contraction that
/// reads the other input along its reduction: scalar[.., r] * vector[.., r, v].
static std::optional<unsigned> choosePairs(linalg::GenericOp op,
                                           const BlockPlan &plan) {
  // Vectors that x86vector.avx512.dot accumulates into.
  if (!llvm::is_contained({4, 8, 16}, plan.lanes) || !plan.rowLoop ||
      plan.reductionLoops.size() != 1 || !addsProducts(op))
    return std::nullopt;
  unsigned reduction = plan.reductionLoops[0];
  int64_t steps = plan.extents[reduction];
  int64_t columns = plan.extents[plan.vectorLoop];
  if (steps % 2 != 0 || columns % plan.lanes != 0)
    return std::nullopt;
  for (OpOperand *input : op.getDpsInputOperands()) {
    OpOperand *other = op.getDpsInputOperand(1 - input->getOperandNumber());
    AffineMap vectors = op.getMatchingIndexingMap(input);
    AffineMap scalars = op.getMatchingIndexingMap(other);
    int64_t rank = vectors.getNumResults();
    if (rank >= 2 && scalars.getNumResults() >= 1 &&
        !vectors.isFunctionOfDim(*plan.rowLoop) &&
        !scalars.isFunctionOfDim(plan.vectorLoop) &&
        loopOf(vectors.getResult(rank - 1)) == plan.vectorLoop &&
        loopOf(vectors.getResult(rank - 2)) == reduction &&
        loopOf(scalars.getResults().back()) == reduction)
      return input->getOperandNumber();
  }
  return std::nullopt;
}

/// Makes `plan` one of pairs if `op` and the first cache allow it.
static void planPairs(linalg::GenericOp op, BlockPlan &plan,
                      int64_t registers) {
  std::optional<unsigned> panel = choosePairs(op, plan);
  if (!panel)
    return;
  BlockPlan pairs = plan;
  // The loop over pairs is never unrolled: they have no window to share.
  pairs.stepLoop = std::nullopt;
  pairs.hasPairs = true;
  pairs.panel = panel;
  chooseBlock(op, pairs, registers);
  int64_t columns = pairs.vectors * pairs.lanes;
  constexpr int64_t bytes = 2;
  if (pairs.extents[pairs.reductionLoops[0]] * columns * bytes <= kPanelBytes)
    plan = pairs;
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

/// Loops of a block have static extents; outer loops may have the size of a
/// dimension of the output.
static bool hasStaticBlocks(linalg::GenericOp op, const BlockPlan &plan) {
  AffineMap output = op.getMatchingIndexingMap(&op.getDpsInitsMutable()[0]);
  for (auto [loop, extent] : llvm::enumerate(plan.extents)) {
    AffineExpr dim = getAffineDimExpr(loop, op.getContext());
    if (ShapedType::isDynamic(extent) &&
        (!llvm::is_contained(plan.outerLoops, loop) ||
         !llvm::is_contained(output.getResults(), dim)))
      return false;
  }
  return true;
}

/// The innermost reduction, if it is short enough to be unrolled.
static std::optional<unsigned> findStepLoop(const BlockPlan &plan) {
  if (plan.reductionLoops.empty())
    return std::nullopt;
  unsigned loop = plan.reductionLoops.back();
  if (loop == plan.vectorLoop || plan.extents[loop] > kUnrolledSteps)
    return std::nullopt;
  return loop;
}

FailureOr<BlockPlan> mta::planBlock(linalg::GenericOp op, int64_t vectorBits,
                                    bool pairProducts) {
  if (!op.hasPureBufferSemantics())
    return failure();
  if (!llvm::all_of(op.getBlock()->without_terminator(), isVectorizable))
    return failure();
  Type element =
      getElementTypeOrSelf(op.getDpsInitsMutable()[0].get().getType());
  int64_t bits = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  int64_t lanes = std::max<int64_t>(vectorBits / bits, 1);
  BlockPlan plan;
  plan.lanes = lanes;
  plan.extents = op.getStaticLoopRanges();
  if (llvm::is_contained(plan.extents, 0) || failed(chooseLoops(op, plan)) ||
      failed(checkOperands(op, plan.vectorLoop)))
    return failure();
  for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (iterator == utils::IteratorType::reduction)
      plan.reductionLoops.push_back(loop);
    else if (loop != plan.vectorLoop && loop != plan.rowLoop)
      plan.outerLoops.push_back(loop);
  }
  if (!hasStaticBlocks(op, plan))
    return failure();
  plan.stepLoop = findStepLoop(plan);
  if (plan.reducesVectors) {
    plan.rows = kUnrolledSteps;
    return plan;
  }
  chooseBlock(op, plan, blockRegisters(vectorBits));
  plan.panel = choosePanel(op, plan);
  if (pairProducts)
    planPairs(op, plan, blockRegisters(vectorBits));
  return plan;
}

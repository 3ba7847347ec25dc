//===- VectorizeTiles.cpp - Linalg on tiles as register blocks --*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every contraction of a tile program, with keys, values, windows or heads, has
// the form
//
//     out[.., u, v] += scalar(.., u, r) * vector(.., u, r, v)
//
// in which one loop, v, is contiguous in the output and in all operands that
// it moves. A block of rows u times vectors of v is held in registers while the
// reductions r run:
//
//     for blocks of v, for blocks of u
//       block = out[u.., v..]
//       for r: block += ...            rows x vectors multiply-adds
//       out[u.., v..] = block
//
// Where v is itself the reduction, as in row sums, every row of the block holds
// one vector of partial results.
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mta {
#define GEN_PASS_DEF_VECTORIZETILESPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;

namespace {

/// Registers that hold results; the others hold what is multiplied.
constexpr int64_t kBlockRegisters = 24;
/// Reductions of at most this many steps are unrolled, so that a load serves
/// all steps that use it.
constexpr int64_t kUnrolledSteps = 8;

/// How the loops of an operation map to a register block.
struct BlockPlan {
  unsigned vectorLoop = 0;
  /// The loop over rows, if there is one.
  std::optional<unsigned> rowLoop;
  bool reducesVectors = false;
  SmallVector<unsigned> outerLoops, reductionLoops;
  SmallVector<int64_t> extents;
  int64_t lanes = 0;
  int64_t rows = 1, vectors = 1;
};

/// Emits the register blocks of one linalg.generic on buffers.
class BlockEmitter {
public:
  /// `initial` is what the output holds, if that is one number.
  BlockEmitter(ImplicitLocOpBuilder &builder, linalg::GenericOp op,
               const BlockPlan &plan, Value initial)
      : builder(builder), op(op), plan(plan), initial(initial),
        loops(plan.extents.size()) {}

  void emit() { emitOuterLoops(0); }

private:
  /// Vectors of a block, [output][row * vectors + vector].
  using Block = SmallVector<SmallVector<Value>>;

  void emitOuterLoops(size_t depth);
  void emitBlocks(unsigned loop, int64_t size,
                  function_ref<void(int64_t count)> body);
  void emitColumns();
  void emitRows(int64_t vectors, int64_t lanes);
  void emitBlock(int64_t rows, int64_t vectors, int64_t lanes);
  Block emitReductions(size_t depth, Block block);
  Block emitUnrolled(unsigned loop, Block block);
  void emitElement(Block &block, int64_t row, int64_t vector);
  SmallVector<Value> emitPayload(ArrayRef<Value> operands, int64_t row,
                                 int64_t vector);
  Value loadOperand(OpOperand &operand, int64_t row, int64_t vector);
  Value initialValue(OpOperand &output, int64_t row, int64_t vector);
  void reduceAndStore(const Block &block);
  Value neutralElement(Type type);

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, value);
  }
  /// The value of a loop at a row and vector of the current block.
  Value loopAt(unsigned loop, int64_t row, int64_t vector);
  SmallVector<Value> indicesOf(AffineMap map, int64_t row, int64_t vector);
  Value evaluate(AffineExpr expr, int64_t row, int64_t vector);
  Value broadcast(Value scalar);
  VectorType vectorOf(Type element) {
    return VectorType::get({blockLanes}, element);
  }
  Operation *combiner() {
    return op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  }

  ImplicitLocOpBuilder &builder;
  linalg::GenericOp op;
  const BlockPlan &plan;
  Value initial;
  /// The first value of every loop in the current block.
  SmallVector<Value> loops;
  int64_t blockRows = 1, blockVectors = 1, blockLanes = 1;
  /// Loads of the current step by operand, row and vector, -1 for any.
  llvm::DenseMap<std::tuple<unsigned, int64_t, int64_t>, Value> loads;
};

} // namespace

//===----------------------------------------------------------------------===//
// Loops around a block
//===----------------------------------------------------------------------===//

void BlockEmitter::emitOuterLoops(size_t depth) {
  if (depth == plan.outerLoops.size())
    return emitColumns();
  unsigned loop = plan.outerLoops[depth];
  emitBlocks(loop, 1, [&](int64_t) { emitOuterLoops(depth + 1); });
}

/// Covers a loop by blocks of `size` and one of what is left.
void BlockEmitter::emitBlocks(unsigned loop, int64_t size,
                              function_ref<void(int64_t)> body) {
  int64_t extent = plan.extents[loop];
  int64_t whole = extent / size * size;
  if (whole == size) {
    loops[loop] = constant(0);
    body(size);
  } else if (whole > 0) {
    auto forOp = scf::ForOp::create(builder, constant(0), constant(whole),
                                    constant(size));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(forOp.getBody());
    loops[loop] = forOp.getInductionVar();
    body(size);
  }
  if (whole < extent) {
    loops[loop] = constant(whole);
    body(extent - whole);
  }
}

void BlockEmitter::emitColumns() {
  if (plan.reducesVectors)
    return emitRows(1, plan.lanes);
  emitBlocks(plan.vectorLoop, plan.vectors * plan.lanes, [&](int64_t count) {
    int64_t vectors = count / plan.lanes;
    if (vectors > 0)
      emitRows(vectors, plan.lanes);
    if (int64_t rest = count % plan.lanes) {
      Value first = loops[plan.vectorLoop];
      loops[plan.vectorLoop] =
          arith::AddIOp::create(builder, first, constant(vectors * plan.lanes));
      emitRows(1, rest);
    }
  });
}

void BlockEmitter::emitRows(int64_t vectors, int64_t lanes) {
  if (!plan.rowLoop)
    return emitBlock(1, vectors, lanes);
  emitBlocks(*plan.rowLoop, plan.rows,
             [&](int64_t rows) { emitBlock(rows, vectors, lanes); });
}

//===----------------------------------------------------------------------===//
// One block
//===----------------------------------------------------------------------===//

Value BlockEmitter::loopAt(unsigned loop, int64_t row, int64_t vector) {
  int64_t offset = 0;
  if (loop == plan.vectorLoop)
    offset = vector * blockLanes;
  else if (plan.rowLoop && loop == *plan.rowLoop)
    offset = row;
  if (offset == 0)
    return loops[loop];
  return arith::AddIOp::create(builder, loops[loop], constant(offset));
}

Value BlockEmitter::evaluate(AffineExpr expr, int64_t row, int64_t vector) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return loopAt(dim.getPosition(), row, vector);
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return constant(number.getValue());
  auto sum = cast<AffineBinaryOpExpr>(expr);
  return arith::AddIOp::create(builder, evaluate(sum.getLHS(), row, vector),
                               evaluate(sum.getRHS(), row, vector));
}

SmallVector<Value> BlockEmitter::indicesOf(AffineMap map, int64_t row,
                                           int64_t vector) {
  SmallVector<Value> indices;
  for (AffineExpr expr : map.getResults())
    indices.push_back(evaluate(expr, row, vector));
  return indices;
}

Value BlockEmitter::broadcast(Value scalar) {
  return vector::BroadcastOp::create(builder, vectorOf(scalar.getType()),
                                     scalar);
}

Value BlockEmitter::loadOperand(OpOperand &operand, int64_t row,
                                int64_t vector) {
  Value buffer = operand.get();
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return broadcast(buffer);
  AffineMap map = op.getMatchingIndexingMap(&operand);
  bool moves = map.isFunctionOfDim(plan.vectorLoop);
  bool hasRow = plan.rowLoop && map.isFunctionOfDim(*plan.rowLoop);
  auto key = std::make_tuple(operand.getOperandNumber(), hasRow ? row : -1,
                             moves ? vector : -1);
  Value &load = loads[key];
  if (load)
    return load;
  SmallVector<Value> indices = indicesOf(map, row, vector);
  if (moves)
    load = vector::LoadOp::create(builder, vectorOf(type.getElementType()),
                                  buffer, indices);
  else
    load = broadcast(memref::LoadOp::create(builder, buffer, indices));
  return load;
}

/// The operation's body on vectors; returns what it yields.
SmallVector<Value> BlockEmitter::emitPayload(ArrayRef<Value> operands,
                                             int64_t row, int64_t vector) {
  IRMapping mapping;
  mapping.map(op.getBlock()->getArguments(), operands);
  auto vectorFor = [&](Value value) {
    Value mapped = mapping.lookupOrNull(value);
    if (mapped && isa<VectorType>(mapped.getType()))
      return mapped;
    Value result = broadcast(mapped ? mapped : value);
    mapping.map(value, result);
    return result;
  };
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (inner.hasTrait<OpTrait::ConstantLike>()) {
      mapping.map(inner.getResult(0), builder.clone(inner)->getResult(0));
      continue;
    }
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      Value result = broadcast(loopAt(index.getDim(), row, vector));
      if (index.getDim() == plan.vectorLoop) {
        Value lanes =
            vector::StepOp::create(builder, cast<VectorType>(result.getType()));
        result = arith::AddIOp::create(builder, result, lanes);
      }
      mapping.map(index.getResult(), result);
      continue;
    }
    OperationState state(inner.getLoc(), inner.getName());
    for (Value operand : inner.getOperands())
      state.addOperands(vectorFor(operand));
    state.addTypes(vectorOf(inner.getResult(0).getType()));
    state.addAttributes(inner.getAttrs());
    mapping.map(inner.getResult(0), builder.create(state)->getResult(0));
  }
  SmallVector<Value> results;
  for (Value value : op.getBlock()->getTerminator()->getOperands())
    results.push_back(vectorFor(value));
  return results;
}

/// One step of the reductions on one vector of the block.
void BlockEmitter::emitElement(Block &block, int64_t row, int64_t vector) {
  SmallVector<Value> operands;
  for (OpOperand *input : op.getDpsInputOperands())
    operands.push_back(loadOperand(*input, row, vector));
  for (const SmallVector<Value> &output : block)
    operands.push_back(output[row * blockVectors + vector]);
  SmallVector<Value> yielded = emitPayload(operands, row, vector);
  for (auto [output, value] : llvm::zip_equal(block, yielded))
    output[row * blockVectors + vector] = value;
}

/// All steps of a short reduction. In a convolution over rows, step and row add
/// up to the row that is read: going through the steps along that sum, every
/// vector is loaded once, used by all its steps, and leaves its register.
BlockEmitter::Block BlockEmitter::emitUnrolled(unsigned loop, Block block) {
  int64_t steps = plan.extents[loop];
  for (int64_t sum = 0; sum < blockRows + steps - 1; ++sum)
    for (int64_t step = 0; step < steps; ++step) {
      int64_t row = sum - step;
      if (row < 0 || row >= blockRows)
        continue;
      loops[loop] = constant(step);
      loads.clear();
      for (int64_t vector = 0; vector < blockVectors; ++vector)
        emitElement(block, row, vector);
    }
  loads.clear();
  return block;
}

BlockEmitter::Block BlockEmitter::emitReductions(size_t depth, Block block) {
  if (depth == plan.reductionLoops.size()) {
    for (int64_t row = 0; row < blockRows; ++row)
      for (int64_t vector = 0; vector < blockVectors; ++vector)
        emitElement(block, row, vector);
    return block;
  }
  unsigned loop = plan.reductionLoops[depth];
  int64_t extent = plan.extents[loop];
  bool isInnermost = depth + 1 == plan.reductionLoops.size();
  if (isInnermost && loop != plan.vectorLoop && extent <= kUnrolledSteps)
    return emitUnrolled(loop, std::move(block));
  SmallVector<Value> carried;
  for (const SmallVector<Value> &output : block)
    llvm::append_range(carried, output);
  int64_t width = loop == plan.vectorLoop ? plan.lanes : 1;
  auto forOp = scf::ForOp::create(builder, constant(0), constant(extent),
                                  constant(width), carried);
  auto unpack = [&](ValueRange values) {
    Block result;
    size_t size = block.front().size();
    for (size_t output = 0; output < block.size(); ++output)
      result.emplace_back(values.slice(output * size, size));
    return result;
  };
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(forOp.getBody());
    loops[loop] = forOp.getInductionVar();
    loads.clear();
    Block next = emitReductions(depth + 1, unpack(forOp.getRegionIterArgs()));
    SmallVector<Value> yielded;
    for (const SmallVector<Value> &output : next)
      llvm::append_range(yielded, output);
    scf::YieldOp::create(builder, yielded);
  }
  loads.clear();
  return unpack(forOp.getResults());
}

Value BlockEmitter::initialValue(OpOperand &output, int64_t row,
                                 int64_t vector) {
  if (plan.reducesVectors)
    return neutralElement(getElementTypeOrSelf(output.get().getType()));
  return initial ? broadcast(initial) : loadOperand(output, row, vector);
}

void BlockEmitter::emitBlock(int64_t rows, int64_t vectors, int64_t lanes) {
  blockRows = rows;
  blockVectors = vectors;
  blockLanes = lanes;
  loads.clear();
  Block block;
  for (OpOperand &output : op.getDpsInitsMutable()) {
    SmallVector<Value> &values = block.emplace_back();
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t vector = 0; vector < vectors; ++vector)
        values.push_back(initialValue(output, row, vector));
  }
  loads.clear();
  block = emitReductions(0, std::move(block));
  if (plan.reducesVectors)
    return reduceAndStore(block);
  for (auto [output, values] :
       llvm::zip_equal(op.getDpsInitsMutable(), block)) {
    AffineMap map = op.getMatchingIndexingMap(&output);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t vector = 0; vector < vectors; ++vector)
        vector::StoreOp::create(builder, values[row * vectors + vector],
                                output.get(), indicesOf(map, row, vector));
  }
}

//===----------------------------------------------------------------------===//
// Reductions over the lanes
//===----------------------------------------------------------------------===//

Value BlockEmitter::neutralElement(Type type) {
  Attribute value =
      isa<arith::AddFOp>(combiner())
          ? builder.getFloatAttr(type, 0.0)
          : builder.getFloatAttr(
                type, APFloat::getInf(cast<FloatType>(type).getFloatSemantics(),
                                      /*Negative=*/true));
  return broadcast(arith::ConstantOp::create(builder, cast<TypedAttr>(value)));
}

void BlockEmitter::reduceAndStore(const Block &block) {
  bool isSum = isa<arith::AddFOp>(combiner());
  auto kind =
      isSum ? vector::CombiningKind::ADD : vector::CombiningKind::MAXIMUMF;
  OpOperand &output = op.getDpsInitsMutable()[0];
  AffineMap map = op.getMatchingIndexingMap(&output);
  for (int64_t row = 0; row < blockRows; ++row) {
    SmallVector<Value> indices = indicesOf(map, row, 0);
    Value old = memref::LoadOp::create(builder, output.get(), indices);
    Value sum = vector::ReductionOp::create(builder, kind, block[0][row],
                                            arith::FastMathFlags::reassoc);
    Value result;
    if (isSum)
      result = arith::AddFOp::create(builder, old, sum);
    else
      result = arith::MaximumFOp::create(builder, old, sum);
    memref::StoreOp::create(builder, result, output.get(), indices);
  }
}

//===----------------------------------------------------------------------===//
// Planning
//===----------------------------------------------------------------------===//

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
      return success(plan.extents[*loop] % plan.lanes == 0);
    }
  }
  std::optional<unsigned> loop = loopOf(output.getResults().back());
  if (!loop)
    return failure();
  plan.vectorLoop = *loop;
  if (output.getNumResults() > 1 && op.getNumReductionLoops() > 0)
    plan.rowLoop = loopOf(output.getResults().drop_back().back());
  return success();
}

static FailureOr<BlockPlan> planBlock(linalg::GenericOp op,
                                      int64_t vectorBits) {
  if (!op.hasPureBufferSemantics() || op.hasDynamicShape())
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
  if (!plan.reducesVectors) {
    int64_t vectors = plan.extents[plan.vectorLoop] / lanes;
    plan.vectors = vectors % 4 == 0 ? 4 : vectors % 3 == 0 ? 3 : 4;
    plan.vectors = std::clamp<int64_t>(vectors, 1, plan.vectors);
    plan.rows = kBlockRegisters / plan.vectors;
  } else {
    plan.rows = kUnrolledSteps;
  }
  return plan;
}

namespace {
struct VectorizeTilesPass
    : mta::impl::VectorizeTilesPassBase<VectorizeTilesPass> {
  using VectorizeTilesPassBase::VectorizeTilesPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    // Backward, so that a fill is still one when what it starts is reached.
    llvm::SmallPtrSet<Operation *, 8> erased;
    for (linalg::LinalgOp op : llvm::reverse(ops))
      if (!erased.contains(op))
        vectorize(rewriter, op, erased);
  }

private:
  /// The fill of the buffer that `op` accumulates into, if nothing else touches
  /// memory in between.
  static linalg::FillOp findFill(linalg::GenericOp op) {
    if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
      return nullptr;
    for (Operation *before = op->getPrevNode(); before;
         before = before->getPrevNode()) {
      auto fill = dyn_cast<linalg::FillOp>(before);
      if (fill && fill.getOutputs()[0] == op.getDpsInitsMutable()[0].get())
        return fill;
      if (!isMemoryEffectFree(before))
        return nullptr;
    }
    return nullptr;
  }

  void vectorize(IRRewriter &rewriter, linalg::LinalgOp op,
                 llvm::SmallPtrSetImpl<Operation *> &erased) {
    auto generic = dyn_cast<linalg::GenericOp>(*op);
    rewriter.setInsertionPoint(op);
    if (!generic) {
      if (!op.hasPureBufferSemantics() || op.hasDynamicShape())
        return;
      FailureOr<linalg::GenericOp> made =
          linalg::generalizeNamedOp(rewriter, op);
      if (failed(made))
        return;
      generic = *made;
      rewriter.setInsertionPoint(generic);
    }
    FailureOr<BlockPlan> plan = planBlock(generic, vectorBits);
    if (failed(plan))
      return;
    ImplicitLocOpBuilder builder(generic.getLoc(), rewriter);
    linalg::FillOp fill = plan->reducesVectors ? nullptr : findFill(generic);
    BlockEmitter(builder, generic, *plan, fill ? fill.value() : Value()).emit();
    rewriter.eraseOp(generic);
    if (fill) {
      erased.insert(fill);
      rewriter.eraseOp(fill);
    }
  }
};
} // namespace

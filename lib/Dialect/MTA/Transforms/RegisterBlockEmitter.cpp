//===- RegisterBlockEmitter.cpp - Loops over blocks -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegisterBlocks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace mta;

namespace {

/// Emits the register blocks of one linalg.generic on buffers.
class BlockEmitter {
public:
  /// `initial` is what the output holds, if that is one number.
  BlockEmitter(ImplicitLocOpBuilder &builder, linalg::GenericOp op,
               const BlockPlan &plan, Value initial)
      : builder(builder), op(op), plan(plan), initial(initial),
        loops(plan.extents.size()) {}

  void emit();

private:
  /// Vectors of a block, [output][row * vectors + vector].
  using Block = SmallVector<SmallVector<Value>>;

  void emitOuterLoops(size_t depth);
  Value dynamicExtent(unsigned loop);
  void emitBlocks(unsigned loop, int64_t size,
                  function_ref<void(int64_t count)> body);
  void emitColumns();
  int64_t lastVector(int64_t rest);
  void fillPanel(int64_t vectors, int64_t lanes);
  void fillPairs(int64_t vectors, int64_t lanes);
  void emitRows(int64_t vectors, int64_t lanes);
  void emitBlock(int64_t rows, int64_t vectors, int64_t lanes);
  Block emitReductions(size_t depth, Block block);
  Block emitUnrolled(unsigned loop, Block block);
  void emitElement(Block &block, int64_t row, int64_t vector);
  Block emitPairs(Block block);
  Value loadPair(OpOperand &operand, int64_t row);
  SmallVector<Value> emitPayload(ArrayRef<Value> operands, int64_t row,
                                 int64_t vector);
  Value loadOperand(OpOperand &operand, int64_t row, int64_t vector);
  Value initialValue(OpOperand &output, int64_t row, int64_t vector);
  Value combine(Value a, Value b);
  Value combineHalves(Value a, Value b, int64_t rows);
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
  /// The buffer of the panel, steps x elements of a block, if there is one.
  Value panel;
  /// Loads of the current step by operand, row and vector, -1 for any.
  llvm::DenseMap<std::tuple<unsigned, int64_t, int64_t>, Value> loads;
};

} // namespace

//===----------------------------------------------------------------------===//
// Loops around a block
//===----------------------------------------------------------------------===//

/// What stands in the body of the loop over tiles and holds `op`, so that a
/// buffer around it is allocated once a tile.
static Operation *findStatementOfTile(Operation *op) {
  auto forall = op->getParentOfType<scf::ForallOp>();
  return forall ? forall.getBody()->findAncestorOpInBlock(*op) : op;
}

void BlockEmitter::emit() {
  if (!plan.panel)
    return emitOuterLoops(0);
  Type element = getElementTypeOrSelf(op->getOperand(*plan.panel).getType());
  int64_t group = plan.hasPairs ? 2 : 1;
  auto type = MemRefType::get({plan.extents[plan.reductionLoops[0]] / group,
                               plan.vectors * plan.lanes * group},
                              element);
  Operation *statement = findStatementOfTile(op);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(statement);
    panel =
        memref::AllocOp::create(builder, type, builder.getI64IntegerAttr(64));
    builder.setInsertionPointAfter(statement);
    memref::DeallocOp::create(builder, panel);
  }
  emitOuterLoops(0);
}

void BlockEmitter::emitOuterLoops(size_t depth) {
  if (depth == plan.outerLoops.size())
    return emitColumns();
  unsigned loop = plan.outerLoops[depth];
  auto body = [&](int64_t) { emitOuterLoops(depth + 1); };
  if (!ShapedType::isDynamic(plan.extents[loop]))
    return emitBlocks(loop, 1, body);
  auto forOp = scf::ForOp::create(builder, constant(0), dynamicExtent(loop),
                                  constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forOp.getBody());
  loops[loop] = forOp.getInductionVar();
  body(1);
}

/// The size of the dimension that `loop`, an outer one, goes over.
Value BlockEmitter::dynamicExtent(unsigned loop) {
  OpOperand &output = op.getDpsInitsMutable()[0];
  AffineMap map = op.getMatchingIndexingMap(&output);
  AffineExpr dim = builder.getAffineDimExpr(loop);
  int64_t position =
      llvm::find(map.getResults(), dim) - map.getResults().begin();
  return memref::DimOp::create(builder, output.get(), position);
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
    Value first = loops[plan.vectorLoop];
    int64_t done = vectors * plan.lanes;
    while (done < count) {
      int64_t rest = lastVector(count - done);
      loops[plan.vectorLoop] =
          arith::AddIOp::create(builder, first, constant(done));
      emitRows(1, rest);
      done += rest;
    }
  });
}

/// Elements of a vector for the `rest` that are less than the lanes.
int64_t BlockEmitter::lastVector(int64_t rest) {
  // On processors with AVX512-BF16, LLVM 22 ends the process over copies of 9,
  // 17 or 25 elements of bf16.
  bool copiesBF16 = llvm::all_of(op->getOperandTypes(), [](Type type) {
    return getElementTypeOrSelf(type).isBF16();
  });
  return copiesBF16 ? llvm::bit_floor(static_cast<uint64_t>(rest)) : rest;
}

/// panel[r, ..] = the vectors of the current columns, for all steps r.
void BlockEmitter::fillPanel(int64_t vectors, int64_t lanes) {
  unsigned reduction = plan.reductionLoops[0];
  OpOperand &operand = op->getOpOperand(*plan.panel);
  AffineMap map = op.getMatchingIndexingMap(&operand);
  blockLanes = lanes;
  auto forOp = scf::ForOp::create(
      builder, constant(0), constant(plan.extents[reduction]), constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forOp.getBody());
  loops[reduction] = forOp.getInductionVar();
  VectorType type = vectorOf(getElementTypeOrSelf(panel.getType()));
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value load = vector::LoadOp::create(builder, type, operand.get(),
                                        indicesOf(map, 0, vector));
    vector::StoreOp::create(
        builder, load, panel,
        ValueRange{loops[reduction], constant(vector * lanes)});
  }
}

/// panel[p, ..] = the vectors of the current columns for steps 2p and 2p + 1,
/// interleaved.
void BlockEmitter::fillPairs(int64_t vectors, int64_t lanes) {
  unsigned reduction = plan.reductionLoops[0];
  OpOperand &operand = op->getOpOperand(*plan.panel);
  AffineMap map = op.getMatchingIndexingMap(&operand);
  blockLanes = lanes;
  auto forOp = scf::ForOp::create(
      builder, constant(0), constant(plan.extents[reduction] / 2), constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(forOp.getBody());
  Value pair = forOp.getInductionVar();
  Value even = arith::MulIOp::create(builder, pair, constant(2));
  Value odd = arith::AddIOp::create(builder, even, constant(1));
  VectorType type = vectorOf(builder.getBF16Type());
  auto loadStep = [&](Value step, int64_t vector) -> Value {
    loops[reduction] = step;
    return vector::LoadOp::create(builder, type, operand.get(),
                                  indicesOf(map, 0, vector));
  };
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value first = loadStep(even, vector), second = loadStep(odd, vector);
    Value both = vector::InterleaveOp::create(builder, first, second);
    vector::StoreOp::create(builder, both, panel,
                            ValueRange{pair, constant(2 * vector * lanes)});
  }
}

void BlockEmitter::emitRows(int64_t vectors, int64_t lanes) {
  if (plan.hasPairs)
    fillPairs(vectors, lanes);
  else if (panel)
    fillPanel(vectors, lanes);
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
  if (panel && operand.getOperandNumber() == *plan.panel) {
    buffer = panel;
    indices = {loops[plan.reductionLoops[0]], constant(vector * blockLanes)};
  }
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
  auto emitStep = [&](int64_t row, int64_t step) {
    loops[loop] = constant(step);
    loads.clear();
    for (int64_t vector = 0; vector < blockVectors; ++vector)
      emitElement(block, row, vector);
  };
  for (int64_t sum = 0; sum < blockRows + steps - 1; ++sum)
    for (int64_t step = 0; step < steps; ++step)
      if (int64_t row = sum - step; row >= 0 && row < blockRows)
        emitStep(row, step);
  loads.clear();
  return block;
}

/// Steps r and r + 1 of a row as one number in all lanes: bf16 pairs are next
/// to each other as they are in the panel.
Value BlockEmitter::loadPair(OpOperand &operand, int64_t row) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto type = VectorType::get({2}, builder.getBF16Type());
  Type word = builder.getI32Type();
  Value pair = vector::LoadOp::create(builder, type, operand.get(),
                                      indicesOf(map, row, 0));
  pair = vector::BitCastOp::create(builder, VectorType::get({1}, word), pair);
  Value words = broadcast(vector::ExtractOp::create(builder, pair, 0));
  return vector::BitCastOp::create(
      builder, VectorType::get({2 * blockLanes}, builder.getBF16Type()), words);
}

/// One step over a pair on all vectors of the block.
BlockEmitter::Block BlockEmitter::emitPairs(Block block) {
  unsigned reduction = plan.reductionLoops[0];
  OpOperand &scalars = op->getOpOperand(1 - *plan.panel);
  auto type = VectorType::get({2 * blockLanes}, builder.getBF16Type());
  Value pair = loops[reduction];
  SmallVector<Value> vectors;
  for (int64_t vector = 0; vector < blockVectors; ++vector)
    vectors.push_back(vector::LoadOp::create(
        builder, type, panel,
        ValueRange{pair, constant(2 * vector * blockLanes)}));
  loops[reduction] = arith::MulIOp::create(builder, pair, constant(2));
  for (int64_t row = 0; row < blockRows; ++row) {
    Value numbers = loadPair(scalars, row);
    for (int64_t vector = 0; vector < blockVectors; ++vector) {
      Value &sum = block[0][row * blockVectors + vector];
      sum =
          x86vector::DotBF16Op::create(builder, sum, numbers, vectors[vector]);
    }
  }
  return block;
}

BlockEmitter::Block BlockEmitter::emitReductions(size_t depth, Block block) {
  if (depth == plan.reductionLoops.size()) {
    if (plan.hasPairs)
      return emitPairs(std::move(block));
    for (int64_t row = 0; row < blockRows; ++row)
      for (int64_t vector = 0; vector < blockVectors; ++vector)
        emitElement(block, row, vector);
    return block;
  }
  unsigned loop = plan.reductionLoops[depth];
  int64_t extent = plan.extents[loop] / (plan.hasPairs ? 2 : 1);
  if (loop == plan.stepLoop)
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

Value BlockEmitter::combine(Value a, Value b) {
  return isa<arith::AddFOp>(combiner())
             ? arith::AddFOp::create(builder, a, b).getResult()
             : arith::MaximumFOp::create(builder, a, b).getResult();
}

/// Combines the halves of every row. `a` and `b` hold `rows` rows each, one
/// after the other; the result those of `a` and then those of `b`. Without `b`
/// the result has half as many lanes.
Value BlockEmitter::combineHalves(Value a, Value b, int64_t rows) {
  int64_t lanes = cast<VectorType>(a.getType()).getDimSize(0);
  int64_t half = lanes / rows / 2;
  SmallVector<int64_t> low, high;
  for (int64_t row = 0; row < (b ? 2 * rows : rows); ++row)
    for (int64_t lane = 0; lane < half; ++lane) {
      low.push_back(row * 2 * half + lane);
      high.push_back(row * 2 * half + half + lane);
    }
  Value other = b ? b : a;
  Value first = vector::ShuffleOp::create(builder, a, other, low);
  Value second = vector::ShuffleOp::create(builder, a, other, high);
  return combine(first, second);
}

/// Rows are reduced together: two vectors become one with the halves of both
/// combined, until one vector holds all rows and then one number of each.
void BlockEmitter::reduceAndStore(const Block &block) {
  SmallVector<Value> vectors = block[0];
  int64_t allRows = llvm::PowerOf2Ceil(blockRows);
  OpOperand &output = op.getDpsInitsMutable()[0];
  Type element = getElementTypeOrSelf(output.get().getType());
  vectors.resize(allRows, vectors.front());
  int64_t rows = 1, lanes = blockLanes;
  for (; vectors.size() > 1 && lanes > 1; rows *= 2, lanes /= 2) {
    SmallVector<Value> combined;
    for (size_t index = 0; index < vectors.size(); index += 2)
      combined.push_back(
          combineHalves(vectors[index], vectors[index + 1], rows));
    vectors = std::move(combined);
  }
  for (; lanes > 1; lanes /= 2)
    for (Value &vector : vectors)
      vector = combineHalves(vector, Value(), rows);

  AffineMap map = op.getMatchingIndexingMap(&output);
  for (int64_t row = 0; row < blockRows; row += rows) {
    int64_t count = std::min(rows, blockRows - row);
    Value values = vectors[row / rows];
    if (count < rows)
      values = vector::ExtractStridedSliceOp::create(
          builder, values, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{count},
          ArrayRef<int64_t>{1});
    SmallVector<Value> indices = indicesOf(map, row, 0);
    auto type = VectorType::get({count}, element);
    Value old = vector::LoadOp::create(builder, type, output.get(), indices);
    vector::StoreOp::create(builder, combine(old, values), output.get(),
                            indices);
  }
}

void mta::emitBlocks(ImplicitLocOpBuilder &builder, linalg::GenericOp op,
                     const BlockPlan &plan, Value initial) {
  BlockEmitter(builder, op, plan, initial).emit();
}

//===- AttentionOp.cpp - Verifiers and shapes of attention ------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelSchedule.h"
#include "Shapes.h"
#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// The score program
//===----------------------------------------------------------------------===//

SmallVector<ScoreOpInterface> AttentionOp::getScoreOps() {
  SmallVector<ScoreOpInterface> ops;
  for (Operation &op : getProgram().front().without_terminator())
    ops.push_back(cast<ScoreOpInterface>(op));
  return ops;
}

SoftmaxOp AttentionOp::getSoftmax() {
  return *getProgram().front().getOps<SoftmaxOp>().begin();
}

Neighborhood AttentionOp::getNeighborhood() {
  Neighborhood result;
  for (ScoreOpInterface op : getScoreOps())
    result = compose(result, op.getNeighborhood());
  return result;
}

void AttentionOp::getAsmBlockArgumentNames(Region &region,
                                           OpAsmSetValueNameFn setNameFn) {
  if (!region.empty() && region.getNumArguments() == 1)
    setNameFn(region.getArgument(0), "scores");
}

void AttentionOp::getAsmResultNames(OpAsmSetValueNameFn setNameFn) {
  setNameFn(getOutput(), "output");
  if (getLogSumExp())
    setNameFn(getLogSumExp(), "log_sum_exp");
}

//===----------------------------------------------------------------------===//
// Verification. The labels C1... are those of the op's description.
//===----------------------------------------------------------------------===//

/// C1 to C4.
static LogicalResult verifyInputs(AttentionOp op) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto key = cast<RankedTensorType>(op.getKey().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  if (query.getElementType() != key.getElementType() ||
      query.getElementType() != value.getElementType())
    return op.emitOpError("expects query, key and value of one element type, "
                          "but got ")
           << query.getElementType() << ", " << key.getElementType() << " and "
           << value.getElementType();
  if (failed(expectSameSize(op, "batch of query and key", query.getDimSize(0),
                            key.getDimSize(0))) ||
      failed(expectSameSize(op, "batch of query and value", query.getDimSize(0),
                            value.getDimSize(0))) ||
      failed(expectSameSize(op, "batch of key and value", key.getDimSize(0),
                            value.getDimSize(0))) ||
      failed(expectSameSize(op, "heads of key and value", key.getDimSize(1),
                            value.getDimSize(1))) ||
      failed(expectSameSize(op, "number of keys of key and value",
                            key.getDimSize(2), value.getDimSize(2))) ||
      failed(expectSameSize(op, "head dimension of query and key",
                            query.getDimSize(3), key.getDimSize(3))))
    return failure();
  int64_t keyHeads = ShapedType::isDynamic(key.getDimSize(1))
                         ? value.getDimSize(1)
                         : key.getDimSize(1);
  // Without a head there is no group of query heads that share a key head.
  if (query.getDimSize(1) == 0 || keyHeads == 0)
    return op.emitOpError("expects at least one query head and one key head, "
                          "but got a query of type ")
           << query << " and a key of type " << key;
  return expectMultiple(op, "query heads", query.getDimSize(1), "key heads",
                        keyHeads);
}

/// C8 to C10.
static LogicalResult verifyOptions(AttentionOp op) {
  int64_t halo = op.getQueryHalo();
  int64_t queries =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(2);
  if (halo < 0)
    return op.emitOpError("expects a query halo of at least 0, but got ")
           << halo;
  if (ShapedType::isStatic(queries) && halo > queries)
    return op.emitOpError("expects a query halo of at most the ")
           << queries << " queries, but got " << halo;
  if (std::optional<APFloat> scale = op.getScale())
    if (!scale->isFinite())
      return op.emitOpError("expects a finite scale, but got ")
             << op.getScaleAttr();

  Value queryBoundaries = op.getQueryBoundaries();
  Value keyBoundaries = op.getKeyBoundaries();
  if (!queryBoundaries != !keyBoundaries)
    return op.emitOpError("expects boundaries of both queries and keys, but "
                          "got only those of the ")
           << (queryBoundaries ? "queries" : "keys");
  if (!queryBoundaries)
    return success();
  if (halo != 0)
    return op.emitOpError("expects no query halo beside sequence boundaries, "
                          "but got ")
           << halo;
  int64_t sizes[] = {
      cast<RankedTensorType>(queryBoundaries.getType()).getDimSize(0),
      cast<RankedTensorType>(keyBoundaries.getType()).getDimSize(0)};
  for (int64_t size : sizes)
    if (ShapedType::isStatic(size) && size < 2)
      return op.emitOpError("expects at least 2 sequence boundaries, but got ")
             << size;
  return expectSameSize(op, "number of query and key boundaries", sizes[0],
                        sizes[1]);
}

/// C11 and C12.
static LogicalResult verifyResults(AttentionOp op, RankedTensorType scores) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto value = cast<RankedTensorType>(op.getValue().getType());
  auto output = cast<RankedTensorType>(op.getOutput().getType());
  int64_t queries = query.getDimSize(2);
  if (ShapedType::isStatic(queries))
    queries -= op.getQueryHalo();
  int64_t expected[] = {query.getDimSize(0), query.getDimSize(1), queries,
                        value.getDimSize(3)};
  if (failed(expectShape(op, "output", expected, output)))
    return failure();
  if (output.getElementType() != query.getElementType() &&
      output.getElementType() != scores.getElementType())
    return op.emitOpError("expects an output of element type ")
           << query.getElementType() << " or " << scores.getElementType()
           << ", but got " << output.getElementType();
  if (!op.getLogSumExp())
    return success();
  auto logSumExp = cast<RankedTensorType>(op.getLogSumExp().getType());
  if (failed(expectShape(op, "log-sum-exp",
                         ArrayRef<int64_t>(expected).drop_back(), logSumExp)))
    return failure();
  if (logSumExp.getElementType().isF32() ||
      logSumExp.getElementType() == scores.getElementType())
    return success();
  // Two element types are possible; the one refused is f64.
  return op.emitOpError("expects a log-sum-exp of the scores' element type ")
         << scores.getElementType() << ", but got "
         << logSumExp.getElementType();
}

/// C5: the argument of the region.
static LogicalResult verifyScores(AttentionOp op, Block &block) {
  auto query = cast<RankedTensorType>(op.getQuery().getType());
  auto key = cast<RankedTensorType>(op.getKey().getType());
  if (block.getNumArguments() != 1)
    return op.emitOpError("expects a score program with one argument, but got ")
           << block.getNumArguments();
  Type type = block.getArgument(0).getType();
  auto scores = dyn_cast<RankedTensorType>(type);
  if (!scores || scores.getRank() != 4 || scores.getEncoding() ||
      !(scores.getElementType().isF32() || scores.getElementType().isF64()))
    return op.emitOpError("expects scores of a rank 4 tensor of f32 or f64 "
                          "without encoding, but got ")
           << type;
  if (scores.getElementTypeBitWidth() < query.getElementTypeBitWidth())
    return op.emitOpError("expects scores not narrower than ")
           << query.getElementType() << ", but got " << scores.getElementType();
  int64_t expected[] = {query.getDimSize(0), query.getDimSize(1),
                        query.getDimSize(2), key.getDimSize(2)};
  return expectShape(op, "scores", expected, scores);
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyInputs(*this)) || failed(verifyOptions(*this)))
    return failure();
  Block &block = getProgram().front();
  if (failed(verifyScores(*this, block)))
    return failure();
  return verifyResults(*this, getScoreType());
}

/// C6 for one operation: it reads `previous` as its scores and nothing else of
/// the score program.
static LogicalResult verifyScoreOp(Operation &op, Value previous) {
  auto scoreOp = dyn_cast<ScoreOpInterface>(op);
  if (!scoreOp)
    return op.emitOpError("expects to stand outside of the score program, "
                          "which holds only score operations");
  if (scoreOp.getScores() != previous)
    return op.emitOpError("expects to read the scores of the operation before "
                          "it");
  Value weights = scoreOp.getWeightsOrNull();
  if (weights && weights.getParentBlock() == op.getBlock())
    return op.emitOpError("expects weights from outside of the score program");
  return success();
}

/// C13. The score program is already verified.
static LogicalResult verifySchedule(AttentionOp op) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule)
    return success();
  int64_t mixed = op.getNeighborhood().heads;
  if (mixed != Neighborhood::kUnbounded && schedule.getHeads() % mixed != 0)
    return op.emitOpError("expects a schedule whose heads are a multiple of "
                          "the ")
           << mixed << " that the score program mixes, but got "
           << schedule.getHeads();
  int64_t heads = cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1);
  if (ShapedType::isStatic(heads) && heads % schedule.getHeads() != 0)
    return op.emitOpError("expects a schedule whose heads divide the ")
           << heads << " query heads, but got " << schedule.getHeads();
  if (schedule.getSweeps() == 1 && op.getScoreOps().back() != op.getSoftmax())
    return op.emitOpError("expects two sweeps in the schedule of a score "
                          "program that goes on after its softmax, but got 1");
  return success();
}

/// C6, C7, C13 and C14. The operations inside are already verified.
LogicalResult AttentionOp::verifyRegions() {
  Block &block = getProgram().front();
  auto yield =
      dyn_cast_if_present<YieldOp>(block.empty() ? nullptr : &block.back());
  if (!yield)
    return emitOpError("expects a score program that ends with mta.yield");

  Value previous = block.getArgument(0);
  SoftmaxOp softmax;
  for (Operation &op : block.without_terminator()) {
    if (failed(verifyScoreOp(op, previous)))
      return failure();
    if (auto current = dyn_cast<SoftmaxOp>(op)) {
      if (softmax) {
        InFlightDiagnostic diagnostic = current.emitOpError(
            "expects to be the only softmax of the score program");
        diagnostic.attachNote(softmax.getLoc()) << "the first softmax is here";
        return diagnostic;
      }
      softmax = current;
    }
    previous = op.getResult(0);
  }
  if (yield.getScores() != previous)
    return yield.emitOpError("expects to yield the scores of the operation "
                             "before it");
  if (!softmax)
    return emitOpError("expects a score program with one softmax, but got "
                       "none");
  if (failed(verifySchedule(*this)))
    return failure();
  return verifyKernelSchedule(*this);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult
AttentionOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &reified) {
  Location loc = getLoc();
  OpFoldResult queries = tensor::getMixedSize(builder, loc, getQuery(), 2);
  AffineExpr size = builder.getAffineDimExpr(0);
  queries = affine::makeComposedFoldedAffineApply(
      builder, loc, size - static_cast<int64_t>(getQueryHalo()), {queries});
  SmallVector<OpFoldResult> shape = {
      tensor::getMixedSize(builder, loc, getQuery(), 0),
      tensor::getMixedSize(builder, loc, getQuery(), 1), queries,
      tensor::getMixedSize(builder, loc, getValue(), 3)};
  if (getLogSumExp()) {
    SmallVector<OpFoldResult> rows(ArrayRef(shape).drop_back());
    reified.push_back(std::move(shape));
    reified.push_back(std::move(rows));
    return success();
  }
  reified.push_back(std::move(shape));
  return success();
}

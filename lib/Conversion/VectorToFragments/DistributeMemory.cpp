//===- DistributeMemory.cpp - Memory of a tile program on threads --- -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;
using namespace mta;

static bool isWorkgroup(Value buffer) {
  auto space = dyn_cast_or_null<gpu::AddressSpaceAttr>(
      cast<MemRefType>(buffer.getType()).getMemorySpace());
  return space && space.getValue() == gpu::AddressSpace::Workgroup;
}

Pieces Distributor::place(ValueRange indices, const FragmentShape &shape,
                          Value row, Value column) {
  Pieces result(indices);
  size_t dim = result.size() - shape.layout.getDims().size();
  for (DimRole role : shape.layout.getDims()) {
    Value offset = role == DimRole::Head  ? head
                   : role == DimRole::Row ? row
                                          : column;
    result[dim] = add(result[dim], offset);
    ++dim;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

Pieces Distributor::loadMatrices(Value buffer, ValueRange indices,
                                 int64_t count, bool transposed) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  Value matrices = nvgpu::LdMatrixOp::create(
      b, VectorType::get({count, 2}, element), buffer, indices, transposed,
      static_cast<uint32_t>(count));
  Pieces result;
  for (int64_t index = 0; index < count; ++index)
    result.push_back(vector::ExtractOp::create(b, matrices, index));
  return result;
}

/// Matrices of rows 0-7 and 8-15 of 8 columns, then of the next 8: lanes 0-15
/// point to the rows of the first two matrices, lanes 16-31 to the others.
void Distributor::readAccumulator(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  result.resize(shape.size());
  Value sixteen = constant(16);
  Value row = add(row0, arith::RemUIOp::create(b, lane, sixteen));
  Value side = mul(arith::DivUIOp::create(b, lane, sixteen), 8);
  for (int64_t strip = 0; strip < shape.rowPieces; strip += 2)
    for (int64_t column = 0; column < shape.columnPieces; column += 2) {
      int64_t count = std::min<int64_t>(2, shape.columnPieces - column);
      // A single matrix pair takes the addresses of lanes 0-15.
      Value first = count == 2 ? add(side, 8 * column) : constant(8 * column);
      Pieces loaded = loadMatrices(
          op.getBase(),
          place(op.getIndices(), shape, add(row, 8 * strip), first), 2 * count,
          /*transposed=*/false);
      for (int64_t index = 0; index < 2 * count; ++index)
        result[shape.at(strip + index % 2, column + index / 2)] = loaded[index];
    }
}

/// Blocks of 2 x 2 matrices, (k, n), (k + 8, n), (k, n + 8), (k + 8, n + 8),
/// of 2 or 1 where a dimension has an odd number of pieces. With the reduction
/// along the rows of memory the matrices are transposed on the way.
void Distributor::readRhs(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  bool transposed = shape.layout.getDims().back() == DimRole::Column;
  result.resize(shape.size());
  Value low = arith::RemUIOp::create(b, lane, constant(8));
  Value matrix = arith::DivUIOp::create(b, lane, constant(8));
  Value odd = mul(arith::RemUIOp::create(b, matrix, constant(2)), 8);
  Value high = mul(arith::DivUIOp::create(b, matrix, constant(2)), 8);
  for (int64_t k = 0; k < shape.rowPieces; k += 2)
    for (int64_t n = 0; n < shape.columnPieces; n += 2) {
      int64_t rows = std::min<int64_t>(2, shape.rowPieces - k);
      int64_t columns = std::min<int64_t>(2, shape.columnPieces - n);
      Value row = constant(8 * k), column = constant(8 * n);
      if (rows == 2)
        row = add(row, odd);
      if (columns == 2)
        column = add(column, rows == 2 ? high : odd);
      Value &fast = transposed ? row : column;
      fast = add(fast, low);
      Pieces loaded =
          loadMatrices(op.getBase(), place(op.getIndices(), shape, row, column),
                       rows * columns, transposed);
      for (int64_t index = 0; index < rows * columns; ++index)
        result[shape.at(k + index % rows, n + index / rows)] = loaded[index];
    }
}

LogicalResult Distributor::distributeRead(vector::TransferReadOp op) {
  auto type = op.getVectorType();
  FragmentShape shape = shapeOf(op.getResult());
  if (!isWorkgroup(op.getBase()) || type.getElementTypeBitWidth() != 16 ||
      !op.getPermutationMap().isMinorIdentity() || op.hasOutOfBoundsDim() ||
      op.getMask() || !shape.hasRows || !shape.hasColumns)
    return op.emitOpError("expects a read of a tile of 16-bit elements inside "
                          "of workgroup memory to be distributed to threads");
  Pieces result;
  if (shape.layout.isRhs())
    readRhs(op, result);
  else
    readAccumulator(op, result);
  pieces[op.getResult()] = std::move(result);
  return success();
}

/// Elements of global memory one by one: weights, once in a kernel.
LogicalResult Distributor::distributeGather(vector::GatherOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  auto element = [&](Value index, Value mask, Value other) -> Value {
    Value safe = arith::SelectOp::create(b, mask, index, constant(0));
    SmallVector<Value> indices(op.getOffsets());
    indices.back() = add(indices.back(), safe);
    Value loaded = memref::LoadOp::create(b, op.getBase(), indices);
    return arith::SelectOp::create(b, mask, loaded, other);
  };
  Pieces values;
  for (int64_t index = 0; index < shape.size(); ++index) {
    Value places = pieces[op.getIndices()][index];
    Value masks = pieces[op.getMask()][index];
    Value others = pieces[op.getPassThru()][index];
    if (!shape.hasPairs()) {
      values.push_back(element(places, masks, others));
      continue;
    }
    Value pair[2];
    for (int64_t part = 0; part < 2; ++part)
      pair[part] = element(pairAt(places, part), pairAt(masks, part),
                           pairAt(others, part));
    values.push_back(makePair(pair[0], pair[1]));
  }
  pieces[op.getResult()] = std::move(values);
  return success();
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

LogicalResult Distributor::writeWorkgroup(vector::TransferWriteOp op) {
  FragmentShape shape = shapeOf(op.getValueToStore());
  if (op.getMask() || !shape.hasRows || !shape.hasColumns)
    return op.emitOpError("expects a write of a whole tile to workgroup memory "
                          "to be distributed to threads");
  unsigned bytes = 2 * shape.element.getIntOrFloatBitWidth() / 8;
  for (int64_t row = 0; row < shape.rowPieces; ++row)
    for (int64_t column = 0; column < shape.columnPieces; ++column)
      vector::StoreOp::create(
          b, pieces[op.getValueToStore()][shape.at(row, column)], op.getBase(),
          place(op.getIndices(), shape, rowOf(row), columnOf(column)),
          /*nontemporal=*/false, llvm::MaybeAlign(bytes));
  return success();
}

/// Rows whose mask is set. All columns of a row share its mask; statistics of
/// rows are written by one of the lanes that hold them.
LogicalResult Distributor::writeGlobal(vector::TransferWriteOp op) {
  FragmentShape shape = shapeOf(op.getValueToStore());
  Value mask = op.getMask();
  auto broadcast = mask ? mask.getDefiningOp<vector::BroadcastOp>() : nullptr;
  while (shape.hasColumns && broadcast) {
    auto source = dyn_cast<VectorType>(broadcast.getSourceType());
    if (!source || source.getShape().back() == 1)
      break;
    broadcast = broadcast.getSource().getDefiningOp<vector::BroadcastOp>();
  }
  if (!mask || !shape.hasRows || (shape.hasColumns && !broadcast))
    return op.emitOpError("expects a mask of rows to be distributed to "
                          "threads");
  const Pieces &from = pieces[op.getValueToStore()];
  unsigned bytes = 2 * shape.element.getIntOrFloatBitWidth() / 8;
  Value isFirst =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, position, constant(0));
  for (int64_t row = 0; row < shape.rowPieces; ++row) {
    Value condition = pieces[mask][shape.at(row, 0)];
    condition = shape.hasColumns
                    ? pairAt(condition, 0)
                    : arith::AndIOp::create(b, condition, isFirst).getResult();
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    for (int64_t column = 0; column < shape.columnPieces; ++column) {
      Value value = from[shape.at(row, column)];
      Pieces indices =
          place(op.getIndices(), shape, rowOf(row), columnOf(column));
      if (shape.hasColumns)
        vector::StoreOp::create(b, value, op.getBase(), indices, false,
                                llvm::MaybeAlign(bytes));
      else
        memref::StoreOp::create(b, value, op.getBase(), indices);
    }
  }
  return success();
}

LogicalResult Distributor::distributeWrite(vector::TransferWriteOp op) {
  if (!op.getPermutationMap().isMinorIdentity() || op.hasOutOfBoundsDim())
    return op.emitOpError("expects a write in bounds to be distributed to "
                          "threads");
  return isWorkgroup(op.getBase()) ? writeWorkgroup(op) : writeGlobal(op);
}

//===----------------------------------------------------------------------===//
// Copies and fills by all threads
//===----------------------------------------------------------------------===//

/// Pieces of 16 bytes, neighbouring ones by neighbouring threads.
LogicalResult Distributor::distributeCopy(CopyTileOp op) {
  if (isWorkgroup(op.getSource()) || !isWorkgroup(op.getDest()))
    return op.emitOpError("expects a copy of global to workgroup memory to be "
                          "distributed to threads, but got ")
           << op.getSource().getType() << " to " << op.getDest().getType();
  int64_t rows = op.getShape()[0], columns = op.getShape()[1] / 8;
  int64_t total = rows * columns, threads = 32 * warps;
  auto copy = [&](Value piece) {
    Value row = arith::DivUIOp::create(b, piece, constant(columns));
    Value panel = arith::RemUIOp::create(b, piece, constant(columns));
    Value column = mul(panel, 8);
    SmallVector<Value> from(op.getSourceIndices()), to(op.getDestIndices());
    size_t last = from.size() - 1;
    Value sourceRow = add(from[last - 1], row);
    Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                         sourceRow, op.getLimit());
    from[last - 1] = arith::SelectOp::create(b, exists, sourceRow, constant(0));
    from[last] = add(from[last], column);
    to[to.size() - 2] = add(to[to.size() - 2], row);
    Value &across = op.getPanels() ? to[to.size() - 3] : to.back();
    across = add(across, op.getPanels() ? panel : column);
    Value elements =
        arith::SelectOp::create(b, exists, constant(8), constant(0));
    nvgpu::DeviceAsyncCopyOp::create(
        b, nvgpu::DeviceAsyncTokenType::get(b.getContext()), op.getDest(), to,
        op.getSource(), from, b.getIndexAttr(8), elements,
        /*bypassL1=*/b.getUnitAttr());
  };
  for (int64_t first = 0; first < total; first += threads) {
    Value piece = add(thread, first);
    OpBuilder::InsertionGuard guard(b);
    if (first + threads > total) {
      Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                             piece, constant(total));
      auto branch = scf::IfOp::create(b, isInside, /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    copy(piece);
  }
  return success();
}

LogicalResult Distributor::distributeFill(linalg::FillOp op) {
  Value buffer = op.getOutputs()[0];
  auto type = cast<MemRefType>(buffer.getType());
  Type element = type.getElementType();
  if (!isWorkgroup(buffer) || !type.hasStaticShape() ||
      !type.getLayout().isIdentity() || type.getNumElements() % 8 != 0)
    return op.emitOpError("expects a whole buffer of workgroup memory, of a "
                          "multiple of 8 elements, to be distributed to "
                          "threads");
  ReassociationIndices all =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  Value flat = memref::CollapseShapeOp::create(
      b, buffer, ArrayRef<ReassociationIndices>{all});
  Value value = vector::BroadcastOp::create(b, VectorType::get({8}, element),
                                            op.getInputs()[0]);
  auto loop =
      scf::ForOp::create(b, mul(thread, 8), constant(type.getNumElements()),
                         constant(8 * 32 * warps));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  vector::StoreOp::create(b, value, flat, loop.getInductionVar(), false,
                          llvm::MaybeAlign(element.getIntOrFloatBitWidth()));
  return success();
}

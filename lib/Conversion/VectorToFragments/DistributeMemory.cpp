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

bool mta::isWorkgroup(Value buffer) {
  return gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(
      cast<MemRefType>(buffer.getType()));
}

Pieces Distributor::place(ValueRange indices, const FragmentShape &shape,
                          int64_t headPiece, Value row, Value column) {
  Pieces result(indices);
  size_t dim = result.size() - shape.layout.getDims().size();
  for (DimRole role : shape.layout.getDims()) {
    Value offset = role == DimRole::Head  ? headOf(shape, headPiece)
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
/// Where there are only rows 0-7, lanes 8-15 point to those of the next
/// columns.
void Distributor::readAccumulator(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  result.resize(shape.size());
  auto readBlock = [&](int64_t strip, int64_t column) {
    int64_t rows = std::min<int64_t>(2, shape.rowPieces - strip);
    int64_t columns = std::min<int64_t>(2, shape.columnPieces - column);
    Value height = constant(8 * rows);
    Value row = add(firstRowOf(shape), arith::RemUIOp::create(b, lane, height));
    Value first = constant(8 * column);
    // A single column of matrices takes the addresses of the first lanes.
    if (columns == 2) {
      Value matrix = arith::DivUIOp::create(b, lane, height);
      Value side = arith::RemUIOp::create(b, matrix, constant(2));
      first = add(mul(side, 8), 8 * column);
    }
    Pieces loaded = loadMatrices(
        op.getBase(),
        place(op.getIndices(), shape, 0, add(row, 8 * strip), first),
        rows * columns,
        /*transposed=*/false);
    for (int64_t index = 0; index < rows * columns; ++index)
      result[shape.at(0, strip + index % rows, column + index / rows)] =
          loaded[index];
  };
  for (int64_t strip = 0; strip < shape.rowPieces; strip += 2)
    for (int64_t column = 0; column < shape.columnPieces; column += 2)
      readBlock(strip, column);
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
  auto readBlock = [&](int64_t head, int64_t k, int64_t n) {
    int64_t rows = std::min<int64_t>(2, shape.rowPieces - k);
    int64_t columns = std::min<int64_t>(2, shape.columnPieces - n);
    Value row = constant(8 * k), column = constant(8 * n);
    if (rows == 2)
      row = add(row, odd);
    if (columns == 2)
      column = add(column, rows == 2 ? high : odd);
    Value &fast = transposed ? row : column;
    fast = add(fast, low);
    Pieces loaded = loadMatrices(
        op.getBase(), place(op.getIndices(), shape, head, row, column),
        rows * columns, transposed);
    for (int64_t index = 0; index < rows * columns; ++index)
      result[shape.at(head, k + index % rows, n + index / rows)] =
          loaded[index];
  };
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t k = 0; k < shape.rowPieces; k += 2)
      for (int64_t n = 0; n < shape.columnPieces; n += 2)
        readBlock(head, k, n);
}

/// A number for every row, be it of fragments or dealt out to the warps.
static bool isOfRows(const FragmentShape &shape) {
  return !shape.layout.isRhs() && (shape.hasRows || shape.hasHeads) &&
         !shape.hasColumns && shape.element.getIntOrFloatBitWidth() == 32;
}

/// With a mask, rows without it read what is there first.
void Distributor::readRows(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  auto readRow = [&](int64_t head, int64_t row) -> Value {
    Pieces from =
        place(op.getIndices(), shape, head, rowOf(shape, row), Value());
    if (!op.getMask())
      return memref::LoadOp::create(b, op.getBase(), from);
    Value exists = pieces[op.getMask()][shape.at(head, row, 0)];
    from.back() = arith::SelectOp::create(b, exists, from.back(), constant(0));
    Value number = memref::LoadOp::create(b, op.getBase(), from);
    return arith::SelectOp::create(b, exists, number, op.getPadding());
  };
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      result.push_back(readRow(head, row));
}

/// A number for every column, the same for all rows.
static bool isOfColumns(const FragmentShape &shape) {
  return !shape.layout.isRhs() && !shape.hasRows && shape.hasColumns &&
         !shape.hasHeads;
}

/// Neighbours: pairs, or what a lane has of every run, at places that are
/// aligned as they are.
void Distributor::readColumns(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  int64_t bits = shape.element.getIntOrFloatBitWidth();
  for (auto [first, count] : shape.columnRuns()) {
    // At most 16 bytes at once.
    int64_t part = std::min<int64_t>(2 * count, 128 / bits);
    auto type = VectorType::get({part}, shape.element);
    SmallVector<Value> elements;
    for (int64_t start = 0; start < 2 * count; start += part) {
      Value column = add(mul(position, 2 * count), 8 * first + start);
      Value loaded = vector::LoadOp::create(
          b, type, op.getBase(),
          place(op.getIndices(), shape, 0, Value(), column),
          /*nontemporal=*/false, llvm::MaybeAlign(part * bits / 8));
      for (int64_t index = 0; index < part; ++index)
        elements.push_back(pairAt(loaded, index));
    }
    for (int64_t piece = 0; piece < count; ++piece)
      result.push_back(makePair(elements[piece], elements[count + piece]));
  }
}

/// Tiles of 32-bit elements: the pairs of a lane as they are in memory, where
/// they are neighbours, as two elements where they are in two rows.
void Distributor::readWords(vector::TransferReadOp op, Pieces &result) {
  FragmentShape shape = shapeOf(op.getResult());
  bool isRhs = shape.layout.isRhs();
  DimRole pairs = isRhs ? DimRole::Row : DimRole::Column;
  bool areNeighbours = shape.layout.getDims().back() == pairs;
  auto pair = VectorType::get({2}, shape.element);
  auto at = [&](int64_t row, int64_t column, int64_t part) {
    Value first = isRhs ? add(columnOf(row), part) : rowOf(shape, row);
    Value second = isRhs ? add(group, 8 * column) : add(columnOf(column), part);
    return place(op.getIndices(), shape, 0, first, second);
  };
  auto element = [&](int64_t row, int64_t column, int64_t part) -> Value {
    return memref::LoadOp::create(b, op.getBase(), at(row, column, part));
  };
  for (int64_t row = 0; row < shape.rowPieces; ++row)
    for (int64_t column = 0; column < shape.columnPieces; ++column)
      if (areNeighbours)
        result.push_back(
            vector::LoadOp::create(b, pair, op.getBase(), at(row, column, 0),
                                   /*nontemporal=*/false, llvm::MaybeAlign(8)));
      else
        result.push_back(
            makePair(element(row, column, 0), element(row, column, 1)));
}

LogicalResult Distributor::distributeRead(vector::TransferReadOp op) {
  FragmentShape shape = shapeOf(op.getResult());
  bool inWorkgroup = isWorkgroup(op.getBase());
  int64_t bits = shape.element.getIntOrFloatBitWidth();
  bool isF32 = shape.element.isF32();
  // Of what is spread over the warps, only an operand B is read in pieces.
  bool isWhole = shape.headPieces == 1 || (shape.layout.isRhs() && bits == 16);
  bool isTile = inWorkgroup && shape.hasRows && shape.hasColumns &&
                shape.layout.getRuns() == Runs::None && isWhole &&
                (isF32 || bits == 16);
  bool ofRows = isOfRows(shape);
  bool ofColumns = !inWorkgroup && isOfColumns(shape);
  if (!op.getPermutationMap().isMinorIdentity() || op.hasOutOfBoundsDim() ||
      (op.getMask() && (inWorkgroup || !ofRows)) ||
      (!isTile && !ofRows && !ofColumns))
    return op.emitOpError(
        "expects a read of a tile of 16-bit elements or f32 inside of "
        "workgroup memory, of 32 bits for every row, or of columns of global "
        "memory, to be distributed to threads");
  Pieces result;
  if (ofRows)
    readRows(op, result);
  else if (ofColumns)
    readColumns(op, result);
  else if (isF32)
    readWords(op, result);
  else if (shape.layout.isRhs())
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

/// Whether all columns of a row share its mask.
bool mta::isMaskOfRows(Value mask, const FragmentShape &shape) {
  auto broadcast = mask.getDefiningOp<vector::BroadcastOp>();
  while (shape.hasColumns && broadcast) {
    auto source = dyn_cast<VectorType>(broadcast.getSourceType());
    if (!source || source.getShape().back() == 1)
      break;
    broadcast = broadcast.getSource().getDefiningOp<vector::BroadcastOp>();
  }
  return !shape.hasColumns || broadcast;
}

/// One of the lanes that hold a row's number writes it.
void Distributor::writeRows(vector::TransferWriteOp op) {
  FragmentShape shape = shapeOf(op.getValueToStore());
  // What all heads have alike is written by the first one.
  Value holder = shape.hasHeads ? position : add(mul(head, 4), position);
  Value isFirst =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, holder, constant(0));
  auto branch = scf::IfOp::create(b, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      memref::StoreOp::create(
          b, pieces[op.getValueToStore()][shape.at(head, row, 0)], op.getBase(),
          place(op.getIndices(), shape, head, rowOf(shape, row), Value()));
}

/// The elements of one vector after those of another.
static Value join(ImplicitLocOpBuilder &b, Value first, Value second) {
  auto sizeOf = [](Value vector) {
    return cast<VectorType>(vector.getType()).getNumElements();
  };
  return vector::ShuffleOp::create(
      b, first, second,
      llvm::to_vector(llvm::seq(sizeOf(first) + sizeOf(second))));
}

/// Every lane writes pairs of columns, or runs of them as they were loaded.
LogicalResult Distributor::writeWorkgroup(vector::TransferWriteOp op) {
  FragmentShape shape = shapeOf(op.getValueToStore());
  bool isPlain =
      !shape.layout.isRhs() && shape.layout.getRuns() != Runs::Column;
  if (isPlain && !op.getMask() && isOfRows(shape)) {
    writeRows(op);
    return success();
  }
  if (!isPlain || !shape.hasRows || !shape.hasColumns ||
      (op.getMask() && !isMaskOfRows(op.getMask(), shape)))
    return op.emitOpError("expects a write of whole rows to workgroup memory "
                          "to be distributed to threads");
  if (isInLoop(op))
    locateAgain();
  const Pieces &from = pieces[op.getValueToStore()];
  unsigned bytes = shape.element.getIntOrFloatBitWidth() / 8;
  auto writeRow = [&](int64_t head, int64_t row) {
    OpBuilder::InsertionGuard guard(b);
    if (op.getMask()) {
      Value condition = pairAt(pieces[op.getMask()][shape.at(head, row, 0)], 0);
      auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
      b.setInsertionPointToStart(branch.thenBlock());
    }
    for (auto [first, count] : shape.reductionRuns()) {
      Value run = from[shape.at(head, row, first)];
      for (int64_t next = 1; next < count; ++next)
        run = join(b, run, from[shape.at(head, row, first + next)]);
      Value column = add(mul(position, 2 * count), 8 * first);
      vector::StoreOp::create(
          b, run, op.getBase(),
          place(op.getIndices(), shape, head, rowOf(shape, row), column),
          /*nontemporal=*/false, llvm::MaybeAlign(2 * count * bytes));
    }
  };
  for (int64_t head = 0; head < shape.headPieces; ++head)
    for (int64_t row = 0; row < shape.rowPieces; ++row)
      writeRow(head, row);
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
/// The row and the place in it of a part's piece. Rows, and panels, are an odd
/// number of pieces apart, so that q pieces of 8 / q rows at a distance of q
/// lie in different banks.
std::pair<Value, Value> Distributor::locatePiece(Value piece,
                                                 const CopyPart &part) {
  auto divide = [&](Value value, int64_t by) -> Value {
    return arith::DivUIOp::create(b, value, constant(by));
  };
  auto rest = [&](Value value, int64_t by) -> Value {
    return arith::RemUIOp::create(b, value, constant(by));
  };
  int64_t pieces = part.pieces;
  Value place = add(rest(piece, pieces), part.first);
  if (!part.isBesideOthers)
    return {divide(piece, pieces), place};
  Value block = mul(divide(piece, 8 * pieces), 8);
  Value inBlock = rest(piece, 8 * pieces);
  Value row = mul(rest(divide(inBlock, pieces), 8 / pieces), pieces);
  return {add(block, add(row, divide(inBlock, 8))), place};
}

LogicalResult Distributor::distributeCopy(CopyTileOp op) {
  if (isWorkgroup(op.getSource()) || !isWorkgroup(op.getDest()))
    return op.emitOpError("expects a copy of global to workgroup memory to be "
                          "distributed to threads, but got ")
           << op.getSource().getType() << " to " << op.getDest().getType();
  int64_t size =
      128 / cast<MemRefType>(op.getDest().getType()).getElementTypeBitWidth();
  int64_t rows = op.getShape()[0], threads = 32 * warps;
  // Nothing waits for the addresses of copies, which are many.
  auto before = std::tuple(thread, warp, lane, group, position, head, row0);
  if (isInLoop(op) && (hasFewRegisters() || size == 4))
    locateAnew();
  auto copy = [&](Value piece, const CopyPart &part) {
    auto [row, panel] = locatePiece(piece, part);
    Value column = mul(panel, size);
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
        arith::SelectOp::create(b, exists, constant(size), constant(0));
    nvgpu::DeviceAsyncCopyOp::create(
        b, nvgpu::DeviceAsyncTokenType::get(b.getContext()), op.getDest(), to,
        op.getSource(), from, b.getIndexAttr(size), elements,
        /*bypassL1=*/b.getUnitAttr());
  };
  for (const CopyPart &part :
       splitCopy(rows, op.getShape()[1] / size, /*elementBytes=*/16 / size))
    for (int64_t first = 0, total = rows * part.pieces; first < total;
         first += threads) {
      Value piece = add(thread, first);
      OpBuilder::InsertionGuard guard(b);
      if (first + threads > total) {
        Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                               piece, constant(total));
        auto branch = scf::IfOp::create(b, isInside, /*withElseRegion=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
      }
      copy(piece, part);
    }
  std::tie(thread, warp, lane, group, position, head, row0) = before;
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
  Value flat = buffer;
  if (type.getRank() > 1)
    flat = memref::CollapseShapeOp::create(b, buffer,
                                           ArrayRef<ReassociationIndices>{all});
  // As many as are in 16 bytes.
  int64_t bits = element.getIntOrFloatBitWidth();
  int64_t size = std::min<int64_t>(8, 128 / bits);
  Value value = vector::BroadcastOp::create(b, VectorType::get({size}, element),
                                            op.getInputs()[0]);
  auto loop =
      scf::ForOp::create(b, mul(thread, size), constant(type.getNumElements()),
                         constant(size * 32 * warps));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  vector::StoreOp::create(b, value, flat, loop.getInductionVar(), false,
                          llvm::MaybeAlign(size * bits / 8));
  return success();
}

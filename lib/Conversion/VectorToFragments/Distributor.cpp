//===- Distributor.cpp - What one thread does of a tile program ----- -*- C++
//-*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mta;

//===----------------------------------------------------------------------===//
// Small pieces
//===----------------------------------------------------------------------===//

Value Distributor::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}
Value Distributor::add(Value a, Value c) {
  return arith::AddIOp::create(b, a, c);
}
Value Distributor::add(Value a, int64_t c) {
  return c == 0 ? a : add(a, constant(c));
}
Value Distributor::mul(Value a, int64_t c) {
  return arith::MulIOp::create(b, a, constant(c));
}
Value Distributor::pairAt(Value pair, int64_t place) {
  return vector::ExtractOp::create(b, pair, place);
}
Value Distributor::makePair(Value first, Value second) {
  auto type = VectorType::get({2}, first.getType());
  return vector::FromElementsOp::create(b, type, ValueRange{first, second});
}
Value Distributor::broadcastTo(Value piece, Type type) {
  if (piece.getType() == type)
    return piece;
  return vector::BroadcastOp::create(b, type, piece);
}

SmallVector<std::pair<int64_t, int64_t>> mta::splitRuns(int64_t count,
                                                        int64_t longest) {
  SmallVector<std::pair<int64_t, int64_t>> runs;
  for (int64_t first = 0; first < count;) {
    while (longest > count - first)
      longest /= 2;
    runs.push_back({first, longest});
    first += longest;
  }
  return runs;
}

Value Distributor::headOf(const FragmentShape &shape, int64_t headPiece) {
  return shape.hasOwnHeads ? head : add(warp, warps * headPiece);
}

Value Distributor::firstRowOf(const FragmentShape &shape) {
  return shape.hasOwnRows ? row0 : constant(0);
}

Value Distributor::rowOf(const FragmentShape &shape, int64_t rowPiece) {
  return add(add(firstRowOf(shape), group), 8 * rowPiece);
}

Value Distributor::columnOf(int64_t columnPiece) {
  return add(mul(position, 2), 8 * columnPiece);
}

LayoutAttr mta::layoutOf(Value value) {
  Operation *op = value.getDefiningOp();
  unsigned number = 0;
  if (auto result = dyn_cast<OpResult>(value)) {
    number = result.getResultNumber();
  } else {
    auto loop = dyn_cast<scf::ForOp>(value.getParentBlock()->getParentOp());
    if (!loop)
      return nullptr;
    op = loop;
    number = cast<BlockArgument>(value).getArgNumber() - 1;
  }
  auto layouts = op->getAttrOfType<ArrayAttr>("mta.layouts");
  return layouts && number < layouts.size()
             ? dyn_cast<LayoutAttr>(layouts[number])
             : nullptr;
}

FragmentShape Distributor::shapeOf(Value value) {
  auto type = cast<VectorType>(value.getType());
  FragmentShape shape;
  shape.layout = layoutOf(value);
  shape.element = type.getElementType();
  for (auto [size, role] :
       llvm::zip_equal(type.getShape(), shape.layout.getDims())) {
    if (size == 1)
      continue;
    switch (role) {
    case DimRole::Head:
      shape.hasHeads = true;
      shape.hasOwnHeads = size == heads;
      shape.headPieces = shape.hasOwnHeads ? 1 : size / warps;
      break;
    case DimRole::Row:
      shape.hasRows = true;
      shape.hasOwnRows = !shape.layout.isRhs() && size == rows;
      shape.rowPieces = shape.hasOwnRows ? 2 * strips : size / 8;
      break;
    case DimRole::Column:
      shape.hasColumns = true;
      shape.columnPieces = size / 8;
      break;
    }
  }
  return shape;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Pieces Distributor::expand(ValueRange values) {
  Pieces result;
  for (Value value : values)
    if (isa<VectorType>(value.getType()))
      llvm::append_range(result, pieces[value]);
    else
      result.push_back(value);
  return result;
}

SmallVector<Type> Distributor::expandTypes(ValueRange values) {
  SmallVector<Type> types;
  for (Value value : values) {
    if (!isa<VectorType>(value.getType())) {
      types.push_back(value.getType());
      continue;
    }
    FragmentShape shape = shapeOf(value);
    types.append(shape.size(), shape.pieceType());
  }
  return types;
}

void Distributor::bind(ValueRange old, ValueRange values) {
  for (Value value : old) {
    if (!isa<VectorType>(value.getType())) {
      value.replaceAllUsesWith(values.front());
      values = values.drop_front();
      continue;
    }
    int64_t count = shapeOf(value).size();
    pieces[value] = Pieces(values.take_front(count));
    values = values.drop_front(count);
  }
}

Value Distributor::hide(Value number) {
  return LLVM::InlineAsmOp::create(
             b, b.getI32Type(), ValueRange(number), "mov.b32 $0, $1;", "=r,r",
             /*has_side_effects=*/true, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
      .getResult(0);
}

/// What tiles are compared with: passes would compare with what it is the
/// smaller or the larger one of, and keep all of that.
void Distributor::hideNumbersOf(scf::ForOp loop) {
  llvm::SetVector<Value> numbers;
  loop.getBody()->walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (operand.getType().isInteger(32) &&
          operand.getParentBlock() == loop->getBlock() &&
          !matchPattern(operand, m_Constant()))
        numbers.insert(operand);
  });
  for (Value number : numbers)
    number.replaceUsesWithIf(hide(number), [&](OpOperand &use) {
      return loop->isProperAncestor(use.getOwner());
    });
}

/// Where registers are short, a loop over tiles counts them in one register:
/// there are fewer than 2^27 tiles of at least 16 keys. Passes would count
/// several multiples of the number along with it, unless they do not know it.
scf::ForOp Distributor::createLoop(scf::ForOp op, bool isOverTiles) {
  auto narrow = [&](Value bound) -> Value {
    return isOverTiles ? arith::IndexCastOp::create(b, b.getI32Type(), bound)
                       : bound;
  };
  auto loop = scf::ForOp::create(
      b, narrow(op.getLowerBound()), narrow(op.getUpperBound()),
      narrow(op.getStep()), expand(op.getInitArgs()));
  Block *body = loop.getBody();
  if (op.getNumResults() == 0)
    body->getTerminator()->erase();
  b.setInsertionPointToStart(body);
  Value index = loop.getInductionVar();
  if (isOverTiles) {
    tile = hide(index), part = 0;
    index = arith::IndexCastUIOp::create(b, b.getIndexType(), tile);
  }
  op.getInductionVar().replaceAllUsesWith(index);
  return loop;
}

LogicalResult Distributor::distributeFor(scf::ForOp op) {
  bool isOuter = op->getParentOp() == launch;
  bool isOverTiles = isOuter && isShortOfRegisters();
  if (isOverTiles)
    hideNumbersOf(op);
  scf::ForOp loop = createLoop(op, isOverTiles);
  Block *body = loop.getBody();
  bind(op.getRegionIterArgs(), loop.getRegionIterArgs());
  if (isOuter)
    locateAgain();
  body->getOperations().splice(body->end(), op.getBody()->getOperations());
  bind(op.getResults(), loop.getResults());
  if (failed(distribute(*body)))
    return failure();
  b.setInsertionPointAfter(loop);
  if (isOuter) {
    tile = Value();
    // What was computed before the loop would be in registers over it.
    locateAnew();
    computeAgainBehind(op, isOverTiles ? loop.getUpperBound() : Value());
  }
  return success();
}

LogicalResult Distributor::distributeIf(scf::IfOp op) {
  bool hasElse = !op.getElseRegion().empty();
  auto branch = scf::IfOp::create(b, expandTypes(op.getResults()),
                                  op.getCondition(), hasElse);
  auto move = [&](Block *from, Block *to) {
    to->clear();
    to->getOperations().splice(to->end(), from->getOperations());
    // What is computed here is not known after the branch.
    auto before = std::tuple(thread, warp, lane, group, position, head, row0);
    b.setInsertionPointToStart(to);
    if (op.getNumResults() > 0 && !llvm::hasSingleElement(*to)) {
      locateAgain();
      computeAgainIn(*to);
    }
    LogicalResult result = distribute(*to);
    std::tie(thread, warp, lane, group, position, head, row0) = before;
    return result;
  };
  if (failed(move(op.thenBlock(), branch.thenBlock())) ||
      (hasElse && failed(move(op.elseBlock(), branch.elseBlock()))))
    return failure();
  bind(op.getResults(), branch.getResults());
  return success();
}

void Distributor::distributeYield(scf::YieldOp op) {
  scf::YieldOp::create(b, expand(op.getOperands()));
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

bool Distributor::isInLoop(Operation *op) {
  return op->getBlock()->getParentOp() != launch;
}

static bool hasVectors(Operation *op) {
  auto isVector = [](Type type) { return isa<VectorType>(type); };
  return llvm::any_of(op->getOperandTypes(), isVector) ||
         llvm::any_of(op->getResultTypes(), isVector);
}

LogicalResult Distributor::distribute(Operation *op) {
  b.setInsertionPoint(op);
  b.setLoc(op->getLoc());
  auto alike = [&](Operation *inner) {
    Pieces same = pieces[inner->getOperand(0)];
    pieces[inner->getResult(0)] = std::move(same);
    return success();
  };
  bool isReplaced = hasVectors(op);
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](CopyTileOp copy) {
            isReplaced = true;
            return distributeCopy(copy);
          })
          .Case([&](BarrierOp) {
            isReplaced = true;
            gpu::BarrierOp::create(b);
            ++part;
            if (isInLoop(op))
              locateAgain();
            return success();
          })
          .Case([&](CommitCopiesOp) {
            isReplaced = true;
            NVVM::CpAsyncCommitGroupOp::create(b);
            return success();
          })
          .Case([&](WaitCopiesOp wait) {
            isReplaced = true;
            NVVM::CpAsyncWaitGroupOp::create(b, wait.getPending());
            return success();
          })
          .Case([&](FenceTilesOp) {
            isReplaced = true;
            NVVM::FenceProxyOp::create(
                b, NVVM::ProxyKind::async_shared,
                NVVM::SharedSpaceAttr::get(b.getContext(),
                                           NVVM::SharedSpace::shared_cta));
            return success();
          })
          .Case([&](linalg::FillOp fill) {
            isReplaced = true;
            return distributeFill(fill);
          })
          .Case([&](scf::ForOp loop) {
            isReplaced = true;
            return distributeFor(loop);
          })
          .Case([&](scf::IfOp branch) {
            isReplaced = true;
            return distributeIf(branch);
          })
          .Case([&](scf::YieldOp yield) {
            if (isReplaced)
              distributeYield(yield);
            return success();
          })
          .Case([&](vector::ContractionOp contract) {
            return distributeContract(contract);
          })
          .Case([&](ContractTileOp contract) {
            return distributeTileContract(contract);
          })
          .Case([&](WaitProductOp wait) {
            distributeWaitProduct(wait);
            return success();
          })
          .Case([&](LoadTileOp load) { return distributeLoadTile(load); })
          .Case([&](LoadBandOp load) { return distributeLoadBand(load); })
          .Case(
              [&](vector::TransferReadOp read) { return distributeRead(read); })
          .Case([&](vector::TransferWriteOp write) {
            return distributeWrite(write);
          })
          .Case(
              [&](vector::GatherOp gather) { return distributeGather(gather); })
          .Case([&](vector::BroadcastOp broadcast) {
            return distributeBroadcast(broadcast);
          })
          .Case([&](vector::ShapeCastOp cast) { return alike(cast); })
          .Case([&](vector::StepOp step) { return distributeStep(step); })
          .Case([&](vector::ExtractStridedSliceOp slice) {
            return distributeExtract(slice);
          })
          .Case([&](vector::InsertStridedSliceOp slice) {
            return distributeInsert(slice);
          })
          .Case([&](vector::MultiDimReductionOp reduction) {
            return distributeReduction(reduction);
          })
          .Default([&](Operation *other) -> LogicalResult {
            if (!isReplaced && other->getNumRegions() == 0)
              return success();
            if (other->hasTrait<OpTrait::ConstantLike>())
              return distributeConstant(other);
            if (OpTrait::hasElementwiseMappableTraits(other))
              return distributeElementwise(other);
            return other->emitOpError(
                "expects an operation that can be distributed to threads");
          });
  if (isReplaced)
    erased.push_back(op);
  return result;
}

LogicalResult Distributor::distribute(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(distribute(&op)))
      return failure();
  return success();
}

/// What follows from the place of a thread is the same in every iteration, and
/// passes would keep all of it, dozens of addresses, in registers over a loop.
/// Reading the thread's number again makes them compute it where it is used.
void Distributor::locateAgain() {
  if (isShortOfRegisters())
    locateAnew();
}

/// Assemblers know that the number stays the same, and keep what follows from
/// it as passes do, unless a zero that they cannot know is added in a loop: the
/// number of a tile has fewer than 28 bits. It is another zero behind every
/// barrier, as they would keep it from one to the next, too.
void Distributor::locateAnew() {
  SmallVector<Value> operands;
  StringRef text = "mov.u32 $0, %tid.x;";
  if (tile) {
    text = "{ .reg .b32 zero; mul.hi.u32 zero, $1, $2; mov.u32 $0, %tid.x; "
           "xor.b32 $0, $0, zero; }";
    constexpr int32_t fewest = 2, most = 15;
    int32_t factor = fewest + part % (most - fewest + 1);
    operands = {tile,
                arith::ConstantOp::create(b, b.getI32IntegerAttr(factor))};
  }
  auto id = LLVM::InlineAsmOp::create(
      b, b.getI32Type(), operands, text, tile ? "=r,r,n" : "=r",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  locate(arith::IndexCastUIOp::create(b, b.getIndexType(), id.getResult(0)));
}

/// Assemblers bring loads forward to hide what they take, further than there
/// are registers for what they bring. None crosses a barrier.
void Distributor::keepLoadsBehind() {
  if (!isShortOfRegisters())
    return;
  Value all = arith::ConstantOp::create(b, b.getI32IntegerAttr(-1));
  NVVM::SyncWarpOp::create(b, all);
}

void Distributor::locate(Value id) {
  thread = id;
  Value warpSize = constant(32), groupSize = constant(4);
  lane = arith::RemUIOp::create(b, thread, warpSize);
  warp = arith::DivUIOp::create(b, thread, warpSize);
  group = arith::DivUIOp::create(b, lane, groupSize);
  position = arith::RemUIOp::create(b, lane, groupSize);
  Value shared = constant(warpsOfHead);
  head = arith::DivUIOp::create(b, warp, shared);
  row0 = mul(arith::RemUIOp::create(b, warp, shared), 16 * strips);
}

LogicalResult Distributor::run() {
  Block &body = launch.getBody().front();
  Operation *first = &body.front();
  b.setInsertionPointToStart(&body);
  locate(launch.getThreadIds().x);
  for (Operation *op = first; op;) {
    Operation *next = op->getNextNode();
    if (failed(distribute(op)))
      return failure();
    op = next;
  }
  // They use each other, and arguments of loops among them.
  for (Operation *op : erased)
    op->dropAllReferences();
  for (Operation *op : llvm::reverse(erased))
    op->erase();
  return success();
}

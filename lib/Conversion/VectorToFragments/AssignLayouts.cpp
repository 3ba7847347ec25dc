//===- AssignLayouts.cpp - Layouts of a tile program ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Contractions say what their operands and results are. From there layouts
// spread over uses and definitions until every vector has one:
//
//     contract      anchors, and where none is in reach, tiles that are reduced
//                   or written are accumulators
//     elementwise   all operands and results alike
//     broadcast     the source has the result's dimensions, less those it lacks
//     reduction     the result has the source's, less the reduced ones
//     loops, ifs    what is yielded is what comes out
//
//===----------------------------------------------------------------------===//

#include "mta/Conversion/VectorToFragments/VectorToFragments.h"

#include "Distributor.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mta {
#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "mta/Conversion/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

namespace {
class LayoutAssignment {
public:
  explicit LayoutAssignment(gpu::LaunchOp launch) : root(launch) {
    if (auto attr = launch->getAttrOfType<IntegerAttr>("mta.heads"))
      heads = attr.getInt();
  }

  /// Finds a layout for every vector, or says which operation lacks one.
  LogicalResult run();
  /// Writes the layouts on the operations.
  void attach();

private:
  void shareNothing();
  void anchor(vector::ContractionOp op);
  void anchor(ContractTileOp op);
  void anchor(LoadTileOp op);
  void anchorTile(Value tile);
  void spread();
  void assign(Value value, Fragment fragment, ArrayRef<DimRole> dims,
              Runs runs = Runs::None);
  void assignAlike(ValueRange values);
  void visit(Operation *op);
  void visitBroadcast(vector::BroadcastOp op);
  void visitShapeCast(vector::ShapeCastOp op);
  void visitReduction(vector::MultiDimReductionOp op);
  void visitFor(scf::ForOp op);
  void visitIf(scf::IfOp op);

  Operation *root;
  int64_t heads = 1;
  llvm::MapVector<Value, LayoutAttr> layouts;
  SmallVector<Operation *> worklist;
  /// The first operation whose operands ask for two layouts of one value.
  Operation *conflict = nullptr;
};
} // namespace

/// Operations that are cheap to repeat get one use each, as uses may need
/// different layouts. Constants from outside are among them, and so are bounds
/// of rows and columns, and indices and masks of weights, which stand before
/// all loops.
void LayoutAssignment::shareNothing() {
  SmallVector<Operation *> cheap;
  root->walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *def = operand.get().getDefiningOp();
      if (!def || !isa<VectorType>(operand.get().getType()) ||
          !def->hasTrait<OpTrait::ConstantLike>() || root->isAncestor(def))
        continue;
      operand.set(OpBuilder(op).clone(*def)->getResult(0));
    }
  });
  root->walk([&](Operation *op) {
    if (op->getNumResults() != 1 || !isa<VectorType>(op->getResultTypes()[0]))
      return;
    auto type = cast<VectorType>(op->getResultTypes()[0]);
    bool isBound = (type.getRank() <= 2 || op->getParentOp() == root) &&
                   type.getElementType().isIntOrIndex() &&
                   OpTrait::hasElementwiseMappableTraits(op);
    if (isBound || op->hasTrait<OpTrait::ConstantLike>() ||
        isa<vector::StepOp, vector::BroadcastOp, vector::ShapeCastOp>(op))
      cheap.push_back(op);
  });
  // Backward, so that the operands of a copy are copied in turn.
  for (Operation *op : llvm::reverse(cheap)) {
    while (!op->use_empty() && !op->hasOneUse()) {
      OpOperand &use = *op->use_begin();
      use.set(OpBuilder(use.getOwner()).clone(*op)->getResult(0));
    }
    // Where it is used it takes no register before.
    if (op->hasOneUse())
      op->moveBefore(*op->user_begin());
  }
}

void LayoutAssignment::assign(Value value, Fragment fragment,
                              ArrayRef<DimRole> dims, Runs runs) {
  if (!isa<VectorType>(value.getType()))
    return;
  // Row statistics are the same for every order of the columns.
  if (!llvm::is_contained(dims, DimRole::Column))
    runs = Runs::None;
  auto layout = LayoutAttr::get(value.getContext(), fragment, dims, runs);
  LayoutAttr &known = layouts[value];
  if (known == layout)
    return;
  if (known) {
    if (!conflict)
      conflict = value.getDefiningOp() ? value.getDefiningOp()
                                       : value.getParentBlock()->getParentOp();
    return;
  }
  known = layout;
  if (Operation *def = value.getDefiningOp())
    worklist.push_back(def);
  else
    worklist.push_back(value.getParentBlock()->getParentOp());
  llvm::append_range(worklist, value.getUsers());
}

/// All of `values` that are vectors get the layout that one of them has.
void LayoutAssignment::assignAlike(ValueRange values) {
  for (Value value : values)
    if (LayoutAttr layout = layouts.lookup(value)) {
      for (Value other : values)
        assign(other, layout.getFragment(), layout.getDims(), layout.getRuns());
      return;
    }
}

/// Dimensions that `map` has and `other` lacks.
static SmallVector<unsigned> ownDims(AffineMap map, AffineMap other) {
  SmallVector<unsigned> dims;
  for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
    if (map.isFunctionOfDim(dim) && !other.isFunctionOfDim(dim))
      dims.push_back(dim);
  return dims;
}

/// Whether the operand B comes straight from memory that holds its columns as
/// rows.
static bool readsRowsOfColumns(vector::ContractionOp op) {
  AffineMap map = op.getIndexingMapsArray()[1];
  unsigned inner = map.getDimPosition(map.getNumResults() - 1);
  return op.getRhs().getDefiningOp<LoadTileOp>() &&
         op.getIteratorTypesArray()[inner] == vector::IteratorType::reduction;
}

void LayoutAssignment::anchor(vector::ContractionOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  // The iteration dimensions: the column is the result's last one, the row the
  // one that only the left operand shares with it; others are like heads.
  unsigned last = maps[2].getNumResults() - 1;
  unsigned row = maps[2].getDimPosition(last - 1);
  unsigned column = maps[2].getDimPosition(last);
  for (unsigned dim : ownDims(maps[0], maps[1]))
    if (maps[2].isFunctionOfDim(dim))
      row = dim;
  auto dims = [&](AffineMap map, unsigned rowDim, unsigned columnDim) {
    SmallVector<DimRole> result;
    for (AffineExpr expr : map.getResults()) {
      unsigned dim = cast<AffineDimExpr>(expr).getPosition();
      result.push_back(dim == rowDim      ? DimRole::Row
                       : dim == columnDim ? DimRole::Column
                                          : DimRole::Head);
    }
    return result;
  };
  unsigned reduction = 0;
  for (auto [dim, type] : llvm::enumerate(op.getIteratorTypesArray()))
    if (type == vector::IteratorType::reduction)
      reduction = dim;
  // What comes straight from memory is in runs of what is contiguous there. To
  // columns of a result in runs, which are multiplied in turn, it is the other
  // operand that fits: its rows and columns are in their order then.
  Runs left = Runs::None, right = Runs::None, result = Runs::None;
  LayoutAttr known = layouts.lookup(op.getLhs());
  if (readsRowsOfColumns(op) && known && known.getRuns() == Runs::Column)
    left = right = result = Runs::Column;
  else if (readsRowsOfColumns(op))
    left = right = Runs::Reduction;
  else if (op.getRhs().getDefiningOp<LoadTileOp>())
    right = result = Runs::Column;
  assign(op.getLhs(), Fragment::Accumulator, dims(maps[0], row, reduction),
         left);
  assign(op.getRhs(), Fragment::Rhs, dims(maps[1], reduction, column), right);
  for (Value value : {op.getAcc(), op.getResult()})
    assign(value, Fragment::Accumulator, dims(maps[2], row, column), result);
}

constexpr DimRole kTileDims[] = {DimRole::Head, DimRole::Row, DimRole::Column};

/// What the tensor cores read from memory needs no layout.
void LayoutAssignment::anchor(ContractTileOp op) {
  int64_t rank = cast<VectorType>(op.getLhs().getType()).getRank();
  for (Value tile : {op.getLhs(), op.getAccumulator(), op.getResult()})
    assign(tile, Fragment::Accumulator, ArrayRef(kTileDims).take_back(rank));
}

/// What is loaded only to be written stays in the runs that it came in.
void LayoutAssignment::anchor(LoadTileOp op) {
  if (!layouts.lookup(op.getResult()))
    assign(op.getResult(), Fragment::Accumulator, kTileDims, Runs::Reduction);
}

/// Heads, rows and columns, or rows alone, if nothing else is known. Heads of
/// which there are several are the first of two dimensions.
void LayoutAssignment::anchorTile(Value tile) {
  ArrayRef<int64_t> shape = cast<VectorType>(tile.getType()).getShape();
  int64_t rank = shape.size();
  ArrayRef<DimRole> dims = kTileDims;
  bool isOfRows = rank == 2 && heads > 1 && shape[0] == heads;
  if (!layouts.lookup(tile) && (rank == 2 || rank == 3))
    assign(tile, Fragment::Accumulator,
           isOfRows ? dims.drop_back() : dims.take_back(rank));
  if (!layouts.lookup(tile) && rank == 1)
    assign(tile, Fragment::Accumulator, DimRole::Row);
  spread();
}

void LayoutAssignment::visitBroadcast(vector::BroadcastOp op) {
  LayoutAttr layout = layouts.lookup(op.getResult());
  auto source = dyn_cast<VectorType>(op.getSourceType());
  if (layout && source)
    assign(op.getSource(), layout.getFragment(),
           layout.getDims().take_back(source.getRank()), layout.getRuns());
}

/// Sizes other than 1 keep what they are.
void LayoutAssignment::visitShapeCast(vector::ShapeCastOp op) {
  LayoutAttr layout = layouts.lookup(op.getResult());
  if (!layout)
    return;
  SmallVector<DimRole> kept;
  for (auto [size, role] :
       llvm::zip_equal(op.getResultVectorType().getShape(), layout.getDims()))
    if (size != 1)
      kept.push_back(role);
  if (static_cast<int64_t>(kept.size()) == op.getSourceVectorType().getRank())
    assign(op.getSource(), layout.getFragment(), kept, layout.getRuns());
}

void LayoutAssignment::visitReduction(vector::MultiDimReductionOp op) {
  if (LayoutAttr layout = layouts.lookup(op.getSource())) {
    SmallVector<DimRole> kept;
    for (auto [dim, role] : llvm::enumerate(layout.getDims()))
      if (!op.isReducedDim(dim))
        kept.push_back(role);
    assign(op.getDest(), layout.getFragment(), kept, layout.getRuns());
  }
  assignAlike({op.getAcc(), op.getDest()});
}

void LayoutAssignment::visitFor(scf::ForOp op) {
  auto yield = cast<scf::YieldOp>(op.getBody()->getTerminator());
  for (auto [init, arg, yielded, result] :
       llvm::zip_equal(op.getInitArgs(), op.getRegionIterArgs(),
                       yield.getOperands(), op.getResults()))
    assignAlike({init, arg, yielded, result});
}

void LayoutAssignment::visitIf(scf::IfOp op) {
  if (op.getNumResults() == 0)
    return;
  for (auto [first, second, result] :
       llvm::zip_equal(op.thenYield().getOperands(),
                       op.elseYield().getOperands(), op.getResults()))
    assignAlike({first, second, result});
}

void LayoutAssignment::visit(Operation *op) {
  auto values = [&] {
    SmallVector<Value> all(op->getOperands());
    llvm::append_range(all, op->getResults());
    return all;
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case<vector::ContractionOp, ContractTileOp>([&](auto) {})
      .Case([&](vector::BroadcastOp cast) { visitBroadcast(cast); })
      .Case([&](vector::ShapeCastOp cast) { visitShapeCast(cast); })
      .Case([&](vector::MultiDimReductionOp cast) { visitReduction(cast); })
      .Case([&](scf::ForOp cast) { visitFor(cast); })
      .Case([&](scf::IfOp cast) { visitIf(cast); })
      .Case([&](scf::YieldOp cast) { visit(cast->getParentOp()); })
      .Case<vector::GatherOp, vector::TransferWriteOp, vector::TransferReadOp,
            vector::ExtractStridedSliceOp, vector::InsertStridedSliceOp,
            WaitProductOp>([&](auto) { assignAlike(values()); })
      .Default([&](Operation *) {
        if (OpTrait::hasElementwiseMappableTraits(op))
          assignAlike(values());
      });
}

void LayoutAssignment::spread() {
  while (!worklist.empty())
    visit(worklist.pop_back_val());
}

LogicalResult LayoutAssignment::run() {
  shareNothing();
  auto anchorAll = [&](bool isRowsOfColumns) {
    root->walk([&](vector::ContractionOp op) {
      if (readsRowsOfColumns(op) == isRowsOfColumns)
        anchor(op);
    });
  };
  anchorAll(/*isRowsOfColumns=*/false);
  root->walk([&](ContractTileOp op) { anchor(op); });
  spread();
  anchorAll(/*isRowsOfColumns=*/true);
  spread();
  root->walk([&](LoadTileOp op) { anchor(op); });
  spread();
  root->walk(
      [&](vector::MultiDimReductionOp op) { anchorTile(op.getSource()); });
  // Vectors of rank 2 have heads in a program whose tiles do.
  for (int64_t rank : {3, 2, 1})
    root->walk([&](vector::TransferWriteOp op) {
      if (op.getVectorType().getRank() == rank)
        anchorTile(op.getValueToStore());
    });
  if (conflict)
    return conflict->emitOpError(
        "expects one layout, but contractions ask for two");
  WalkResult result = root->walk([&](Operation *op) {
    for (Value value : op->getResults())
      if (isa<VectorType>(value.getType()) && !layouts.lookup(value)) {
        op->emitOpError("expects a layout, but no contraction gives one to "
                        "its result");
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

void LayoutAssignment::attach() {
  root->walk([&](Operation *op) {
    SmallVector<Attribute> attributes;
    bool hasLayout = false;
    for (Value value : op->getResults()) {
      LayoutAttr layout = layouts.lookup(value);
      hasLayout |= static_cast<bool>(layout);
      attributes.push_back(layout ? Attribute(layout)
                                  : UnitAttr::get(op->getContext()));
    }
    if (hasLayout)
      op->setAttr("mta.layouts", ArrayAttr::get(op->getContext(), attributes));
  });
}

namespace {
struct AssignLayoutsPass : mta::impl::AssignLayoutsPassBase<AssignLayoutsPass> {
  void runOnOperation() override {
    for (gpu::LaunchOp launch : findTilePrograms(getOperation())) {
      LayoutAssignment assignment(launch);
      if (failed(assignment.run()))
        return signalPassFailure();
      assignment.attach();
    }
  }
};
} // namespace

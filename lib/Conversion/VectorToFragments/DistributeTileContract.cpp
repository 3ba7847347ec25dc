//===- DistributeTileContract.cpp - Products with tiles as wgmma ----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `wgmma.mma_async` (PTX ISA 9.7.15) with the operand A and the sums in the
// registers of four warps. Each of the warps contributes 16 rows of its own,
// whose fragments are those of mma.m16n8k16 side by side, so that no data
// moves; only the matrix B in workgroup memory has to be the same for all four.
//
// `nvvm.wgmma.mma_async` takes A from workgroup memory only (MLIR 22), hence
// inline assembly. The whole product is one statement, so that nothing touches
// its registers between the fence that hands them to the tensor cores and the
// wait that takes them back. An asynchronous product ends without it; the wait
// is a statement that has the sums as operands and results.
//
//===----------------------------------------------------------------------===//

#include "Distributor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mta;

namespace {
/// One product of 64 rows, `k` at a time 16, and `columns`.
struct ProductText {
  int64_t k, columns;
  bool isBF16, transposed, addsToSums, isAsync;

  int64_t sums() const { return columns / 2; }
  int64_t steps() const { return k / 16; }
  /// Operands are the sums, if they are read, four registers of A for every
  /// step, and a descriptor of B for every step.
  std::string text() const;
  std::string constraints() const;
};
} // namespace

static std::string registerList(int64_t first, int64_t count) {
  std::string list;
  for (int64_t index = first; index < first + count; ++index)
    list += llvm::formatv("{0}${1}", list.empty() ? "{" : ", ", index);
  return list + "}";
}

std::string ProductText::text() const {
  // Inputs that are tied to a result have numbers too.
  int64_t firstA = sums() * (addsToSums ? 2 : 1);
  int64_t firstB = firstA + 4 * steps();
  StringRef type = isBF16 ? "bf16" : "f16";
  std::string result = "{\n.reg .pred adds;\nsetp.ne.b32 adds, ";
  result += addsToSums ? "1" : "0";
  result += ", 0;\nwgmma.fence.sync.aligned;\n";
  for (int64_t step = 0; step < steps(); ++step) {
    if (step == 1 && !addsToSums)
      result += "setp.ne.b32 adds, 1, 0;\n";
    // Factors of A and B, and whether B lies along its columns.
    result += llvm::formatv(
        "wgmma.mma_async.sync.aligned.m64n{0}k16.f32.{1}.{1} {2}, {3}, ${4}, "
        "adds, 1, 1, {5};\n",
        columns, type, registerList(0, sums()),
        registerList(firstA + 4 * step, 4), firstB + step, transposed ? 0 : 1);
  }
  result += "wgmma.commit_group.sync.aligned;\n";
  return result + (isAsync ? "}" : "wgmma.wait_group.sync.aligned 0;\n}");
}

std::string ProductText::constraints() const {
  SmallVector<std::string> all(sums(), "=f");
  if (addsToSums)
    for (int64_t index = 0; index < sums(); ++index)
      all.push_back(std::to_string(index));
  all.append(4 * steps(), "r");
  all.append(steps(), "l");
  return llvm::join(all, ",");
}

/// A register of a pair of 16-bit elements.
static Value toBits(ImplicitLocOpBuilder &b, Value pair) {
  Value bits =
      vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), pair);
  return vector::ExtractOp::create(b, bits, 0);
}

/// Matrix descriptors without swizzle (PTX ISA 9.7.15.5.1.2.2) for every 16 of
/// the sum. A panel is a column of core matrices, 8 rows of 16 bytes each; the
/// offsets between those are in units of 16 bytes.
Pieces Distributor::describeTile(ContractTileOp op, int64_t steps) {
  auto type = cast<MemRefType>(op.getTile().getType());
  int64_t rank = type.getRank();
  auto [strides, offset] = type.getStridesAndOffset();
  (void)offset; // 0 in a contiguous buffer.
  Value place = constant(0);
  int64_t leading = rank - 3;
  bool hasHeads = cast<VectorType>(op.getLhs().getType()).getRank() == 3;
  for (int64_t dim = 0; dim < leading; ++dim) {
    Value index = op.getIndices()[dim];
    if (hasHeads && dim == leading - 1)
      index = add(index, head);
    place = arith::AddIOp::create(b, place, mul(index, 2 * strides[dim] / 16));
  }
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, op.getTile());
  start = arith::ShRUIOp::create(b, start, constant(4));
  place = arith::AddIOp::create(b, start, place);
  Type i64 = b.getI64Type();
  place = arith::IndexCastOp::create(b, i64, place);
  // Addresses in workgroup memory have 18 bits.
  auto number = [&](int64_t value) {
    return arith::ConstantIntOp::create(b, i64, value);
  };
  int64_t panel = type.getDimSize(rank - 2), rows = 8;
  bool transposed = op.getTransposed();
  // Along the sum are panels if transposed, rows otherwise.
  int64_t alongSum = transposed ? panel : rows;
  int64_t alongColumns = transposed ? rows : panel;
  Value offsets = number(alongSum << 16 | alongColumns << 32);
  Pieces result;
  for (int64_t step = 0; step < steps; ++step) {
    Value address =
        arith::AddIOp::create(b, place, number(2 * step * alongSum));
    address = arith::AndIOp::create(b, address, number(0x3fff));
    result.push_back(arith::OrIOp::create(b, address, offsets));
  }
  return result;
}

static bool isZero(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto elements =
      constant ? dyn_cast<SplatElementsAttr>(constant.getValue()) : nullptr;
  return elements && elements.getSplatValue<APFloat>().isPosZero();
}

LogicalResult Distributor::distributeTileContract(ContractTileOp op) {
  if (warpsOfHead % 4 != 0)
    return op.emitOpError("expects a multiple of 4 warps for every head to be "
                          "distributed to threads, but got ")
           << warpsOfHead;
  FragmentShape lhs = shapeOf(op.getLhs()), shape = shapeOf(op.getResult());
  const Pieces &a = pieces[op.getLhs()];
  Pieces values = pieces[op.getAccumulator()];
  ProductText product{8 * lhs.columnPieces,         8 * shape.columnPieces,
                      lhs.element.isBF16(),         op.getTransposed(),
                      !isZero(op.getAccumulator()), op.getAsync()};
  Pieces descriptors = describeTile(op, product.steps());
  SmallVector<Type> types(product.sums(), b.getF32Type());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  for (int64_t strip = 0; strip < shape.rowPieces; strip += 2) {
    SmallVector<Value> operands;
    if (product.addsToSums)
      for (int64_t sum = 0; sum < product.sums(); ++sum)
        operands.push_back(
            pairAt(values[shape.at(0, strip + sum / 2 % 2, sum / 4)], sum % 2));
    for (int64_t part = 0; part < lhs.columnPieces; ++part)
      for (int64_t half = 0; half < 2; ++half)
        operands.push_back(toBits(b, a[lhs.at(0, strip + half, part)]));
    llvm::append_range(operands, descriptors);
    Value result =
        LLVM::InlineAsmOp::create(
            b, type, operands, product.text(), product.constraints(),
            /*has_side_effects=*/true, /*is_align_stack=*/false,
            LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
            .getRes();
    for (int64_t sum = 0; sum < product.sums(); sum += 2)
      values[shape.at(0, strip + sum / 2 % 2, sum / 4)] =
          makePair(LLVM::ExtractValueOp::create(b, result, sum),
                   LLVM::ExtractValueOp::create(b, result, sum + 1));
  }
  pieces[op.getResult()] = std::move(values);
  return success();
}

/// A product is a group for every 16 rows of a warp. Of those that were begun
/// since `op`'s, the last ones may be under way.
int64_t Distributor::countPendingGroups(WaitProductOp op) {
  SmallVector<int64_t> begun;
  Operation *other = op.getProduct().getDefiningOp()->getNextNode();
  for (; other != op; other = other->getNextNode())
    if (auto contract = dyn_cast<ContractTileOp>(other);
        contract && contract.getAsync())
      begun.push_back(shapeOf(contract.getResult()).rowPieces / 2);
  ArrayRef<int64_t> pending = ArrayRef(begun).take_back(op.getPending());
  return std::accumulate(pending.begin(), pending.end(), int64_t(0));
}

void Distributor::distributeWaitProduct(WaitProductOp op) {
  Pieces values = pieces[op.getProduct()];
  SmallVector<Value> operands;
  for (Value value : values)
    for (int64_t index : {0, 1})
      operands.push_back(pairAt(value, index));
  SmallVector<std::string> constraints(operands.size(), "=f");
  for (size_t index = 0; index < operands.size(); ++index)
    constraints.push_back(std::to_string(index));
  SmallVector<Type> types(operands.size(), b.getF32Type());
  auto text = llvm::formatv("wgmma.wait_group.sync.aligned {0};",
                            countPendingGroups(op));
  Value result =
      LLVM::InlineAsmOp::create(
          b, LLVM::LLVMStructType::getLiteral(b.getContext(), types), operands,
          text.str(), llvm::join(constraints, ","),
          /*has_side_effects=*/true, /*is_align_stack=*/false,
          LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
          .getRes();
  for (auto [index, value] : llvm::enumerate(values))
    value = makePair(LLVM::ExtractValueOp::create(b, result, 2 * index),
                     LLVM::ExtractValueOp::create(b, result, 2 * index + 1));
  pieces[op.getResult()] = std::move(values);
}

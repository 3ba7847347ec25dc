//===- RegisterBlocks.h - Linalg as blocks of registers ---------*- C++ -*-===//
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
// Vectors that lie far apart are first copied to a panel, which fits into the
// first cache and which all blocks of rows then read:
//
//     for blocks of v
//       panel = vector[r.., v..]
//       for blocks of u ...
//
// On processors with dot products of bf16 pairs, r takes two steps at a time.
// The panel then holds rows r and r + 1 interleaved, and the scalar is a pair:
//
//     for blocks of v
//       panel = vector[r, v], vector[r + 1, v], vector[r, v + 1], ..
//       for blocks of u
//         for r step 2: block += scalar[u, r] * vector[r, v]
//                                + scalar[u, r + 1] * vector[r + 1, v]
//
// Where v is itself the reduction, as in row sums, every row of the block holds
// one vector of partial results.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_REGISTERBLOCKS_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_REGISTERBLOCKS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mta {

/// Reductions of at most this many steps are unrolled, so that a load serves
/// all steps that use it.
constexpr int64_t kUnrolledSteps = 8;

/// How the loops of an operation map to a register block.
struct BlockPlan {
  unsigned vectorLoop = 0;
  /// The loop over rows, if there is one.
  std::optional<unsigned> rowLoop;
  bool reducesVectors = false;
  mlir::SmallVector<unsigned> outerLoops, reductionLoops;
  /// The innermost reduction, where all its steps are unrolled.
  std::optional<unsigned> stepLoop;
  /// The input whose vectors are copied to a panel, contiguous and aligned, for
  /// every block of columns.
  std::optional<unsigned> panel;
  /// Whether the reduction goes over pairs of bf16; the panel holds them.
  bool hasPairs = false;
  mlir::SmallVector<int64_t> extents;
  int64_t lanes = 0;
  int64_t rows = 1, vectors = 1;
};

/// Maps the loops of `op` to register blocks of vectors of `vectorBits`, with
/// `pairProducts` to products of bf16 pairs where it consists of them. Fails
/// for operations that have other forms.
mlir::FailureOr<BlockPlan> planBlock(mlir::linalg::GenericOp op,
                                     int64_t vectorBits, bool pairProducts);

/// Emits the loops and register blocks of `op`, which stays where it is.
/// `initial` is what the output holds, if that is one number.
void emitBlocks(mlir::ImplicitLocOpBuilder &builder, mlir::linalg::GenericOp op,
                const BlockPlan &plan, mlir::Value initial);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_REGISTERBLOCKS_H

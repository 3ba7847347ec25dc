//===- Epilogue.h - Norm and gate on one tile ----------------- -*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The norms and gates that follow an attention, applied to a tile of its output
// before that is rounded and stored. They read whole rows of the output, and a
// tile holds whole rows.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_TRANSFORMS_EPILOGUE_H
#define MTA_LIB_DIALECT_MTA_TRANSFORMS_EPILOGUE_H

#include "mta/Dialect/MTA/Builders/LinalgBuilders.h"
#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta {

class Epilogue {
public:
  /// What `builders::findOutputChain` finds.
  explicit Epilogue(AttentionOp op);

  /// The operations in order; empty if none follows.
  mlir::ArrayRef<mlir::Operation *> getOps() { return ops; }
  /// The last value of the chain, or the output of the attention.
  mlir::Value getResult();

  /// Prepares the weights for rows of `columns` elements, of which those beyond
  /// the head dimension are zero in tiles and weights. Before all tiles.
  void pack(mlir::ImplicitLocOpBuilder &builder, int64_t columns);

  /// The chain on a heads x rows x columns tile in the type of the scores.
  /// Where a value of the chain is of a narrower type, the tile is rounded to
  /// it there, but for the last.
  mlir::Value apply(mlir::ImplicitLocOpBuilder &builder, mlir::Value tile);

private:
  mlir::Value applyNorm(mlir::ImplicitLocOpBuilder &builder, HeadNormOp norm,
                        mlir::Value tile);
  mlir::Value applyGate(mlir::ImplicitLocOpBuilder &builder, GateOp gate,
                        mlir::Value tile);
  mlir::Value denominators(mlir::ImplicitLocOpBuilder &builder,
                           mlir::Value logits, mlir::Value bias,
                           mlir::StringRef loops, mlir::StringRef biasIndex);

  AttentionOp op;
  mlir::Type element;
  mlir::SmallVector<mlir::Operation *> ops;
  /// What an operation reads beside the tile: γ, or the transposed weights and
  /// the bias.
  llvm::DenseMap<mlir::Operation *, mlir::SmallVector<mlir::Value>> packed;
};

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_TRANSFORMS_EPILOGUE_H

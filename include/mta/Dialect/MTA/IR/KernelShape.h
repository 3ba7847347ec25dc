//===- KernelShape.h - The shape of kernels of many heads -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_KERNELSHAPE_H
#define MTA_DIALECT_MTA_IR_KERNELSHAPE_H

#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta {

/// The rows of a kernel with a warp for every head: a strip of those that are
/// stored, and one of those above that windows read.
int64_t getRowsOfManyHeads(AttentionOp op);

/// Fails, with an error on the operation, if `schedule` is not of the only
/// shape that such kernels have.
mlir::LogicalResult verifyShapeOfManyHeads(AttentionOp op,
                                           KernelScheduleAttr schedule);

/// Columns of a tile that threads copy one after the other, in pieces of 16
/// bytes: `pieces` of them from `first` on. Those beside others are 2 or 4, and
/// eight threads copy them in several rows.
struct CopyPart {
  int64_t first, pieces;
  bool isBesideOthers = false;
};

/// The parts in which a tile of `rows` rows of `pieces` pieces is copied, so
/// that eight threads that follow each other write to different banks: with 16
/// bits an element, rows and panels are an odd number of pieces apart.
llvm::SmallVector<CopyPart, 3> splitCopy(int64_t rows, int64_t pieces,
                                         int64_t elementBytes);

} // namespace mta

#endif // MTA_DIALECT_MTA_IR_KERNELSHAPE_H

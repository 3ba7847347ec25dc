//===- BufferLayout.h - Layouts of arguments --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the elements of a function's argument lie. A tensor is contiguous
// unless it has upstream's attribute; a memref is a destination, and has a
// layout:
//
//     %q: tensor<?x4x?x64xf16> {bufferization.buffer_layout = strided<[?, 64,
//     256, 1]>} %out: memref<?x4x?x64xf16, strided<[?, 64, 256, 1]>>
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_BUILDERS_BUFFERLAYOUT_H
#define MTA_DIALECT_MTA_BUILDERS_BUFFERLAYOUT_H

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

namespace mta {

/// The memref that bufferization makes of a tensor or memref. Only arguments of
/// functions have layouts; other values are contiguous.
mlir::MemRefType getBufferType(mlir::Value value);

/// Kernels copy and store so many bits at once, aligned.
constexpr int64_t kAccessBits = 128;

/// The strides of a buffer, in elements; failure for a layout that is not made
/// of strides from the first element on.
mlir::FailureOr<mlir::SmallVector<int64_t>> getStrides(mlir::MemRefType type);

/// The operation that copies `tensor` to an argument that nothing else uses,
/// if there is one: what computes the tensor may write the argument instead.
mlir::bufferization::MaterializeInDestinationOp
findDestination(mlir::Value tensor);

} // namespace mta

#endif // MTA_DIALECT_MTA_BUILDERS_BUFFERLAYOUT_H

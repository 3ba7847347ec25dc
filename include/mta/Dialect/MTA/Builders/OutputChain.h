//===- OutputChain.h - Norms and gates after an attention -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_BUILDERS_OUTPUTCHAIN_H
#define MTA_DIALECT_MTA_BUILDERS_OUTPUTCHAIN_H

#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta::builders {

/// The longest chain of norms and gates that starts with the output of `op`, of
/// which each is the only use of the value before, and whose weights are there
/// before the attention: what can be computed where it is.
mlir::SmallVector<mlir::Operation *> findOutputChain(AttentionOp op);

} // namespace mta::builders

#endif // MTA_DIALECT_MTA_BUILDERS_OUTPUTCHAIN_H

//===- MTADialect.td - The mta dialect ---------------------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTADIALECT_TD
#define MTA_DIALECT_MTA_IR_MTADIALECT_TD

include "mlir/IR/OpBase.td"

def MTA_Dialect : Dialect {
  let name = "mta";
  let cppNamespace = "::mta";
  let summary = "Attention as a score program";
  let description = [{
    Multi-Token Attention (arXiv 2504.00927) passes attention scores through
    small convolutions over queries and keys and through a mixing of heads,
    before and after the softmax. The dialect says so with one operation:
    `mta.attention` computes `q·kᵀ`, runs its region, the *score program*, on
    the scores, and contracts the result with `v`.

    A score program is a straight line of score operations with exactly one
    `mta.softmax`. Every score operation states the neighbourhood of scores
    (heads, queries, keys) that one of its results reads; tiles, halos and
    passes over the keys follow from that.

    The score matrix is a value of the program, never of the machine: it has a
    tensor type so that ordinary shape reasoning applies, and only the reference
    lowering, `convert-mta-to-linalg`, gives it memory.

    Notation: B batch, H query heads, Hk key/value heads, Nq queries, Nk keys,
    D head dimension of the queries and keys, Dv of the values. A query `i` is
    *allowed* to read a key `j` as the mask of the attention says; a score
    whose pair is not allowed reads as zero in every score operation and has
    weight zero after the softmax.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// The discardable attribute of the loop over tiles that says which
    /// schedule it follows, a `#mta.schedule`.
    static constexpr ::llvm::StringLiteral getScheduleAttrName() {
      return "mta.schedule";
    }
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // MTA_DIALECT_MTA_IR_MTADIALECT_TD

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
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// The discardable attribute of the loop over tiles that says which
    /// schedule it follows, a `#mta.schedule`.
    static constexpr ::llvm::StringLiteral getScheduleAttrName() {
      return "mta.schedule";
    }

    /// Discardable attributes of functions by which `mta-name-sizes` tells
    /// `mta-launch-contract` what it knows of sizes: the names of dynamic ones,
    /// an array of strings; which are supported, a set of them; and of an
    /// argument its dimensions and, if it may have gaps, its strides, maps of
    /// them.
    static constexpr ::llvm::StringLiteral getSizesAttrName() {
      return "mta.sizes";
    }
    static constexpr ::llvm::StringLiteral getSupportedAttrName() {
      return "mta.supported";
    }
    static constexpr ::llvm::StringLiteral getShapeAttrName() {
      return "mta.shape";
    }
    static constexpr ::llvm::StringLiteral getStridesAttrName() {
      return "mta.strides";
    }
    /// Of an argument that is only written.
    static constexpr ::llvm::StringLiteral getDestinationAttrName() {
      return "mta.destination";
    }

    /// The discardable attribute of an argument or result of a function that
    /// names it, a string.
    static constexpr ::llvm::StringLiteral getNameAttrName() {
      return "mta.name";
    }

    /// The discardable attribute of the operations that stand for the workgroup
    /// memory of a kernel: the types of the numbers whose sum is a score there.
    static constexpr ::llvm::StringLiteral getStagedScoresAttrName() {
      return "mta.staged_scores";
    }

    /// The discardable attribute of kernels in a gpu.module or gpu.binary that
    /// says how to launch them, an array of `#mta.launch_contract`.
    static constexpr ::llvm::StringLiteral getLaunchContractsAttrName() {
      return "mta.launch_contracts";
    }
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // MTA_DIALECT_MTA_IR_MTADIALECT_TD

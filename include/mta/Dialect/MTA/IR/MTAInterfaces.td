//===- MTAInterfaces.td - Interfaces of score operations ---*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTAINTERFACES_TD
#define MTA_DIALECT_MTA_IR_MTAINTERFACES_TD

include "mlir/IR/OpBase.td"

def MTA_ScoreOpInterface : OpInterface<"ScoreOpInterface"> {
  let cppNamespace = "::mta";
  let description = [{
    An operation of a score program: it maps the score matrix B x H x Nq x Nk to
    a score matrix of the same type and states how far one result reads.

    Tiling needs nothing else from a score operation: composing the
    neighbourhoods of a program (see `Neighborhood.h`) yields its halos.
  }];
  let methods = [
    InterfaceMethod<[{
        The scores the operation reads, a value of the score program.
      }], "::mlir::Value", "getScores">,
    InterfaceMethod<[{
        The weights the operation reads, a value from outside of the score
        program, or null if it has none.
      }], "::mlir::Value", "getWeightsOrNull">,
    InterfaceMethod<[{
        The scores that one result reads, relative to its own position.
      }], "::mta::Neighborhood", "getNeighborhood">,
    InterfaceMethod<[{
        Whether the result is a linear function of the scores.
      }], "bool", "isLinear">
  ];
}

#endif // MTA_DIALECT_MTA_IR_MTAINTERFACES_TD

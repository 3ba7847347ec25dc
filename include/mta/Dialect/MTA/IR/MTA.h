//===- MTA.h - The mta dialect ----------------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTA_H
#define MTA_DIALECT_MTA_IR_MTA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mta/Dialect/MTA/Analysis/Neighborhood.h"

#include "mta/Dialect/MTA/IR/MTADialect.h.inc"
#include "mta/Dialect/MTA/IR/MTAEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mta/Dialect/MTA/IR/MTAAttributes.h.inc"

namespace mta {
class SoftmaxOp;
} // namespace mta

#include "mta/Dialect/MTA/IR/MTAInterfaces.h.inc"

#define GET_OP_CLASSES
#include "mta/Dialect/MTA/IR/MTAOps.h.inc"

#endif // MTA_DIALECT_MTA_IR_MTA_H

//===- MTADialect.cpp - Registration of the mta dialect ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/IR/MTA.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "mta/Dialect/MTA/IR/MTADialect.cpp.inc"
#include "mta/Dialect/MTA/IR/MTAEnums.cpp.inc"
#include "mta/Dialect/MTA/IR/MTAInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mta/Dialect/MTA/IR/MTAAttributes.cpp.inc"

//===----------------------------------------------------------------------===//
// custom<Keyword>: an enum attribute as its bare keyword
//===----------------------------------------------------------------------===//

template <typename EnumAttrT>
static ParseResult parseKeyword(OpAsmParser &parser, EnumAttrT &attribute) {
  auto value = FieldParser<decltype(attribute.getValue())>::parse(parser);
  if (failed(value))
    return failure();
  attribute = EnumAttrT::get(parser.getContext(), *value);
  return success();
}

template <typename EnumAttrT>
static void printKeyword(OpAsmPrinter &printer, Operation *,
                         EnumAttrT attribute) {
  printer << stringifyEnum(attribute.getValue());
}

#define GET_OP_CLASSES
#include "mta/Dialect/MTA/IR/MTAOps.cpp.inc"

void mta::MTADialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mta/Dialect/MTA/IR/MTAAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mta/Dialect/MTA/IR/MTAOps.cpp.inc"
      >();
}

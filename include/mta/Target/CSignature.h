//===- CSignature.h - How C calls a function of tensors ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_CSIGNATURE_H
#define MTA_TARGET_CSIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Target/CHeader.h"

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace mta {

/// The attribute of an argument or a result of a function that names it for
/// other languages.
inline constexpr llvm::StringLiteral nameAttribute =
    MTADialect::getNameAttrName();

/// Parses a module, and takes the names that its text has for the arguments and
/// the returned values of functions into attributes "mta.name" where there are
/// none. Bytecode has no such names.
mlir::OwningOpRef<mlir::ModuleOp>
parseWithNames(const std::shared_ptr<llvm::SourceMgr> &source,
               mlir::MLIRContext *context);

/// Whether a function of C and C++ may be called `name`.
bool isCFunctionName(llvm::StringRef name);

/// How C calls `function`, which takes tensors and scalars and returns tensors.
/// Arguments without a usable name are called argN, results out or outN. Fails
/// with a diagnostic if there is no such interface.
mlir::FailureOr<CFunction> computeCSignature(mlir::func::FuncOp function);

/// The interfaces of the public functions of `module`. Fails with a diagnostic
/// if there are none, or if it calls functions that it does not define.
mlir::FailureOr<std::vector<CFunction>>
computeCSignatures(mlir::ModuleOp module);

} // namespace mta

#endif // MTA_TARGET_CSIGNATURE_H

//===- Objects.h - Translations to code for a CPU ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H
#define MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H

#include "mlir/IR/BuiltinOps.h"

#include <functional>

namespace mta {

/// Registers a translation of a module whose functions keep the names that the
/// text has for arguments.
void registerTranslationWithNames(
    llvm::StringRef name, llvm::StringRef description,
    std::function<llvm::LogicalResult(mlir::ModuleOp, llvm::raw_ostream &)>
        translate);

/// Registers `--mta-to-object`, `--mta-to-shared-library` and
/// `--mta-to-header`.
void registerObjectTranslations();

} // namespace mta

#endif // MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H

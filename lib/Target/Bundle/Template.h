//===- Template.h - Texts with places for others ----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_BUNDLE_TEMPLATE_H
#define MTA_LIB_TARGET_BUNDLE_TEMPLATE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"

#include <string>

namespace mta::bundle {

// The files in Templates.
extern const llvm::StringLiteral launcherTemplate;
extern const llvm::StringLiteral headerTemplate;
extern const llvm::StringLiteral readmeTemplate;

/// Replaces every `@NAME@` of a text by the value of that name, which there has
/// to be.
std::string fillTemplate(llvm::StringRef text,
                         const llvm::StringMap<std::string> &values);

/// Joins items with commas to lines of at most 80 columns, of which the first
/// begins at `column` and the others after `indent` blanks.
std::string joinLines(llvm::ArrayRef<std::string> items, size_t column,
                      size_t indent);

} // namespace mta::bundle

#endif // MTA_LIB_TARGET_BUNDLE_TEMPLATE_H

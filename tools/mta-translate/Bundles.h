//===- Bundles.h - The translation to a bundle ------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTA_TRANSLATE_BUNDLES_H
#define MTA_TOOLS_MTA_TRANSLATE_BUNDLES_H

#include "mta/Target/Bundle.h"
#include "llvm/ADT/STLExtras.h"

#include <functional>

namespace mta {

/// Registers `--mta-to-bundle`; `options` are what options of the tool that
/// other translations have too say, or a diagnostic.
void registerBundleTranslation(
    std::function<mlir::FailureOr<BundleOptions>(mlir::Location)> options);

/// Runs the `main` of the tool. If that is to write a bundle, whose output is a
/// folder, it gets to see no option -o.
int runWithOutputFolder(int argc, char **argv,
                        llvm::function_ref<int(int, char **)> main);

} // namespace mta

#endif // MTA_TOOLS_MTA_TRANSLATE_BUNDLES_H

//===- Objects.h - Translations to code for a CPU ---------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H
#define MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H

namespace mta {

/// Registers `--mta-to-object`, `--mta-to-shared-library` and
/// `--mta-to-header`.
void registerObjectTranslations();

} // namespace mta

#endif // MTA_TOOLS_MTA_TRANSLATE_OBJECTS_H

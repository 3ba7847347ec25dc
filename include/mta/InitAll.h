//===- InitAll.h - Registration of everything -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_INITALL_H
#define MTA_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mta {

/// Adds the `mta` dialect and, for plugins and tools that start from an empty
/// registry, nothing else.
void registerDialect(mlir::DialectRegistry &registry);

/// Registers the passes and pipelines of this project.
void registerPasses();

/// Adds all upstream dialects, interfaces and translations to LLVM IR and the
/// `mta` dialect: whatever a pipeline of this project goes through.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Makes `--version` of a program say the version of this compiler and the one
/// of LLVM.
void setVersionPrinter();

} // namespace mta

#endif // MTA_INITALL_H

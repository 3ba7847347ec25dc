//===- Processor.h - Names of CPUs ------------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_PROCESSOR_H
#define MTA_LIB_TARGET_PROCESSOR_H

#include "mlir/IR/Location.h"
#include "mta/Pipelines/VectorUnits.h"
#include "llvm/Target/TargetMachine.h"

namespace mta {

/// A CPU that code is generated for.
struct Processor {
  std::string name;
  /// In LLVM's syntax, "+avx2,-sse4a"; empty for those of the name.
  std::string features;
  VectorUnits units;

  /// Whether it has a feature, by LLVM's name for it.
  bool has(llvm::StringRef feature) const;

  /// Generates position independent code.
  std::unique_ptr<llvm::TargetMachine> createMachine() const;
};

/// The CPU of a name, "native" for this one. Fails with a diagnostic unless it
/// is a 64-bit one of this machine's architecture.
mlir::FailureOr<Processor> findProcessor(mlir::Location loc,
                                         llvm::StringRef name);

} // namespace mta

#endif // MTA_LIB_TARGET_PROCESSOR_H

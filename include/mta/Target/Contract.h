//===- Contract.h - Launch contracts as JSON --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_CONTRACT_H
#define MTA_TARGET_CONTRACT_H

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Target/PTX.h"

#include "mlir/IR/AffineExpr.h"

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace mta {

/// Workgroup memory that a launch gets without asking for it by an attribute of
/// the function (CUDA C++ Programming Guide, "Shared Memory": 48 KB).
inline constexpr int64_t kWorkgroupBytesWithoutOptIn = 49152;

/// How to launch the kernels that `translateToPTX` writes for the same module
/// and options, as JSON: what `#mta.launch_contract` says, and the target. Its
/// schema is python/mta/contract.schema.json. The module is left lowered.
mlir::FailureOr<std::string> translateToContract(mlir::ModuleOp module,
                                                 const PTXOptions &options);

/// The contracts of the binaries of `module`, without those that several have.
/// Fails with a diagnostic if a binary has none.
mlir::FailureOr<std::vector<LaunchContractAttr>>
collectContracts(mlir::ModuleOp module);

/// "7.0" of ".version 7.0" (PTX ISA 11.1).
llvm::StringRef ptxVersionOf(llvm::StringRef ptx);

/// Writes the object that `translateToContract` returns.
void writeContracts(llvm::json::OStream &json, llvm::StringRef chip,
                    llvm::StringRef ptxVersion,
                    llvm::ArrayRef<LaunchContractAttr> contracts);

/// A function of the sizes `names`, symbol by symbol, as C and Python evaluate
/// it on integers that are not negative: `ceildiv(queries - 10, 123)`. The
/// functions are `ceildiv`, `floordiv` and `mod`.
std::string printExpression(mlir::AffineExpr expression,
                            llvm::ArrayRef<llvm::StringRef> names);

} // namespace mta

#endif // MTA_TARGET_CONTRACT_H

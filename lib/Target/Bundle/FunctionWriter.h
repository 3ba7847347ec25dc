//===- FunctionWriter.h - How a variant is launched, in C -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_BUNDLE_FUNCTIONWRITER_H
#define MTA_LIB_TARGET_BUNDLE_FUNCTIONWRITER_H

#include "Model.h"

#include "llvm/Support/raw_ostream.h"

namespace mta::bundle {

/// The kernels of an image, as its functions launch them one after the other.
llvm::SmallVector<KernelLaunchAttr> kernelsOf(const Image &image);

/// Writes the functions of a variant that are not public.
class FunctionWriter {
public:
  FunctionWriter(llvm::raw_ostream &os, const Model &model,
                 const Variant &variant);

  void write();

private:
  std::string text(mlir::AffineExpr expression) const;
  std::string list(llvm::ArrayRef<mlir::AffineExpr> expressions) const;

  void writeSizes(llvm::StringRef from);
  void writeStrides(BufferAttr buffer);
  void writeMatch();
  void writeMeasure(unsigned image);
  void writeNarrowChecks(LaunchContractAttr contract);
  void writeLaunch(unsigned image);
  void writeBufferChecks(unsigned image);
  void writeKernel(unsigned image, KernelLaunchAttr launch, unsigned number);
  std::string address(unsigned image, llvm::StringRef buffer) const;

  llvm::raw_ostream &os;
  const Model &model;
  const Variant &variant;
  llvm::SmallVector<llvm::StringRef> names;
};

} // namespace mta::bundle

#endif // MTA_LIB_TARGET_BUNDLE_FUNCTIONWRITER_H

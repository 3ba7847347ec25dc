//===- Model.h - What is in a bundle ----------------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the files of a bundle say, each in its own way. Functions have variants,
// and every variant has a contract for every image:
//
//     function    attention
//     variants      attention_bf16, attention_f16     (functions of the module)
//     images          sm_90a, sm_80                   (PTX texts)
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_BUNDLE_MODEL_H
#define MTA_LIB_TARGET_BUNDLE_MODEL_H

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Target/Bundle.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallVector.h"

namespace mta::bundle {

/// The kernels for one target.
struct Image {
  std::string chip;
  std::string ptx;
  std::string ptxVersion;
  /// Empty if there is none.
  std::string cubin;
  std::vector<LaunchContractAttr> contracts;

  std::string ptxFile, cubinFile;
};

/// An input or an output of a variant.
struct Buffer {
  /// In C.
  std::string name;
  BufferAttr attr;
};

/// A function that C calls with typed arguments.
struct Variant {
  std::string name;
  /// In C.
  llvm::SmallVector<std::string> sizes;
  llvm::SmallVector<Buffer> buffers;
  /// For every image.
  llvm::SmallVector<LaunchContractAttr> contracts;

  llvm::SmallVector<llvm::StringRef> sizeNames() const;
  llvm::SmallVector<BufferAttr> workspaces(unsigned image) const;
};

/// What a tensor's type and shape choose from.
struct Function {
  std::string name;
  llvm::SmallVector<unsigned> variants;
};

/// The names of the functions of a module that are variants, by that of the
/// function whose they are.
using VariantNames =
    llvm::MapVector<llvm::StringRef, llvm::SmallVector<std::string>>;

struct Model {
  std::string name;
  /// The best one for a device that runs several first.
  std::vector<Image> images;
  std::vector<Variant> variants;
  std::vector<Function> functions;
  /// "release 13.0, V13.0.48", and the flags, if there are cubins.
  std::string ptxasVersion;
  std::vector<std::string> ptxasFlags;

  /// All chips, as in "sm_80 and sm_90a".
  std::string chips() const;
  const Variant &firstVariant(const Function &function) const {
    return variants[function.variants.front()];
  }
};

/// Numbers that kernels take as 32 bits and that are more than a size, which is
/// checked already.
llvm::SmallVector<mlir::AffineExpr> narrowNumbers(LaunchContractAttr contract);

/// What is multiplied in an expression, constants too; itself, if nothing is.
llvm::SmallVector<mlir::AffineExpr> factorsOf(mlir::AffineExpr expression);

/// Whether several numbers that are not constants are multiplied. The launcher
/// checks such numbers without computing those that do not fit into 32 bits.
bool isProduct(mlir::AffineExpr expression);

/// Fills in variants and functions from the images' contracts. Fails with a
/// diagnostic at `loc`.
llvm::LogicalResult buildModel(mlir::Location loc, const VariantNames &names,
                               Model &model);

/// "MTA_BUNDLE_BF16", and what a pointer points to.
std::string typeConstant(mlir::Type type);
llvm::StringRef cElementType(mlir::Type type);
int64_t elementBytes(mlir::Type type);

std::string writeHeader(const Model &model);
std::string writeLauncher(const Model &model);
std::string writeReadme(const Model &model, llvm::ArrayRef<BundleFile> hashed);
std::string writeManifest(const Model &model,
                          llvm::ArrayRef<BundleFile> hashed);

/// The SHA-256 of a text in hexadecimal digits.
std::string hashOf(llvm::StringRef contents);
/// That of the hashes of files and their names, as sha256sum writes them.
std::string hashOf(llvm::ArrayRef<BundleFile> files);

} // namespace mta::bundle

#endif // MTA_LIB_TARGET_BUNDLE_MODEL_H

//===- CHeader.h - Functions for C programs ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model of functions as a C program sees them, and the header that declares
// them:
//
//     int attention(const float *query, .., float *output, int64_t queries);
//
// Arrays are pointers to contiguous elements, the last dimension varying
// fastest; sizes that are not known at compile time are `int64_t` parameters
// after the arrays.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_CHEADER_H
#define MTA_TARGET_CHEADER_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace mta {

/// What a function returns. The header has the same values.
enum class CStatus : int32_t {
  Success = 0,
  BadSize = -1,
  NullPointer = -2,
  OutOfMemory = -3
};

/// A size: `factor` times a size parameter plus `offset`, or `offset` alone.
struct CExtent {
  /// The index of a parameter in `CFunction::sizes`, -1 for a constant.
  int parameter = -1;
  int64_t factor = 1;
  int64_t offset = 0;

  static CExtent constant(int64_t value) { return {-1, 1, value}; }
  bool isConstant() const { return parameter < 0; }
};

/// A scalar, or an array of the elements of a tensor.
struct CParameter {
  std::string name;
  /// Of an element, as in "float".
  std::string type;
  unsigned bytes = 0;
  /// What the compiler calls it, as in "tensor<2x?xf32>".
  std::string sourceType;
  bool isArray = true;
  /// Whether the function only reads it.
  bool isInput = true;
  llvm::SmallVector<CExtent> shape;
  /// A sentence fragment on what it has to hold, "" if there is nothing to say.
  std::string note;
};

/// A relation of sizes that the function checks: `left` to the product of
/// `right`.
struct CCondition {
  enum class Kind { Equal, AtLeast, MultipleOf };
  Kind kind;
  CExtent left;
  llvm::SmallVector<CExtent, 2> right;
};

/// A size parameter.
struct CSize {
  std::string name;
};

/// `int NAME(arguments, results, sizes)`.
struct CFunction {
  std::string name;
  std::vector<CParameter> arguments;
  std::vector<CParameter> results;
  std::vector<CSize> sizes;
  std::vector<CCondition> conditions;
};

/// Whether `name` is an identifier of C and of C++ that a program may use.
bool isCIdentifier(llvm::StringRef name);

/// The header that declares `functions`. `machine` names the processor that
/// they are compiled for; `needsOpenMP` says that they call libomp.
std::string writeCHeader(llvm::ArrayRef<CFunction> functions,
                         llvm::StringRef machine, bool needsOpenMP);

} // namespace mta

#endif // MTA_TARGET_CHEADER_H

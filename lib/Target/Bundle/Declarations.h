//===- Declarations.h - The functions of a launcher -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What kernel.h declares and kernel.c defines, without a semicolon.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_TARGET_BUNDLE_DECLARATIONS_H
#define MTA_LIB_TARGET_BUNDLE_DECLARATIONS_H

#include "Model.h"

namespace mta::bundle {

std::string declareCall(const Model &model, const Variant &variant);
std::string declareWorkspace(const Model &model, const Variant &variant);
std::string declareDispatch(const Model &model, const Function &function);
std::string declareDispatchWorkspace(const Model &model,
                                     const Function &function);

} // namespace mta::bundle

#endif // MTA_LIB_TARGET_BUNDLE_DECLARATIONS_H

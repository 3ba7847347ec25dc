//===- OpenMPLibrary.h - The file of OpenMP's run time ----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TARGET_OPENMPLIBRARY_H
#define MTA_TARGET_OPENMPLIBRARY_H

#include <string>

namespace mta {

/// The path of libomp, which runs the threads of `mta-cpu`: beside the binary
/// that the compiler is in, else where the compiler was built; "" if it is in
/// neither place.
std::string findOpenMPLibrary();

} // namespace mta

#endif // MTA_TARGET_OPENMPLIBRARY_H

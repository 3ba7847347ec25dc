//===- KernelSchedule.h - Kernel schedules of attentions --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_DIALECT_MTA_IR_KERNELSCHEDULE_H
#define MTA_LIB_DIALECT_MTA_IR_KERNELSCHEDULE_H

#include "mta/Dialect/MTA/IR/MTA.h"

namespace mta {

/// C14 of `mta.attention`, whose score program is already verified.
llvm::LogicalResult verifyKernelSchedule(AttentionOp op);

} // namespace mta

#endif // MTA_LIB_DIALECT_MTA_IR_KERNELSCHEDULE_H

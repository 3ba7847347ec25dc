//===- DriverAPI.h - The driver API for tests -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TEST_UNIT_DRIVER_DRIVERAPI_H
#define MTA_TEST_UNIT_DRIVER_DRIVERAPI_H

#include "gtest/gtest.h"

#include <cuda.h>

/// A context that is current while the test runs.
class DriverTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxCreate(&context, nullptr, 0, 0), CUDA_SUCCESS);
  }
  void TearDown() override { cuCtxDestroy(context); }

  CUcontext context = nullptr;
};

#endif // MTA_TEST_UNIT_DRIVER_DRIVERAPI_H

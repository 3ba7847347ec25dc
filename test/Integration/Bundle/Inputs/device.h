//===- device.h - A device for the tests of bundles ---------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TEST_INTEGRATION_BUNDLE_DEVICE_H
#define MTA_TEST_INTEGRATION_BUNDLE_DEVICE_H

#include "kernel.h"

#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>

/// Ends the test unless `actual` is the status that is expected.
#define EXPECT_STATUS(ACTUAL, EXPECTED)                                        \
  do {                                                                         \
    int actual = (int)(ACTUAL);                                                \
    if (actual != (int)(EXPECTED)) {                                           \
      printf("line %d: expects %d, but got %d\n", __LINE__, (int)(EXPECTED),   \
             actual);                                                          \
      exit(EXIT_FAILURE);                                                      \
    }                                                                          \
  } while (0)

/// Makes a context current.
static inline CUcontext makeContext(void) {
  CUcontext context = NULL;
  EXPECT_STATUS(cuInit(0), CUDA_SUCCESS);
  EXPECT_STATUS(cuCtxCreate(&context, NULL, 0, 0), CUDA_SUCCESS);
  return context;
}

/// Bytes on the device, each of `value`.
static inline void *makeArray(size_t bytes, unsigned char value) {
  CUdeviceptr pointer = 0;
  EXPECT_STATUS(cuMemAlloc(&pointer, bytes), CUDA_SUCCESS);
  EXPECT_STATUS(cuMemsetD8(pointer, value, bytes), CUDA_SUCCESS);
  return (void *)(uintptr_t)pointer;
}

#endif // MTA_TEST_INTEGRATION_BUNDLE_DEVICE_H

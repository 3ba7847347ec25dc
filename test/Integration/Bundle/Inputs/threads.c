//===- threads.c - Threads and contexts with one launcher -----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads load bundles and launch at the same time: two of them in one context,
// where they share a bundle as well, a third one in its own.
//
//===----------------------------------------------------------------------===//

#include "device.h"

#include <pthread.h>
#include <string.h>

enum { TOKENS = 7, COUNT = 2 * TOKENS * 64, ROUNDS = 3 };

static float input[COUNT];
static CUcontext shared;
static mta_bundle *sharedBundle;

static float *upload(const float *data, size_t count) {
  float *pointer = (float *)makeArray(count * sizeof(float), 0);
  EXPECT_STATUS(cuMemcpyHtoD((CUdeviceptr)(uintptr_t)pointer, data,
                             count * sizeof(float)),
                CUDA_SUCCESS);
  return pointer;
}

/// The result of a launch of `bundle` in the current context.
static void compute(const mta_bundle *bundle, float *result) {
  static const float theta[2 * 6 * 11];
  CUstream stream = NULL;
  float *data = upload(input, COUNT);
  float *output = (float *)makeArray(COUNT * sizeof(float), 0xff);
  EXPECT_STATUS(cuStreamCreate(&stream, 0), CUDA_SUCCESS);
  EXPECT_STATUS(attention_f32(bundle, stream, data, data, data,
                              upload(theta, 2 * 6 * 11), output, NULL, 0, 1,
                              TOKENS, TOKENS),
                MTA_BUNDLE_SUCCESS);
  EXPECT_STATUS(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_STATUS(cuMemcpyDtoH(result, (CUdeviceptr)(uintptr_t)output,
                             COUNT * sizeof(float)),
                CUDA_SUCCESS);
  EXPECT_STATUS(cuStreamDestroy(stream), CUDA_SUCCESS);
}

static void *work(void *context) {
  float first[COUNT], second[COUNT];
  int isShared = context == shared;
  EXPECT_STATUS(cuCtxSetCurrent((CUcontext)context), CUDA_SUCCESS);
  for (int round = 0; round < ROUNDS; ++round) {
    mta_bundle *bundle = NULL;
    EXPECT_STATUS(mta_load(&bundle), MTA_BUNDLE_SUCCESS);
    compute(bundle, first);
    compute(isShared ? sharedBundle : bundle, second);
    EXPECT_STATUS(memcmp(first, second, sizeof first), 0);
    // The first token sees itself alone.
    EXPECT_STATUS(memcmp(first, input, 64 * sizeof(float)), 0);
    EXPECT_STATUS(mta_unload(bundle), MTA_BUNDLE_SUCCESS);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < COUNT; ++i)
    input[i] = (float)(i % 9) / 8;
  CUcontext own = makeContext();
  shared = makeContext();
  EXPECT_STATUS(mta_load(&sharedBundle), MTA_BUNDLE_SUCCESS);
  for (int i = 0; i < 3; ++i)
    EXPECT_STATUS(
        pthread_create(&threads[i], NULL, work, i == 2 ? own : shared), 0);
  for (int i = 0; i < 3; ++i)
    EXPECT_STATUS(pthread_join(threads[i], NULL), 0);
  EXPECT_STATUS(mta_unload(sharedBundle), MTA_BUNDLE_SUCCESS);
  puts("done");
  return 0;
}

// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A C program that runs the attention of examples/kernel.mlir on a GPU, from a
// bundle. Neither Python nor the compiler nor a CUDA toolkit's library is there
// when it runs.
//
//   mta-translate --mta-to-bundle --chip sm_80,sm_90a examples/kernel.mlir \
//       -o attention
//   cc -Iattention -I/usr/local/cuda/include examples/bundle.c \
//       attention/kernel.c -lcuda -o bundle
//   ./bundle
//
// RUN: rm -rf %t && mkdir %t
// RUN: mta-translate --mta-to-bundle --no-cubin --chip sm_80,sm_90a \
// RUN:   %S/kernel.mlir -o %t/attention
// RUN: %cc -std=c11 %cflags -Wall -Wextra -pedantic -Werror -I%t/attention \
// RUN:   -I%cuda_include %s %t/attention/kernel.c -L%stand_in -lcuda -ldl \
// RUN:   -o %t/bundle
// RUN: %on_stand_in %t/bundle | FileCheck %s
// RUN: %cxx -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror \
// RUN:   -I%t/attention -I%cuda_include -fsyntax-only %s

#include "kernel.h"

#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 1, HEADS = 2, TOKENS = 5, DIMENSION = 16 };

static float query[BATCH][HEADS][TOKENS][DIMENSION];
static float key[BATCH][HEADS][TOKENS][DIMENSION];
static float value[BATCH][HEADS][TOKENS][DIMENSION];
static float output[BATCH][HEADS][TOKENS][DIMENSION];
static float pre_conv[HEADS][6][11];

/// The driver's functions and the launcher's return 0 or a number that the
/// launcher has a text for.
static void check(int status, const char *what) {
  if (status == MTA_BUNDLE_SUCCESS)
    return;
  fprintf(stderr, "%s: %s\n", what, attention_status_text(status));
  exit(EXIT_FAILURE);
}

/// A copy on the device.
static float *upload(const void *data, size_t bytes) {
  CUdeviceptr pointer;
  check((int)cuMemAlloc(&pointer, bytes), "cuMemAlloc");
  check((int)cuMemcpyHtoD(pointer, data, bytes), "cuMemcpyHtoD");
  return (float *)(uintptr_t)pointer;
}

int main(void) {
  // With scores of zero a token's output is the mean of the values up to it.
  for (int head = 0; head < HEADS; ++head)
    for (int token = 0; token < TOKENS; ++token)
      for (int i = 0; i < DIMENSION; ++i)
        value[0][head][token][i] = (float)token;

  CUcontext context;
  check((int)cuInit(0), "cuInit");
  check((int)cuDevicePrimaryCtxRetain(&context, 0), "cuDevicePrimaryCtxRetain");
  check((int)cuCtxSetCurrent(context), "cuCtxSetCurrent");

  // Once for a context; then any thread launches as often as it likes.
  attention_bundle *bundle;
  check(attention_load(&bundle), "attention_load");
  printf("kernels for %s\n", attention_chip(bundle));
  // CHECK: kernels for sm_90a

  CUstream stream;
  check((int)cuStreamCreate(&stream, 0), "cuStreamCreate");
  float *result = upload(output, sizeof output);
  check(attention(bundle, stream, upload(query, sizeof query),
                  upload(key, sizeof key), upload(value, sizeof value),
                  upload(pre_conv, sizeof pre_conv), result,
                  /*workspace=*/NULL, /*workspace_bytes=*/0, BATCH, TOKENS,
                  TOKENS),
        "attention");
  check((int)cuStreamSynchronize(stream), "cuStreamSynchronize");
  check(
      (int)cuMemcpyDtoH(output, (CUdeviceptr)(uintptr_t)result, sizeof output),
      "cuMemcpyDtoH");
  for (int token = 0; token < TOKENS; ++token)
    printf("token %d: %.2f\n", token, output[0][HEADS - 1][token][0]);
  // CHECK-NEXT: token 0: 0.00
  // CHECK-NEXT: token 1: 0.50
  // CHECK-NEXT: token 2: 1.00
  // CHECK-NEXT: token 3: 1.50
  // CHECK-NEXT: token 4: 2.00

  check(attention_unload(bundle), "attention_unload");
  check((int)cuDevicePrimaryCtxRelease(0), "cuDevicePrimaryCtxRelease");
  return EXIT_SUCCESS;
}

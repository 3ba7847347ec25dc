// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The C program of docs/tutorial.md: runs the attention of
// examples/tutorial.mlir on arrays in files and compares the output with what a
// file expects. Files hold numbers of f32, in the order of kernel.h.
//
//   ./tutorial BATCH TOKENS
//
// RUN: rm -rf %t && mkdir %t
// RUN: mta-translate --mta-to-bundle --no-cubin --chip sm_90a \
// RUN:   %S/tutorial.mlir -o %t/attention
// RUN: %cc -std=c11 %cflags -Wall -Wextra -pedantic -Werror -I%t/attention \
// RUN:   -I%cuda_include %s %t/attention/kernel.c -L%stand_in -lcuda -ldl \
// RUN:   -o %t/tutorial
// RUN: not %on_stand_in %t/tutorial 0 2>&1 | FileCheck --check-prefix=USAGE %s
// RUN: not %on_stand_in %t/tutorial 1 3 2>&1 | FileCheck --check-prefix=FILE %s
// RUN: %cxx -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror \
// RUN:   -I%t/attention -I%cuda_include -fsyntax-only %s
// USAGE: usage: tutorial BATCH TOKENS
// FILE: expected.f32: expects 384 numbers

#include "kernel.h"

#include <cuda.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADS = 4, SIZE = 32 };

/// The driver's functions and the launcher's return 0 or a number that the
/// launcher has a text for.
static void check(int status, const char *what) {
  if (status == MTA_BUNDLE_SUCCESS)
    return;
  fprintf(stderr, "%s: %s\n", what, attention_status_text(status));
  exit(EXIT_FAILURE);
}

/// The numbers of a file.
static float *read_numbers(const char *name, size_t count) {
  float *numbers = (float *)malloc(count * sizeof(float));
  FILE *file = fopen(name, "rb");
  if (!numbers || !file ||
      fread(numbers, sizeof(float), count, file) != count) {
    fprintf(stderr, "%s: expects %zu numbers\n", name, count);
    exit(EXIT_FAILURE);
  }
  fclose(file);
  return numbers;
}

/// The numbers of a file on the device.
static float *upload(const char *name, size_t count) {
  float *numbers = read_numbers(name, count);
  CUdeviceptr pointer;
  check((int)cuMemAlloc(&pointer, count * sizeof(float)), "cuMemAlloc");
  check((int)cuMemcpyHtoD(pointer, numbers, count * sizeof(float)), name);
  free(numbers);
  return (float *)(uintptr_t)pointer;
}

/// Launches the attention on a context's default stream, and waits for it.
static void run(const attention_bundle *bundle, float *output, int64_t batch,
                int64_t tokens) {
  size_t elements = (size_t)(batch * HEADS * tokens * SIZE), bytes;
  CUdeviceptr result, workspace = 0;
  check((int)cuMemAlloc(&result, elements * sizeof(float)), "cuMemAlloc");
  check(attention_workspace(bundle, batch, tokens, tokens, &bytes),
        "workspace");
  if (bytes)
    check((int)cuMemAlloc(&workspace, bytes), "cuMemAlloc");
  check(attention(bundle, /*stream=*/NULL, upload("query.f32", elements),
                  upload("key.f32", elements), upload("value.f32", elements),
                  upload("pre_conv.f32", HEADS * 6 * 11),
                  upload("post_mix.f32", 2 * 2 * 2),
                  upload("norm_weight.f32", SIZE), (float *)(uintptr_t)result,
                  (void *)(uintptr_t)workspace, bytes, batch, tokens, tokens),
        "attention");
  check((int)cuStreamSynchronize(NULL), "cuStreamSynchronize");
  check((int)cuMemcpyDtoH(output, result, elements * sizeof(float)), "output");
}

int main(int count, char **arguments) {
  int64_t batch = count == 3 ? atoll(arguments[1]) : 0;
  int64_t tokens = count == 3 ? atoll(arguments[2]) : 0;
  if (batch < 1 || tokens < 1) {
    fprintf(stderr, "usage: tutorial BATCH TOKENS\n");
    return EXIT_FAILURE;
  }
  CUcontext context;
  attention_bundle *bundle;
  check((int)cuInit(0), "cuInit");
  check((int)cuDevicePrimaryCtxRetain(&context, 0), "cuDevicePrimaryCtxRetain");
  check((int)cuCtxSetCurrent(context), "cuCtxSetCurrent");
  check(attention_load(&bundle), "attention_load");

  size_t elements = (size_t)(batch * HEADS * tokens * SIZE);
  float *expected = read_numbers("expected.f32", elements);
  float *output = (float *)malloc(elements * sizeof(float));
  check(output ? 0 : MTA_BUNDLE_OUT_OF_MEMORY, "output");
  run(bundle, output, batch, tokens);
  double difference = 0, largest = 0;
  for (size_t i = 0; i < elements; ++i) {
    difference = fmax(difference, fabs((double)output[i] - expected[i]));
    largest = fmax(largest, fabs((double)expected[i]));
  }
  printf("%s: %zu numbers up to %.2f, largest difference %.0e\n",
         attention_chip(bundle), elements, largest, difference);
  free(expected);
  free(output);
  check(attention_unload(bundle), "attention_unload");
  check((int)cuDevicePrimaryCtxRelease(0), "cuDevicePrimaryCtxRelease");
  return difference <= 1e-4 * largest ? EXIT_SUCCESS : EXIT_FAILURE;
}

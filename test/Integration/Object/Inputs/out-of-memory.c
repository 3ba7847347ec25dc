//===- out-of-memory.c - Every allocation fails once --------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "kernel.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

// The linker sends the kernel's calls of malloc and free to __wrap_.
void *__real_malloc(size_t size);
void __real_free(void *pointer);
void *__wrap_malloc(size_t size);
void __wrap_free(void *pointer);

static atomic_long calls, limit, live;

void *__wrap_malloc(size_t size) {
  if (atomic_fetch_add(&calls, 1) == limit)
    return NULL;
  atomic_fetch_add(&live, 1);
  return __real_malloc(size);
}

void __wrap_free(void *pointer) {
  if (pointer)
    atomic_fetch_sub(&live, 1);
  __real_free(pointer);
}

static int run(const float *input, float *output) {
#ifdef CALLS
  return kernel(input, 4, output);
#else
  return kernel(input, input, input, input, input, input, input, output, 2, 150,
                150);
#endif
}

int main(void) {
  size_t count = 2 * 4 * 150 * 32;
  float *input = calloc(count, sizeof(float));
  float *output = calloc(count, sizeof(float));
  int status = MTA_KERNEL_OUT_OF_MEMORY;
  for (limit = 0; status == MTA_KERNEL_OUT_OF_MEMORY; ++limit) {
    calls = 0;
    status = run(input, output);
    if (live != 0) {
      printf("allocation %ld failed: %ld buffers are left\n", (long)limit,
             (long)live);
      return 1;
    }
  }
  if (status != MTA_KERNEL_SUCCESS)
    return 1;
  printf("failed %ld times, then succeeded\n", (long)limit - 1);
  free(input);
  free(output);
  return 0;
}

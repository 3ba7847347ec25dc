// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A C program that calls the attention of examples/kernel.mlir. Neither Python
// nor the compiler is there when it runs.
//
//   mta-translate --mta-to-object examples/kernel.mlir \
//       -o kernel.o --header kernel.h
//   cc -I. examples/kernel.c kernel.o -l:libomp.so.5 -lm -o kernel
//   ./kernel
//
// RUN: rm -rf %t && mkdir %t
// RUN: mta-translate --mta-to-object %S/kernel.mlir \
// RUN:   -o %t/kernel.o --header %t/kernel.h
// RUN: %cc -std=c11 -O2 -Wall -Wextra -pedantic -Werror -I%t %s \
// RUN:   %t/kernel.o %openmp -lm -o %t/kernel
// RUN: %t/kernel | FileCheck %s
// RUN: %cxx -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror -I%t \
// RUN:   -fsyntax-only %s

#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 1, HEADS = 2, TOKENS = 5, DIMENSION = 16 };

static float query[BATCH][HEADS][TOKENS][DIMENSION];
static float key[BATCH][HEADS][TOKENS][DIMENSION];
static float value[BATCH][HEADS][TOKENS][DIMENSION];
static float output[BATCH][HEADS][TOKENS][DIMENSION];
static float pre_conv[HEADS][6][11];

int main(void) {
  // With scores of zero a token's output is the mean of the values up to it.
  for (int head = 0; head < HEADS; ++head)
    for (int token = 0; token < TOKENS; ++token)
      for (int i = 0; i < DIMENSION; ++i)
        value[0][head][token][i] = (float)token;

  int status =
      attention(&query[0][0][0][0], &key[0][0][0][0], &value[0][0][0][0],
                &pre_conv[0][0][0], &output[0][0][0][0], BATCH, TOKENS, TOKENS);
  if (status != MTA_KERNEL_SUCCESS) {
    fprintf(stderr, "attention failed with status %d\n", status);
    return EXIT_FAILURE;
  }
  for (int token = 0; token < TOKENS; ++token)
    printf("token %d: %.2f\n", token, output[0][HEADS - 1][token][0]);
  // CHECK: token 0: 0.00
  // CHECK-NEXT: token 1: 0.50
  // CHECK-NEXT: token 2: 1.00
  // CHECK-NEXT: token 3: 1.50
  // CHECK-NEXT: token 4: 2.00

  // A negative size is an error, as is an array that is not there.
  if (attention(NULL, NULL, NULL, NULL, NULL, -1, TOKENS, TOKENS) !=
          MTA_KERNEL_BAD_SIZE ||
      attention(NULL, NULL, NULL, NULL, NULL, BATCH, TOKENS, TOKENS) !=
          MTA_KERNEL_NULL_POINTER)
    return EXIT_FAILURE;
  puts("errors are reported");
  // CHECK-NEXT: errors are reported
  return EXIT_SUCCESS;
}

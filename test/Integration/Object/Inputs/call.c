//===- call.c - Calls a kernel on arrays in files -----------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// call OUTPUT BYTES INPUT..: loads the inputs as a[0], a[1], .. and writes
// BYTES bytes of `out`. KERNEL_CALL, the call, and ELEMENT_BYTES, the size of
// an input's element, are given on the command line of the C compiler.

#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_ARRAYS = 32 };

// The contents of a file, aligned for its elements and no better.
static void *load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0)
    return NULL;
  long size = ftell(file);
  rewind(file);
  char *data = malloc((size_t)size + ELEMENT_BYTES);
  if (!data)
    return NULL;
  data += ELEMENT_BYTES;
  if (fread(data, 1, (size_t)size, file) != (size_t)size)
    return NULL;
  fclose(file);
  return data;
}

int main(int argc, char **argv) {
  const void *a[MAX_ARRAYS] = {NULL};
  for (int i = 3; i < argc && i - 3 < MAX_ARRAYS; ++i) {
    a[i - 3] = load(argv[i]);
    if (!a[i - 3])
      return 1;
  }
  size_t bytes = strtoul(argv[2], NULL, 10);
  void *out = malloc(bytes);
  int status = KERNEL_CALL;
  if (status != MTA_KERNEL_SUCCESS)
    return 2;
  FILE *file = fopen(argv[1], "wb");
  if (!file || fwrite(out, 1, bytes, file) != bytes || fclose(file) != 0)
    return 1;
  return 0;
}

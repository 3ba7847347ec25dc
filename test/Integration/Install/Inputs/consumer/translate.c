//===- translate.c - A program that uses the C ABI ----------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta-c/Compiler.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  static char text[1 << 16];
  FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (!file) {
    fprintf(stderr, "usage: translate FILE\n");
    return 2;
  }
  size_t length = fread(text, 1, sizeof(text), file);
  fclose(file);

  printf("version %s\n", mtaVersion());
  MtaModule *module = mtaModuleParse(text, length, argv[1]);
  char *ptx = module ? mtaModuleToPTX(module, "sm_90") : NULL;
  if (!ptx) {
    fprintf(stderr, "%s\n", mtaLastError());
    mtaModuleDestroy(module);
    return 1;
  }
  fputs(ptx, stdout);
  mtaFree(ptx);
  mtaModuleDestroy(module);
  return 0;
}

//===- golden.c - Runs a bundle's attention on files ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   golden f32|bf16 BATCH QUERIES KEYS
//
// reads the files q, k, v and pre_conv of the folder it is started in, writes
// the file output and prints how many bytes of workspace that took. Heads and
// their size are those of the bundle.
//
//===----------------------------------------------------------------------===//

#include "kernel.h"

#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int status, const char *what) {
  if (status == MTA_BUNDLE_SUCCESS)
    return;
  fprintf(stderr, "%s: %s\n", what, attention_status_text(status));
  exit(EXIT_FAILURE);
}

/// The contents of a file on the device.
static void *upload(const char *name, size_t *bytes) {
  CUdeviceptr pointer = 0;
  FILE *file = fopen(name, "rb");
  check(file ? 0 : MTA_BUNDLE_NULL_POINTER, name);
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  void *data = malloc(*bytes);
  check(data ? 0 : MTA_BUNDLE_OUT_OF_MEMORY, name);
  check(fread(data, 1, *bytes, file) == *bytes ? 0 : -1, name);
  fclose(file);
  check((int)cuMemAlloc(&pointer, *bytes), "cuMemAlloc");
  check((int)cuMemcpyHtoD(pointer, data, *bytes), "cuMemcpyHtoD");
  free(data);
  return (void *)(uintptr_t)pointer;
}

static void download(const char *name, const void *pointer, size_t bytes) {
  void *data = malloc(bytes);
  FILE *file = fopen(name, "wb");
  check(data && file ? 0 : MTA_BUNDLE_OUT_OF_MEMORY, name);
  check((int)cuMemcpyDtoH(data, (CUdeviceptr)(uintptr_t)pointer, bytes),
        "cuMemcpyDtoH");
  fwrite(data, 1, bytes, file);
  fclose(file);
  free(data);
}

int main(int count, char **arguments) {
  if (count != 5)
    return EXIT_FAILURE;
  CUcontext context;
  check((int)cuInit(0), "cuInit");
  check((int)cuDevicePrimaryCtxRetain(&context, 0), "cuDevicePrimaryCtxRetain");
  check((int)cuCtxSetCurrent(context), "cuCtxSetCurrent");
  attention_bundle *bundle;
  check(attention_load(&bundle), "attention_load");

  int64_t batch = atoll(arguments[2]), queries = atoll(arguments[3]),
          keys = atoll(arguments[4]);
  size_t bytes, unused;
  void *q = upload("q", &bytes), *k = upload("k", &unused),
       *v = upload("v", &unused), *pre_conv = upload("pre_conv", &unused);
  CUdeviceptr output;
  check((int)cuMemAlloc(&output, bytes), "cuMemAlloc");
  void *result = (void *)(uintptr_t)output;
  int isF32 = strcmp(arguments[1], "f32") == 0;
  size_t workspace_bytes;
  check(isF32 ? attention_f32_workspace(bundle, batch, queries, keys,
                                        &workspace_bytes)
              : attention_bf16_workspace(bundle, batch, queries, keys,
                                         &workspace_bytes),
        "workspace");
  printf("%zu\n", workspace_bytes);
  CUdeviceptr workspace = 0;
  if (workspace_bytes > 0)
    check((int)cuMemAlloc(&workspace, workspace_bytes), "cuMemAlloc");
  void *space = (void *)(uintptr_t)workspace;
  int status =
      isF32 ? attention_f32(bundle, NULL, (float *)q, (float *)k, (float *)v,
                            (float *)pre_conv, (float *)result, space,
                            workspace_bytes, batch, queries, keys)
            : attention_bf16(bundle, NULL, (MtaDeviceBF16 *)q,
                             (MtaDeviceBF16 *)k, (MtaDeviceBF16 *)v,
                             (MtaDeviceBF16 *)pre_conv, (MtaDeviceBF16 *)result,
                             space, workspace_bytes, batch, queries, keys);
  check(status, "attention");
  check((int)cuStreamSynchronize(NULL), "cuStreamSynchronize");
  download("output", result, bytes);
  check(attention_unload(bundle), "attention_unload");
  return EXIT_SUCCESS;
}

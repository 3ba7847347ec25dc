//===- statuses.c - Every way in which a launcher refuses -----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the bundle of f32.mlir and bf16.mlir. What is refused launches nothing:
// the test reads the record of the stand-in driver.
//
//===----------------------------------------------------------------------===//

#include "device.h"

enum { TOKENS = 7, BYTES = 2 * TOKENS * 64 * 4, THETA_BYTES = 2 * 6 * 11 * 4 };

/// attention_f32 with arguments that a test changes.
typedef struct Arguments {
  float *query, *key, *value, *theta, *output;
  int64_t batch, queries, keys;
} Arguments;

static int call(const mta_bundle *bundle, const Arguments *a) {
  return attention_f32(bundle, NULL, a->query, a->key, a->value, a->theta,
                       a->output, NULL, 0, a->batch, a->queries, a->keys);
}

static Arguments makeArguments(void) {
  Arguments a;
  a.query = (float *)makeArray(BYTES, 0);
  a.key = (float *)makeArray(BYTES, 0);
  a.value = (float *)makeArray(BYTES, 0);
  a.theta = (float *)makeArray(THETA_BYTES, 0);
  a.output = (float *)makeArray(BYTES, 0);
  a.batch = 1;
  a.queries = a.keys = TOKENS;
  return a;
}

static void testSizes(const mta_bundle *bundle, const Arguments *good) {
  Arguments a = *good;
  a.batch = -1;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_BAD_SIZE);
  a.batch = 65536; // more than the grid can have
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_BAD_SIZE);
  a.batch = INT64_MAX;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_BAD_SIZE);
  a.batch = 1;
  a.keys = (int64_t)1 << 31;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_BAD_SIZE);
  a.batch = 65535;
  a.keys = 2147483647; // 2^47 bytes and more
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_BAD_SIZE);
  a = *good;
  a.query = a.output = NULL;
  a.queries = 0;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_SUCCESS);
}

static void testPointers(const mta_bundle *bundle, const Arguments *good) {
  Arguments a = *good;
  a.key = NULL;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_NULL_POINTER);
  a.key = good->key + 1;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_MISALIGNED);
  a = *good;
  a.output = NULL;
  EXPECT_STATUS(call(bundle, &a), MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(call(NULL, good), MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(mta_load(NULL), MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(mta_unload(NULL), MTA_BUNDLE_SUCCESS);
}

/// The query and the key are zeros; the value and gamma are the same number in
/// every element, and so is the output.
static int callNormed(const mta_bundle *bundle, const Arguments *a,
                      void *workspace, size_t bytes) {
  const double *gamma = (const double *)makeArray(16 * sizeof(double), 0x3f);
  return normed(bundle, NULL, a->query, a->key, a->value, gamma, a->output,
                workspace, bytes, TOKENS, TOKENS);
}

static void checkNormed(const Arguments *a) {
  float output[2 * (TOKENS - 5) * 16];
  int count = sizeof output / sizeof *output, i;
  EXPECT_STATUS(
      cuMemcpyDtoH(output, (CUdeviceptr)(uintptr_t)a->output, sizeof output),
      CUDA_SUCCESS);
  EXPECT_STATUS(output[0] > 0, 1);
  for (i = 1; i < count; ++i)
    EXPECT_STATUS(output[i] == output[0], 1);
}

static void testWorkspace(const mta_bundle *bundle, const Arguments *good) {
  Arguments copy = *good, *a = &copy;
  size_t bytes = 1;
  a->value = (float *)makeArray(BYTES, 0x3f);
  EXPECT_STATUS(attention_f32_workspace(bundle, 1, TOKENS, TOKENS, &bytes),
                MTA_BUNDLE_SUCCESS);
  EXPECT_STATUS(bytes, 0);
  // A row for each of 2 heads and the queries but 5, and its log-sum-exp.
  EXPECT_STATUS(normed_workspace(bundle, TOKENS, TOKENS, &bytes),
                MTA_BUNDLE_SUCCESS);
  EXPECT_STATUS(bytes, 2 * 256);
  char *workspace = (char *)makeArray(bytes + 1, 0);
  EXPECT_STATUS(callNormed(bundle, a, workspace, bytes - 1),
                MTA_BUNDLE_SMALL_WORKSPACE);
  EXPECT_STATUS(callNormed(bundle, a, NULL, bytes), MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(callNormed(bundle, a, workspace + 1, bytes),
                MTA_BUNDLE_MISALIGNED);
  EXPECT_STATUS(callNormed(bundle, a, workspace, bytes), MTA_BUNDLE_SUCCESS);
  checkNormed(a);
  EXPECT_STATUS(normed_workspace(bundle, 4, TOKENS, &bytes),
                MTA_BUNDLE_BAD_SIZE);
  EXPECT_STATUS(normed_workspace(bundle, TOKENS, TOKENS, NULL),
                MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(normed_workspace(NULL, TOKENS, TOKENS, &bytes),
                MTA_BUNDLE_NULL_POINTER);
}

static void testContexts(mta_bundle *bundle, const Arguments *a) {
  CUcontext first = NULL, second = NULL;
  cuCtxGetCurrent(&first);
  EXPECT_STATUS(cuCtxCreate(&second, NULL, 0, 0), CUDA_SUCCESS);
  EXPECT_STATUS(call(bundle, a), MTA_BUNDLE_WRONG_CONTEXT);
  cuCtxSetCurrent(NULL);
  cuCtxSetCurrent(NULL);
  mta_bundle *other = bundle;
  EXPECT_STATUS(mta_load(&other), MTA_BUNDLE_NO_CONTEXT);
  EXPECT_STATUS(!other, 1);
  EXPECT_STATUS(call(bundle, a), MTA_BUNDLE_WRONG_CONTEXT);
  // Unloading needs no current context, and changes none.
  EXPECT_STATUS(mta_unload(bundle), MTA_BUNDLE_SUCCESS);
  CUcontext current = first;
  EXPECT_STATUS(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_STATUS(current == NULL, 1);
  cuCtxSetCurrent(second);
  EXPECT_STATUS(mta_load(&other), MTA_BUNDLE_SUCCESS);
  EXPECT_STATUS(cuCtxDestroy(second), CUDA_SUCCESS);
  EXPECT_STATUS(mta_unload(other), CUDA_ERROR_INVALID_CONTEXT);
  cuCtxSetCurrent(first);
}

static void testTexts(void) {
  for (int status = 0; status >= MTA_BUNDLE_BAD_STRIDES - 1; --status)
    printf("%d: %s\n", status, mta_status_text(status));
  printf("%d: %s\n", 719, mta_status_text(719));
  printf("%d: %s\n", 12345, mta_status_text(12345));
}

int main(void) {
  mta_bundle *bundle = NULL;
  EXPECT_STATUS(mta_load(&bundle), CUDA_ERROR_NOT_INITIALIZED);
  makeContext();
  EXPECT_STATUS(mta_load(&bundle), MTA_BUNDLE_SUCCESS);
  Arguments arguments = makeArguments();
  testSizes(bundle, &arguments);
  testPointers(bundle, &arguments);
  testWorkspace(bundle, &arguments);
  EXPECT_STATUS(call(bundle, &arguments), MTA_BUNDLE_SUCCESS);
  testContexts(bundle, &arguments);
  testTexts();
  return 0;
}

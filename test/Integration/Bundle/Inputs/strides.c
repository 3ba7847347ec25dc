//===- strides.c - Arrays that are not contiguous -------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "device.h"

#include <math.h>
#include <string.h>

enum {
  HEADS = 2,
  TOKENS = 7,
  SIZE = 64,
  /// Of memory with room for more tokens.
  CAPACITY = 9,
  COUNT = HEADS * TOKENS * SIZE,
  GAPPED = HEADS * CAPACITY * SIZE
};

static const int64_t shape[] = {1, HEADS, TOKENS, SIZE};
/// The heads of a token side by side; nothing depends on the first stride.
static const int64_t tokensFirst[] = {5, SIZE, HEADS *SIZE, 1};

typedef struct {
  /// The same numbers, contiguous and with the heads of a token side by side.
  void *contiguous, *gapped;
} Pair;

static void *upload(const float *numbers, size_t count) {
  void *array = makeArray(count * sizeof *numbers, 0);
  EXPECT_STATUS(cuMemcpyHtoD((CUdeviceptr)(uintptr_t)array, numbers,
                             count * sizeof *numbers),
                CUDA_SUCCESS);
  return array;
}

static Pair makePair(float first) {
  float contiguous[COUNT], gapped[GAPPED];
  Pair pair;
  for (int i = 0; i < GAPPED; ++i)
    gapped[i] = NAN;
  for (int head = 0; head < HEADS; ++head)
    for (int token = 0; token < TOKENS; ++token)
      for (int i = 0; i < SIZE; ++i) {
        float number = sinf(first + (float)(head * 500 + token * SIZE + i));
        contiguous[(head * TOKENS + token) * SIZE + i] = number;
        gapped[(token * HEADS + head) * SIZE + i] = number;
      }
  pair.contiguous = upload(contiguous, COUNT);
  pair.gapped = upload(gapped, GAPPED);
  return pair;
}

static MtaBundleTensor makeTensor(const void *data, const int64_t *strides) {
  MtaBundleTensor tensor = {data, MTA_BUNDLE_F32, 4, shape, NULL};
  tensor.strides = strides;
  return tensor;
}

/// Checks that the outputs of two layouts are the same numbers.
static void expectSame(const void *contiguous, const void *gapped) {
  float left[COUNT], right[GAPPED];
  EXPECT_STATUS(
      cuMemcpyDtoH(left, (CUdeviceptr)(uintptr_t)contiguous, sizeof left),
      CUDA_SUCCESS);
  EXPECT_STATUS(
      cuMemcpyDtoH(right, (CUdeviceptr)(uintptr_t)gapped, sizeof right),
      CUDA_SUCCESS);
  for (int head = 0; head < HEADS; ++head)
    for (int token = 0; token < TOKENS; ++token)
      EXPECT_STATUS(memcmp(&left[(head * TOKENS + token) * SIZE],
                           &right[(token * HEADS + head) * SIZE],
                           SIZE * sizeof *left),
                    0);
}

int main(void) {
  static const int64_t window[] = {HEADS, 6, 11};
  static const int64_t shared[] = {5, 0, SIZE, 1};
  static const int64_t overlapping[] = {5, SIZE / 2, HEADS * SIZE, 1};
  static const int64_t unaligned[] = {5, SIZE, HEADS * SIZE + 2, 1};
  static const int64_t gapsInRows[] = {5, SIZE * 2, HEADS * SIZE * 2, 2};
  static const int64_t far[] = {5, SIZE, (int64_t)1 << 31, 1};
  mta_bundle *bundle = NULL;
  attention_tensors tensors;
  Pair query, key, value, output;
  makeContext();
  EXPECT_STATUS(mta_load(&bundle), MTA_BUNDLE_SUCCESS);
  query = makePair(0);
  key = makePair(1);
  value = makePair(2);
  output = makePair(3);
  tensors.query = makeTensor(query.contiguous, NULL);
  tensors.key = makeTensor(key.contiguous, NULL);
  tensors.value = makeTensor(value.contiguous, NULL);
  tensors.output = makeTensor(output.contiguous, NULL);
  tensors.theta = makeTensor(query.contiguous, NULL);
  tensors.theta.rank = 3;
  tensors.theta.shape = window;
#define CALL() attention_dispatch(bundle, NULL, &tensors, NULL, 0)
  EXPECT_STATUS(CALL(), MTA_BUNDLE_SUCCESS);
  tensors.query = makeTensor(query.gapped, tokensFirst);
  tensors.key = makeTensor(key.gapped, tokensFirst);
  tensors.output = makeTensor(output.gapped, tokensFirst);
  EXPECT_STATUS(CALL(), MTA_BUNDLE_SUCCESS);
  expectSame(output.contiguous, output.gapped);
  // Heads may share values, but not places of the output.
  tensors.value = makeTensor(value.contiguous, shared);
  EXPECT_STATUS(CALL(), MTA_BUNDLE_SUCCESS);
  tensors.output.strides = shared;
  EXPECT_STATUS(CALL(), MTA_BUNDLE_BAD_STRIDES);
  tensors.output.strides = overlapping;
  EXPECT_STATUS(CALL(), MTA_BUNDLE_BAD_STRIDES);
  tensors.output.strides = tokensFirst;
  tensors.key.strides = gapsInRows;
  EXPECT_STATUS(CALL(), MTA_BUNDLE_BAD_STRIDES);
  tensors.key.strides = far;
  EXPECT_STATUS(CALL(), MTA_BUNDLE_BAD_STRIDES);
  tensors.key.strides = unaligned;
  EXPECT_STATUS(CALL(), MTA_BUNDLE_BAD_SIZE);
  // A typed call takes the strides as numbers.
#define TYPED(ROW, OUTPUT_ROW)                                                 \
  attention_strided(bundle, NULL, query.gapped, key.gapped, value.gapped,      \
                    query.contiguous, output.gapped, NULL, 0, TOKENS, TOKENS,  \
                    0, SIZE, ROW, 0, SIZE, HEADS *SIZE, 0, SIZE, HEADS *SIZE,  \
                    0, SIZE, OUTPUT_ROW)
  EXPECT_STATUS(TYPED(HEADS * SIZE, HEADS * SIZE), MTA_BUNDLE_SUCCESS);
  expectSame(output.contiguous, output.gapped);
  EXPECT_STATUS(TYPED(HEADS * SIZE + 1, HEADS * SIZE), MTA_BUNDLE_BAD_SIZE);
  EXPECT_STATUS(TYPED(-4, HEADS * SIZE), MTA_BUNDLE_BAD_SIZE);
  EXPECT_STATUS(TYPED(HEADS * SIZE, SIZE), MTA_BUNDLE_BAD_STRIDES);
  EXPECT_STATUS(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_STATUS(mta_unload(bundle), MTA_BUNDLE_SUCCESS);
  puts("done");
  return 0;
}

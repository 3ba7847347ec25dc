//===- dispatch.c - A launcher chooses among variants ---------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "device.h"

enum { TOKENS = 7, BYTES = 2 * TOKENS * 64 * 4 };

static MtaBundleTensor makeTensor(int type, const int64_t *shape, int rank) {
  MtaBundleTensor tensor;
  tensor.data = makeArray(BYTES, 0);
  tensor.type = type;
  tensor.rank = rank;
  tensor.shape = shape;
  tensor.strides = NULL;
  return tensor;
}

static attention_tensors makeTensors(int type, const int64_t *shape) {
  static const int64_t window[] = {2, 6, 11};
  attention_tensors tensors;
  tensors.query = makeTensor(type, shape, 4);
  tensors.key = makeTensor(type, shape, 4);
  tensors.value = makeTensor(type, shape, 4);
  tensors.theta = makeTensor(type, window, 3);
  tensors.output = makeTensor(type, shape, 4);
  return tensors;
}

static int call(const mta_bundle *bundle, const attention_tensors *tensors) {
  size_t bytes = 1;
  int status = attention_dispatch_workspace(bundle, tensors, &bytes);
  if (status == MTA_BUNDLE_SUCCESS)
    EXPECT_STATUS(bytes, 0);
  EXPECT_STATUS(attention_dispatch(bundle, NULL, tensors, NULL, 0), status);
  return status;
}

static void testTypesAndShapes(const mta_bundle *bundle) {
  static const int64_t wide[] = {1, 2, TOKENS, 64};
  static const int64_t narrow[] = {1, 2, TOKENS, 16};
  static const int64_t longer[] = {1, 2, TOKENS + 1, 64};
  static const int64_t negative[] = {-1, 2, TOKENS, 64};
  static const int64_t many[] = {65536, 2, 0, 64};
  attention_tensors tensors = makeTensors(MTA_BUNDLE_F32, wide);
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_SUCCESS);
  tensors.key.type = MTA_BUNDLE_BF16;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_TYPE);
  tensors = makeTensors(MTA_BUNDLE_BF16, narrow);
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_SUCCESS);
  tensors = makeTensors(MTA_BUNDLE_BF16, wide);
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_SHAPE);
  tensors = makeTensors(MTA_BUNDLE_F32, wide);
  tensors.output.shape = longer;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_SHAPE);
  tensors.output.shape = NULL;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_TYPE);
  tensors = makeTensors(MTA_BUNDLE_F32, negative);
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_SHAPE);
  tensors = makeTensors(MTA_BUNDLE_F32, many);
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_SIZE);
  EXPECT_STATUS(attention_dispatch(bundle, NULL, NULL, NULL, 0),
                MTA_BUNDLE_NULL_POINTER);
  EXPECT_STATUS(call(NULL, &tensors), MTA_BUNDLE_NULL_POINTER);
}

static void testStrides(const mta_bundle *bundle) {
  static const int64_t shape[] = {1, 2, TOKENS, 64};
  static const int64_t contiguous[] = {2 * TOKENS * 64, TOKENS * 64, 64, 1};
  // The stride of a dimension of one element does not matter.
  static const int64_t loose[] = {5, TOKENS * 64, 64, 1};
  static const int64_t transposed[] = {2 * TOKENS * 64, 64, 2 * 64, 1};
  attention_tensors tensors = makeTensors(MTA_BUNDLE_F32, shape);
  tensors.value.strides = contiguous;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_SUCCESS);
  tensors.value.strides = loose;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_SUCCESS);
  tensors.value.strides = transposed;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_BAD_STRIDES);
  // Nor does any where there are no elements.
  static const int64_t empty[] = {1, 2, 0, 64};
  tensors = makeTensors(MTA_BUNDLE_F32, empty);
  tensors.value.strides = transposed;
  EXPECT_STATUS(call(bundle, &tensors), MTA_BUNDLE_SUCCESS);
}

int main(void) {
  mta_bundle *bundle = NULL;
  makeContext();
  EXPECT_STATUS(mta_load(&bundle), MTA_BUNDLE_SUCCESS);
  testTypesAndShapes(bundle);
  testStrides(bundle);
  EXPECT_STATUS(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_STATUS(mta_unload(bundle), MTA_BUNDLE_SUCCESS);
  puts("done");
  return 0;
}

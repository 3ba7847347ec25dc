//===- softmax.cu - The softmax of rows, one block for each ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case softmax %t.ptx %t

#include <math_constants.h>

__device__ float reduce(float value, bool takesMaximum) {
  __shared__ float partial[32];
  for (int offset = 16; offset > 0; offset /= 2) {
    float other = __shfl_xor_sync(0xffffffffu, value, offset);
    value = takesMaximum ? fmaxf(value, other) : value + other;
  }
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, warps = blockDim.x / 32;
  if (lane == 0)
    partial[warp] = value;
  __syncthreads();
  value = partial[0];
  for (int i = 1; i < warps; ++i)
    value = takesMaximum ? fmaxf(value, partial[i]) : value + partial[i];
  __syncthreads();
  return value;
}

extern "C" __global__ void softmax(const float *x, float *y, int columns) {
  const float *row = x + size_t(blockIdx.x) * columns;
  float largest = -CUDART_INF_F, sum = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    largest = fmaxf(largest, row[i]);
  largest = reduce(largest, true);
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    sum += expf(row[i] - largest);
  sum = reduce(sum, false);
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    y[size_t(blockIdx.x) * columns + i] = __expf(row[i] - largest) / sum;
}

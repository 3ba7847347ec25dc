//===- device-functions.cu - Calls with local arrays and structures -------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case device-functions %t.ptx %t

struct Pair {
  float sum;
  int index;
};
struct Options {
  float scale;
  short shift;
  double offset;
};

__device__ __noinline__ void fill(float *array, int n, float first) {
  for (int i = 0; i < n; ++i)
    array[i] = first + i * i;
}
__device__ __noinline__ Pair smallest(const float *array, int n, float target) {
  Pair best = {1e30f, -1};
  for (int i = 0; i < n; ++i)
    if (fabsf(array[i] - target) < best.sum)
      best = {fabsf(array[i] - target), i};
  return best;
}

extern "C" __global__ void deviceFunctions(const float *x, float *distance,
                                           int *index, Options options) {
  float local[24];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  fill(local, 8 + threadIdx.x % 16, x[i]);
  Pair best =
      smallest(local, 8 + threadIdx.x % 16, x[i] + options.scale * threadIdx.x);
  if (threadIdx.x % 3 == 0)
    best = smallest(&x[blockIdx.x * blockDim.x], blockDim.x,
                    float(options.offset));
  distance[i] = best.sum;
  index[i] = best.index << options.shift;
}

//===- bitonic-sort.cu - A bitonic sort in dynamic shared memory ----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case bitonic-sort %t.ptx %t

extern "C" __global__ void bitonicSort(short *data) {
  extern __shared__ short keys[];
  int i = threadIdx.x, n = blockDim.x;
  keys[i] = data[blockIdx.x * n + i];
  __syncthreads();
  for (int size = 2; size <= n; size *= 2)
    for (int stride = size / 2; stride > 0; stride /= 2) {
      int partner = i ^ stride;
      if (partner > i) {
        bool ascending = (i & size) == 0;
        short a = keys[i], b = keys[partner];
        if ((a > b) == ascending) {
          keys[i] = b;
          keys[partner] = a;
        }
      }
      __syncthreads();
    }
  data[blockIdx.x * n + i] = keys[i];
}

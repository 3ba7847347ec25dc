//===- histogram.cu - Counting with atomics in shared and global memory ---===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case histogram %t.ptx %t

constexpr int Bins = 64;

extern "C" __global__ void histogram(const unsigned char *x, int n,
                                     unsigned *bins,
                                     unsigned long long *checksum,
                                     int *largest) {
  __shared__ unsigned local[Bins];
  for (int i = threadIdx.x; i < Bins; i += blockDim.x)
    local[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += gridDim.x * blockDim.x) {
    atomicAdd(&local[x[i] % Bins], 1u);
    atomicAdd(checksum, (unsigned long long)x[i] << 32 | 1);
    atomicMax(largest, x[i]);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < Bins; i += blockDim.x)
    atomicAdd(&bins[i], local[i]);
}

//===- block-reduction.cu - The largest element of each row ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case block-reduction %t.ptx %t

extern "C" __global__ void blockReduction(const int *x, int *largest,
                                          int columns) {
  __shared__ int partial[256];
  const int *row = x + size_t(blockIdx.x) * columns;
  int best = 0x80000000;
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    best = max(best, row[i]);
  partial[threadIdx.x] = best;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half)
      partial[threadIdx.x] =
          max(partial[threadIdx.x], partial[threadIdx.x + half]);
    __syncthreads();
  }
  if (threadIdx.x == 0)
    largest[blockIdx.x] = partial[0];
}

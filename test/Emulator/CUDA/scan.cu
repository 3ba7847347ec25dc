//===- scan.cu - An inclusive scan of a block -----------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case scan %t.ptx %t

extern "C" __global__ void scan(const unsigned *x, unsigned *y) {
  __shared__ unsigned sums[32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  unsigned value = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int offset = 1; offset < 32; offset *= 2) {
    unsigned other = __shfl_up_sync(0xffffffffu, value, offset);
    if (lane >= offset)
      value += other;
  }
  if (lane == 31)
    sums[warp] = value;
  __syncthreads();
  if (warp == 0) {
    unsigned total = lane < blockDim.x / 32 ? sums[lane] : 0;
    for (int offset = 1; offset < 32; offset *= 2) {
      unsigned other = __shfl_up_sync(0xffffffffu, total, offset);
      total += lane >= offset ? other : 0;
    }
    sums[lane] = total;
  }
  __syncthreads();
  y[blockIdx.x * blockDim.x + threadIdx.x] =
      value + (warp ? sums[warp - 1] : 0);
}

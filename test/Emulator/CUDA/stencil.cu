//===- stencil.cu - A stencil of seven points with a halo -----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case stencil %t.ptx %t

constexpr int Radius = 3, Block = 128;
__constant__ float weights[2 * Radius + 1] = {-1.0f, 2.0f,  0.5f, 4.0f,
                                              0.25f, -2.0f, 1.0f};

extern "C" __global__ void stencil(const float *x, float *y, int n) {
  __shared__ float tile[Block + 2 * Radius];
  int i = blockIdx.x * Block + threadIdx.x;
  auto at = [=](int j) { return j >= 0 && j < n ? x[j] : 0.0f; };
  tile[threadIdx.x + Radius] = at(i);
  if (threadIdx.x < Radius) {
    tile[threadIdx.x] = at(i - Radius);
    tile[threadIdx.x + Block + Radius] = at(i + Block);
  }
  __syncthreads();
  float sum = 0.0f;
  for (int j = 0; j < 2 * Radius + 1; ++j)
    sum += weights[j] * tile[threadIdx.x + j];
  if (i < n)
    y[i] = sum;
}

//===- gemm-f32.cu - A tiled product of matrices of any size --------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case gemm-f32 %t.ptx %t

constexpr int Tile = 16;

extern "C" __global__ void gemmF32(const float *a, const float *b, float *c,
                                   int m, int n, int k) {
  __shared__ float tileA[Tile][Tile], tileB[Tile][Tile];
  int row = blockIdx.y * Tile + threadIdx.y,
      column = blockIdx.x * Tile + threadIdx.x;
  float sum = 0.0f;
  for (int start = 0; start < k; start += Tile) {
    int inner = start + threadIdx.x, other = start + threadIdx.y;
    tileA[threadIdx.y][threadIdx.x] =
        row < m && inner < k ? a[row * k + inner] : 0.0f;
    tileB[threadIdx.y][threadIdx.x] =
        other < k && column < n ? b[other * n + column] : 0.0f;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Tile; ++i)
      sum = fmaf(tileA[threadIdx.y][i], tileB[i][threadIdx.x], sum);
    __syncthreads();
  }
  if (row < m && column < n)
    c[row * n + column] = sum;
}

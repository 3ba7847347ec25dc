//===- transpose.cu - A transpose through a padded tile -------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case transpose %t.ptx %t

constexpr int Tile = 32, Rows = 8;

extern "C" __global__ void transpose(const float *in, float *out, int rows,
                                     int columns) {
  __shared__ float tile[Tile][Tile + 1];
  int x = blockIdx.x * Tile + threadIdx.x;
  for (int j = threadIdx.y; j < Tile; j += Rows) {
    int y = blockIdx.y * Tile + j;
    if (x < columns && y < rows)
      tile[j][threadIdx.x] = in[size_t(y) * columns + x];
  }
  __syncthreads();
  int y = blockIdx.y * Tile + threadIdx.x;
  for (int j = threadIdx.y; j < Tile; j += Rows) {
    int column = blockIdx.x * Tile + j;
    if (column < columns && y < rows)
      out[size_t(column) * rows + y] = tile[threadIdx.x][j];
  }
}

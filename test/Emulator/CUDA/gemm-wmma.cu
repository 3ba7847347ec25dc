//===- gemm-wmma.cu - WMMA with half factors and float sums ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case gemm-wmma %t.ptx %t

#include <mma.h>

using namespace nvcuda;

extern "C" __global__ void gemmWmma(const half *a, const half *b, float *c,
                                    int n, int k) {
  int warp = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
  int row = warp / (n / 16) * 16, column = warp % (n / 16) * 16;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fragmentA;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fragmentB;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int inner = 0; inner < k; inner += 16) {
    wmma::load_matrix_sync(fragmentA, a + row * k + inner, k);
    wmma::load_matrix_sync(fragmentB, b + column * k + inner, k);
    wmma::mma_sync(sum, fragmentA, fragmentB, sum);
  }
  for (int i = 0; i < sum.num_elements; ++i)
    sum.x[i] *= 0.5f;
  wmma::store_matrix_sync(c + row * n + column, sum, n, wmma::mem_row_major);
}

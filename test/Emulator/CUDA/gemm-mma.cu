//===- gemm-mma.cu - mma.sync fed by ldmatrix and a cp.async pipeline -----===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case gemm-mma %t.ptx %t

// C = A B for bf16 matrices in row-major order. A block of four warps makes a
// tile of 64 x 64, in steps of 32 along k, with two stages in shared memory.

#include <cstdint>
#include <cuda_bf16.h>

constexpr int TileM = 64, TileN = 64, TileK = 32;
constexpr int StrideA = TileK + 8, StrideB = TileN + 8; // 16 bytes of padding

__device__ uint32_t sharedAddress(const void *pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}
__device__ void copy16(void *target, const void *source) {
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(sharedAddress(target)),
      "l"(source)
      : "memory");
}
__device__ void loadMatrices(uint32_t (&r)[4], const void *row) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(sharedAddress(row))
      : "memory");
}
__device__ void loadTransposed(uint32_t (&r)[4], const void *row) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(sharedAddress(row))
      : "memory");
}
__device__ void multiplyAdd(float (&c)[4], const uint32_t (&a)[4], uint32_t b0,
                            uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__shared__ alignas(16) __nv_bfloat16 tileA[2][TileM][StrideA];
__shared__ alignas(16) __nv_bfloat16 tileB[2][TileK][StrideB];

__device__ void loadStage(int stage, const __nv_bfloat16 *a,
                          const __nv_bfloat16 *b, int n, int k, int start) {
  for (int i = threadIdx.x; i < TileM * TileK / 8; i += blockDim.x) {
    int row = i / (TileK / 8), column = i % (TileK / 8) * 8;
    copy16(&tileA[stage][row][column],
           a + size_t(blockIdx.y * TileM + row) * k + start + column);
  }
  for (int i = threadIdx.x; i < TileK * TileN / 8; i += blockDim.x) {
    int row = i / (TileN / 8), column = i % (TileN / 8) * 8;
    copy16(&tileB[stage][row][column],
           b + size_t(start + row) * n + blockIdx.x * TileN + column);
  }
  asm volatile("cp.async.commit_group;" ::: "memory");
}

// Each warp has 16 rows of the tile.
__device__ void multiplyStage(int stage, float (&sums)[TileN / 8][4]) {
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
#pragma unroll
  for (int inner = 0; inner < TileK; inner += 16) {
    uint32_t a[4], b[4];
    loadMatrices(a,
                 &tileA[stage][warp * 16 + lane % 16][inner + lane / 16 * 8]);
#pragma unroll
    for (int column = 0; column < TileN; column += 16) {
      loadTransposed(b,
                     &tileB[stage][inner + lane % 16][column + lane / 16 * 8]);
      multiplyAdd(sums[column / 8], a, b[0], b[1]);
      multiplyAdd(sums[column / 8 + 1], a, b[2], b[3]);
    }
  }
}

extern "C" __global__ void __launch_bounds__(128)
    gemmMma(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c, int n,
            int k) {
  float sums[TileN / 8][4] = {};
  loadStage(0, a, b, n, k, 0);
  for (int step = 0; step < k / TileK; ++step) {
    if ((step + 1) * TileK < k) {
      loadStage((step + 1) % 2, a, b, n, k, (step + 1) * TileK);
      asm volatile("cp.async.wait_group 1;" ::: "memory");
    } else {
      asm volatile("cp.async.wait_group 0;" ::: "memory");
    }
    __syncthreads();
    multiplyStage(step % 2, sums);
    __syncthreads();
  }
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int row = blockIdx.y * TileM + warp * 16 + lane / 4;
  for (int j = 0; j < TileN / 8; ++j) {
    int column = blockIdx.x * TileN + j * 8 + lane % 4 * 2;
    *reinterpret_cast<float2 *>(c + size_t(row) * n + column) = {sums[j][0],
                                                                 sums[j][1]};
    *reinterpret_cast<float2 *>(c + size_t(row + 8) * n +
                                column) = {sums[j][2], sums[j][3]};
  }
}

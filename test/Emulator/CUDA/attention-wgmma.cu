//===- attention-wgmma.cu - Attention with two chained products -----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %sm90a %s -o %t.ptx
// RUN: %run_case attention-wgmma %t.ptx %t

#include "Inputs/hopper.cuh"
#include <cuda_bf16.h>

constexpr int Tile = 64;

struct Shared {
  __nv_bfloat16 query[Tile * Tile], key[2][Tile * Tile], value[2][Tile * Tile];
  uint64_t queryFull, full[2], empty[2];
};

/// d = a b + d with a in registers, b with rows of n: 64 x 64 x 16.
__device__ void multiplyRegisters(float (&d)[32], const uint32_t (&a)[4],
                                  uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
      "%30, %31}, {%32, %33, %34, %35}, %36, 1, 1, 1, 1;\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]),
        "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]),
        "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
        "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]),
        "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]),
        "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]),
        "+f"(d[31])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

__device__ void produce(Shared &shared, const TensorMap *query,
                        const TensorMap *key, const TensorMap *value,
                        int tiles) {
  if (threadIdx.x != 128)
    return;
  expectBytes(&shared.queryFull, sizeof shared.query);
  loadTile(shared.query, query, &shared.queryFull, 0, blockIdx.x * Tile);
  for (int i = 0; i < tiles; ++i) {
    wait(&shared.empty[i % 2], (i / 2 + 1) & 1);
    expectBytes(&shared.full[i % 2], 2 * Tile * Tile * 2);
    loadTile(shared.key[i % 2], key, &shared.full[i % 2], 0, i * Tile);
    loadTile(shared.value[i % 2], value, &shared.full[i % 2], 0, i * Tile);
  }
}

/// The softmax of a tile of scores, against the running maximum and sum of the
/// two rows of a lane; returns what the output so far is scaled by.
__device__ void softmax(float (&scores)[32], float (&most)[2], float (&sum)[2],
                        float (&scale)[2]) {
  for (int half = 0; half < 2; ++half) {
    float largest = most[half], total = 0;
    for (int i = 0; i < 32; ++i)
      if (i / 2 % 2 == half)
        largest = fmaxf(largest, scores[i]);
    for (int lanes = 1; lanes < 4; lanes *= 2)
      largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, lanes));
    for (int i = 0; i < 32; ++i)
      if (i / 2 % 2 == half)
        total += scores[i] = exp2f(scores[i] - largest);
    for (int lanes = 1; lanes < 4; lanes *= 2)
      total += __shfl_xor_sync(~0u, total, lanes);
    scale[half] = exp2f(most[half] - largest);
    sum[half] = sum[half] * scale[half] + total;
    most[half] = largest;
  }
}

__device__ uint32_t pack(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t *>(&pair);
}

__device__ void consume(Shared &shared, float *out, int tiles) {
  float output[32] = {}, most[2] = {-1e30f, -1e30f}, sum[2] = {}, scale[2];
  wait(&shared.queryFull, 0);
  for (int i = 0; i < tiles; ++i) {
    float scores[32];
    wait(&shared.full[i % 2], i / 2 & 1);
    uint64_t a = describe(shared.query), b = describe(shared.key[i % 2]);
    fenceProducts();
    for (int k = 0; k < 4; ++k)
      multiply(scores, a + 2 * k, b + 2 * k, k);
    commitProducts();
    waitProducts<0>();
    for (float &score : scores)
      score *= 0.125f * 1.4426950408889634f;
    softmax(scores, most, sum, scale);
    uint32_t p[4][4];
    for (int j = 0; j < 16; ++j)
      p[j / 4][j % 4] = pack(scores[2 * j], scores[2 * j + 1]);
    for (int j = 0; j < 32; ++j)
      output[j] *= scale[j / 2 % 2];
    // Sixteen keys are two groups of eight rows of 128 bytes.
    uint64_t v = describe(shared.value[i % 2]);
    fenceProducts();
    for (int k = 0; k < 4; ++k)
      multiplyRegisters(output, p[k], v + 128 * k);
    commitProducts();
    waitProducts<0>();
    arrive(&shared.empty[i % 2]);
  }
  int row = blockIdx.x * Tile + threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4;
  for (int j = 0; j < 32; ++j)
    out[(row + j / 2 % 2 * 8) * Tile + j / 4 * 8 + threadIdx.x % 4 * 2 +
        j % 2] = output[j] / sum[j / 2 % 2];
}

extern "C" __global__ void
attention_wgmma(const __grid_constant__ TensorMap query,
                const __grid_constant__ TensorMap key,
                const __grid_constant__ TensorMap value, float *out,
                int tiles) {
  extern __shared__ __align__(1024) char memory[];
  Shared &shared = *reinterpret_cast<Shared *>(memory);
  if (threadIdx.x == 0) {
    initBarrier(&shared.queryFull, 1);
    for (int i = 0; i < 2; ++i) {
      initBarrier(&shared.full[i], 1);
      initBarrier(&shared.empty[i], 128);
    }
    fenceBarriers();
  }
  __syncthreads();
  if (threadIdx.x >= 128)
    produce(shared, &query, &key, &value, tiles);
  else
    consume(shared, out, tiles);
}

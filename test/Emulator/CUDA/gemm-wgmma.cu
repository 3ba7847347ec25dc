//===- gemm-wgmma.cu - A product with TMA, mbarrier and wgmma -------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %sm90a %s -o %t.ptx
// RUN: %run_case gemm-wgmma %t.ptx %t

#include "Inputs/hopper.cuh"
#include <cuda_bf16.h>

constexpr int Tile = 64, Stages = 3, Consumers = 2;

struct Shared {
  __nv_bfloat16 a[Stages][Consumers][Tile * Tile];
  __nv_bfloat16 b[Stages][Tile * Tile];
  __nv_bfloat16 c[Consumers][Tile * Tile];
  uint64_t full[Stages], empty[Stages];
};

__device__ void produce(Shared &shared, const TensorMap *a, const TensorMap *b,
                        int steps) {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
  if (threadIdx.x >= 32 || !elected())
    return;
  for (int i = 0; i < steps; ++i) {
    int stage = i % Stages;
    wait(&shared.empty[stage], (i / Stages + 1) & 1);
    expectBytes(&shared.full[stage], (Consumers + 1) * Tile * Tile * 2);
    for (int c = 0; c < Consumers; ++c)
      loadTile(shared.a[stage][c], a, &shared.full[stage], i * Tile,
               (blockIdx.y * Consumers + c) * Tile);
    loadTile(shared.b[stage], b, &shared.full[stage], i * Tile,
             blockIdx.x * Tile);
  }
}

__device__ void consume(Shared &shared, const TensorMap *map, int steps) {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  int thread = threadIdx.x % 128, group = threadIdx.x / 128 - 1;
  float d[32];
  for (int i = 0; i < steps; ++i) {
    int stage = i % Stages;
    wait(&shared.full[stage], (i / Stages) & 1);
    uint64_t a = describe(shared.a[stage][group]),
             b = describe(shared.b[stage]);
    fenceProducts();
    for (int k = 0; k < 4; ++k)
      multiply(d, a + 2 * k, b + 2 * k, i + k);
    commitProducts();
    waitProducts<0>();
    arrive(&shared.empty[stage]);
  }
  // Rows of 128 bytes, 16-byte chunks permuted as the tensor map says.
  char *tile = reinterpret_cast<char *>(shared.c[group]);
  int lane = thread % 32, row = thread / 32 * 16 + lane % 16;
  for (int j = 0; j < 4; ++j) {
    uint32_t words[4];
    for (int i = 0; i < 4; ++i) {
      __nv_bfloat162 pair =
          __floats2bfloat162_rn(d[8 * j + 2 * i], d[8 * j + 2 * i + 1]);
      words[i] = *reinterpret_cast<uint32_t *>(&pair);
    }
    int chunk = (2 * j + lane / 16) ^ (row % 8);
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, "
                 "%4};" ::"r"(sharedAddress(tile + row * 128 + chunk * 16)),
                 "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3])
                 : "memory");
  }
  fenceProxy();
  asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
  if (thread == 0) {
    storeTile(map, tile, blockIdx.x * Tile,
              (blockIdx.y * Consumers + group) * Tile);
    commitStores();
    waitStores();
  }
}

extern "C" __global__ void __launch_bounds__(384, 1)
    gemm_wgmma(const __grid_constant__ TensorMap a,
               const __grid_constant__ TensorMap b,
               const __grid_constant__ TensorMap c, int steps) {
  extern __shared__ __align__(1024) char memory[];
  Shared &shared = *reinterpret_cast<Shared *>(memory);
  if (threadIdx.x == 0) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&a) : "memory");
    for (int stage = 0; stage < Stages; ++stage) {
      initBarrier(&shared.full[stage], 1);
      initBarrier(&shared.empty[stage], Consumers * 128);
    }
    fenceBarriers();
  }
  __syncthreads();
  if (threadIdx.x < 128)
    produce(shared, &a, &b, steps);
  else
    consume(shared, &c, steps);
}

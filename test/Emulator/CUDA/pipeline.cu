//===- pipeline.cu - Double-buffered copies with pipeline primitives ------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case pipeline %t.ptx %t

#include <cuda_pipeline.h>

constexpr int Chunk = 128;

// y = 2 x + 1, chunk by chunk, while the next chunk is on its way.
extern "C" __global__ void pipeline(const float4 *x, float4 *y, int chunks) {
  __shared__ float4 buffer[2][Chunk];
  const float4 *source = x + size_t(blockIdx.x) * chunks * Chunk;
  float4 *target = y + size_t(blockIdx.x) * chunks * Chunk;
  __pipeline_memcpy_async(&buffer[0][threadIdx.x], source + threadIdx.x,
                          sizeof(float4));
  __pipeline_commit();
  for (int i = 0; i < chunks; ++i) {
    if (i + 1 < chunks)
      __pipeline_memcpy_async(&buffer[(i + 1) % 2][threadIdx.x],
                              source + (i + 1) * Chunk + threadIdx.x,
                              sizeof(float4));
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    // A neighbour's element, so that the barriers matter.
    float4 v = buffer[i % 2][threadIdx.x ^ 33];
    target[i * Chunk + (threadIdx.x ^ 33)] = {2 * v.x + 1, 2 * v.y + 1,
                                              2 * v.z + 1, 2 * v.w + 1};
    __syncthreads();
  }
}

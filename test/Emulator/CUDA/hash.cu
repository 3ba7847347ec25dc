//===- hash.cu - Integers of 64 bits --------------------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case hash %t.ptx %t

#include <cstdint>

__device__ uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

// Four results for every element; the divisions become function-like sequences.
extern "C" __global__ void hash(const uint64_t *x, uint64_t *y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  uint64_t z = x[i] + 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  z ^= z >> 31;
  y[4 * i] = z;
  y[4 * i + 1] = __umul64hi(z, x[i]) + rotate(z, 13) + __brevll(x[i]);
  y[4 * i + 2] =
      z % 1000003 + z / 97 + uint64_t(int64_t(z) / -7) + int64_t(z) % 12345;
  y[4 * i + 3] = uint64_t(__clzll(x[i])) | uint64_t(__popcll(z)) << 8 |
                 uint64_t(__ffsll(z)) << 16 |
                 uint64_t(__byte_perm(z, z >> 32, 0x0725)) << 24;
}

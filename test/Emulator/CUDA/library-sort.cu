//===- library-sort.cu - Kernels of the CUB library -----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case library-sort %t.ptx %t

// Code that was not written with the emulator in mind: a block's radix sort,
// scan and reduction from the CUDA Core Compute Libraries.

#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>

constexpr int Threads = 128, Items = 4;

extern "C" __global__ void librarySort(const unsigned *keys, unsigned *sorted,
                                       unsigned *scanned, unsigned *total) {
  using Sort = cub::BlockRadixSort<unsigned, Threads, Items>;
  using Scan = cub::BlockScan<unsigned, Threads>;
  using Reduce = cub::BlockReduce<unsigned, Threads>;
  __shared__ union {
    typename Sort::TempStorage sort;
    typename Scan::TempStorage scan;
    typename Reduce::TempStorage reduce;
  } storage;
  unsigned mine[Items];
  int first = blockIdx.x * Threads * Items + threadIdx.x * Items;
  for (int i = 0; i < Items; ++i)
    mine[i] = keys[first + i];
  Sort(storage.sort).Sort(mine);
  for (int i = 0; i < Items; ++i)
    sorted[first + i] = mine[i];
  __syncthreads();
  Scan(storage.scan).InclusiveSum(mine, mine);
  for (int i = 0; i < Items; ++i)
    scanned[first + i] = mine[i];
  __syncthreads();
  unsigned sum = Reduce(storage.reduce).Sum(mine);
  if (threadIdx.x == 0)
    total[blockIdx.x] = sum;
}

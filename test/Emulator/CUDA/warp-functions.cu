//===- warp-functions.cu - Votes, matches, reductions and bits of a warp --===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case warp-functions %t.ptx %t

// Ten results for every thread.
extern "C" __global__ void warpFunctions(const unsigned *x, unsigned *y) {
  unsigned value = x[threadIdx.x], all = 0xffffffffu;
  unsigned *out = y + threadIdx.x * 10;
  out[0] = __ballot_sync(all, value & 1);
  out[1] = __any_sync(all, value > 250) | __all_sync(all, value < 256) << 1;
  out[2] = __match_any_sync(all, value % 5);
  int same = 0;
  out[3] = __match_all_sync(all, value / 256, &same) | same;
  out[4] = __reduce_add_sync(all, value);
  out[5] = __reduce_max_sync(all, value) ^ __reduce_min_sync(all, value) << 16;
  out[6] = __reduce_xor_sync(all, value * 0x9e3779b9u);
  out[7] = 0;
  if (value & 2) {
    unsigned active = __activemask();
    out[7] =
        __shfl_sync(active, value, __ffs(active) - 1) << 8 | __popc(active);
  }
  out[8] = __shfl_sync(all, value, threadIdx.x + 3, 8);
  out[9] =
      __shfl_up_sync(all, value, 2, 16) << 16 | __shfl_down_sync(all, value, 5);
}

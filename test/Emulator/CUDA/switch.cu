//===- switch.cu - A dense switch in a loop that some lanes leave ---------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case switch %t.ptx %t

extern "C" __global__ void dispatch(const int *codes, const int *x, int *y,
                                    int steps) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int value = x[i];
  for (int step = 0; step < steps; ++step)
    switch (codes[(i + step) % blockDim.x]) {
    case 0:
      value += 17;
      break;
    case 1:
      value *= 3;
      break;
    case 2:
      value ^= 0x55aa;
      break;
    case 3:
      value -= step * step;
      break;
    case 4:
      value = value < 0 ? -value : value;
      break;
    case 5:
      value = __brev(value);
      break;
    case 6:
      value >>= 3;
      break;
    case 7:
      value = value % 1001;
      [[fallthrough]];
    case 8:
      value |= 0x100;
      break;
    case 9:
      value = ~value;
      break;
    case 10:
      value = __popc(value) * 77;
      break;
    default:
      return;
    }
  y[i] = value;
}

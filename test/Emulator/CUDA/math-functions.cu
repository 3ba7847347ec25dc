//===- math-functions.cu - The slow paths of the mathematical functions ---===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case math-functions %t.ptx %t

// Functions of CUDA's library in single and double precision. sinf of a large
// argument reduces it with a table in local memory.
extern "C" __global__ void mathFunctions(const float *x, float *y, double *z,
                                         int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float v = x[i];
  float *out = y + 10 * i;
  out[0] = sinf(v * 1000.0f);
  out[1] = cosf(v);
  out[2] = expf(v);
  out[3] = logf(fabsf(v));
  out[4] = powf(fabsf(v), 1.7f);
  out[5] = tanhf(v);
  out[6] = erff(v);
  out[7] = rsqrtf(fabsf(v));
  out[8] = sqrtf(fabsf(v)) / (v + 20.0f);
  out[9] = atan2f(v, 2.5f) + floorf(v) + rintf(v * 3);
  double w = v;
  z[3 * i] = exp(w) / (w * w + 1);
  z[3 * i + 1] = sqrt(fabs(w)) + sin(w);
  z[3 * i + 2] = log(fabs(w)) - cbrt(w);
}

//===- packed-halves.cu - Packed half and bfloat16 arithmetic -------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// REQUIRES: nvcc, numpy
// RUN: %nvcc %s -o %t.ptx
// RUN: %run_case packed-halves %t.ptx %t

#include <cuda_bf16.h>
#include <cuda_fp16.h>

extern "C" __global__ void packedHalves(const __half2 *x, const __half2 *y,
                                        __half2 *h, __nv_bfloat162 *b,
                                        float *dots) {
  int i = threadIdx.x;
  __half2 a = x[i], c = y[i];
  h[4 * i] = __hfma2(a, c, __float2half2_rn(0.5f));
  h[4 * i + 1] = __hmax2(__hadd2(a, c), __hneg2(a));
  h[4 * i + 2] = __h2div(a, c);
  h[4 * i + 3] = __hmin2(__hmul2_sat(a, c), __low2half2(c));
  __nv_bfloat162 p = __float22bfloat162_rn(__half22float2(a));
  __nv_bfloat162 q = __float22bfloat162_rn(__half22float2(c));
  b[3 * i] = __hfma2(p, q, q);
  b[3 * i + 1] = __hsub2(p, q);
  b[3 * i + 2] = __hmax2(p, q);
  float2 f = __half22float2(a), g = __bfloat1622float2(q);
  dots[i] = f.x * g.x + f.y * g.y;
}

// Static and with one score operation, to read what it becomes on the way to a
// GPU: see docs/gpu-levels.md.
//
//   mta-opt --pass-pipeline='builtin.module(mta-gpu{until=2G})' examples/fragments.mlir
//   mta-opt --pass-pipeline='builtin.module(mta-gpu{until=3G})' examples/fragments.mlir
//
// RUN: mta-opt --pass-pipeline='builtin.module(mta-gpu{until=2G})' %s | FileCheck %s
// CHECK: gpu.launch
// CHECK: vector.contract
// CHECK: vector.multi_reduction <maximumf>
//
// RUN: mta-opt --pass-pipeline='builtin.module(mta-gpu{until=3G})' %s | FileCheck %s --check-prefix=THREADS
// THREADS: nvgpu.ldmatrix
// THREADS: nvvm.mma.sync

func.func @attention(
    %query: tensor<4x8x2048x64xbf16>, %key: tensor<4x8x2048x64xbf16>,
    %value: tensor<4x8x2048x64xbf16>, %window: tensor<8x3x5xbf16>)
    -> tensor<4x8x2048x64xbf16> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<4x8x2048x2048xf32>):
    %0 = mta.key_query_conv %scores, %window
        : tensor<4x8x2048x2048xf32>, tensor<8x3x5xbf16>
    %1 = mta.softmax %0 : tensor<4x8x2048x2048xf32>
    mta.yield %1 : tensor<4x8x2048x2048xf32>
  } : tensor<4x8x2048x64xbf16>, tensor<4x8x2048x64xbf16>,
      tensor<4x8x2048x64xbf16> -> tensor<4x8x2048x64xbf16>
  return %output : tensor<4x8x2048x64xbf16>
}

// Talking heads with grouped queries: 8 query heads share 2 key heads, and all
// 8 are mixed before and after the softmax.
//
//   mta-opt --pass-pipeline='builtin.module(mta-reference-cpu)' \
//       examples/talking-heads.mlir
//
// lowers it to the LLVM dialect for this machine; a function NAME is called as
// _mlir_ciface_NAME.
//
// RUN: mta-opt --pass-pipeline='builtin.module(mta-reference-cpu)' %s \
// RUN:   | FileCheck %s
// CHECK: llvm.func @_mlir_ciface_attention
//
// A mix whose constant weights are the identity folds away.
//
// RUN: mta-opt --canonicalize %s | FileCheck %s --check-prefix=FOLD
// FOLD-LABEL: func.func @identity
// FOLD-NOT: mta.head_mix
// FOLD: mta.softmax

func.func @attention(
    %query: tensor<2x8x128x32xf32>, %key: tensor<2x2x128x32xf32>,
    %value: tensor<2x2x128x32xf32>, %pre_mix: tensor<1x8x8xf32>,
    %post_mix: tensor<1x8x8xf32>) -> tensor<2x8x128x32xf32> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<2x8x128x128xf32>):
    %0 = mta.head_mix %scores, %pre_mix
        : tensor<2x8x128x128xf32>, tensor<1x8x8xf32>
    %1 = mta.softmax %0 : tensor<2x8x128x128xf32>
    %2 = mta.head_mix %1, %post_mix
        : tensor<2x8x128x128xf32>, tensor<1x8x8xf32>
    mta.yield %2 : tensor<2x8x128x128xf32>
  } : tensor<2x8x128x32xf32>, tensor<2x2x128x32xf32>, tensor<2x2x128x32xf32>
      -> tensor<2x8x128x32xf32>
  return %output : tensor<2x8x128x32xf32>
}

func.func @identity(
    %query: tensor<1x2x9x8xf32>, %key: tensor<1x2x9x8xf32>,
    %value: tensor<1x2x9x8xf32>) -> tensor<1x2x9x8xf32> {
  %weights = arith.constant dense<[[[1.0, 0.0], [0.0, 1.0]]]>
      : tensor<1x2x2xf32>
  %output = mta.attention %query, %key, %value {
  ^bb0(%scores: tensor<1x2x9x9xf32>):
    %0 = mta.head_mix %scores, %weights
        : tensor<1x2x9x9xf32>, tensor<1x2x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x9x9xf32>
    mta.yield %1 : tensor<1x2x9x9xf32>
  } : tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x8xf32>
      -> tensor<1x2x9x8xf32>
  return %output : tensor<1x2x9x8xf32>
}

// Sequences of different lengths packed into one: sequence s has the queries
// and keys from offset s up to offset s + 1. Masks and convolutions are cut at
// every boundary. The second result is the log-sum-exp of the softmax.
//
//   mta-opt examples/variable-length.mlir
//
// RUN: mta-opt %s | mta-opt | FileCheck %s
// CHECK: mta.attention {{.*}} mask(causal) sequences(%{{.*}}, %{{.*}} : tensor<?xi32>, tensor<?xi32>)
//
// RUN: mta-translate --mta-to-ptx %s | FileCheck %s --check-prefix=PTX
// PTX: .visible .entry attention_kernel

func.func @attention(
    %query: tensor<1x4x?x64xf16>, %key: tensor<1x4x?x64xf16>,
    %value: tensor<1x4x?x64xf16>, %pre_conv: tensor<4x3x5xf16>,
    %query_offsets: tensor<?xi32>, %key_offsets: tensor<?xi32>)
    -> (tensor<1x4x?x64xf16>, tensor<1x4x?xf32>) {
  %output, %log_sum_exp = mta.attention %query, %key, %value mask(causal)
      sequences(%query_offsets, %key_offsets : tensor<?xi32>, tensor<?xi32>) {
  ^bb0(%scores: tensor<1x4x?x?xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<1x4x?x?xf32>, tensor<4x3x5xf16>
    %1 = mta.softmax %0 : tensor<1x4x?x?xf32>
    mta.yield %1 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x64xf16>, tensor<1x4x?x64xf16>, tensor<1x4x?x64xf16>
      -> tensor<1x4x?x64xf16>, tensor<1x4x?xf32>
  return %output, %log_sum_exp : tensor<1x4x?x64xf16>, tensor<1x4x?xf32>
}

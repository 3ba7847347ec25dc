// The attention of docs/tutorial.md: program v1 of the paper in layer 5, for any
// batch and any number of tokens, with 4 heads of 32.
//
//   mta-translate --mta-to-ptx examples/tutorial.mlir
//
// RUN: mta-translate --mta-to-contract %s | FileCheck %s
// CHECK: "name": "post_mix"
// CHECK: "entry": "attention_kernel"

func.func @attention(
    %query: tensor<?x4x?x32xf32>, %key: tensor<?x4x?x32xf32>,
    %value: tensor<?x4x?x32xf32>, %pre_conv: tensor<4x6x11xf32>,
    %post_mix: tensor<2x2x2xf32>, %norm_weight: tensor<32xf32>)
    -> tensor<?x4x?x32xf32> {
  %attended = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<?x4x?x?xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<?x4x?x?xf32>, tensor<4x6x11xf32>
    %1 = mta.softmax %0 : tensor<?x4x?x?xf32>
    %2 = mta.head_mix %1, %post_mix : tensor<?x4x?x?xf32>, tensor<2x2x2xf32>
    mta.yield %2 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>
      -> tensor<?x4x?x32xf32>
  %output = mta.head_norm %attended, %norm_weight layer(5)
      : tensor<?x4x?x32xf32>, tensor<32xf32> -> tensor<?x4x?x32xf32>
  return %output : tensor<?x4x?x32xf32>
}

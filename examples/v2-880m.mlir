// One attention of the authors' 880M model, program v2 with all its parts in
// bf16: 16 heads of 96, 2048 tokens, 6x11 convolutions before and after the
// softmax, all heads mixed before and after, norm and scalar gate.
//
//   mta-opt examples/v2-880m.mlir                         checks and prints it
//   mta-translate --mta-to-ptx examples/v2-880m.mlir      makes PTX
//
// RUN: mta-translate --mta-to-ptx --chip sm_90a %s | FileCheck %s
// CHECK: .target sm_90a
// CHECK: .visible .entry attention_kernel

func.func @attention(
    %query: tensor<1x16x2048x96xbf16>, %key: tensor<1x16x2048x96xbf16>,
    %value: tensor<1x16x2048x96xbf16>,
    %pre_conv: tensor<16x6x11xbf16>, %pre_mix: tensor<1x16x16xbf16>,
    %post_conv: tensor<16x6x11xbf16>, %post_mix: tensor<1x16x16xbf16>,
    %norm_weight: tensor<96xbf16>,
    %gate_weight: tensor<1x96xbf16>, %gate_bias: tensor<1xbf16>)
    -> tensor<1x16x2048x96xbf16> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<1x16x2048x2048xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<1x16x2048x2048xf32>, tensor<16x6x11xbf16>
    %1 = mta.head_mix %0, %pre_mix
        : tensor<1x16x2048x2048xf32>, tensor<1x16x16xbf16>
    %2 = mta.softmax %1 : tensor<1x16x2048x2048xf32>
    %3 = mta.key_query_conv %2, %post_conv
        : tensor<1x16x2048x2048xf32>, tensor<16x6x11xbf16>
    %4 = mta.head_mix %3, %post_mix
        : tensor<1x16x2048x2048xf32>, tensor<1x16x16xbf16>
    mta.yield %4 : tensor<1x16x2048x2048xf32>
  } : tensor<1x16x2048x96xbf16>, tensor<1x16x2048x96xbf16>,
      tensor<1x16x2048x96xbf16> -> tensor<1x16x2048x96xf32>
  %normed = mta.head_norm %output, %norm_weight
      : tensor<1x16x2048x96xf32>, tensor<96xbf16> -> tensor<1x16x2048x96xf32>
  %gated = mta.gate %normed, %gate_weight, %gate_bias
      : tensor<1x16x2048x96xf32>, tensor<1x96xbf16>, tensor<1xbf16>
      -> tensor<1x16x2048x96xbf16>
  return %gated : tensor<1x16x2048x96xbf16>
}

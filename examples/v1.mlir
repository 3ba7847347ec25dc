// One attention of the first version of the paper, program v1, in layer 7: a
// 6x11 convolution before the softmax, pairs of heads mixed after it, and a
// norm with depth scaling. 16 heads of 64, 2048 tokens, bf16.
//
//   mta-opt --convert-mta-to-linalg examples/v1.mlir
//
// shows what it means as linalg on whole tensors. The attention's result stays
// in f32: the norm reads it and rounds once, to bf16.
//
// RUN: mta-opt --convert-mta-to-linalg %s | FileCheck %s
// CHECK-LABEL: func.func @attention
// CHECK-NOT: mta.
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: return %{{.*}} : tensor<1x16x2048x64xbf16>

func.func @attention(
    %query: tensor<1x16x2048x64xbf16>, %key: tensor<1x16x2048x64xbf16>,
    %value: tensor<1x16x2048x64xbf16>, %pre_conv: tensor<16x6x11xbf16>,
    %post_mix: tensor<8x2x2xbf16>, %norm_weight: tensor<64xbf16>)
    -> tensor<1x16x2048x64xbf16> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<1x16x2048x2048xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<1x16x2048x2048xf32>, tensor<16x6x11xbf16>
    %1 = mta.softmax %0 : tensor<1x16x2048x2048xf32>
    %2 = mta.head_mix %1, %post_mix
        : tensor<1x16x2048x2048xf32>, tensor<8x2x2xbf16>
    mta.yield %2 : tensor<1x16x2048x2048xf32>
  } : tensor<1x16x2048x64xbf16>, tensor<1x16x2048x64xbf16>,
      tensor<1x16x2048x64xbf16> -> tensor<1x16x2048x64xf32>
  %normed = mta.head_norm %output, %norm_weight layer(7)
      : tensor<1x16x2048x64xf32>, tensor<64xbf16>
      -> tensor<1x16x2048x64xbf16>
  return %normed : tensor<1x16x2048x64xbf16>
}

// The last 32 queries of 512 tokens, as a decoder computes them. The program
// reads 5 + 5 rows above a row, so 10 rows stand before the 32 as context; they
// have no outputs.
//
//   mta-opt examples/suffix-queries.mlir
//   mta-translate --mta-to-ptx examples/suffix-queries.mlir
//
// RUN: mta-opt %s | FileCheck %s
// CHECK: mta.attention {{.*}} mask(causal) query_halo(10)
// CHECK: -> tensor<1x8x32x64xf32>
//
// RUN: mta-translate --mta-to-ptx %s | FileCheck %s --check-prefix=PTX
// PTX: .visible .entry attention_kernel

func.func @attention(
    %query: tensor<1x8x42x64xf32>, %key: tensor<1x8x512x64xf32>,
    %value: tensor<1x8x512x64xf32>, %pre_conv: tensor<8x6x11xf32>,
    %post_conv: tensor<8x6x11xf32>) -> tensor<1x8x32x64xf32> {
  %output = mta.attention %query, %key, %value mask(causal) query_halo(10) {
  ^bb0(%scores: tensor<1x8x42x512xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<1x8x42x512xf32>, tensor<8x6x11xf32>
    %1 = mta.softmax %0 : tensor<1x8x42x512xf32>
    %2 = mta.key_query_conv %1, %post_conv
        : tensor<1x8x42x512xf32>, tensor<8x6x11xf32>
    mta.yield %2 : tensor<1x8x42x512xf32>
  } : tensor<1x8x42x64xf32>, tensor<1x8x512x64xf32>, tensor<1x8x512x64xf32>
      -> tensor<1x8x32x64xf32>
  return %output : tensor<1x8x32x64xf32>
}

// A convolution before the softmax for any batch and any number of tokens, with
// 2 heads of 16. examples/kernel.c calls it.
//
//   mta-translate --mta-to-object examples/kernel.mlir -o kernel.o --header kernel.h
//
// RUN: mta-translate --mta-to-header %s | FileCheck %s
// CHECK: int attention(const float *query,

func.func @attention(
    %query: tensor<?x2x?x16xf32>, %key: tensor<?x2x?x16xf32>,
    %value: tensor<?x2x?x16xf32>, %pre_conv: tensor<2x6x11xf32>)
    -> tensor<?x2x?x16xf32> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<?x2x?x?xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<?x2x?x?xf32>, tensor<2x6x11xf32>
    %1 = mta.softmax %0 : tensor<?x2x?x?xf32>
    mta.yield %1 : tensor<?x2x?x?xf32>
  } : tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>
      -> tensor<?x2x?x16xf32>
  return %output : tensor<?x2x?x16xf32>
}

// Convolutions on both sides of the softmax, a mix and a norm; dynamic sizes.
func.func @kernel(
    %query: tensor<?x4x?x32xf32>, %key: tensor<?x4x?x32xf32>,
    %value: tensor<?x4x?x32xf32>, %pre_conv: tensor<4x6x11xf32>,
    %post_conv: tensor<4x6x11xf32>, %post_mix: tensor<2x2x2xf32>,
    %norm_weight: tensor<32xf32>)
    -> tensor<?x4x?x32xf32> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<?x4x?x?xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<?x4x?x?xf32>, tensor<4x6x11xf32>
    %1 = mta.softmax %0 : tensor<?x4x?x?xf32>
    %2 = mta.key_query_conv %1, %post_conv
        : tensor<?x4x?x?xf32>, tensor<4x6x11xf32>
    %3 = mta.head_mix %2, %post_mix : tensor<?x4x?x?xf32>, tensor<2x2x2xf32>
    mta.yield %3 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>, tensor<?x4x?x32xf32>
      -> tensor<?x4x?x32xf32>
  %normed = mta.head_norm %output, %norm_weight : tensor<?x4x?x32xf32>, tensor<32xf32> -> tensor<?x4x?x32xf32>
  return %normed : tensor<?x4x?x32xf32>
}

// An attention whose kernel asks for more workgroup memory than there is without
// opting in, and one with a norm that is a kernel of its own behind a workspace.

func.func @attention(%query: tensor<?x2x?x64xf32>, %key: tensor<?x2x?x64xf32>,
                     %value: tensor<?x2x?x64xf32>, %theta: tensor<2x6x11xf32>)
    -> tensor<?x2x?x64xf32> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%s: tensor<?x2x?x?xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<?x2x?x?xf32>, tensor<2x6x11xf32>
    %1 = mta.softmax %0 : tensor<?x2x?x?xf32>
    mta.yield %1 : tensor<?x2x?x?xf32>
  } : tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>
      -> tensor<?x2x?x64xf32>
  return %output : tensor<?x2x?x64xf32>
}

func.func @normed(%query: tensor<1x2x?x16xf32>, %key: tensor<1x2x?x16xf32>,
                  %value: tensor<1x2x?x16xf32>, %gamma: tensor<16xf64>)
    -> tensor<1x2x?x16xf32> {
  %o = mta.attention %query, %key, %value mask(causal) query_halo(5) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %1 = mta.softmax %s : tensor<1x2x?x?xf32>
    mta.yield %1 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
      -> tensor<1x2x?x16xf32>
  %output = mta.head_norm %o, %gamma
      : tensor<1x2x?x16xf32>, tensor<16xf64> -> tensor<1x2x?x16xf32>
  return %output : tensor<1x2x?x16xf32>
}

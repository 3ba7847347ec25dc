// A variant of the attention in f32.mlir, of other types and a smaller head.

func.func @attention(%query: tensor<?x2x?x16xbf16>, %key: tensor<?x2x?x16xbf16>,
                     %value: tensor<?x2x?x16xbf16>, %theta: tensor<2x6x11xbf16>)
    -> tensor<?x2x?x16xbf16> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%s: tensor<?x2x?x?xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<?x2x?x?xf32>, tensor<2x6x11xbf16>
    %1 = mta.softmax %0 : tensor<?x2x?x?xf32>
    mta.yield %1 : tensor<?x2x?x?xf32>
  } : tensor<?x2x?x16xbf16>, tensor<?x2x?x16xbf16>, tensor<?x2x?x16xbf16>
      -> tensor<?x2x?x16xbf16>
  return %output : tensor<?x2x?x16xbf16>
}

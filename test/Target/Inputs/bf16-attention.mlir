func.func @attention(%query: tensor<1x2x40x16xbf16>, %key: tensor<1x2x40x16xbf16>,
                     %value: tensor<1x2x40x16xbf16>, %theta: tensor<2x3x5xbf16>) -> tensor<1x2x40x16xbf16> {
  %out = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x2x40x40xf32>, tensor<2x3x5xbf16>
    %1 = mta.softmax %0 : tensor<1x2x40x40xf32>
    mta.yield %1 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xbf16>, tensor<1x2x40x16xbf16>, tensor<1x2x40x16xbf16> -> tensor<1x2x40x16xbf16>
  return %out : tensor<1x2x40x16xbf16>
}

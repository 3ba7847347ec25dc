func.func @pre_conv(%q: tensor<1x2x5x8xbf16>, %k: tensor<1x2x5x8xbf16>,
                    %v: tensor<1x2x5x8xbf16>, %theta: tensor<2x3x3xbf16>)
    -> tensor<1x2x5x8xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x2x5x5xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x2x5x5xf32>, tensor<2x3x3xbf16>
    %1 = mta.softmax %0 : tensor<1x2x5x5xf32>
    mta.yield %1 : tensor<1x2x5x5xf32>
  } : tensor<1x2x5x8xbf16>, tensor<1x2x5x8xbf16>, tensor<1x2x5x8xbf16>
      -> tensor<1x2x5x8xbf16>
  return %o : tensor<1x2x5x8xbf16>
}

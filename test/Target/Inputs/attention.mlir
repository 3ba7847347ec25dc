func.func @attention(
    %q: tensor<1x4x12x16xbf16>, %k: tensor<1x2x16x16xbf16>,
    %v: tensor<1x2x16x8xbf16>, %conv: tensor<4x3x5xbf16>,
    %mix: tensor<2x2x2xbf16>, %gamma: tensor<8xbf16>, %w: tensor<1x8xbf16>,
    %b: tensor<1xbf16>) -> (tensor<1x4x10x8xbf16>, tensor<1x4x10xf32>) {
  %o, %lse = mta.attention %q, %k, %v mask(causal) query_halo(2) {
  ^bb0(%s: tensor<1x4x12x16xf32>):
    %0 = mta.key_query_conv %s, %conv
        : tensor<1x4x12x16xf32>, tensor<4x3x5xbf16>
    %1 = mta.softmax %0 : tensor<1x4x12x16xf32>
    %2 = mta.head_mix %1, %mix : tensor<1x4x12x16xf32>, tensor<2x2x2xbf16>
    mta.yield %2 : tensor<1x4x12x16xf32>
  } : tensor<1x4x12x16xbf16>, tensor<1x2x16x16xbf16>, tensor<1x2x16x8xbf16>
      -> tensor<1x4x10x8xf32>, tensor<1x4x10xf32>
  %n = mta.head_norm %o, %gamma
      : tensor<1x4x10x8xf32>, tensor<8xbf16> -> tensor<1x4x10x8xf32>
  %g = mta.gate %n, %w, %b : tensor<1x4x10x8xf32>, tensor<1x8xbf16>,
                             tensor<1xbf16> -> tensor<1x4x10x8xbf16>
  return %g, %lse : tensor<1x4x10x8xbf16>, tensor<1x4x10xf32>
}

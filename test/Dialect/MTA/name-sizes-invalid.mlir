// RUN: mta-opt --mta-name-sizes --verify-diagnostics %s

func.func private @weights(%x: tensor<2xf32>) -> tensor<?x?x?x16xbf16>

// expected-error @below {{expects sizes that follow from those of its arguments, but got an attention of others}}
func.func @attention(%q: tensor<1x4x8x16xbf16>, %x: tensor<2xf32>)
    -> tensor<1x4x8x16xbf16> {
  %k = call @weights(%x) : (tensor<2xf32>) -> tensor<?x?x?x16xbf16>
  %o = mta.attention %q, %k, %k {
  ^bb0(%s: tensor<1x4x8x?xf32>):
    %0 = mta.softmax %s : tensor<1x4x8x?xf32>
    mta.yield %0 : tensor<1x4x8x?xf32>
  } : tensor<1x4x8x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>
      -> tensor<1x4x8x16xbf16>
  return %o : tensor<1x4x8x16xbf16>
}

// RUN: mta-opt --mta-name-sizes --split-input-file --verify-diagnostics %s

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

// -----

// expected-error @below {{expects a layout of strides, without an offset, but got strided<[?, 1], offset: 4> of 'x'}}
func.func @offset(%x: tensor<2x4xf32> {mta.name = "x", bufferization.buffer_layout = strided<[?, 1], offset: 4>}) {
  return
}

// -----

// expected-error @below {{expects a layout of strides, without an offset, but got affine_map<(d0, d1) -> (d0 floordiv 2, d0 mod 2, d1)> of 'arg0'}}
func.func @tiles(%x: tensor<2x4xf32> {bufferization.buffer_layout = affine_map<(d0, d1) -> (d0 floordiv 2, d0 mod 2, d1)>}) {
  return
}

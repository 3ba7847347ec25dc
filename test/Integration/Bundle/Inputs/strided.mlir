func.func @attention(
    %query: tensor<1x2x?x64xf32> {bufferization.buffer_layout = strided<[?, ?, ?, 1]>},
    %key: tensor<1x2x?x64xf32> {bufferization.buffer_layout = strided<[?, ?, ?, 1]>},
    %value: tensor<1x2x?x64xf32> {bufferization.buffer_layout = strided<[?, ?, ?, 1]>},
    %theta: tensor<2x6x11xf32>,
    %output: memref<1x2x?x64xf32, strided<[?, ?, ?, 1]>>) {
  %o = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x2x?x?xf32>, tensor<2x6x11xf32>
    %1 = mta.softmax %0 : tensor<1x2x?x?xf32>
    mta.yield %1 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
  bufferization.materialize_in_destination %o in restrict writable %output
      : (tensor<1x2x?x64xf32>, memref<1x2x?x64xf32, strided<[?, ?, ?, 1]>>) -> ()
  return
}

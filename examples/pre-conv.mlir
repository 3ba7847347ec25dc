// A convolution before the softmax with every size dynamic but those of the
// window, which have to be static, and the head dimension, which tensor cores
// want to be. One compiled function serves all batches, heads and lengths.
//
//   mta-opt --convert-mta-to-linalg --canonicalize examples/pre-conv.mlir
//   mta-translate --mta-to-ptx examples/pre-conv.mlir
//   mta-translate --mta-to-contract examples/pre-conv.mlir
//
// RUN: mta-opt --convert-mta-to-linalg --canonicalize %s | FileCheck %s
// CHECK-LABEL: func.func @attention
// CHECK: tensor.dim
// CHECK: linalg.generic
//
// RUN: mta-translate --mta-to-ptx %s | FileCheck %s --check-prefix=PTX
// PTX: .target sm_80
// PTX: .visible .entry attention_kernel
// PTX: mma.sync

func.func @attention(
    %query: tensor<?x?x?x64xbf16>, %key: tensor<?x?x?x64xbf16>,
    %value: tensor<?x?x?x64xbf16>, %pre_conv: tensor<?x6x11xbf16>)
    -> tensor<?x?x?x64xbf16> {
  %output = mta.attention %query, %key, %value mask(causal) {
  ^bb0(%scores: tensor<?x?x?x?xf32>):
    %0 = mta.key_query_conv %scores, %pre_conv
        : tensor<?x?x?x?xf32>, tensor<?x6x11xbf16>
    %1 = mta.softmax %0 : tensor<?x?x?x?xf32>
    mta.yield %1 : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
      -> tensor<?x?x?x64xbf16>
  return %output : tensor<?x?x?x64xbf16>
}

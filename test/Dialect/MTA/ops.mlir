// RUN: mta-opt %s | mta-opt | FileCheck %s
// CHECK-LABEL: @attention

func.func @attention(%q: tensor<1x4x33x16xf32>, %k: tensor<1x4x33x16xf32>,
        %v: tensor<1x4x33x16xf32>, %pre: tensor<4x6x11xf32>,
        %post: tensor<1x4x4xf32>) -> tensor<1x4x33x16xf32> {
      %o, %lse = mta.attention %q, %k, %v mask(causal) {
      ^bb0(%s: tensor<1x4x33x33xf32>):
        %0 = mta.key_query_conv %s, %pre : tensor<1x4x33x33xf32>, tensor<4x6x11xf32>
        %1 = mta.softmax %0 : tensor<1x4x33x33xf32>
        %2 = mta.head_mix %1, %post : tensor<1x4x33x33xf32>, tensor<1x4x4xf32>
        mta.yield %2 : tensor<1x4x33x33xf32>
      } : tensor<1x4x33x16xf32>, tensor<1x4x33x16xf32>, tensor<1x4x33x16xf32>
          -> tensor<1x4x33x16xf32>, tensor<1x4x33xf32>
      return %o : tensor<1x4x33x16xf32>
}

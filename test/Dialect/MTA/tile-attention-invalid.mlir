// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-tile-attention
// RUN: not mta-opt %s -split-input-file -mta-tile-attention='key-tile=40' 2>&1 | FileCheck %s
// CHECK: expects tiles of at least 1 query and of whole vectors of keys, but got 64 queries and 40 keys for vectors of 16 scores

func.func @dynamic_head_dimension(%q: tensor<1x2x8x?xf32>,
                                  %k: tensor<1x2x8x?xf32>,
                                  %v: tensor<1x2x8x4xf32>)
    -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{expects static head dimensions to be tiled, but got query and value of type 'tensor<1x2x8x?xf32>' and 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x?xf32>, tensor<1x2x8x?xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

func.func @dynamic_head_group(%q: tensor<1x?x8x4xf32>, %k: tensor<1x?x8x4xf32>,
                              %v: tensor<1x?x8x4xf32>, %w: tensor<1x?x?xf32>)
    -> tensor<1x?x8x4xf32> {
  // expected-error@+1 {{expects head groups of static size to be tiled}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x?x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x?x8x8xf32>, tensor<1x?x?xf32>
    %1 = mta.softmax %0 : tensor<1x?x8x8xf32>
    mta.yield %1 : tensor<1x?x8x8xf32>
  } : tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>
      -> tensor<1x?x8x4xf32>
  return %o : tensor<1x?x8x4xf32>
}

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-tile-attention

func.func @no_schedule(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{expects a schedule; run mta-choose-schedule}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

func.func @dynamic_head_dimension(%q: tensor<1x2x8x?xf32>,
                                  %k: tensor<1x2x8x?xf32>,
                                  %v: tensor<1x2x8x4xf32>)
    -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{expects static head dimensions to be tiled, but got query and value of type 'tensor<1x2x8x?xf32>' and 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v
      schedule(<query_tile = 8, key_tile = 16, edge_key_tile = 16,
                sweeps = 1, heads = 1, lanes = 4, staging = packed>) {
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
  %o = mta.attention %q, %k, %v
      schedule(<query_tile = 8, key_tile = 16, edge_key_tile = 16,
                sweeps = 1, heads = 1, lanes = 4, staging = packed>) {
  ^bb0(%s: tensor<1x?x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x?x8x8xf32>, tensor<1x?x?xf32>
    %1 = mta.softmax %0 : tensor<1x?x8x8xf32>
    mta.yield %1 : tensor<1x?x8x8xf32>
  } : tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>
      -> tensor<1x?x8x4xf32>
  return %o : tensor<1x?x8x4xf32>
}

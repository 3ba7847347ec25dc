// Options that make no schedule or none that fits, and attentions that cannot be
// tiled.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-choose-schedule='sweeps=1 heads=1'
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='query-tile=-3' 2>&1 | FileCheck %s --check-prefix=QUERY
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='key-tile=40' 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='key-tile=16 edge-key-tile=32' 2>&1 | FileCheck %s --check-prefix=EDGE
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='vector-bits=16' 2>&1 | FileCheck %s --check-prefix=LANES
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='vector-bits=100' 2>&1 | FileCheck %s --check-prefix=WIDTH
// RUN: not mta-opt %s -split-input-file -mta-choose-schedule='pair-cost=-2' 2>&1 | FileCheck %s --check-prefix=COST
// COST: 'mta.attention' op expects a pair cost of at least 0, but got -2
// QUERY: 'mta.attention' op expects query_tile of at least 1, but got -3
// KEY: 'mta.attention' op expects key_tile to be a multiple of the lanes, but got 40 and 16
// EDGE: 'mta.attention' op expects edge_key_tile to be at most key_tile, but got 32 and 16
// WIDTH: 'mta.attention' op expects vectors of a power of two of bits, but got 100
// LANES: 'mta.attention' op expects lanes of at least 1, but got 0

func.func @goes_on(%t: tensor<1x2x8x4xf32>, %w: tensor<2x1x1xf32>)
    -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{expects two sweeps in the schedule of a score program that goes on after its softmax, but got 1}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    %1 = mta.head_mix %0, %w : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

func.func @dynamic_head_dimension(%q: tensor<1x2x8x?xf32>,
                                  %v: tensor<1x2x8x4xf32>)
    -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{expects static head dimensions to be tiled, but got query and value of type 'tensor<1x2x8x?xf32>' and 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %q, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x?xf32>, tensor<1x2x8x?xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

func.func @dynamic_head_group(%t: tensor<1x?x8x4xf32>, %w: tensor<1x?x?xf32>)
    -> tensor<1x?x8x4xf32> {
  // expected-error@+1 {{expects head groups of static size to be tiled}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x?x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x?x8x8xf32>, tensor<1x?x?xf32>
    %1 = mta.softmax %0 : tensor<1x?x8x8xf32>
    mta.yield %1 : tensor<1x?x8x8xf32>
  } : tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>, tensor<1x?x8x4xf32>
      -> tensor<1x?x8x4xf32>
  return %o : tensor<1x?x8x4xf32>
}

// -----

func.func @large_window(%t: tensor<1x2x8x4xf32>, %w: tensor<2x65537x3xf32>)
    -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error@+1 {{'mta.key_query_conv' op expects a window of at most 65536 queries and keys to be tiled, but got 65537 and 3}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x65537x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

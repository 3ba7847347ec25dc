// RUN: mta-opt %s -mta-choose-schedule | FileCheck %s
// RUN: mta-opt %s -mta-choose-schedule='vector-bits=256' | FileCheck %s --check-prefix=AVX2
// RUN: mta-opt %s -mta-choose-schedule='query-tile=24 key-tile=48 edge-key-tile=16 sweeps=2 heads=4' | FileCheck %s --check-prefix=GIVEN
// RUN: mta-opt %s -mta-choose-schedule='edge-key-tile=512' | FileCheck %s --check-prefix=EDGE
// RUN: mta-opt %s -mta-choose-schedule='l2-bytes=65536' | FileCheck %s --check-prefix=SMALL
// RUN: mta-opt %s -mta-choose-schedule='pair-cost=1' | FileCheck %s --check-prefix=PAIRS
// RUN: mta-opt %s -mta-choose-schedule='pair-cost=2' | FileCheck %s --check-prefix=SLOW
// RUN: mta-opt %s -mta-choose-schedule='pair-cost=4' | FileCheck %s --check-prefix=SLOW
// RUN: mta-opt %s -mta-choose-schedule='explain=true query-tile=64 key-tile=128' 2>&1 | FileCheck %s --check-prefix=EXPLAIN

// One sweep and one operation beside the softmax: a loop for the ends.
// CHECK-LABEL: @pre_conv
// CHECK: schedule(<query_tile = 64, key_tile = 128, edge_key_tile = 64, sweeps = 1, heads = 1, lanes = 16, staging = packed>)
// AVX2-LABEL: @pre_conv
// AVX2: schedule(<{{.*}}, lanes = 8, staging = packed>)
// GIVEN-LABEL: @pre_conv
// GIVEN: schedule(<query_tile = 24, key_tile = 48, edge_key_tile = 16, sweeps = 2, heads = 4, lanes = 16, staging = packed>)
// EDGE-LABEL: @pre_conv
// EDGE: key_tile = 512, edge_key_tile = 512
// What fits into 48 KiB.
// SMALL-LABEL: @pre_conv
// SMALL: query_tile = 64, key_tile = 64,
// EXPLAIN: remark: takes #mta.schedule<query_tile = 64, key_tile = 128, edge_key_tile = 64,
// EXPLAIN: note: #mta.schedule<query_tile = 64, key_tile = 128, edge_key_tile = 128, {{.*}}>: [[COST:[0-9]+\.[0-9]]] multiply-adds for a score, working set 72512 bytes
// EXPLAIN: note: #mta.schedule<query_tile = 64, key_tile = 128, edge_key_tile = 64,
// EXPLAIN: note: #mta.schedule<query_tile = 64, key_tile = 128, edge_key_tile = 32,
func.func @pre_conv(%t: tensor<1x16x2048x64xf32>, %theta: tensor<16x6x11xf32>)
    -> tensor<1x16x2048x64xf32> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x16x2048x2048xf32>):
    %0 = mta.key_query_conv %s, %theta
        : tensor<1x16x2048x2048xf32>, tensor<16x6x11xf32>
    %1 = mta.softmax %0 : tensor<1x16x2048x2048xf32>
    mta.yield %1 : tensor<1x16x2048x2048xf32>
  } : tensor<1x16x2048x64xf32>, tensor<1x16x2048x64xf32>,
      tensor<1x16x2048x64xf32> -> tensor<1x16x2048x64xf32>
  return %o : tensor<1x16x2048x64xf32>
}

// All heads are mixed and something follows the softmax: two sweeps, all heads
// in a tile, one loop. The largest tiles that fit into the cache.
// CHECK-LABEL: @post
// CHECK: schedule(<query_tile = {{[0-9]+}}, key_tile = [[KEYS:[0-9]+]], edge_key_tile = [[KEYS]], sweeps = 2, heads = 4, lanes = 8, staging = packed>)
func.func @post(%t: tensor<?x4x?x64xf64>, %w: tensor<1x4x4xf64>)
    -> tensor<?x4x?x64xf64> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<?x4x?x?xf64>):
    %0 = mta.softmax %s : tensor<?x4x?x?xf64>
    %1 = mta.head_mix %0, %w : tensor<?x4x?x?xf64>, tensor<1x4x4xf64>
    mta.yield %1 : tensor<?x4x?x?xf64>
  } : tensor<?x4x?x64xf64>, tensor<?x4x?x64xf64>, tensor<?x4x?x64xf64>
      -> tensor<?x4x?x64xf64>
  return %o : tensor<?x4x?x64xf64>
}

// A sequence of 20 tokens does not take tiles of 64 queries.
// CHECK-LABEL: @short
// CHECK: schedule(<query_tile = 32, key_tile = 32,
func.func @short(%t: tensor<1x4x20x64xf32>) -> tensor<1x4x20x64xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x20x20xf32>):
    %0 = mta.softmax %s : tensor<1x4x20x20xf32>
    mta.yield %0 : tensor<1x4x20x20xf32>
  } : tensor<1x4x20x64xf32>, tensor<1x4x20x64xf32>, tensor<1x4x20x64xf32>
      -> tensor<1x4x20x64xf32>
  return %o : tensor<1x4x20x64xf32>
}

// What the user wrote stays, whatever the options say.
// CHECK-LABEL: @written
// CHECK: schedule(<query_tile = 5, key_tile = 12, edge_key_tile = 4, sweeps = 2, heads = 2, lanes = 4, staging = packed>)
// GIVEN-LABEL: @written
// GIVEN: schedule(<query_tile = 5, key_tile = 12, edge_key_tile = 4, sweeps = 2, heads = 2, lanes = 4, staging = packed>)
func.func @written(%t: tensor<1x4x20x64xf32>) -> tensor<1x4x20x64xf32> {
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 5, key_tile = 12, edge_key_tile = 4, sweeps = 2,
                heads = 2, lanes = 4, staging = packed>) {
  ^bb0(%s: tensor<1x4x20x20xf32>):
    %0 = mta.softmax %s : tensor<1x4x20x20xf32>
    mta.yield %0 : tensor<1x4x20x20xf32>
  } : tensor<1x4x20x64xf32>, tensor<1x4x20x64xf32>, tensor<1x4x20x64xf32>
      -> tensor<1x4x20x64xf32>
  return %o : tensor<1x4x20x64xf32>
}

// Products of pairs are taken where they are faster than two multiply-adds.
// CHECK-LABEL: @bf16
// CHECK: staging = packed>
// PAIRS-LABEL: @pre_conv
// PAIRS: staging = packed>
// PAIRS-LABEL: @bf16
// PAIRS: staging = narrow>
// PAIRS-LABEL: @f16
// PAIRS: staging = packed>
// SLOW-LABEL: @bf16
// SLOW: staging = packed>
func.func @bf16(%t: tensor<1x16x2048x64xbf16>) -> tensor<1x16x2048x64xbf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x16x2048x2048xf32>):
    %0 = mta.softmax %s : tensor<1x16x2048x2048xf32>
    mta.yield %0 : tensor<1x16x2048x2048xf32>
  } : tensor<1x16x2048x64xbf16>, tensor<1x16x2048x64xbf16>,
      tensor<1x16x2048x64xbf16> -> tensor<1x16x2048x64xbf16>
  return %o : tensor<1x16x2048x64xbf16>
}

func.func @f16(%t: tensor<1x16x2048x64xf16>) -> tensor<1x16x2048x64xf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x16x2048x2048xf32>):
    %0 = mta.softmax %s : tensor<1x16x2048x2048xf32>
    mta.yield %0 : tensor<1x16x2048x2048xf32>
  } : tensor<1x16x2048x64xf16>, tensor<1x16x2048x64xf16>,
      tensor<1x16x2048x64xf16> -> tensor<1x16x2048x64xf16>
  return %o : tensor<1x16x2048x64xf16>
}

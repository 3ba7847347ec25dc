// By the labels V1 to V5 of the pass's description.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-verify-tiled

func.func @v1_attention_left(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  // expected-error@+1 {{'mta.attention' op expects to be tiled}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v2_dynamic_linalg(%t: tensor<?x4xf32>, %f: f32, %n: index)
    -> tensor<?x4xf32> {
  %0 = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<?x4xf32>) {
    // expected-error@+1 {{'linalg.fill' op expects tiles of static size inside of a loop over tiles}}
    %1 = linalg.fill ins(%f : f32) outs(%t : tensor<?x4xf32>) -> tensor<?x4xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %o[0, 0] [%n, 4] [1, 1]
          : tensor<?x4xf32> into tensor<?x4xf32>
    }
  } {mta.schedule = #schedule}
  return %0 : tensor<?x4xf32>
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v3_dynamic_matrix(%t: tensor<8x4xf32>, %n: index)
    -> tensor<8x4xf32> {
  %0 = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<8x4xf32>) {
    // expected-error@+1 {{'tensor.empty' op expects at most one dynamic size inside of a loop over tiles, but got 'tensor<?x?xf32>'}}
    %1 = tensor.empty(%n, %n) : tensor<?x?xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %t into %o[0, 0] [8, 4] [1, 1]
          : tensor<8x4xf32> into tensor<8x4xf32>
    }
  } {mta.schedule = #schedule}
  return %0 : tensor<8x4xf32>
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v4_score_matrix(%scores: tensor<1x2x64x64xf32>,
                           %t: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<8x16xf32>) {
    // expected-error@+1 {{'tensor.extract_slice' op expects a tile to read whole rows or whole columns, but got a part of a matrix of type 'tensor<1x2x64x64xf32>'}}
    %1 = tensor.extract_slice %scores[0, 0, %i, %i] [1, 1, 8, 16] [1, 1, 1, 1]
        : tensor<1x2x64x64xf32> to tensor<8x16xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %o[0, 0] [8, 16] [1, 1]
          : tensor<8x16xf32> into tensor<8x16xf32>
    }
  } {mta.schedule = #schedule}
  return %0 : tensor<8x16xf32>
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v5_other_values(%t: tensor<8x16xf32>, %n: index)
    -> tensor<8x16xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %0 = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<8x16xf32>) {
    // expected-error@+1 {{'scf.for' op expects to carry the statistics of rows or their accumulator}}
    %1 = scf.for %key = %c0 to %n step %c16 iter_args(%x = %t)
        -> tensor<8x16xf32> {
      scf.yield %x : tensor<8x16xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %o[0, 0] [8, 16] [1, 1]
          : tensor<8x16xf32> into tensor<8x16xf32>
    }
  } {mta.schedule = #schedule}
  return %0 : tensor<8x16xf32>
}

// -----

// One sweep for the accumulator, and none for the statistics.

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 2, heads = 2, lanes = 4, staging = packed>
func.func @v5_sweep_missing(%t: tensor<2x8x16xf32>, %n: index)
    -> tensor<2x8x16xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  // expected-error@+1 {{'scf.forall' op expects loops over keys for 2 sweeps}}
  %0 = scf.forall (%i) in (4) shared_outs(%o = %t) -> (tensor<2x8x16xf32>) {
    %1 = scf.for %key = %c0 to %n step %c16 iter_args(%x = %t)
        -> tensor<2x8x16xf32> {
      scf.yield %x : tensor<2x8x16xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %o[0, 0, 0] [2, 8, 16] [1, 1, 1]
          : tensor<2x8x16xf32> into tensor<2x8x16xf32>
    }
  } {mta.schedule = #schedule}
  return %0 : tensor<2x8x16xf32>
}

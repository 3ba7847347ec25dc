// By the labels V1 to V3 of the pass's description.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-verify-tile-program

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v1_tensor() {
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'tensor.empty' op expects buffers and vectors inside of a loop over tiles, but got 'tensor<8xf32>'}}
    %0 = tensor.empty() : tensor<8xf32>
  } {mta.schedule = #schedule}
  return
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v2_static_tile(%t: memref<8x16xf32>, %f: f32) {
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'linalg.fill' op expects vectors instead of linalg on a tile}}
    linalg.fill ins(%f : f32) outs(%t : memref<8x16xf32>)
  } {mta.schedule = #schedule}
  return
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v2_contraction(%a: memref<8x4xf32>, %b: memref<4x16xf32>,
                          %c: memref<8x16xf32>) {
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'linalg.matmul' op expects vectors instead of linalg on a tile}}
    linalg.matmul ins(%a, %b : memref<8x4xf32>, memref<4x16xf32>)
                  outs(%c : memref<8x16xf32>)
  } {mta.schedule = #schedule}
  return
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v2_dynamic_contraction(%a: memref<?x16xf32>, %b: memref<16x16xf32>,
                                  %c: memref<?x16xf32>) {
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'linalg.matmul' op expects vectors instead of linalg on a tile}}
    linalg.matmul ins(%a, %b : memref<?x16xf32>, memref<16x16xf32>)
                  outs(%c : memref<?x16xf32>)
  } {mta.schedule = #schedule}
  return
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v3_wide_vector(%t: memref<8x64xf32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'vector.load' op expects vectors of one dimension and at most 32 elements, but got 'vector<64xf32>'}}
    %0 = vector.load %t[%c0, %c0] : memref<8x64xf32>, vector<64xf32>
  } {mta.schedule = #schedule}
  return
}

// -----

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>
func.func @v3_matrix(%f: f32) {
  scf.forall (%i) in (4) {
    // expected-error@+1 {{'vector.broadcast' op expects vectors of one dimension and at most 32 elements, but got 'vector<4x4xf32>'}}
    %0 = vector.broadcast %f : f32 to vector<4x4xf32>
  } {mta.schedule = #schedule}
  return
}

// RUN: mta-opt %s -mta-verify-tile-program | FileCheck %s

#schedule = #mta.schedule<query_tile = 8, key_tile = 16, edge_key_tile = 16, sweeps = 1, heads = 2, lanes = 4, staging = packed>

// What may be left: copies of the rows that exist, and a maximum over 12 columns,
// less than a vector, and buffers that are not contiguous.

// CHECK-LABEL: @left_for_loops
// CHECK: linalg.copy
// CHECK: linalg.generic
// CHECK: linalg.fill
func.func @left_for_loops(%a: memref<8x12xf32>, %b: memref<8xf32>,
                          %c: memref<?x16xf32>, %d: memref<?x16xf32>, %f: f32,
                          %e: memref<8x1xf32, strided<[12, 4]>>) {
  scf.forall (%i) in (4) {
    linalg.copy ins(%c : memref<?x16xf32>) outs(%d : memref<?x16xf32>)
    linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
        iterator_types = ["parallel", "reduction"]}
        ins(%a : memref<8x12xf32>) outs(%b : memref<8xf32>) {
    ^bb0(%x: f32, %y: f32):
      %z = arith.maximumf %x, %y : f32
      linalg.yield %z : f32
    }
    linalg.fill ins(%f : f32) outs(%e : memref<8x1xf32, strided<[12, 4]>>)
  } {mta.schedule = #schedule}
  return
}

// CHECK-LABEL: @elsewhere
// CHECK: linalg.fill
func.func @elsewhere(%t: memref<8x16xf32>, %f: f32) {
  scf.forall (%i) in (4) {
    linalg.fill ins(%f : f32) outs(%t : memref<8x16xf32>)
  }
  return
}

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-assign-layouts

func.func @no_layout(%z: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'vector.step' op expects a layout, but no contraction gives one to its result}}
    %step = vector.step : vector<16xindex>
    %element = vector.extract %step[3] : index from vector<16xindex>
    %value = memref.load %z[%element] : memref<16xf32>
    memref.store %value, %z[%c0] : memref<16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

#lhs = affine_map<(r, c, k) -> (r, k)>
#rhs = affine_map<(r, c, k) -> (k, c)>
#transposed = affine_map<(r, c, k) -> (c, k)>
#out = affine_map<(r, c, k) -> (r, c)>
#contraction = {
  indexing_maps = [#lhs, #rhs, #out],
  iterator_types = ["parallel", "parallel", "reduction"]
}
#contraction_transposed = {
  indexing_maps = [#lhs, #transposed, #out],
  iterator_types = ["parallel", "parallel", "reduction"]
}

func.func @two_layouts(%x: memref<16x16xf16, #gpu.address_space<workgroup>>, %z: memref<16x16xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant dense<0.0> : vector<16x16xf32>
    // expected-error@+1 {{'vector.transfer_read' op expects one layout, but contractions ask for two}}
    %a = vector.transfer_read %x[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    %c = vector.contract #contraction %a, %a, %zero : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    vector.transfer_write %c, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x16xf32>, memref<16x16xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

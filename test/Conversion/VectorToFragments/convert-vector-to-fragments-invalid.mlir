// RUN: mta-opt %s -split-input-file -verify-diagnostics -convert-vector-to-fragments

func.func @no_layout(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.constant' op expects a layout that fits 'vector<16x8xf32>' in a tile of 16 rows and 1 heads, but got none}}
    %d = arith.constant dense<1.0> : vector<16x8xf32>
    vector.transfer_write %d, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @other_rank(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.constant' op expects a layout that fits 'vector<16x8xf32>' in a tile of 16 rows and 1 heads, but got #mta.layout<accumulator[row]>}}
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row]>]} dense<1.0> : vector<16x8xf32>
    vector.transfer_write %d, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @other_rows(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.constant' op expects a layout that fits 'vector<12x8xf32>' in a tile of 16 rows and 1 heads, but got #mta.layout<accumulator[row, column]>}}
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<12x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @ragged_columns(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.constant' op expects a layout that fits 'vector<16x12xf32>' in a tile of 16 rows and 1 heads, but got #mta.layout<accumulator[row, column]>}}
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x12xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @different_layouts(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x16xf32>
    %b = arith.constant {mta.layouts = [#mta.layout<rhs[row, column]>]} dense<1.0> : vector<16x16xf32>
    // expected-error@+1 {{'arith.addf' op expects operands and a result of one layout, but got #mta.layout<rhs[row, column]> and #mta.layout<accumulator[row, column]>}}
    %d = arith.addf %a, %b {mta.layouts = [#mta.layout<accumulator[row, column]>]} : vector<16x16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @different_values(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.constant' op expects one value in all elements to be distributed to threads}}
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row]>]} dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]> : vector<16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

#lhs = affine_map<(r, c, k) -> (r, k)>
#rhs = affine_map<(r, c, k) -> (k, c)>
#out = affine_map<(r, c, k) -> (r, c)>

func.func @wide_operands(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x16xf32>
    %b = arith.constant {mta.layouts = [#mta.layout<rhs[row, column]>]} dense<1.0> : vector<16x8xf32>
    %c = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    // expected-error@+1 {{'vector.contract' op expects sums in f32 of products of f16, bf16 or f32 with 'mta.tf32' to be distributed to threads}}
    %d = vector.contract {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"], mta.layouts = [#mta.layout<accumulator[row, column]>]} %a, %b, %c : vector<16x16xf32>, vector<16x8xf32> into vector<16x8xf32>
    vector.transfer_write %d, %z[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @wide_read(%z: memref<16x8xi32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0 : i32
    // expected-error@+1 {{'vector.transfer_read' op expects a read of a tile of 16-bit elements or f32 inside of workgroup memory, of 32 bits for every row, or of columns of global memory, to be distributed to threads}}
    %d = vector.transfer_read %z[%c0, %c0], %pad {in_bounds = [true, true], mta.layouts = [#mta.layout<accumulator[row, column]>]} : memref<16x8xi32, #gpu.address_space<workgroup>>, vector<16x8xi32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @global_read(%z: memref<16x8xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects a read of a tile of 16-bit elements or f32 inside of workgroup memory, of 32 bits for every row, or of columns of global memory, to be distributed to threads}}
    %d = vector.transfer_read %z[%c0, %c0], %pad {in_bounds = [true, true], mta.layouts = [#mta.layout<accumulator[row, column]>]} : memref<16x8xf16>, vector<16x8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @read_past_the_end(%z: memref<?x8xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects a read of a tile of 16-bit elements or f32 inside of workgroup memory, of 32 bits for every row, or of columns of global memory, to be distributed to threads}}
    %d = vector.transfer_read %z[%c0, %c0], %pad {in_bounds = [false, true], mta.layouts = [#mta.layout<accumulator[row, column]>]} : memref<?x8xf16, #gpu.address_space<workgroup>>, vector<16x8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @transposed_read(%z: memref<8x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects a read of a tile of 16-bit elements or f32 inside of workgroup memory, of 32 bits for every row, or of columns of global memory, to be distributed to threads}}
    %d = vector.transfer_read %z[%c0, %c0], %pad {in_bounds = [true, true], mta.layouts = [#mta.layout<accumulator[row, column]>], permutation_map = affine_map<(a, b) -> (b, a)>} : memref<8x16xf16, #gpu.address_space<workgroup>>, vector<16x8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @read_of_rows(%z: memref<16x8xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects a read of a tile of 16-bit elements or f32 inside of workgroup memory, of 32 bits for every row, or of columns of global memory, to be distributed to threads}}
    %d = vector.transfer_read %z[%c0, %c0], %pad {in_bounds = [true], mta.layouts = [#mta.layout<accumulator[column]>]} : memref<16x8xf16, #gpu.address_space<workgroup>>, vector<8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @write_past_the_end(%z: memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    // expected-error@+1 {{'vector.transfer_write' op expects a write in bounds to be distributed to threads}}
    vector.transfer_write %d, %z[%c0, %c0] {in_bounds = [false, true]} : vector<16x8xf32>, memref<?x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @masked_workgroup_write(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    %m = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<true> : vector<16x8xi1>
    // expected-error@+1 {{'vector.transfer_write' op expects a write of whole rows to workgroup memory to be distributed to threads}}
    vector.transfer_write %d, %z[%c0, %c0], %m {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @mask_of_elements(%z: memref<16x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    %m = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<true> : vector<16x8xi1>
    // expected-error@+1 {{'vector.transfer_write' op expects a mask of rows to be distributed to threads}}
    vector.transfer_write %d, %z[%c0, %c0], %m {in_bounds = [true, true]} : vector<16x8xf32>, memref<16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @ragged_slice(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x16xf32>
    // expected-error@+1 {{'vector.extract_strided_slice' op expects a slice of whole pieces of 8 columns to be distributed to threads}}
    %d = vector.extract_strided_slice %a {offsets = [0, 4], sizes = [16, 8], strides = [1, 1], mta.layouts = [#mta.layout<accumulator[row, column]>]} : vector<16x16xf32> to vector<16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @slice_at_an_odd_place(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x16xf32>
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    // expected-error@+1 {{'vector.insert_strided_slice' op expects a slice of whole pieces of 8 columns to be distributed to threads}}
    %e = vector.insert_strided_slice %d, %a {offsets = [0, 4], strides = [1, 1], mta.layouts = [#mta.layout<accumulator[row, column]>]} : vector<16x8xf32> into vector<16x16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @reduction_of_rows(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    %n = arith.constant {mta.layouts = [#mta.layout<accumulator[column]>]} dense<0.0> : vector<8xf32>
    // expected-error@+1 {{'vector.multi_reduction' op expects a reduction of the columns of an accumulator to be distributed to threads}}
    %s = vector.multi_reduction <add>, %d, %n {mta.layouts = [#mta.layout<accumulator[column]>]} [0] : vector<16x8xf32> to vector<8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @fill_of_a_part(%z: memref<3x5xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %n = arith.constant 0.0 : f16
    // expected-error@+1 {{'linalg.fill' op expects a whole buffer of workgroup memory, of a multiple of 8 elements, to be distributed to threads}}
    linalg.fill ins(%n : f16) outs(%z : memref<3x5xf16, #gpu.address_space<workgroup>>)
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @fill_of_global_memory(%z: memref<16x8xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %n = arith.constant 0.0 : f16
    // expected-error@+1 {{'linalg.fill' op expects a whole buffer of workgroup memory}}
    linalg.fill ins(%n : f16) outs(%z : memref<16x8xf16>)
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @copy_to_global_memory(%z: memref<16x8xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'mta.copy_tile' op expects a copy of global to workgroup memory to be distributed to threads, but got 'memref<16x8xf16>' to 'memref<16x8xf16>'}}
    mta.copy_tile %z[%c0, %c0], %z[%c0, %c0] limit(%c1) shape [16, 8] : memref<16x8xf16>, memref<16x8xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @other_operation(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<16x8xf32>
    // expected-error@+1 {{'vector.print' op expects an operation that can be distributed to threads}}
    vector.print %d : vector<16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @other_loop(%z: memref<16x8xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'scf.while' op expects an operation that can be distributed to threads}}
    scf.while : () -> () {
      %again = arith.cmpi eq, %c0, %c1 : index
      scf.condition(%again)
    } do {
      scf.yield
    }
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @part_of_a_warp() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 40 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 16 rows and 1 heads for 40 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @part_of_a_strip() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 24 rows and 1 heads for 32 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 24 : i64}
  return
}

// -----

func.func @heads_without_a_warp() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 16 rows and 2 heads for 32 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @warps_without_a_strip() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 16 rows and 1 heads for 64 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @no_rows() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects constant threads and the attributes 'mta.heads' and 'mta.rows'}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64}
  return
}

// -----

func.func @heads_of_another_kind() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects constant threads and the attributes 'mta.heads' and 'mta.rows'}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = "two", mta.rows = 16 : i64}
  return
}

// -----

func.func @dynamic_threads(%threads: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error@+1 {{'gpu.launch' op expects constant threads and the attributes 'mta.heads' and 'mta.rows'}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @two_warps(%tile: memref<4x33x8xf16, #gpu.address_space<workgroup>>, %z: memref<32x40xf32, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %a = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<32x32xf16>
    %d = arith.constant {mta.layouts = [#mta.layout<accumulator[row, column]>]} dense<1.0> : vector<32x32xf32>
    // expected-error@+1 {{'mta.contract_tile' op expects a multiple of 4 warps for every head to be distributed to threads, but got 2}}
    %s = mta.contract_tile %a, %tile[], %d {mta.layouts = [#mta.layout<accumulator[row, column]>]} : vector<32x32xf16>, memref<4x33x8xf16, #gpu.address_space<workgroup>>, vector<32x32xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 32 : i64}
  return
}

// -----

func.func @rows_in_another_order(%k: memref<1x1x64x16xf16>, %x: memref<1x16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant {mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]} dense<0.0> : vector<1x16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true], mta.layouts = [#mta.layout<accumulator[head, row, column]>]} : memref<1x16x16xf16, #gpu.address_space<workgroup>>, vector<1x16x16xf16>
    %b = mta.load_tile %k[%c0, %c0, %c0, %c0] rows(%c0 to %threads) shared(%c1) {mta.layouts = [#mta.layout<rhs[head, column, row] runs column>]} : memref<1x1x64x16xf16> -> vector<1x8x16xf16>
    // expected-error@+1 {{'vector.contract' op expects operands and a result with the same runs, but got #mta.layout<accumulator[head, row, column]>, #mta.layout<rhs[head, column, row] runs column> and #mta.layout<accumulator[head, row, column] runs column>}}
    %c = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"], mta.layouts = [#mta.layout<accumulator[head, row, column] runs column>]} %a, %b, %zero
        : vector<1x16x16xf16>, vector<1x8x16xf16> into vector<1x16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @runs_that_differ(%k: memref<1x1x64x16xf16>, %x: memref<1x16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %zero = arith.constant {mta.layouts = [#mta.layout<accumulator[head, row, column]>]} dense<0.0> : vector<1x16x8xf32>
    %a = vector.transfer_read %x[%c0, %c0, %c0], %pad {in_bounds = [true, true, true], mta.layouts = [#mta.layout<accumulator[head, row, column]>]} : memref<1x16x16xf16, #gpu.address_space<workgroup>>, vector<1x16x16xf16>
    %b = mta.load_tile %k[%c0, %c0, %c0, %c0] rows(%c0 to %threads) shared(%c1) {mta.layouts = [#mta.layout<rhs[head, column, row] runs reduction>]} : memref<1x1x64x16xf16> -> vector<1x8x16xf16>
    // expected-error@+1 {{'vector.contract' op expects operands and a result with the same runs, but got #mta.layout<accumulator[head, row, column]>, #mta.layout<rhs[head, column, row] runs reduction> and #mta.layout<accumulator[head, row, column]>}}
    %c = vector.contract {
      indexing_maps = [affine_map<(h, r, c, k) -> (h, r, k)>, affine_map<(h, r, c, k) -> (h, c, k)>, affine_map<(h, r, c, k) -> (h, r, c)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"], mta.layouts = [#mta.layout<accumulator[head, row, column]>]} %a, %b, %zero
        : vector<1x16x16xf16>, vector<1x8x16xf16> into vector<1x16x8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

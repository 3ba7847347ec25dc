// By the labels V1 to V6 of the pass's description.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-verify-workgroup-program

func.func @v1_threads() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 48 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 16 rows and 1 heads for 48 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v1_heads() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects whole strips of 16 rows for every warp and whole warps for every head, but got 16 rows and 2 heads for 32 threads}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v1_rows() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  // expected-error@+1 {{'gpu.launch' op expects constant threads and the attributes 'mta.heads' and 'mta.rows'}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    gpu.terminator
  } {mta.heads = 1 : i64}
  return
}

// -----

func.func @v2_tensor() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'tensor.empty' op expects vectors, loops, branches and copies in the program of a workgroup}}
    %0 = tensor.empty() : tensor<8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v2_tensor_arithmetic(%t: tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.addf' op expects buffers and vectors in the program of a workgroup, but got 'tensor<8xf32>'}}
    %0 = arith.addf %t, %t : tensor<8xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v2_thread_operation() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'gpu.barrier' op expects vectors, loops, branches and copies in the program of a workgroup}}
    gpu.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v3_private_buffer() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'memref.alloca' op expects a buffer of static size in workgroup memory, in the body of the launch, but got 'memref<16xf16>'}}
    %0 = memref.alloca() : memref<16xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v3_buffer_in_a_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    scf.for %i = %c0 to %n step %c1 {
    // expected-error@+1 {{'memref.alloca' op expects a buffer of static size in workgroup memory, in the body of the launch, but got 'memref<16xf16, #gpu.address_space<workgroup>>'}}
    %0 = memref.alloca() : memref<16xf16, #gpu.address_space<workgroup>>
    }
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v4_thread() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.addi' op expects the program of a workgroup, not that of a thread, but got a use of its number}}
    %0 = arith.addi %tx, %c1 : index
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v5_global_read(%m: memref<16x16xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects to read a vector that lies inside of workgroup memory, but got a part of 'memref<16x16xf16>'}}
    %0 = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16>, vector<16x16xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v5_global_read_of_heads(%m: memref<2x16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    // Numbers of the rows of two heads are no tile.
    %0 = vector.transfer_read %m[%c0, %c0, %c0], %pad {in_bounds = [true, true]} : memref<2x16x16xf32>, vector<2x16xf32>
    // expected-error@+1 {{'vector.transfer_read' op expects to read a vector that lies inside of workgroup memory, but got a part of 'memref<2x16x16xf32>'}}
    %1 = vector.transfer_read %m[%c0, %c0, %c0], %pad {in_bounds = [true, true, true]} : memref<2x16x16xf32>, vector<2x16x16xf32>
    gpu.terminator
  } {mta.heads = 2 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v5_masked_read(%m: memref<16xf32>, %w: memref<16xf32, #gpu.address_space<workgroup>>, %mask: vector<16xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f32
    %0 = vector.transfer_read %m[%c0], %pad, %mask {in_bounds = [true]} : memref<16xf32>, vector<16xf32>
    // expected-error@+1 {{'vector.transfer_read' op expects to read a vector that lies inside of workgroup memory, but got a part of 'memref<16xf32, #gpu.address_space<workgroup>>'}}
    %1 = vector.transfer_read %w[%c0], %pad, %mask {in_bounds = [true]} : memref<16xf32, #gpu.address_space<workgroup>>, vector<16xf32>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v5_read_across_the_end(%m: memref<8x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    // expected-error@+1 {{'vector.transfer_read' op expects to read a vector that lies inside of workgroup memory, but got a part of 'memref<8x16xf16, #gpu.address_space<workgroup>>'}}
    %0 = vector.transfer_read %m[%c0, %c0], %pad : memref<8x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v5_write_beyond(%m: memref<16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %one = arith.constant dense<1.0> : vector<16x16xf16>
    // expected-error@+1 {{'vector.transfer_write' op expects to write a vector, or rows of it, that lie inside of a buffer, but got a part of 'memref<16x16xf16, #gpu.address_space<workgroup>>'}}
    vector.transfer_write %one, %m[%c1, %c0] {in_bounds = [false, true]} : vector<16x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v6_no_commit(%g: memref<?x16xf16>, %m: memref<16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'mta.copy_tile' op expects mta.commit_copies after it in its block}}
    mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%c1) shape [16, 16] : memref<?x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v6_global_copy(%g: memref<?x16xf16>, %m: memref<16x16xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'mta.copy_tile' op expects a copy to workgroup memory, but got 'memref<16x16xf16>'}}
    mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%c1) shape [16, 16] : memref<?x16xf16>, memref<16x16xf16>
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// -----

func.func @v6_no_barrier(%g: memref<?x16xf16>, %m: memref<16x16xf16, #gpu.address_space<workgroup>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%c1) shape [16, 16] : memref<?x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
    mta.commit_copies
    // expected-error@+1 {{'mta.wait_copies' op expects a barrier before what was copied is read}}
    mta.wait_copies
    %0 = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
    mta.barrier
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// By the labels V1 to V4 of the pass's description.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-verify-thread-program

func.func @v1_tile_operation() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'mta.barrier' op expects what one thread does}}
    mta.barrier
    gpu.terminator
  }
  return
}

// -----

func.func @v1_linalg(%f: f32, %m: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'linalg.fill' op expects what one thread does}}
    linalg.fill ins(%f : f32) outs(%m : memref<4xf32>)
    gpu.terminator
  }
  return
}

// -----

func.func @v1_tensor(%t: tensor<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'arith.addf' op expects buffers and registers in the program of a thread, but got 'tensor<8xf32>'}}
    %0 = arith.addf %t, %t : tensor<8xf32>
    gpu.terminator
  }
  return
}

// -----

func.func @v2_wide_vector(%f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'vector.broadcast' op expects vectors of at most 128 bits in the program of a thread, but got 'vector<8xf32>'}}
    %0 = vector.broadcast %f : f32 to vector<8xf32>
    gpu.terminator
  }
  return
}

// -----

func.func @v2_indices() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'vector.broadcast' op expects vectors of at most 128 bits in the program of a thread, but got 'vector<4xindex>'}}
    %0 = vector.broadcast %c1 : index to vector<4xindex>
    gpu.terminator
  }
  return
}

// -----

func.func @v3_no_commit(%g: memref<?xf16>, %m: memref<64xf16, #gpu.address_space<workgroup>>, %n: index, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'nvgpu.device_async_copy' op expects its group to be committed after it}}
    %t = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// -----

func.func @v3_commit_after_the_loop(%g: memref<?xf16>, %m: memref<64xf16, #gpu.address_space<workgroup>>, %n: index, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    scf.for %i = %c0 to %n step %c1 {
    // expected-error@+1 {{'nvgpu.device_async_copy' op expects its group to be committed after it}}
      %t = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
    }
    nvvm.cp.async.commit.group
    nvvm.cp.async.wait.group 0
    gpu.barrier
    gpu.terminator
  }
  return
}

// -----

func.func @v3_no_wait(%g: memref<?xf16>, %m: memref<64xf16, #gpu.address_space<workgroup>>, %n: index, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %t = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
    // expected-error@+1 {{'nvvm.cp.async.commit.group' op expects a wait for its group after it}}
    nvvm.cp.async.commit.group
    gpu.terminator
  }
  return
}

// -----

func.func @v3_no_barrier(%g: memref<?xf16>, %m: memref<64xf16, #gpu.address_space<workgroup>>, %n: index, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %t = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
    nvvm.cp.async.commit.group
    // expected-error@+1 {{'nvvm.cp.async.wait.group' op expects a barrier before what was copied is read}}
    nvvm.cp.async.wait.group 0
    scf.for %i = %c0 to %n step %c1 {
    }
    gpu.barrier
    gpu.terminator
  }
  return
}

// -----

func.func @v4_branch() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %own = arith.cmpi eq, %tx, %c0 : index
    // expected-note@+1 {{threads may do this differently}}
    scf.if %own {
    // expected-error@+1 {{'gpu.barrier' op expects to be reached by all threads of the workgroup}}
    gpu.barrier
    }
    gpu.terminator
  }
  return
}

// -----

func.func @v4_loop(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    // expected-note@+1 {{threads may do this differently}}
    scf.for %i = %tx to %n step %c1 {
    // expected-error@+1 {{'gpu.barrier' op expects to be reached by all threads of the workgroup}}
    gpu.barrier
    }
    gpu.terminator
  }
  return
}

// -----

func.func @v4_carried(%n: index, %m: memref<64xindex>, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %last = scf.for %i = %c0 to %n step %c1 iter_args(%x = %c0) -> (index) {
      %place = memref.load %m[%tx] : memref<64xindex>
      %next = arith.maxsi %x, %place : index
      scf.yield %next : index
    }
    %own = arith.cmpi eq, %last, %c0 : index
    // expected-note@+1 {{threads may do this differently}}
    scf.if %own {
      scf.if %flag {
    // expected-error@+1 {{'gpu.barrier' op expects to be reached by all threads of the workgroup}}
    gpu.barrier
      }
    }
    gpu.terminator
  }
  return
}

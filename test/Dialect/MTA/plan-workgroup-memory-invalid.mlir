// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-plan-workgroup-memory

func.func @dynamic_size(%n: index, %b: i1) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'memref.alloca' op expects a contiguous buffer of static size in the body of the launch, but got 'memref<?xf32, #gpu.address_space<workgroup>>'}}
    %a = memref.alloca(%n) : memref<?xf32, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// -----

func.func @layout(%n: index, %b: i1) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'memref.alloca' op expects a contiguous buffer of static size in the body of the launch, but got 'memref<8x8xf32, strided<[16, 1]>, #gpu.address_space<workgroup>>'}}
    %a = memref.alloca() : memref<8x8xf32, strided<[16, 1]>, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// -----

func.func @elements(%n: index, %b: i1) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    // expected-error@+1 {{'memref.alloca' op expects a contiguous buffer of static size in the body of the launch, but got 'memref<8xindex, #gpu.address_space<workgroup>>'}}
    %a = memref.alloca() : memref<8xindex, #gpu.address_space<workgroup>>
    gpu.terminator
  }
  return
}

// -----

func.func @in_a_branch(%n: index, %b: i1) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    scf.if %b {
      // expected-error@+1 {{'memref.alloca' op expects a contiguous buffer of static size in the body of the launch, but got 'memref<8xf32, #gpu.address_space<workgroup>>'}}
      %a = memref.alloca() : memref<8xf32, #gpu.address_space<workgroup>>
    }
    gpu.terminator
  }
  return
}

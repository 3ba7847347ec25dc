// RUN: mta-opt %s -mta-verify-workgroup-program | FileCheck %s
// RUN: mta-opt %S/../../Conversion/MTAToGPU/convert-mta-to-gpu.mlir -convert-mta-to-gpu=warpgroups -mta-verify-workgroup-program -o /dev/null

// CHECK-LABEL: @program
// CHECK: mta.wait_copies
func.func @program(%g: memref<?x16xf16>, %n: index, %mask: vector<16x16xi1>, %flag: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %pad = arith.constant 0.0 : f16
    %m = memref.alloca() : memref<16x16xf16, #gpu.address_space<workgroup>>
    linalg.fill ins(%pad : f16) outs(%m : memref<16x16xf16, #gpu.address_space<workgroup>>)
    mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%n) shape [16, 16] : memref<?x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
    mta.commit_copies
    scf.for %i = %c0 to %n step %c1 {
      mta.wait_copies
      mta.barrier
      %0 = vector.transfer_read %m[%c0, %c0], %pad {in_bounds = [true, true]} : memref<16x16xf16, #gpu.address_space<workgroup>>, vector<16x16xf16>
      vector.transfer_write %0, %g[%c0, %c0], %mask {in_bounds = [true, true]} : vector<16x16xf16>, memref<?x16xf16>
      scf.if %flag {
        mta.barrier
        mta.copy_tile %g[%c0, %c0], %m[%c0, %c0] limit(%n) shape [16, 16] : memref<?x16xf16>, memref<16x16xf16, #gpu.address_space<workgroup>>
        mta.commit_copies
      }
    }
    gpu.terminator
  } {mta.heads = 1 : i64, mta.rows = 16 : i64}
  return
}

// Nothing is expected of other launches.

// CHECK-LABEL: @elsewhere
// CHECK: memref.alloca
func.func @elsewhere() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 7 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %0 = memref.alloca() : memref<16xf16>
    gpu.barrier
    gpu.terminator
  }
  return
}

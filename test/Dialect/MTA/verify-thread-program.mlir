// Copies of a tile ahead, by some of the threads, and a loop with other bounds for
// every thread. All threads meet.

// RUN: mta-opt %s -mta-verify-thread-program | FileCheck %s
// RUN: mta-opt %S/../../Conversion/VectorToFragments/convert-vector-to-fragments.mlir -mta-assign-layouts -convert-vector-to-fragments -canonicalize -mta-verify-thread-program -o /dev/null

// CHECK-LABEL: @program
// CHECK: gpu.barrier
func.func @program(%g: memref<?xf16>, %m: memref<64xf16, #gpu.address_space<workgroup>>, %n: index, %flag: i1, %f: f16) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %threads = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %threads, %sy = %c1, %sz = %c1) {
    %first = arith.cmpi ne, %n, %c0 : index
    scf.if %first {
      %t = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
      nvvm.cp.async.commit.group
    }
    scf.for %i = %c0 to %n step %c1 {
      nvvm.cp.async.wait.group 0
      gpu.barrier
      %next = arith.addi %i, %c1 : index
      %exists = arith.cmpi slt, %next, %n : index
      scf.if %exists {
        %inside = arith.cmpi ult, %tx, %c1 : index
        scf.if %inside {
          %u = nvgpu.device_async_copy %g[%c0], %m[%c0], 8 : memref<?xf16> to memref<64xf16, #gpu.address_space<workgroup>>
        }
        nvvm.cp.async.commit.group
      }
      scf.if %flag {
        gpu.barrier
      }
    }
    scf.for %i = %tx to %n step %c1 {
      memref.store %f, %m[%i] : memref<64xf16, #gpu.address_space<workgroup>>
    }
    gpu.terminator
  }
  return
}

// Modules that begin with kernels, at the levels of gpu and of NVVM.

// RUN: mta-translate --mta-to-ptx --chip=sm_90 --split-input-file %s | FileCheck %s

// CHECK: .target sm_90
// CHECK: .entry nvvm_kernel(
// CHECK: %tid.x
gpu.module @kernels {
  llvm.func @nvvm_kernel(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %0 = nvvm.read.ptx.sreg.tid.x : i32
    llvm.store %0, %p : i32, !llvm.ptr
    llvm.return
  }
}

// -----

// CHECK: .target sm_90
// CHECK: .entry gpu_kernel(
// CHECK: fma.rn.f32
// CHECK: .entry other_kernel(
module attributes {gpu.container_module} {
  func.func @host(%n: index, %m: memref<?xf32>) {
    gpu.launch_func @first::@gpu_kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n) args(%m : memref<?xf32>)
    gpu.launch_func @second::@other_kernel blocks in (%n, %n, %n)
        threads in (%n, %n, %n)
    return
  }
  gpu.module @first {
    gpu.func @gpu_kernel(%m: memref<?xf32>) kernel {
      %i = gpu.thread_id x
      %0 = memref.load %m[%i] : memref<?xf32>
      %1 = math.exp %0 : f32
      memref.store %1, %m[%i] : memref<?xf32>
      gpu.return
    }
  }
  gpu.module @second {
    gpu.func @other_kernel() kernel { gpu.return }
  }
}

// -----

// A module that names a target of its own is compiled for the one asked for.
// CHECK: .target sm_90{{$}}
// CHECK: .entry kernel(
gpu.module @kernels [#nvvm.target<chip = "sm_80">] {
  gpu.func @kernel() kernel { gpu.return }
}

// -----

// Loops on memrefs.
// CHECK: .target sm_90
// CHECK: .entry loop_kernel(
func.func @loop(%m: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%c16) step (%c1) {
    memref.store %f, %m[%i] : memref<16xf32>
    scf.reduce
  }
  return
}

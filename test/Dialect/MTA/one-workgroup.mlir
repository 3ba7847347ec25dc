// RUN: mta-opt %s -mta-one-workgroup | FileCheck %s

// CHECK-LABEL: gpu.module @kernels
gpu.module @kernels {
  // CHECK: gpu.func @of_512_threads
  // CHECK-SAME: nvvm.minctasm = 1 : i32
  gpu.func @of_512_threads() kernel attributes {known_block_size = array<i32: 512, 1, 1>} {
    gpu.return
  }
  // CHECK: gpu.func @of_512_threads_in_a_block
  // CHECK-SAME: nvvm.minctasm = 1 : i32
  gpu.func @of_512_threads_in_a_block() kernel attributes {known_block_size = array<i32: 32, 4, 4>} {
    gpu.return
  }
  // CHECK: gpu.func @no_of_384_threads
  // CHECK-NOT: nvvm.minctasm
  gpu.func @no_of_384_threads() kernel attributes {known_block_size = array<i32: 384, 1, 1>} {
    gpu.return
  }
  // CHECK: gpu.func @no_of_any_threads
  // CHECK-NOT: nvvm.minctasm
  gpu.func @no_of_any_threads() kernel {
    gpu.return
  }
  // CHECK: gpu.func @no_function
  // CHECK-NOT: nvvm.minctasm
  gpu.func @no_function() attributes {known_block_size = array<i32: 512, 1, 1>} {
    gpu.return
  }
}

// What a contract cannot say.

// RUN: mta-opt --mta-launch-contract --split-input-file --verify-diagnostics %s

module attributes {gpu.container_module} {
func.func @copies(%x: memref<4xf32>, %y: memref<4xf32>) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
  // expected-error @below {{expects a function that only launches kernels on buffers, for its launch contract}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
func.func @loops(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{expects a function that only launches kernels on buffers, for its launch contract}}
  scf.for %i = %c0 to %n step %c1 {
    gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
  }
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
// expected-error @below {{expects a function that only launches kernels on buffers, for its launch contract}}
func.func @blocks() {
  %c1 = arith.constant 1 : index
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
  cf.br ^end
^end:
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
// expected-error @below {{expects a number that follows from the sizes of the arguments of 'argument', for its launch contract}}
func.func @argument(%n: index) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @m::@k blocks in (%n, %c1, %c1) threads in (%c1, %c1, %c1)
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
func.func @maximum(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  // expected-error @below {{expects a number that follows from the sizes of the arguments of 'maximum', for its launch contract}}
  %m = arith.maxui %n, %c1 : index
  gpu.launch_func @m::@k blocks in (%m, %c1, %c1) threads in (%c1, %c1, %c1)
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
// expected-error @below {{expects blocks of static size, for its launch contract}}
func.func @block(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%n, %c1, %c1)
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
func.func @large() {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  // expected-error @below {{expects the block to be three positive numbers, of at most 1024 together, but got [64, 32, 1]}}
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c32, %c1)
  return
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
func.func @twice() -> (memref<4xf32>, memref<4xf32>) {
  %c1 = arith.constant 1 : index
  %x = memref.alloc() : memref<4xf32>
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
  // expected-error @below {{expects results that are buffers of their own, but result #1 is also 'out0'}}
  return %x, %x : memref<4xf32>, memref<4xf32>
}
gpu.module @m { gpu.func @k() kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
func.func @view(%x: memref<8xf32>) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @below {{expects an argument or an allocation of 'view' as a buffer, for its launch contract}}
  %y = memref.reinterpret_cast %x to offset: [%c4], sizes: [4], strides: [1]
      : memref<8xf32> to memref<4xf32, strided<[1], offset: ?>>
  %address = memref.extract_aligned_pointer_as_index %y
      : memref<4xf32, strided<[1], offset: ?>> -> index
  %number = arith.index_cast %address : index to i64
  %pointer = llvm.inttoptr %number : i64 to !llvm.ptr
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%pointer : !llvm.ptr)
  return
}
gpu.module @m { gpu.func @k(%p: !llvm.ptr) kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
// expected-error @below {{expects kernels to take addresses of buffers, but got}}
func.func @pointer(%p: !llvm.ptr) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%p : !llvm.ptr)
  return
}
gpu.module @m { gpu.func @k(%p: !llvm.ptr) kernel { gpu.return } }
}

// -----

module attributes {gpu.container_module} {
// expected-error @below {{expects kernels with pointers and integers as parameters, but got 'f32'}}
func.func @scalar() {
  %c1 = arith.constant 1 : index
  %c1_i32 = arith.constant 1 : i32
  %f = arith.sitofp %c1_i32 : i32 to f32
  gpu.launch_func @m::@k blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%f : f32)
  return
}
gpu.module @m { gpu.func @k(%x: f32) kernel { gpu.return } }
}

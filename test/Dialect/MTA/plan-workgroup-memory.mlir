// Buffers that are never in use together share bytes; what is in use in a loop
// is in use in all of it, and uses of views count.

// RUN: mta-opt %s -mta-plan-workgroup-memory -canonicalize | FileCheck %s

#workgroup = #gpu.address_space<workgroup>

// %a is done before the loop, %b and %c are in use in it, %d only after it.
// The largest ones come first: %b (2048 bytes) at 0, %d, %c after it.
// CHECK-LABEL: func.func @lifetimes
// CHECK-DAG:     %[[SIZE:.*]] = arith.constant 3072 : i32
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C2048:.*]] = arith.constant 2048 : index
// CHECK:         gpu.launch
// CHECK-SAME:      dynamic_shared_memory_size %[[SIZE]]
// CHECK-NOT:       memref.alloca
// CHECK:           %[[ALL:.*]] = gpu.dynamic_shared_memory {mta.staged_scores = [f16]} : memref<?xi8, #gpu.address_space<workgroup>>
// CHECK-DAG:       %[[B:.*]] = memref.view %[[ALL]][%[[C0]]][] : {{.*}} to memref<8x64xf32
// CHECK-DAG:       %[[C:.*]] = memref.view %[[ALL]][%[[C2048]]][] : {{.*}} to memref<16x32xf16
// CHECK-DAG:       %[[A:.*]] = memref.view %[[ALL]][%[[C0]]][] : {{.*}} to memref<9xf32
// CHECK-DAG:       %[[D:.*]] = memref.view %[[ALL]][%[[C0]]][] : {{.*}} to memref<300xf32
// CHECK:           memref.store %{{.*}}, %[[A]]
// CHECK:           %[[FLAT:.*]] = memref.collapse_shape %[[B]]
// CHECK:           scf.for
// CHECK:             memref.store %{{.*}}, %[[FLAT]]
// CHECK:             memref.store %{{.*}}, %[[C]]
// CHECK:           memref.store %{{.*}}, %[[D]]
func.func @lifetimes(%n: index, %x: f32, %y: f16) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    %a = memref.alloca() : memref<9xf32, #workgroup>
    %b = memref.alloca() : memref<8x64xf32, #workgroup>
    %c = memref.alloca() : memref<16x32xf16, #workgroup>
    %d = memref.alloca() : memref<300xf32, #workgroup>
    memref.store %x, %a[%c0] : memref<9xf32, #workgroup>
    %flat = memref.collapse_shape %b [[0, 1]]
        : memref<8x64xf32, #workgroup> into memref<512xf32, #workgroup>
    scf.for %i = %c0 to %n step %c1 {
      memref.store %x, %flat[%i] : memref<512xf32, #workgroup>
      memref.store %y, %c[%c0, %c0] : memref<16x32xf16, #workgroup>
    }
    memref.store %x, %d[%c0] : memref<300xf32, #workgroup>
    gpu.terminator
  } {mta.staged_scores = [f16]}
  return
}

// A buffer is in use as long as its address is, and what was computed from it.
// CHECK-LABEL: func.func @addresses
// CHECK:         gpu.launch {{.*}} dynamic_shared_memory_size %c1152_i32
func.func @addresses(%x: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    %a = memref.alloca() : memref<128xf32, #workgroup>
    %b = memref.alloca() : memref<144xf32, #workgroup>
    %pointer = memref.extract_aligned_pointer_as_index %a : memref<128xf32, #workgroup> -> index
    %descriptor = arith.shrui %pointer, %c4 : index
    memref.store %x, %a[%c0] : memref<128xf32, #workgroup>
    memref.store %x, %b[%c0] : memref<144xf32, #workgroup>
    %wide = arith.index_cast %descriptor : index to i64
    llvm.inline_asm has_side_effects "use $0;", "l" %wide : (i64) -> ()
    gpu.terminator
  }
  return
}

// Private buffers and launches without workgroup memory stay as they are.
// CHECK-LABEL: func.func @private
// CHECK:         gpu.launch
// CHECK-NOT:       dynamic_shared_memory
// CHECK:           memref.alloca() : memref<9xf32>
func.func @private(%x: f32, %y: memref<?xf32>) {
  %c1 = arith.constant 1 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
      threads(%tx, %ty, %tz) in (%sx = %c1, %sy = %c1, %sz = %c1) {
    %a = memref.alloca() : memref<9xf32>
    memref.store %x, %a[%tx] : memref<9xf32>
    %z = memref.load %a[%ty] : memref<9xf32>
    memref.store %z, %y[%tx] : memref<?xf32>
    gpu.terminator
  }
  return
}

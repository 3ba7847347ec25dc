// RUN: mta-opt %s -mta-kernel-parameters | FileCheck %s

module attributes {gpu.container_module} {

// A memref is a pointer and the sizes that are not static, at the launch and in
// the kernel; memrefs that do not begin at their pointer and numbers stay.

// CHECK-LABEL: func.func @launch(
// CHECK-SAME:    %[[DYNAMIC:.*]]: memref<2x?x?xf16>, %[[STATIC:.*]]: memref<8xf32>, %[[STRIDED:.*]]: memref<4xf32, strided<[2], offset: 1>>, %[[NUMBER:.*]]: index
// CHECK:         %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[DYNAMIC]]
// CHECK:         %[[BITS:.*]] = arith.index_cast %[[ADDRESS]] : index to i64
// CHECK:         %[[POINTER:.*]] = llvm.inttoptr %[[BITS]]
// CHECK:         %[[DIM1:.*]] = memref.dim %[[DYNAMIC]], %c1
// CHECK:         %[[SIZE1:.*]] = arith.index_cast %[[DIM1]] : index to i32
// CHECK:         %[[DIM2:.*]] = memref.dim %[[DYNAMIC]], %c2
// CHECK:         %[[SIZE2:.*]] = arith.index_cast %[[DIM2]] : index to i32
// CHECK:         gpu.launch_func
// CHECK-SAME:      args(%[[POINTER]] : !llvm.ptr, %[[SIZE1]] : i32, %[[SIZE2]] : i32, %{{.*}} : !llvm.ptr, %[[STRIDED]] : memref<4xf32, strided<[2], offset: 1>>, %[[NUMBER]] : index)
func.func @launch(%dynamic: memref<2x?x?xf16>, %static: memref<8xf32>, %strided: memref<4xf32, strided<[2], offset: 1>>, %number: index) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @kernels::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%dynamic : memref<2x?x?xf16>, %static : memref<8xf32>, %strided : memref<4xf32, strided<[2], offset: 1>>, %number : index)
  return
}

// The strides of the dynamic memref are products of its sizes.

// CHECK-LABEL: gpu.func @kernel(
// CHECK-SAME:    %[[POINTER:.*]]: !llvm.ptr {llvm.align = 16 : i64}, %[[SIZE1:.*]]: i32, %[[SIZE2:.*]]: i32, %{{.*}}: !llvm.ptr {llvm.align = 16 : i64}, %{{.*}}: memref<4xf32, strided<[2], offset: 1>>, %{{.*}}: index)
// CHECK:         %[[LONG1:.*]] = llvm.zext %[[SIZE1]] : i32 to i64
// CHECK:         %[[LONG2:.*]] = llvm.zext %[[SIZE2]] : i32 to i64
// CHECK:         %[[STRIDE:.*]] = llvm.mul %{{.*}}, %[[LONG2]]
// CHECK:         llvm.mul %[[STRIDE]], %[[LONG1]]
// CHECK:         %[[BUFFER:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<2x?x?xf16>
// CHECK:         memref.load %[[BUFFER]]
  gpu.module @kernels {
    gpu.func @kernel(%dynamic: memref<2x?x?xf16>, %static: memref<8xf32>, %strided: memref<4xf32, strided<[2], offset: 1>>, %number: index) kernel {
      %0 = memref.load %dynamic[%number, %number, %number] : memref<2x?x?xf16>
      %1 = arith.extf %0 : f16 to f32
      memref.store %1, %static[%number] : memref<8xf32>
      memref.store %1, %strided[%number] : memref<4xf32, strided<[2], offset: 1>>
      gpu.return
    }
  }

// Strides that are not static are parameters, too.

// CHECK-LABEL: func.func @strides(
// CHECK-SAME:    %[[BUFFER:.*]]: memref
// CHECK:         %[[DIM:.*]] = memref.dim %[[BUFFER]], %c1
// CHECK:         %[[SIZE:.*]] = arith.index_cast %[[DIM]] : index to i32
// CHECK:         memref.extract_strided_metadata %[[BUFFER]]
// CHECK-NEXT:    %[[STRIDE0:.*]] = arith.index_cast %strides#0 : index to i64
// CHECK-NEXT:    %[[STRIDE1:.*]] = arith.index_cast %strides#1 : index to i64
// CHECK:         args(%{{.*}} : !llvm.ptr, %[[SIZE]] : i32, %[[STRIDE0]] : i64, %[[STRIDE1]] : i64)
func.func @strides(%buffer: memref<2x?x4x8xf16, strided<[?, ?, 8, 1]>>) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @strided::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%buffer : memref<2x?x4x8xf16, strided<[?, ?, 8, 1]>>)
  return
}

// CHECK-LABEL: gpu.module @strided
// CHECK:         gpu.func @kernel(
// CHECK-SAME:    %[[POINTER:.*]]: !llvm.ptr {llvm.align = 16 : i64}, %[[SIZE:.*]]: i32, %[[STRIDE0:.*]]: i64, %[[STRIDE1:.*]]: i64)
// CHECK-DAG:     %[[ROW:.*]] = llvm.mlir.constant(8 : i64)
// CHECK:         llvm.insertvalue %[[STRIDE0]], %{{.*}}[4, 0]
// CHECK:         llvm.insertvalue %[[STRIDE1]], %{{.*}}[4, 1]
// CHECK:         llvm.insertvalue %{{.*}}, %{{.*}}[4, 2]
// CHECK:         builtin.unrealized_conversion_cast {{.*}} to memref<2x?x4x8xf16, strided<[?, ?, 8, 1]>>
  gpu.module @strided {
    gpu.func @kernel(%buffer: memref<2x?x4x8xf16, strided<[?, ?, 8, 1]>>) kernel {
      %c0 = arith.constant 0 : index
      %0 = arith.constant 0.0 : f16
      memref.store %0, %buffer[%c0, %c0, %c0, %c0] : memref<2x?x4x8xf16, strided<[?, ?, 8, 1]>>
      gpu.return
    }
  }

// A new buffer, the second argument seen from another side, the first argument:
// the function's arguments come first.

// CHECK-LABEL: func.func @order(
// CHECK-SAME:    %[[FIRST:.*]]: memref<4xf32>, %[[SECOND:.*]]: memref<2x4xf32>
// CHECK:         %[[NEW:.*]] = memref.alloc()
// CHECK:         %[[VIEW:.*]] = memref.collapse_shape %[[SECOND]]
// CHECK:         memref.extract_aligned_pointer_as_index %[[FIRST]]
// CHECK:         memref.extract_aligned_pointer_as_index %[[VIEW]]
// CHECK:         memref.extract_aligned_pointer_as_index %[[NEW]]
func.func @order(%first: memref<4xf32>, %second: memref<2x4xf32>) {
  %c1 = arith.constant 1 : index
  %new = memref.alloc() : memref<2xf32>
  %view = memref.collapse_shape %second [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  gpu.launch_func @ordered::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      args(%new : memref<2xf32>, %view : memref<8xf32>, %first : memref<4xf32>)
  return
}

// CHECK-LABEL: gpu.module @ordered
// CHECK:         gpu.func @kernel(%[[A:[^:]*]]: !llvm.ptr {{[^,]*}}, %[[B:[^:]*]]: !llvm.ptr {{[^,]*}}, %[[C:[^:]*]]: !llvm.ptr
// CHECK-DAG:       builtin.unrealized_conversion_cast {{.*}} to memref<4xf32>
// CHECK-DAG:       builtin.unrealized_conversion_cast {{.*}} to memref<8xf32>
// CHECK-DAG:       builtin.unrealized_conversion_cast {{.*}} to memref<2xf32>
gpu.module @ordered {
  gpu.func @kernel(%new: memref<2xf32>, %view: memref<8xf32>, %first: memref<4xf32>) kernel {
    %c0 = arith.constant 0 : index
    %0 = memref.load %view[%c0] : memref<8xf32>
    %1 = memref.load %first[%c0] : memref<4xf32>
    %2 = arith.addf %0, %1 : f32
    memref.store %2, %new[%c0] : memref<2xf32>
    gpu.return
  }
}

}

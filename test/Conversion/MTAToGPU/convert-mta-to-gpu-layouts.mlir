// Kernels read arrays where they lie and write to the argument that the result
// is copied to.

// RUN: mta-opt %s --mta-choose-kernel-schedule='rows=64 key-tile=32 warps=2 stages=2 query=registers' \
// RUN:   --convert-mta-to-gpu --canonicalize --cse --mlir-print-local-scope | FileCheck %s
// RUN: mta-opt %s --mta-choose-kernel-schedule='rows=64 key-tile=32 warps=2 stages=2 query=registers key-splits=2' \
// RUN:   --convert-mta-to-gpu --canonicalize --cse --mlir-print-local-scope | FileCheck %s --check-prefix=SPLIT

// CHECK-LABEL: func.func @tokens_first(
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<2x4x64x16xbf16>
// CHECK-SAME:    %[[K:[a-z0-9]+]]: tensor<2x4x64x16xbf16>
// CHECK-SAME:    %[[OUT:.*]]: memref<2x4x64x16xbf16, strided<[?, 16, ?, 1]>>
// CHECK-NOT:     memref.alloc
// CHECK:         %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only : tensor<2x4x64x16xbf16> to memref<2x4x64x16xbf16, strided<[?, 16, 64, 1]>>
// CHECK:         %[[KEY:.*]] = bufferization.to_buffer %[[K]] read_only : tensor<2x4x64x16xbf16> to memref<2x4x64x16xbf16>
// CHECK:         gpu.launch
// CHECK:           mta.copy_tile %[[QUERY]][
// CHECK:           mta.copy_tile %[[KEY]][
// CHECK:           vector.transfer_write %{{.*}}, %[[OUT]][
// CHECK-NOT:     bufferization.materialize_in_destination
// CHECK:         return

// The kernel that combines splits writes there too, the rows of one head at a
// time.
// SPLIT-LABEL: func.func @tokens_first(
// SPLIT-SAME:    %[[OUT:[a-z0-9]+]]: memref<2x4x64x16xbf16, strided<[?, 16, ?, 1]>>
// SPLIT-NOT:     memref.alloc() : memref<2x4x64x16xbf16>
// SPLIT:         %[[PARTS:.*]] = memref.alloc() : memref<4x4x64x16xf32>
// SPLIT:         gpu.launch
// SPLIT:         %[[ALL:.*]] = memref.collapse_shape %[[PARTS]] {{\[\[}}0, 1, 2], [3]] : {{.*}} into memref<1024x16xf32>
// SPLIT:         gpu.launch blocks(%[[TILE:[a-z0-9]+]], %[[HEAD:[a-z0-9]+]], %[[BATCH:[a-z0-9]+]]) in ({{.*}} = %c4, {{.*}} = %c4, {{.*}} = %c2)
// Of 512 rows of a split, the 64 of a head.
// SPLIT-DAG:       %[[FIRST:.*]] = arith.muli %[[TILE]], %c16
// SPLIT-DAG:       %[[HEADS:.*]] = arith.muli %[[BATCH]], %c4
// SPLIT-DAG:       %[[NUMBER:.*]] = arith.addi %[[HEADS]], %[[HEAD]]
// SPLIT-DAG:       %[[OF_HEAD:.*]] = arith.muli %[[NUMBER]], %c64
// SPLIT:           mta.copy_tile %[[ALL]][
// SPLIT:           vector.transfer_write %{{.*}}, %[[OUT]][%[[BATCH]], %[[HEAD]], %[[FIRST]], %c0]
// SPLIT-NOT:     bufferization.materialize_in_destination
// SPLIT:         return
func.func @tokens_first(%q: tensor<2x4x64x16xbf16> {bufferization.buffer_layout = strided<[?, 16, 64, 1]>},
                        %k: tensor<2x4x64x16xbf16>,
                        %out: memref<2x4x64x16xbf16, strided<[?, 16, ?, 1]>>) {
  %o = mta.attention %q, %k, %k {
  ^bb0(%s: tensor<2x4x64x64xf32>):
    %0 = mta.softmax %s : tensor<2x4x64x64xf32>
    mta.yield %0 : tensor<2x4x64x64xf32>
  } : tensor<2x4x64x16xbf16>, tensor<2x4x64x16xbf16>, tensor<2x4x64x16xbf16> -> tensor<2x4x64x16xbf16>
  bufferization.materialize_in_destination %o in restrict writable %out
      : (tensor<2x4x64x16xbf16>, memref<2x4x64x16xbf16, strided<[?, 16, ?, 1]>>) -> ()
  return
}

// What else uses the result or the argument keeps both apart.
// CHECK-LABEL: func.func @negative_used_twice(
// CHECK:         memref.alloc() : memref<2x4x64x16xbf16>
// CHECK:         bufferization.materialize_in_destination
func.func @negative_used_twice(%q: tensor<2x4x64x16xbf16>, %out: memref<2x4x64x16xbf16>)
    -> tensor<2x4x64x16xbf16> {
  %o = mta.attention %q, %q, %q {
  ^bb0(%s: tensor<2x4x64x64xf32>):
    %0 = mta.softmax %s : tensor<2x4x64x64xf32>
    mta.yield %0 : tensor<2x4x64x64xf32>
  } : tensor<2x4x64x16xbf16>, tensor<2x4x64x16xbf16>, tensor<2x4x64x16xbf16> -> tensor<2x4x64x16xbf16>
  bufferization.materialize_in_destination %o in restrict writable %out
      : (tensor<2x4x64x16xbf16>, memref<2x4x64x16xbf16>) -> ()
  return %o : tensor<2x4x64x16xbf16>
}

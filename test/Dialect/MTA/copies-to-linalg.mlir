// RUN: mta-opt %s --mta-copies-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @copy(
// CHECK-SAME:    %[[A:[^:]*]]: memref<?x4xf32>, %[[B:[^:]*]]: memref<?x4xf32, strided<[8, 1], offset: 2>>)
// CHECK-NEXT:    linalg.copy ins(%[[A]] : memref<?x4xf32>) outs(%[[B]] : memref<?x4xf32, strided<[8, 1], offset: 2>>)
// CHECK-NEXT:    return
func.func @copy(
    %a: memref<?x4xf32>, %b: memref<?x4xf32, strided<[8, 1], offset: 2>>) {
  memref.copy %a, %b
      : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1], offset: 2>>
  return
}

// CHECK-LABEL: func.func @copy_of_rank_0(
// CHECK-NEXT:    linalg.copy
func.func @copy_of_rank_0(%a: memref<f32>, %b: memref<f32>) {
  memref.copy %a, %b : memref<f32> to memref<f32>
  return
}

// CHECK-LABEL: func.func @no_fold_unranked(
// CHECK-NEXT:    memref.copy
// CHECK-NEXT:    memref.copy
func.func @no_fold_unranked(%a: memref<*xf32>, %b: memref<?xf32>) {
  memref.copy %a, %b : memref<*xf32> to memref<?xf32>
  memref.copy %b, %a : memref<?xf32> to memref<*xf32>
  return
}

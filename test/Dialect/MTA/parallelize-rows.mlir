// RUN: mta-opt %s -split-input-file -mta-parallelize-rows -canonicalize -cse | FileCheck %s

// Threads share rows, and a row stays whole.

// CHECK-LABEL: @copy
// CHECK-SAME: (%[[A:.*]]: memref<3x?x16xf32>, %[[B:.*]]: memref<3x?x16xf32>)
// CHECK: %[[ROWS:.*]] = memref.dim %[[A]], %c1
// CHECK: scf.parallel (%[[I:.*]], %[[J:.*]]) = (%c0, %c0) to (%c3, %[[ROWS]]) step (%c1, %c1)
// CHECK: %[[FROM:.*]] = memref.subview %[[A]][%[[I]], %[[J]], 0] [1, 1, 16]
// CHECK: %[[TO:.*]] = memref.subview %[[B]][%[[I]], %[[J]], 0] [1, 1, 16]
// CHECK: linalg.copy ins(%[[FROM]] {{.*}} outs(%[[TO]]
func.func @copy(%a: memref<3x?x16xf32>, %b: memref<3x?x16xf32>) {
  linalg.copy ins(%a : memref<3x?x16xf32>) outs(%b : memref<3x?x16xf32>)
  return
}

// -----

// A transposition works on blocks of 64 columns of all its rows.

// CHECK-LABEL: @transposition
// CHECK: scf.parallel (%[[H:.*]], %[[J:.*]]) = (%c0, %c0) to (%c2, %c256) step (%c1, %c64)
// CHECK: memref.subview %{{.*}}[%[[H]], %[[J]], 0] [1, 64, 8]
// CHECK: memref.subview %{{.*}}[%[[H]], 0, %[[J]]] [1, 8, 64]
// CHECK: linalg.generic
func.func @transposition(%a: memref<2x256x8xf32>, %b: memref<2x8x256xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(h, d, j) -> (h, j, d)>,
                     affine_map<(h, d, j) -> (h, d, j)>],
    iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%a : memref<2x256x8xf32>) outs(%b : memref<2x8x256xf32>) {
  ^bb0(%x: f32, %z: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

// A reduction stays whole as well.

// CHECK-LABEL: @reduction
// CHECK: scf.parallel (%[[I:.*]]) = (%c0) to (%c5) step (%c1)
// CHECK: memref.subview %{{.*}}[%[[I]], 0, 0] [1, 7, 16]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
func.func @reduction(%a: memref<5x7x16xf32>, %b: memref<5x7xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, j, d)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a : memref<5x7x16xf32>) outs(%b : memref<5x7xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.addf %x, %z : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK-LABEL: @negative_one_loop
// CHECK-NOT: scf.parallel
// CHECK: linalg.fill
func.func @negative_one_loop(%a: memref<?xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
  return
}

// -----

// What is in a loop belongs to one thread.

// CHECK-LABEL: @negative_tile
// CHECK: scf.forall
// CHECK-NOT: scf.parallel
// CHECK: linalg.fill
func.func @negative_tile(%a: memref<4x8x16xf32>, %x: f32) {
  scf.forall (%i) in (4) {
    %tile = memref.subview %a[%i, 0, 0] [1, 8, 16] [1, 1, 1]
        : memref<4x8x16xf32> to memref<8x16xf32, strided<[16, 1], offset: ?>>
    linalg.fill ins(%x : f32)
        outs(%tile : memref<8x16xf32, strided<[16, 1], offset: ?>>)
  }
  return
}

// RUN: mta-opt %s -split-input-file -mta-vectorize-tiles='vector-bits=512' -canonicalize -cse | FileCheck %s

// A block of 6 rows by 4 vectors stays in registers while the reduction runs.

// CHECK-LABEL: @contraction
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step %c6
// CHECK: %[[BLOCK:.*]]:24 = scf.for %[[D:.*]] =
// CHECK-COUNT-4: vector.load {{.*}} : memref<32x64xf32>, vector<16xf32>
// CHECK: vector.broadcast
// CHECK-COUNT-24: vector.store
// CHECK-NOT: linalg.generic
func.func @contraction(%a: memref<12x32xf32>, %b: memref<32x64xf32>,
                       %c: memref<12x64xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>,
                     affine_map<(i, j, d) -> (d, j)>,
                     affine_map<(i, j, d) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : memref<12x32xf32>, memref<32x64xf32>)
    outs(%c : memref<12x64xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// The rows of a window are unrolled: 2 output rows by 3 window rows read 4 rows,
// each once for every column of the window.

// CHECK-LABEL: @convolution
// CHECK: scf.for
// CHECK-COUNT-4: vector.load %{{.*}}[%c{{[0-3]}}{{.*}}] : memref<4x32xf32>, vector<16xf32>
// CHECK-NOT: vector.load %{{.*}} : memref<4x32xf32>
// CHECK: scf.yield
func.func @convolution(%s: memref<4x32xf32>, %w: memref<3x11xf32>,
                       %o: memref<2x16xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j, c, r) -> (r, c)>,
                     affine_map<(i, j, c, r) -> (i + r, j + c)>,
                     affine_map<(i, j, c, r) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%w, %s : memref<3x11xf32>, memref<4x32xf32>)
    outs(%o : memref<2x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Row sums keep one vector a row and add its lanes at the end.

// CHECK-LABEL: @row_sums
// CHECK: scf.for {{.*}} step %c16
// CHECK: vector.reduction <add>
// CHECK: memref.store
func.func @row_sums(%s: memref<4x64xf32>, %o: memref<4xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%s : memref<4x64xf32>) outs(%o : memref<4xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.addf %z, %x : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// The last vector of 37 columns has 5 elements.

// CHECK-LABEL: @remainder
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK: vector.store {{.*}} vector<5xf32>
func.func @remainder(%o: memref<37xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%o : memref<37xf32>)
  return
}

// -----

// A transposition is contiguous in no loop of both operands.

// CHECK-LABEL: @negative_transposition
// CHECK: linalg.generic
func.func @negative_transposition(%a: memref<16x16xf32>, %b: memref<16x16xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<16x16xf32>) outs(%b : memref<16x16xf32>) {
  ^bb0(%x: f32, %z: f32):
    linalg.yield %x : f32
  }
  return
}

// -----

// CHECK-LABEL: @negative_dynamic
// CHECK: linalg.fill
func.func @negative_dynamic(%o: memref<?xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%o : memref<?xf32>)
  return
}

// RUN: mta-opt %s --mta-collapse-parallel-loops | FileCheck %s

// CHECK-LABEL: func.func @two_dimensions(
// CHECK-SAME:    %[[M:[^:]*]]: memref<?x?xf32>, %[[A:[^:]*]]: index, %[[B:[^:]*]]: index)
// CHECK:         %[[ROWS:.*]] = arith.muli %{{.*}}, %[[A]]
// CHECK:         %[[SIZE:.*]] = arith.muli %[[ROWS]], %[[B]]
// CHECK:         scf.parallel (%[[I:[^,)]*]]) = (%{{[^,)]*}}) to (%[[SIZE]]) step
// CHECK:           %[[COLUMN:.*]] = arith.remsi %[[I]], %[[B]]
// CHECK:           %[[ROW:.*]] = arith.divsi %[[I]], %[[B]]
// CHECK:           memref.store %{{.*}}, %[[M]][%[[ROW]], %[[COLUMN]]]
func.func @two_dimensions(%m: memref<?x?xf32>, %a: index, %b: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%i, %j) = (%c0, %c0) to (%a, %b) step (%c1, %c1) {
    memref.store %f, %m[%i, %j] : memref<?x?xf32>
    scf.reduce
  }
  return
}

// Only the outermost loop becomes one of a launch.
// CHECK-LABEL: func.func @no_fold_nested_loop(
// CHECK:         scf.parallel (%{{[^,)]*}}) =
// CHECK:           scf.parallel (%{{[^,)]*}}, %{{[^,)]*}}) =
func.func @no_fold_nested_loop(%m: memref<?x?x?x?xf32>, %a: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%i, %j) = (%c0, %c0) to (%a, %a) step (%c1, %c1) {
    scf.parallel (%k, %l) = (%c0, %c0) to (%a, %a) step (%c1, %c1) {
      memref.store %f, %m[%i, %j, %k, %l] : memref<?x?x?x?xf32>
      scf.reduce
    }
    scf.reduce
  }
  return
}

// CHECK-LABEL: func.func @no_fold_reduction(
// CHECK:         scf.parallel (%{{[^,)]*}}, %{{[^,)]*}}) =
func.func @no_fold_reduction(%m: memref<?x?xf32>, %a: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 0.0 : f32
  %0 = scf.parallel (%i, %j) = (%c0, %c0) to (%a, %a) step (%c1, %c1)
      init (%f) -> f32 {
    %1 = memref.load %m[%i, %j] : memref<?x?xf32>
    scf.reduce(%1 : f32) {
    ^bb0(%x: f32, %y: f32):
      %2 = arith.addf %x, %y : f32
      scf.reduce.return %2 : f32
    }
  }
  return %0 : f32
}

// CHECK-LABEL: func.func @no_fold_one_dimension(
// CHECK-NOT:     arith.muli
// CHECK:         scf.parallel (%[[I:[^,)]*]]) =
// CHECK-NEXT:      memref.store %{{.*}}[%[[I]]]
func.func @no_fold_one_dimension(%m: memref<?xf32>, %a: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %f = arith.constant 1.0 : f32
  scf.parallel (%i) = (%c0) to (%a) step (%c1) {
    memref.store %f, %m[%i] : memref<?xf32>
    scf.reduce
  }
  return
}

// RUN: mta-opt %s -split-input-file -mta-schedule-workshare | FileCheck %s

// The iterations read their numbers of steps: threads take them one by one, from
// the last of the last dimension on.

// CHECK-LABEL: @uneven
// CHECK: omp.wsloop schedule(dynamic)
// CHECK: omp.loop_nest (%[[H:.*]], %[[I:.*]]) : index
// CHECK: %[[LAST:.*]] = arith.subi %c8, %c1
// CHECK: %[[REVERSED:.*]] = arith.subi %[[LAST]], %[[I]]
// CHECK: memref.load %{{.*}}[%[[H]], %[[REVERSED]]]
// CHECK: memref.store %{{.*}}[%[[REVERSED]]]
func.func @uneven(%bounds: memref<2x8xindex>, %out: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%h, %i) : index = (%c0, %c0) to (%c2, %c8) step (%c1, %c1)
          collapse(2) {
        %steps = memref.load %bounds[%h, %i] : memref<2x8xindex>
        scf.for %j = %c0 to %steps step %c1 {
          memref.store %j, %out[%i] : memref<8xindex>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

// -----

// With another step the last value is not known: dynamic, in order.

// CHECK-LABEL: @no_fold_steps
// CHECK: omp.wsloop schedule(dynamic)
// CHECK: omp.loop_nest (%[[I:.*]]) : index
// CHECK-NOT: arith.subi
// CHECK: memref.load %{{.*}}[%[[I]]]
func.func @no_fold_steps(%bounds: memref<8xindex>, %out: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%c8) step (%c3) {
        %begin = memref.load %bounds[%i] : memref<8xindex>
        scf.for %j = %begin to %c8 step %c1 {
          memref.store %j, %out[%i] : memref<8xindex>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

// -----

// Bounds that all iterations share make them equal.

// CHECK-LABEL: @negative_even
// CHECK: omp.wsloop {
// CHECK-NOT: arith.subi
func.func @negative_even(%steps: index, %out: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%c8) step (%c1) {
        %zero = arith.constant 0 : index
        scf.for %j = %zero to %steps step %c1 {
          memref.store %j, %out[%i] : memref<8xindex>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

// -----

// A schedule that someone chose is kept.

// CHECK-LABEL: @negative_scheduled
// CHECK: omp.wsloop schedule(static)
// CHECK-NOT: arith.subi
func.func @negative_scheduled(%bounds: memref<8xindex>, %out: memref<8xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  omp.parallel {
    omp.wsloop schedule(static) {
      omp.loop_nest (%i) : index = (%c0) to (%c8) step (%c1) {
        %steps = memref.load %bounds[%i] : memref<8xindex>
        scf.for %j = %c0 to %steps step %c1 {
          memref.store %j, %out[%i] : memref<8xindex>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

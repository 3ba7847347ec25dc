// The values that the expansion computes are tested in test/Unit/Compiler.

// RUN: mta-opt %s --mta-expand-math | FileCheck %s

// Argument reduction, polynomial, two powers of two, limits.
// CHECK-LABEL: func.func @exp_f32(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NOT:     math.exp
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant -87.3365478 : f32
// CHECK-DAG:     %[[UNDERFLOWS:.*]] = arith.cmpf olt, %[[X]], %[[LOWEST]]
// CHECK-DAG:     %[[HIGHEST:.*]] = arith.constant 88.7228394 : f32
// CHECK-DAG:     %[[OVERFLOWS:.*]] = arith.cmpf ogt, %[[X]], %[[HIGHEST]]
// CHECK-DAG:     %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// CHECK:         %[[N:.*]] = math.floor
// CHECK:         %[[HIGH:.*]] = math.fma %[[N]], %{{.*}}, %{{.*}}
// CHECK:         %[[R:.*]] = math.fma %[[N]], %{{.*}}, %[[HIGH]]
// CHECK-COUNT-7: math.fma %{{.*}}, %[[R]], %{{.*}}
// CHECK:         arith.fptosi %[[N]] : f32 to i32
// CHECK-COUNT-2: arith.bitcast %{{.*}} : i32 to f32
// CHECK:         arith.select %[[UNDERFLOWS]]
// CHECK:         arith.select %[[OVERFLOWS]]
// CHECK:         %[[RESULT:.*]] = arith.select %[[NAN]], %[[X]],
// CHECK:         return %[[RESULT]]
func.func @exp_f32(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @exp_f64(
// CHECK-NOT:     math.exp
// CHECK-COUNT-13: math.fma %{{.*}}, %{{.*}}, %{{.*}} : f64
// CHECK:         arith.fptosi %{{.*}} : f64 to i64
func.func @exp_f64(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}

// Exponent and mantissa apart, a series, limits.
// CHECK-LABEL: func.func @log_f32(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NOT:     math.log
// CHECK:         %[[BITS:.*]] = arith.bitcast %[[X]] : f32 to i32
// CHECK:         arith.shrsi %[[BITS]]
// CHECK:         arith.andi %[[BITS]]
// CHECK:         arith.divf
// CHECK-COUNT-6: math.fma
// CHECK:         arith.constant 0xFF800000 : f32
// CHECK:         arith.constant 0x7FC00000 : f32
// CHECK:         %[[RESULT:.*]] = arith.select %{{.*}}, %[[X]],
// CHECK:         return %[[RESULT]]
func.func @log_f32(%x: f32) -> f32 {
  %0 = math.log %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @log_f64(
// CHECK-NOT:     math.log
// CHECK:         arith.bitcast %{{.*}} : f64 to i64
func.func @log_f64(%x: f64) -> f64 {
  %0 = math.log %x : f64
  return %0 : f64
}

// CHECK-LABEL: gpu.module @kernels
// CHECK-NOT:     math.exp
// CHECK:         gpu.return
gpu.module @kernels {
  gpu.func @kernel(%m: memref<f32>) kernel {
    %0 = memref.load %m[] : memref<f32>
    %1 = math.exp %0 : f32
    memref.store %1, %m[] : memref<f32>
    gpu.return
  }
}

// CHECK-LABEL: func.func @no_fold_other_types_and_functions(
// CHECK-NEXT:    math.exp %{{.*}} : f16
// CHECK-NEXT:    math.log %{{.*}} : bf16
// CHECK-NEXT:    math.exp %{{.*}} : vector<4xf32>
// CHECK-NEXT:    math.log %{{.*}} : tensor<4xf64>
// CHECK-NEXT:    math.exp2 %{{.*}} : f32
// CHECK-NEXT:    return
func.func @no_fold_other_types_and_functions(
    %a: f16, %b: bf16, %c: vector<4xf32>, %d: tensor<4xf64>, %e: f32)
    -> (f16, bf16, vector<4xf32>, tensor<4xf64>, f32) {
  %0 = math.exp %a : f16
  %1 = math.log %b : bf16
  %2 = math.exp %c : vector<4xf32>
  %3 = math.log %d : tensor<4xf64>
  %4 = math.exp2 %e : f32
  return %0, %1, %2, %3, %4 : f16, bf16, vector<4xf32>, tensor<4xf64>, f32
}

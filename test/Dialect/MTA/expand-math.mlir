// The values that the expansion computes are tested in test/Unit/CAPI.

// RUN: mta-opt %s --mta-expand-math | FileCheck %s

// Argument reduction, polynomial, power of two, limits.
// CHECK-LABEL: func.func @exp_f32(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NOT:     math.exp
// CHECK:         %[[N:.*]] = math.floor
// CHECK:         %[[HIGH:.*]] = math.fma %[[N]], %{{.*}}, %[[X]]
// CHECK:         %[[R:.*]] = math.fma %[[N]], %{{.*}}, %[[HIGH]]
// CHECK-COUNT-7: math.fma %{{.*}}, %[[R]], %{{.*}}
// CHECK:         arith.fptosi %[[N]] : f32 to i32
// CHECK:         arith.bitcast %{{.*}} : i32 to f32
// CHECK:         %[[SMALLEST:.*]] = arith.constant -87.3365402 : f32
// CHECK:         %[[UNDERFLOWS:.*]] = arith.cmpf olt, %[[X]], %[[SMALLEST]]
// CHECK:         %[[LARGEST:.*]] = arith.constant 88.7228317 : f32
// CHECK:         %[[OVERFLOWS:.*]] = arith.cmpf ogt, %[[X]], %[[LARGEST]]
// CHECK:         %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
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

// Rounding by a large number, polynomial, exponent, limits.
// CHECK-LABEL: func.func @exp2_f32(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NOT:     math.exp2
// CHECK:         %[[LARGE:.*]] = arith.constant 0x4B400000 : f32
// CHECK:         %[[SUM:.*]] = arith.addf %[[X]], %[[LARGE]]
// CHECK:         %[[N:.*]] = arith.subf %[[SUM]], %[[LARGE]]
// CHECK:         %[[R:.*]] = arith.subf %[[X]], %[[N]]
// CHECK:         arith.bitcast %[[SUM]] : f32 to i32
// CHECK-COUNT-6: math.fma %{{.*}}, %[[R]], %{{.*}}
// CHECK:         arith.constant -1.260000e+02 : f32
// CHECK:         arith.cmpf olt, %[[X]]
// CHECK:         arith.constant 1.280000e+02 : f32
// CHECK:         arith.cmpf uge, %[[X]]
func.func @exp2_f32(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  return %0 : f32
}

// Exponent and mantissa apart, a series, limits.
// CHECK-LABEL: func.func @log_f32(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NOT:     math.log
// CHECK:         %[[BITS:.*]] = arith.bitcast %[[X]] : f32 to i32
// CHECK:         arith.shrsi %[[BITS]]
// CHECK:         arith.andi %[[BITS]]
// CHECK:         %[[S:.*]] = arith.divf
// CHECK:         %[[SQUARE:.*]] = arith.mulf %[[S]], %[[S]]
// CHECK-COUNT-3: math.fma %{{.*}}, %[[SQUARE]], %{{.*}}
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

// Vectors element by element.
// CHECK-LABEL: func.func @vectors(
// CHECK-NOT:     math.exp
// CHECK:         math.fma %{{.*}} : vector<4xf32>
// CHECK:         arith.fptosi %{{.*}} : vector<4xf32> to vector<4xi32>
// CHECK-NOT:     math.log
// CHECK:         arith.bitcast %{{.*}} : vector<2x2xf64> to vector<2x2xi64>
// CHECK:         return
func.func @vectors(%a: vector<4xf32>, %b: vector<2x2xf64>)
    -> (vector<4xf32>, vector<2x2xf64>) {
  %0 = math.exp %a : vector<4xf32>
  %1 = math.log %b : vector<2x2xf64>
  return %0, %1 : vector<4xf32>, vector<2x2xf64>
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
// CHECK-NEXT:    math.exp2 %{{.*}} : vector<4xf16>
// CHECK-NEXT:    math.log %{{.*}} : tensor<4xf64>
// CHECK-NEXT:    math.sqrt %{{.*}} : f32
// CHECK-NEXT:    return
func.func @no_fold_other_types_and_functions(
    %a: f16, %b: bf16, %c: vector<4xf16>, %d: tensor<4xf64>, %e: f32)
    -> (f16, bf16, vector<4xf16>, tensor<4xf64>, f32) {
  %0 = math.exp %a : f16
  %1 = math.log %b : bf16
  %2 = math.exp2 %c : vector<4xf16>
  %3 = math.log %d : tensor<4xf64>
  %4 = math.sqrt %e : f32
  return %0, %1, %2, %3, %4 : f16, bf16, vector<4xf16>, tensor<4xf64>, f32
}

// RUN: mta-opt --mta-math-to-intrinsics %s | FileCheck %s

// CHECK-LABEL: func.func @scalars
// CHECK-SAME: %[[A:.*]]: f32, %[[B:.*]]: f64
func.func @scalars(%a: f32, %b: f64) -> (f32, f32, f32, f64) {
  // CHECK: %[[FMA:.*]] = llvm.call_intrinsic "llvm.fma"(%[[A]], %[[A]], %[[A]]) : (f32, f32, f32) -> f32
  %0 = math.fma %a, %a, %a : f32
  // CHECK: %[[FLOOR:.*]] = llvm.call_intrinsic "llvm.floor"(%[[A]]) : (f32) -> f32
  %1 = math.floor %a : f32
  // CHECK: %[[SQRT:.*]] = llvm.call_intrinsic "llvm.sqrt"(%[[A]]) : (f32) -> f32
  %2 = math.sqrt %a : f32
  // CHECK: %[[DOUBLE:.*]] = llvm.call_intrinsic "llvm.sqrt"(%[[B]]) : (f64) -> f64
  %3 = math.sqrt %b : f64
  // CHECK: return %[[FMA]], %[[FLOOR]], %[[SQRT]], %[[DOUBLE]]
  return %0, %1, %2, %3 : f32, f32, f32, f64
}

// CHECK-LABEL: func.func @negative_other_types
// CHECK-NOT: llvm.call_intrinsic
func.func @negative_other_types(%a: f16, %b: vector<4xf32>)
    -> (f16, vector<4xf32>) {
  // CHECK: math.sqrt {{.*}} : f16
  %0 = math.sqrt %a : f16
  // CHECK: math.sqrt {{.*}} : vector<4xf32>
  %1 = math.sqrt %b : vector<4xf32>
  return %0, %1 : f16, vector<4xf32>
}

// CHECK-LABEL: func.func @negative_other_functions
// CHECK-NOT: llvm.call_intrinsic
func.func @negative_other_functions(%a: f32) -> f32 {
  // CHECK: math.sin
  %0 = math.sin %a : f32
  return %0 : f32
}

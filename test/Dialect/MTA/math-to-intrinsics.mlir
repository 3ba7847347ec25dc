// RUN: mta-opt %s --mta-math-to-intrinsics | FileCheck %s

// CHECK-LABEL: func.func @scalars(
// CHECK-NEXT:    llvm.call_intrinsic "llvm.fma"({{.*}}) : (f32, f32, f32) -> f32
// CHECK-NEXT:    llvm.call_intrinsic "llvm.floor"({{.*}}) : (f64) -> f64
// CHECK-NEXT:    llvm.call_intrinsic "llvm.sqrt"({{.*}}) : (f32) -> f32
// CHECK-NEXT:    return
func.func @scalars(%a: f32, %b: f64) -> (f32, f64, f32) {
  %0 = math.fma %a, %a, %a : f32
  %1 = math.floor %b : f64
  %2 = math.sqrt %a : f32
  return %0, %1, %2 : f32, f64, f32
}

// CHECK-LABEL: func.func @no_fold_other_types_and_functions(
// CHECK-NEXT:    math.sqrt %{{.*}} : f16
// CHECK-NEXT:    math.floor %{{.*}} : bf16
// CHECK-NEXT:    math.fma %{{.*}} : vector<4xf32>
// CHECK-NEXT:    math.sin %{{.*}} : f32
// CHECK-NEXT:    return
func.func @no_fold_other_types_and_functions(
    %a: f16, %b: bf16, %c: vector<4xf32>, %d: f32)
    -> (f16, bf16, vector<4xf32>, f32) {
  %0 = math.sqrt %a : f16
  %1 = math.floor %b : bf16
  %2 = math.fma %c, %c, %c : vector<4xf32>
  %3 = math.sin %d : f32
  return %0, %1, %2, %3 : f16, bf16, vector<4xf32>, f32
}

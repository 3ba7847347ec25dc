// exp2 and log2 of f32 are one instruction each; of other types and ranks they
// stay.

// RUN: mta-opt %s -mta-approximate-math | FileCheck %s

// CHECK-LABEL: func.func @numbers(
// CHECK-SAME:    %[[X:.*]]: f32)
// CHECK-NEXT:    %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]]) : (f32) -> f32
// CHECK-NEXT:    %[[B:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%[[A]]) : (f32) -> f32
// CHECK-NEXT:    return %[[B]]
func.func @numbers(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  %1 = math.log2 %0 : f32
  return %1 : f32
}

// CHECK-LABEL: func.func @pair(
// CHECK-SAME:    %[[X:.*]]: vector<2xf32>)
// CHECK:         %[[X0:.*]] = vector.extract %[[X]][0]
// CHECK:         %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X0]])
// CHECK:         %[[X1:.*]] = vector.extract %[[X]][1]
// CHECK:         %[[B:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X1]])
// CHECK:         %[[R:.*]] = vector.from_elements %[[A]], %[[B]] : vector<2xf32>
// CHECK:         return %[[R]]
func.func @pair(%x: vector<2xf32>) -> vector<2xf32> {
  %0 = math.exp2 %x : vector<2xf32>
  return %0 : vector<2xf32>
}

// CHECK-LABEL: func.func @others
// CHECK-NOT:     call_intrinsic
// CHECK:         math.exp2 {{.*}} : f64
// CHECK:         math.log2 {{.*}} : vector<4xf16>
// CHECK:         math.exp2 {{.*}} : vector<2x2xf32>
// CHECK:         math.exp {{.*}} : f32
func.func @others(%a: f64, %b: vector<4xf16>, %c: vector<2x2xf32>, %d: f32)
    -> (f64, vector<4xf16>, vector<2x2xf32>, f32) {
  %0 = math.exp2 %a : f64
  %1 = math.log2 %b : vector<4xf16>
  %2 = math.exp2 %c : vector<2x2xf32>
  %3 = math.exp %d : f32
  return %0, %1, %2, %3 : f64, vector<4xf16>, vector<2x2xf32>, f32
}

// Fused kernels of f32 operands: products of tf32, three for one or one.

// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-gpu{key-tile=32 rows=128 warps=8 query=registers ahead=0})' -o %t.mlir
// RUN: mta-translate --mta-to-ptx %t.mlir | FileCheck %s --implicit-check-not=ldmatrix
// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-gpu{key-tile=32 rows=128 warps=8 query=registers ahead=0 f32-precision=tf32})' -o %t.mlir
// RUN: mta-translate --mta-to-ptx %t.mlir | FileCheck %s --check-prefix=TF32
// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-gpu{f32-precision=fp8})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNKNOWN

// 32 keys are 4 pieces of scores and 4 steps of the product with the values.
// CHECK:         .entry attention_kernel(
// CHECK-DAG:     cp.async.cg.shared.global
// CHECK-DAG:     ld.shared.v2.b32
// CHECK-COUNT-24: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// CHECK-NOT:     mma.sync

// TF32:          .entry attention_kernel(
// TF32-COUNT-8:  mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// TF32-NOT:      mma.sync

// UNKNOWN: Cannot find option named 'fp8'

func.func @attention(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>)
    -> tensor<1x1x?x8xf32> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x1x?x?xf32>
    mta.yield %0 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// Attention to PTX in a gpu.binary; the host keeps the launches.

// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu)' \
// RUN:   | FileCheck %s --implicit-check-not=gpu.module --implicit-check-not=linalg. --implicit-check-not=mta.attention
// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{chip=sm_90a block-size=256})' \
// RUN:   | FileCheck %s --check-prefix=OPTIONS
// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{merge-kernels=false})' \
// RUN:   | FileCheck %s --check-prefix=APART

// CHECK-LABEL: func.func @attention(
// CHECK:         gpu.launch_func @mta_kernels::@attention_kernel blocks in
// CHECK-SAME:      threads in (%c128,
// CHECK:       gpu.binary @mta_kernels
// CHECK-SAME:    chip = "sm_80"
// CHECK-SAME:    .target sm_80
// CHECK-SAME:    .entry attention_kernel(
// CHECK-SAME:    .entry again_kernel(
// CHECK-LABEL: func.func @again(
// CHECK:         gpu.launch_func @mta_kernels::@again_kernel blocks in
// CHECK-NOT:   gpu.binary

// OPTIONS-LABEL: func.func @attention(
// OPTIONS:         threads in (%c256,
// OPTIONS:       gpu.binary @mta_kernels
// OPTIONS-SAME:    .target sm_90a
// OPTIONS-SAME:    .maxntid 256

// APART-LABEL: func.func @attention(
// APART:         gpu.launch_func @attention_kernel::@attention_kernel blocks in
// APART:         gpu.launch_func @attention_kernel_0::@attention_kernel blocks in
// APART:       gpu.binary @attention_kernel
// APART:       gpu.binary @attention_kernel_0

func.func @attention(%t: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x2x?x?xf32>
    mta.yield %0 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>
      -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

func.func @again(%t: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x2x?x?xf32>
    mta.yield %0 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>
      -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

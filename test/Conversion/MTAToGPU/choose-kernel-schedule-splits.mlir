// Workgroups that share keys where few queries do not fill a GPU.

// RUN: mta-opt %s -mta-choose-kernel-schedule | FileCheck %s
// RUN: mta-opt %s -mta-choose-kernel-schedule='chip=sm_90a' | FileCheck %s --check-prefix=HOPPER
// RUN: mta-opt %s -mta-choose-kernel-schedule='expected-queries=1' | FileCheck %s --check-prefix=FEW
// RUN: mta-opt %s -mta-choose-kernel-schedule='expected-queries=1 expected-keys=65536' | FileCheck %s --check-prefix=LONG
// RUN: mta-opt %s -mta-choose-kernel-schedule='expected-queries=4096' | FileCheck %s --check-prefix=PLENTY
// RUN: mta-opt %s -mta-choose-kernel-schedule='expected-queries=1 expected-keys=4096 expected-batch=1' | FileCheck %s --check-prefix=ONE

// One query of 16 heads that are mixed is one workgroup. With 86 splits each has
// one of 86 tiles of keys; more, up to one for a multiprocessor, have no fewer.
// CHECK-LABEL: @a_token
// CHECK: kernel_schedule(<rows = 16, key_tile = 48, warps = 16, stages = 1, query = workgroup, scores = f16, key_splits = 86>)
// HOPPER-LABEL: @a_token
// HOPPER: key_tile = 48, {{.*}}, key_splits = 86>)
func.func @a_token(%q: tensor<1x16x1x64xbf16>, %k: tensor<1x16x4096x64xbf16>, %w: tensor<1x16x16xbf16>) -> tensor<1x16x1x64xbf16> {
  %o = mta.attention %q, %k, %k mask(causal) {
  ^bb0(%s: tensor<1x16x1x4096xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x16x1x4096xf32>, tensor<1x16x16xbf16>
    %1 = mta.softmax %0 : tensor<1x16x1x4096xf32>
    mta.yield %1 : tensor<1x16x1x4096xf32>
  } : tensor<1x16x1x64xbf16>, tensor<1x16x4096x64xbf16>, tensor<1x16x4096x64xbf16> -> tensor<1x16x1x64xbf16>
  return %o : tensor<1x16x1x64xbf16>
}

// What is not known is what is expected; without that, keys are not split.
// CHECK-LABEL: @unknown
// CHECK-NOT: key_splits
// CHECK: return
// FEW-LABEL: @unknown
// FEW: kernel_schedule(<rows = 16, key_tile = 128, {{.*}}, key_splits = 8>)
// LONG-LABEL: @unknown
// LONG: kernel_schedule(<rows = 16, key_tile = 64, {{.*}}, key_splits = 8>)
// PLENTY-LABEL: @unknown
// PLENTY-NOT: key_splits
func.func @unknown(%q: tensor<1x16x?x64xbf16>, %k: tensor<1x16x?x64xbf16>) -> tensor<1x16x?x64xbf16> {
  %o = mta.attention %q, %k, %k mask(causal) {
  ^bb0(%s: tensor<1x16x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x16x?x?xf32>
    mta.yield %0 : tensor<1x16x?x?xf32>
  } : tensor<1x16x?x64xbf16>, tensor<1x16x?x64xbf16>, tensor<1x16x?x64xbf16> -> tensor<1x16x?x64xbf16>
  return %o : tensor<1x16x?x64xbf16>
}

// Of a batch that is not known, 4 or the expected one share the GPU.
// CHECK-LABEL: @unknown_batch
// CHECK-NOT: key_splits
// CHECK: return
// FEW-LABEL: @unknown_batch
// FEW: key_splits = 22>)
// ONE-LABEL: @unknown_batch
// ONE: key_splits = 86>)
func.func @unknown_batch(%q: tensor<?x16x?x64xbf16>, %k: tensor<?x16x?x64xbf16>, %w: tensor<1x16x16xbf16>) -> tensor<?x16x?x64xbf16> {
  %o = mta.attention %q, %k, %k mask(causal) {
  ^bb0(%s: tensor<?x16x?x?xf32>):
    %0 = mta.head_mix %s, %w : tensor<?x16x?x?xf32>, tensor<1x16x16xbf16>
    %1 = mta.softmax %0 : tensor<?x16x?x?xf32>
    mta.yield %1 : tensor<?x16x?x?xf32>
  } : tensor<?x16x?x64xbf16>, tensor<?x16x?x64xbf16>, tensor<?x16x?x64xbf16> -> tensor<?x16x?x64xbf16>
  return %o : tensor<?x16x?x64xbf16>
}

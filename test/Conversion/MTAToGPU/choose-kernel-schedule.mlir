// RUN: mta-opt %s -mta-choose-kernel-schedule | FileCheck %s
// RUN: mta-opt %s -mta-choose-kernel-schedule='chip=sm_90a' | FileCheck %s --check-prefix=HOPPER
// RUN: mta-opt %s -mta-choose-kernel-schedule='chip=sm_86' | FileCheck %s --check-prefix=SMALL
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=64 key-tile=32 warps=4 stages=1 query=workgroup scores=f16x2 ahead=0' | FileCheck %s --check-prefix=GIVEN
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=128 warps=4' | FileCheck %s --check-prefix=STRIPS
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=128 key-tile=64 warps=8 explain=true' 2>&1 | FileCheck %s --check-prefix=EXPLAIN

// Two strips of a warp read keys once, and two workgroups fit a multiprocessor.
// CHECK-LABEL: @pre_conv
// CHECK: kernel_schedule(<rows = 128, key_tile = 48, warps = 4, stages = 2, query = registers, scores = f16>)
// HOPPER-LABEL: @pre_conv
// HOPPER: kernel_schedule(<rows = 192, key_tile = 64, warps = 12, stages = 2, query = registers, scores = f16, products = wgmma>)
// With 99 KiB, one workgroup of more warps.
// SMALL-LABEL: @pre_conv
// SMALL: kernel_schedule(<rows = 192, key_tile = 64, warps = 12,
// GIVEN-LABEL: @pre_conv
// GIVEN: kernel_schedule(<rows = 64, key_tile = 32, warps = 4, stages = 1, query = workgroup, scores = f16x2>)
// STRIPS-LABEL: @pre_conv
// STRIPS: kernel_schedule(<rows = 128, key_tile = {{[0-9]+}}, warps = 4,

// For 128 rows and 64 keys, 8 warps have 896 products of 16 x 8 x 16 and 384 of
// 16 x 8 x 8, at 1024 multiply-adds a cycle, 2112 wavefronts and 64 shuffles.
// EXPLAIN: remark: takes #mta.kernel_schedule<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16, ahead = 1> for a100-sxm
// EXPLAIN-NEXT: rows keys warps stages query scores products splits ahead regs spills bytes wgs tensor shared issue special float32 l2 use% us limit
// EXPLAIN-NEXT: 128 64 8 2 registers f16 mma 1 1 {{[0-9]+}} 0 90112 1 2175 2176 {{.*}} shared
// EXPLAIN-NEXT: 128 64 8 2 workgroup f16 mma 1 1
// Without a tile ahead there is less memory, and less that runs at once.
// EXPLAIN-NEXT: 128 64 8 2 registers f16 mma 1 0 {{[0-9]+}} 0 73088 1 2175 2176 {{.*}} shared
// EXPLAIN-NEXT: 128 64 8 2 workgroup f16 mma 1 0
// EXPLAIN-NEXT: 128 64 8 1 registers f16
// EXPLAIN-NEXT: 128 64 8 1 workgroup f16
// EXPLAIN-NEXT: %o = mta.attention
func.func @pre_conv(%t: tensor<4x16x4096x64xbf16>, %w: tensor<16x6x11xbf16>) -> tensor<4x16x4096x64xbf16> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<4x16x4096x4096xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<4x16x4096x4096xf32>, tensor<16x6x11xbf16>
    %1 = mta.softmax %0 : tensor<4x16x4096x4096xf32>
    mta.yield %1 : tensor<4x16x4096x4096xf32>
  } : tensor<4x16x4096x64xbf16>, tensor<4x16x4096x64xbf16>, tensor<4x16x4096x64xbf16> -> tensor<4x16x4096x64xbf16>
  return %o : tensor<4x16x4096x64xbf16>
}

// Few rows of queries do not take a tile of many, and few workgroups share keys.
// CHECK-LABEL: @few_queries
// CHECK: kernel_schedule(<rows = 16, key_tile = 64, warps = 1, stages = 2, query = registers, scores = f16, key_splits = 6>)
func.func @few_queries(%q: tensor<4x16x10x64xbf16>, %k: tensor<4x16x4096x64xbf16>) -> tensor<4x16x10x64xbf16> {
  %o = mta.attention %q, %k, %k {
  ^bb0(%s: tensor<4x16x10x4096xf32>):
    %0 = mta.softmax %s : tensor<4x16x10x4096xf32>
    mta.yield %0 : tensor<4x16x10x4096xf32>
  } : tensor<4x16x10x64xbf16>, tensor<4x16x4096x64xbf16>, tensor<4x16x4096x64xbf16> -> tensor<4x16x10x64xbf16>
  return %o : tensor<4x16x10x64xbf16>
}

// Scores of f16 operands are staged as two numbers; what is not staged is not.
// Sizes may be dynamic.
// CHECK-LABEL: @half
// CHECK: scores = f16x2, ahead = 1>)
// CHECK: scores = f16>)
func.func @half(%t: tensor<?x4x?x64xf16>, %w: tensor<4x2x3xf16>) -> (tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16>) {
  %0 = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<?x4x?x?xf32>):
    %2 = mta.key_query_conv %s, %w : tensor<?x4x?x?xf32>, tensor<4x2x3xf16>
    %3 = mta.softmax %2 : tensor<?x4x?x?xf32>
    mta.yield %3 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16> -> tensor<?x4x?x64xf16>
  %1 = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<?x4x?x?xf32>):
    %2 = mta.softmax %s : tensor<?x4x?x?xf32>
    mta.yield %2 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16> -> tensor<?x4x?x64xf16>
  return %0, %1 : tensor<?x4x?x64xf16>, tensor<?x4x?x64xf16>
}

// What the user wrote stays, whatever the options say.
// CHECK-LABEL: @written
// CHECK: kernel_schedule(<rows = 32, key_tile = 16, warps = 1, stages = 1, query = workgroup, scores = f16>)
// STRIPS-LABEL: @written
// STRIPS: kernel_schedule(<rows = 32, key_tile = 16, warps = 1, stages = 1, query = workgroup, scores = f16>)
func.func @written(%t: tensor<1x4x?x64xbf16>) -> tensor<1x4x?x64xbf16> {
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 32, key_tile = 16, warps = 1, stages = 1,
                       query = workgroup, scores = f16>) {
  ^bb0(%s: tensor<1x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x4x?x?xf32>
    mta.yield %0 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x64xbf16>, tensor<1x4x?x64xbf16>, tensor<1x4x?x64xbf16> -> tensor<1x4x?x64xbf16>
  return %o : tensor<1x4x?x64xbf16>
}

// Attentions without a kernel that fits, options that leave none, and options
// that are none.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -mta-choose-kernel-schedule
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='rows=16' 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='rows=40' 2>&1 | FileCheck %s --check-prefix=STRIPS
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='key-tile=16' 2>&1 | FileCheck %s --check-prefix=KEYS
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='key-tile=24' 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='warps=3 rows=64' 2>&1 | FileCheck %s --check-prefix=WARPS
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='stages=3' 2>&1 | FileCheck %s --check-prefix=STAGES
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='rows=4096 chip=sm_86' 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='key-splits=257' 2>&1 | FileCheck %s --check-prefix=SPLITS
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='query=cache' 2>&1 | FileCheck %s --check-prefix=QUERY
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='scores=bf16' 2>&1 | FileCheck %s --check-prefix=SCORES
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='scores=f32' 2>&1 | FileCheck %s --check-prefix=F32
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='chip=sm_75' 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='chip=gfx90a' 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='query=global' 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='stages=2' 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='query=workgroup' 2>&1 | FileCheck %s --check-prefix=STAGED
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='expected-keys=-3' 2>&1 | FileCheck %s --check-prefix=EXPECTED
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='ahead=2' 2>&1 | FileCheck %s --check-prefix=AHEAD
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='ahead=1 stages=1' 2>&1 | FileCheck %s --check-prefix=STAGE
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='ahead=1 key-splits=3' 2>&1 | FileCheck %s --check-prefix=SPLIT
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='ahead=1' 2>&1 | FileCheck %s --check-prefix=HEADS
// AHEAD: 'mta.attention' op expects no tile or one ahead, but got 2
// STAGE: 'mta.attention' op expects two stages and one split of the keys for a tile ahead, but got 1 and 1
// SPLIT: 'mta.attention' op expects two stages and one split of the keys for a tile ahead, but got 2 and 3
// HEADS: 'mta.attention' op expects no tile ahead for 5 to 16 heads of 16 bits that share a workgroup, but got 1
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='expected-batch=-3' 2>&1 | FileCheck %s --check-prefix=EXPECTED
// EXPECTED: expects at least 0 expected queries, keys and batches, but got -3
// GLOBAL: 'mta.attention' op expects queries in registers or workgroup memory but for 5 to 16 heads of 16 bits that share a workgroup, but got global
// STAGED: 'mta.attention' op expects a kernel that fits into the 166912 bytes of workgroup memory of sm_80, but the smallest of those asked for takes 200576
// MANY: 'mta.attention' op expects 16 rows, 16 warps, one stage and products by mma for 16 heads that share a workgroup
// ROWS: 'mta.attention' op expects windows of at most 16 queries in all, but got 21
// STRIPS: 'mta.attention' op expects rows to be a multiple of 16 of at most 4096, but got 40
// KEYS: 'mta.attention' op expects windows that read at most 16 keys, in whole pieces of 8, beside a result's own, but got 32
// TILE: 'mta.attention' op expects key_tile to be a multiple of 16 of at most 4096, but got 24
// WARPS: 'mta.attention' op expects warps that are a multiple of the 1 heads that share a workgroup and divide their strips of 16 rows, but got 3 warps for 64 rows
// STAGES: 'mta.attention' op expects one or two stages, but got 3
// MEMORY: 'mta.attention' op expects a kernel that fits into the 101376 bytes of workgroup memory of sm_86, but the smallest of those asked for takes
// SPLITS: 'mta.attention' op expects 1 to 256 splits of the keys, but got 257
// QUERY: expects queries in registers, workgroup or global, but got 'cache'
// SCORES: expects scores of f16, f16x2, f16x2_before or f32, but got 'bf16'
// F32: 'mta.attention' op expects scores of f32 for operands of f32 alone, but got f32 for operands of 'bf16'
// CHIP: expects a chip of sm_80 or newer, such as sm_80 or sm_90a, but got 'sm_75'
// OTHER: expects a chip of sm_80 or newer, such as sm_80 or sm_90a, but got 'gfx90a'

func.func @window(%t: tensor<1x2x64x16xbf16>, %w: tensor<2x21x25xbf16>) -> tensor<1x2x64x16xbf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x21x25xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @tall_window(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x257x1xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects windows of at most 256 queries in all, but got 257}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x257x1xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @wide_window(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x1x131xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects windows that read at most 128 keys, in whole pieces of 8, beside a result's own, but got 144}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x1x131xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

// Windows that read 128 keys need tiles as wide, for which 16 heads of
// f32 leave no memory.
func.func @many_heads(%t: tensor<1x16x64x128xf32>, %w: tensor<16x16x1x129xf32>) -> tensor<1x16x64x128xf32> {
  // expected-error@+1 {{'mta.attention' op expects a kernel that fits into the 166912 bytes of workgroup memory of sm_80, but the smallest of those asked for takes}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x16x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x16x64x64xf32>, tensor<16x16x1x129xf32>
    %1 = mta.softmax %0 : tensor<1x16x64x64xf32>
    mta.yield %1 : tensor<1x16x64x64xf32>
  } : tensor<1x16x64x128xf32>, tensor<1x16x64x128xf32>, tensor<1x16x64x128xf32> -> tensor<1x16x64x128xf32>
  return %o : tensor<1x16x64x128xf32>
}

// -----

func.func @not_on_tensor_cores(%t: tensor<1x2x64x12xbf16>) -> tensor<1x2x64x12xbf16> {
  // expected-error@+1 {{expects static head dimensions that are multiples of 8}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %0 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x12xbf16>, tensor<1x2x64x12xbf16>, tensor<1x2x64x12xbf16> -> tensor<1x2x64x12xbf16>
  return %o : tensor<1x2x64x12xbf16>
}

// -----

func.func @mix(%t: tensor<1x16x64x16xbf16>, %w: tensor<1x16x16xbf16>) -> tensor<1x16x64x16xbf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x16x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x16x64x64xf32>, tensor<1x16x16xbf16>
    %1 = mta.softmax %0 : tensor<1x16x64x64xf32>
    mta.yield %1 : tensor<1x16x64x64xf32>
  } : tensor<1x16x64x16xbf16>, tensor<1x16x64x16xbf16>, tensor<1x16x64x16xbf16> -> tensor<1x16x64x16xbf16>
  return %o : tensor<1x16x64x16xbf16>
}

// -----

// 26 rows of queries of 16 heads are 130 KiB, and what scores and weights take
// leaves less on sm_80.
func.func @wide_heads(%t: tensor<1x16x64x160xbf16>, %theta: tensor<16x6x11xbf16>, %w: tensor<1x16x16xbf16>) -> tensor<1x16x64x160xbf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x16x64x64xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x16x64x64xf32>, tensor<16x6x11xbf16>
    %1 = mta.head_mix %0, %w : tensor<1x16x64x64xf32>, tensor<1x16x16xbf16>
    %2 = mta.softmax %1 : tensor<1x16x64x64xf32>
    %3 = mta.key_query_conv %2, %theta : tensor<1x16x64x64xf32>, tensor<16x6x11xbf16>
    %4 = mta.head_mix %3, %w : tensor<1x16x64x64xf32>, tensor<1x16x16xbf16>
    mta.yield %4 : tensor<1x16x64x64xf32>
  } : tensor<1x16x64x160xbf16>, tensor<1x16x64x160xbf16>, tensor<1x16x64x160xbf16> -> tensor<1x16x64x160xbf16>
  return %o : tensor<1x16x64x160xbf16>
}

// -----

// 0 is a multiple of 8.
func.func @no_elements(%t: tensor<1x1x64x0xbf16>) -> tensor<1x1x64x0xbf16> {
  // expected-error@+1 {{'mta.attention' op expects static head dimensions that are multiples of 8 and at most 256 for tensor cores, but got query and value of type 'tensor<1x1x64x0xbf16>'}}
  %o = mta.attention %t, %t, %t scale(1.0) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x0xbf16>, tensor<1x1x64x0xbf16>, tensor<1x1x64x0xbf16> -> tensor<1x1x64x0xbf16>
  return %o : tensor<1x1x64x0xbf16>
}

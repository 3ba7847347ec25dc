// Kernel schedules that do not exist, and kernel schedules that do not fit their
// attention (C14 of mta.attention).

// RUN: mta-opt %s --verify-diagnostics --split-input-file

// expected-error @below {{expects rows to be a multiple of 16 of at most 4096, but got 0}}
func.func private @no_rows() attributes {s = #mta.kernel_schedule<rows = 0, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects rows to be a multiple of 16 of at most 4096, but got 24}}
func.func private @part_of_a_strip() attributes {s = #mta.kernel_schedule<rows = 24, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects rows to be a multiple of 16 of at most 4096, but got -16}}
func.func private @negative_rows() attributes {s = #mta.kernel_schedule<rows = -16, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects rows to be a multiple of 16 of at most 4096, but got 4112}}
func.func private @too_many_rows() attributes {s = #mta.kernel_schedule<rows = 4112, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects key_tile to be a multiple of 16 of at most 4096, but got 8}}
func.func private @part_of_a_tile() attributes {s = #mta.kernel_schedule<rows = 128, key_tile = 8, warps = 8, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects 1 to 32 warps, but got 0}}
func.func private @no_warps() attributes {s = #mta.kernel_schedule<rows = 128, key_tile = 64, warps = 0, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects 1 to 32 warps, but got 33}}
func.func private @too_many_warps() attributes {s = #mta.kernel_schedule<rows = 528, key_tile = 64, warps = 33, stages = 2, query = registers, scores = f16>}

// -----

// expected-error @below {{expects one or two stages, but got 3}}
func.func private @three_stages() attributes {s = #mta.kernel_schedule<rows = 128, key_tile = 64, warps = 8, stages = 3, query = registers, scores = f16>}

// -----

// expected-error @below {{expects 1 to 256 splits of the keys, but got 0}}
func.func private @no_splits() attributes {s = #mta.kernel_schedule<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16, key_splits = 0>}

// -----

// expected-error @below {{expects 1 to 256 splits of the keys, but got 257}}
func.func private @too_many_splits() attributes {s = #mta.kernel_schedule<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16, key_splits = 257>}

// -----

func.func @c14_only_halo(%t: tensor<1x2x64x16xbf16>, %w: tensor<2x17x3xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule of more rows than the 16 above its own that a result reads, but got 16}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 16, key_tile = 64, warps = 1, stages = 2, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x17x3xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_narrow_tile(%t: tensor<1x2x64x16xbf16>, %w: tensor<2x2x19xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule whose tile of keys is at least the 32 keys that a window reads beside a result's own, but got 16}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 16, warps = 8, stages = 2, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x2x19xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_part_of_the_heads(%t: tensor<1x2x64x16xbf16>, %w: tensor<1x2x2xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule whose warps are a multiple of the 2 heads that share a workgroup, but got 3}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 48, key_tile = 64, warps = 3, stages = 2, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x64x64xf32>, tensor<1x2x2xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_part_of_a_strip(%t: tensor<1x2x64x16xbf16>, %w: tensor<1x2x2xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule whose warps divide the 8 strips of 16 rows of its heads, but got 6}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 64, key_tile = 64, warps = 6, stages = 2, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x64x64xf32>, tensor<1x2x2xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_rounded_scores(%t: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule with scores of f32 for operands of f32 alone, but got f16x2 for operands of 'f32'}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f16x2>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %0 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32> -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// -----

func.func @c14_scores_of_twice_the_bits(%t: tensor<1x2x64x16xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule with scores of f32 for operands of f32 alone, but got f32 for operands of 'bf16'}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f32>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %0 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_wgmma_of_f32(%t: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  // expected-error@+1 {{'mta.attention' op expects 16-bit operands with a head dimension that is a multiple of 16 for wgmma, but got 'tensor<1x2x64x16xf32>'}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 64, warps = 8, stages = 2, query = registers, scores = f32, products = wgmma>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %0 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32> -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// -----

func.func @c14_global_queries(%t: tensor<1x2x64x16xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule with queries in registers or workgroup memory but for 5 to 16 heads of 16 bits that share a workgroup, but got #mta.kernel_schedule<rows = 16, key_tile = 16, warps = 2, stages = 1, query = global, scores = f16>}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 16, key_tile = 16, warps = 2, stages = 1, query = global, scores = f16>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %0 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @c14_many_heads(%t: tensor<1x10x64x16xbf16>, %w: tensor<2x5x5xbf16>) -> tensor<1x10x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects 16 rows, 8 warps, one stage and products by mma for 5 heads that share a workgroup, but got #mta.kernel_schedule<rows = 32, key_tile = 16, warps = 10, stages = 1, query = registers, scores = f16>}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 32, key_tile = 16, warps = 10, stages = 1, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x10x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x10x64x64xf32>, tensor<2x5x5xbf16>
    %1 = mta.softmax %0 : tensor<1x10x64x64xf32>
    mta.yield %1 : tensor<1x10x64x64xf32>
  } : tensor<1x10x64x16xbf16>, tensor<1x10x64x16xbf16>, tensor<1x10x64x16xbf16> -> tensor<1x10x64x16xbf16>
  return %o : tensor<1x10x64x16xbf16>
}

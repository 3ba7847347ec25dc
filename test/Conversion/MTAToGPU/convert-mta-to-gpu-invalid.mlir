// RUN: mta-opt %s -split-input-file -verify-diagnostics -convert-mta-to-gpu
// RUN: not mta-opt %s -split-input-file -convert-mta-to-gpu=workgroup-bytes=3000 2>&1 | FileCheck %s
// CHECK: expects a kernel schedule that fits into 3000 bytes of workgroup memory, but got 6144 for #mta.kernel_schedule<rows = 128, key_tile = 16,

func.func @double_precision(%q: tensor<1x2x64x16xf64>, %k: tensor<1x2x64x16xf64>, %v: tensor<1x2x64x16xf64>) -> tensor<1x2x64x16xf64> {
  // expected-error@+1 {{'mta.attention' op expects f16, bf16 or f32 operands for tensor cores, but got 'f64'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf64>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf64>
    mta.yield %1 : tensor<1x2x64x64xf64>
  } : tensor<1x2x64x16xf64>, tensor<1x2x64x16xf64>, tensor<1x2x64x16xf64> -> tensor<1x2x64x16xf64>
  return %o : tensor<1x2x64x16xf64>
}

// -----

func.func @double_scores(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects scores of f32 for tensor cores, but got 'f64'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf64>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf64>
    mta.yield %1 : tensor<1x2x64x64xf64>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @wide_weights(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x2x3xf64>) -> tensor<1x2x64x16xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    // expected-error@+1 {{'mta.key_query_conv' op expects weights of f16, bf16 or f32 for tensor cores, but got 'f64'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x2x3xf64>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @dynamic_head_dimension(%q: tensor<1x2x64x?xbf16>, %k: tensor<1x2x64x?xbf16>, %v: tensor<1x2x64x16xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects static head dimensions that are multiples of 8 and at most 256 for tensor cores, but got query and value of type 'tensor<1x2x64x?xbf16>' and 'tensor<1x2x64x16xbf16>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x?xbf16>, tensor<1x2x64x?xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @odd_value_dimension(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x12xbf16>) -> tensor<1x2x64x12xbf16> {
  // expected-error@+1 {{'mta.attention' op expects static head dimensions that are multiples of 8 and at most 256 for tensor cores, but got query and value of type 'tensor<1x2x64x16xbf16>' and 'tensor<1x2x64x12xbf16>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x12xbf16> -> tensor<1x2x64x12xbf16>
  return %o : tensor<1x2x64x12xbf16>
}

// -----

func.func @large_head_dimension(%q: tensor<1x2x64x264xbf16>, %k: tensor<1x2x64x264xbf16>, %v: tensor<1x2x64x16xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects static head dimensions that are multiples of 8 and at most 256 for tensor cores, but got query and value of type 'tensor<1x2x64x264xbf16>' and 'tensor<1x2x64x16xbf16>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x264xbf16>, tensor<1x2x64x264xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @dynamic_group(%q: tensor<1x?x64x16xbf16>, %k: tensor<1x?x64x16xbf16>, %v: tensor<1x?x64x16xbf16>, %w: tensor<?x?x?xbf16>) -> tensor<1x?x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects head groups of static size on a GPU}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x?x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x?x64x64xf32>, tensor<?x?x?xbf16>
    %1 = mta.softmax %0 : tensor<1x?x64x64xf32>
    mta.yield %1 : tensor<1x?x64x64xf32>
  } : tensor<1x?x64x16xbf16>, tensor<1x?x64x16xbf16>, tensor<1x?x64x16xbf16> -> tensor<1x?x64x16xbf16>
  return %o : tensor<1x?x64x16xbf16>
}

// -----

func.func @large_group(%q: tensor<1x17x64x16xbf16>, %k: tensor<1x17x64x16xbf16>, %v: tensor<1x17x64x16xbf16>, %w: tensor<1x17x17xbf16>) -> tensor<1x17x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects groups of at most 16 heads on a GPU, but got 17}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x17x64x64xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x17x64x64xf32>, tensor<1x17x17xbf16>
    %1 = mta.softmax %0 : tensor<1x17x64x64xf32>
    mta.yield %1 : tensor<1x17x64x64xf32>
  } : tensor<1x17x64x16xbf16>, tensor<1x17x64x16xbf16>, tensor<1x17x64x16xbf16> -> tensor<1x17x64x16xbf16>
  return %o : tensor<1x17x64x16xbf16>
}

// -----

func.func @no_schedule(%t: tensor<1x1x64x16xbf16>) -> tensor<1x1x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule, such as mta-choose-kernel-schedule writes}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

// -----

func.func @small_memory(%t: tensor<1x1x64x16xbf16>) -> tensor<1x1x64x16xbf16> {
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 128, key_tile = 16, warps = 8, stages = 1, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

// -----

func.func @odd_stride(%q: tensor<1x1x64x16xbf16>, %k: tensor<1x1x64x16xbf16> {bufferization.buffer_layout = strided<[?, ?, 20, 1]>}) -> tensor<1x1x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a key without gaps in rows and with other strides that are multiples of 8 elements, but got 'memref<1x1x64x16xbf16, strided<[?, ?, 20, 1]>>'}}
  %o = mta.attention %q, %k, %k kernel_schedule(<rows = 64, key_tile = 16, warps = 2, stages = 1, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

// -----

func.func @gaps_in_rows(%t: tensor<1x1x64x16xbf16>, %out: memref<1x1x64x16xbf16, strided<[?, ?, ?, 2]>>) {
  // expected-error@+1 {{'mta.attention' op expects a destination without gaps in rows and with other strides that are multiples of 8 elements, but got}}
  %o = mta.attention %t, %t, %t kernel_schedule(<rows = 64, key_tile = 16, warps = 2, stages = 1, query = registers, scores = f16>) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  bufferization.materialize_in_destination %o in restrict writable %out : (tensor<1x1x64x16xbf16>, memref<1x1x64x16xbf16, strided<[?, ?, ?, 2]>>) -> ()
  return
}

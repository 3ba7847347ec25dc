// RUN: mta-opt %s -split-input-file -verify-diagnostics -convert-mta-to-gpu
// RUN: not mta-opt %s -split-input-file -convert-mta-to-gpu=workgroup-bytes=3000 2>&1 | FileCheck %s
// CHECK: expects tiles that fit into 3000 bytes of workgroup memory, but got 6144 for tiles of 128 queries and 16 keys of 1 heads

func.func @single_precision(%q: tensor<1x2x64x16xf32>, %k: tensor<1x2x64x16xf32>, %v: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  // expected-error@+1 {{'mta.attention' op expects f16 or bf16 operands for tensor cores, but got 'f32'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32> -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
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

func.func @wide_weights(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x2x3xf32>) -> tensor<1x2x64x16xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    // expected-error@+1 {{'mta.key_query_conv' op expects weights of the operands' element type for tensor cores, but got 'f32' with 'bf16'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x2x3xf32>
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

func.func @sequences(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %b: tensor<3xi32>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects no sequence boundaries for tensor cores}}
  %o = mta.attention %q, %k, %v sequences(%b, %b : tensor<3xi32>, tensor<3xi32>) {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %1 = mta.softmax %s : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
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

func.func @tall_window(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x129x1xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects windows of at most 128 queries in all, but got 129}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x129x1xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @wide_window(%q: tensor<1x2x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x16xbf16>, %w: tensor<2x1x67xbf16>) -> tensor<1x2x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects windows that read at most 64 keys, in whole pieces of 8, beside a result's own, but got 80}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x64x64xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x2x64x64xf32>, tensor<2x1x67xbf16>
    %1 = mta.softmax %0 : tensor<1x2x64x64xf32>
    mta.yield %1 : tensor<1x2x64x64xf32>
  } : tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x16xbf16> -> tensor<1x2x64x16xbf16>
  return %o : tensor<1x2x64x16xbf16>
}

// -----

func.func @small_memory(%t: tensor<1x1x64x16xbf16>) -> tensor<1x1x64x16xbf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

// What mta.head_mix does not accept, by the labels of its preconditions.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @rank(%t: tensor<1x2x8x4xf32>, %w: tensor<2x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op operand #1 must be 3D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<2x2xf32>'}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<2x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @element_type(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xi32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op operand #1 must be 3D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x2xi32>'}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xi32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_not_square(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x1xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects the same number of rows and columns of the weights, but got 2 and 1}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x1xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_too_many_groups(%t: tensor<1x2x8x4xf32>, %w: tensor<2x2x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 2 groups of 2}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_too_few_groups(%t: tensor<1x2x8x4xf32>, %w: tensor<1x1x1xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 1 groups of 1}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x1x1xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_group_larger_than_heads(%t: tensor<1x2x8x4xf32>, %w: tensor<1x4x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 1 groups of 4}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x4x4xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_group_size_known_from_columns(%t: tensor<1x2x8x4xf32>, %w: tensor<1x?x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 1 groups of 4}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x?x4xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_empty_groups(%t: tensor<1x2x8x4xf32>, %w: tensor<1x0x0xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 1 groups of 0}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x0x0xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

// The product of groups and their size is 2 in 64 bits.
func.func @c2_product_wraps_around(%t: tensor<1x2x8x4xf32>, %w: tensor<4611686018427387905x2x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.head_mix' op expects weights that cover the 2 heads, but got 4611686018427387905 groups of 2}}
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<4611686018427387905x2x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// What mta.key_query_conv does not accept, by the labels of its preconditions.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c1_dynamic_query_window(%t: tensor<1x2x8x4xf32>, %w: tensor<2x?x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects static window sizes of at least 1, but got weights of type 'tensor<2x?x3xf32>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x?x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_dynamic_key_window(%t: tensor<1x2x8x4xf32>, %w: tensor<2x3x?xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects static window sizes of at least 1, but got weights of type 'tensor<2x3x?xf32>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x3x?xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_empty_query_window(%t: tensor<1x2x8x4xf32>, %w: tensor<2x0x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects static window sizes of at least 1, but got weights of type 'tensor<2x0x3xf32>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x0x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_empty_key_window(%t: tensor<1x2x8x4xf32>, %w: tensor<2x2x3x0xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects static window sizes of at least 1, but got weights of type 'tensor<2x2x3x0xf32>'}}
    %0 = mta.key_query_conv %s, %w padding(left) : tensor<1x2x8x8xf32>, tensor<2x2x3x0xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_rank_2(%t: tensor<1x2x8x4xf32>, %w: tensor<3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op operand #1 must be 3D/4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<3x3xf32>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_rank_5(%t: tensor<1x2x8x4xf32>, %w: tensor<2x1x1x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op operand #1 must be 3D/4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<2x1x1x3x3xf32>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x1x1x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_unknown_element_type(%t: tensor<1x2x8x4xf32>, %w: tensor<2x3x3xf8E4M3FN>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op operand #1 must be 3D/4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<2x3x3xf8E4M3FN>'}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x3x3xf8E4M3FN>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_heads(%t: tensor<1x2x8x4xf32>, %w: tensor<3x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects the same number of heads of scores and weights, but got 2 and 3}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<3x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_heads_rank_4(%t: tensor<1x2x8x4xf32>, %w: tensor<4x2x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects the same number of heads of scores and weights, but got 2 and 4}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<4x2x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_group_size(%t: tensor<1x2x8x4xf32>, %w: tensor<2x3x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects the number of heads to be a multiple of the number of heads of a group, but got 2 and 3}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x3x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_empty_group(%t: tensor<1x2x8x4xf32>, %w: tensor<2x0x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects the number of heads to be a multiple of the number of heads of a group, but got 2 and 0}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x0x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c4_even_window_padded_on_both_sides(%t: tensor<1x2x8x4xf32>, %w: tensor<2x3x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects an odd number of window keys with key padding 'both', but got 4}}
    %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x3x4xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c4_even_window_padding_spelled_out(%t: tensor<1x2x8x4xf32>, %w: tensor<2x2x3x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.key_query_conv' op expects an odd number of window keys with key padding 'both', but got 2}}
    %0 = mta.key_query_conv %s, %w padding(both) : tensor<1x2x8x8xf32>, tensor<2x2x3x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @unknown_padding(%t: tensor<1x2x8x4xf32>, %w: tensor<2x3x3xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{expected one of [both, left, right] for on which side of a key a convolution window extends, got: middle}}
    %0 = mta.key_query_conv %s, %w padding(middle) : tensor<1x2x8x8xf32>, tensor<2x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

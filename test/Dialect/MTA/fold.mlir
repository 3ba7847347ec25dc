// Folds of score operations that are the identity.

// RUN: mta-opt %s --canonicalize | FileCheck %s

//===----------------------------------------------------------------------===//
// Identities
//===----------------------------------------------------------------------===//

// The current pair is in the last row of a window and, with padding on both
// sides, in the middle of its keys.
// CHECK-LABEL: func.func @identity_conv(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_conv(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, -0.0, 0.0], [0.0, 1.0, 0.0]]]> : tensor<2x2x3xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x3xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_conv_after_softmax(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[P:.*]] = mta.softmax %[[S]]
// CHECK-NEXT:      mta.yield %[[P]]
func.func @identity_conv_after_softmax(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, -0.0, 0.0], [0.0, 1.0, 0.0]]]> : tensor<2x2x3xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.softmax %s : tensor<1x2x8x8xf32>
    %2 = mta.key_query_conv %1, %w : tensor<1x2x8x8xf32>, tensor<2x2x3xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_conv_padding_left(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_conv_padding_left(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[0.0, 1.0]], [[0.0, 1.0]]]> : tensor<2x1x2xf16>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf16>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_conv_padding_right(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_conv_padding_right(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[1.0, 0.0]], [[1.0, 0.0]]]> : tensor<2x1x2xbf16>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(right) : tensor<1x2x8x8xf32>, tensor<2x1x2xbf16>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_conv_of_groups(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_conv_of_groups(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[[1.0, 0.0]], [[0.0, 0.0]]],
                           [[[0.0, 0.0]], [[1.0, 0.0]]]]> : tensor<2x2x1x2xf64>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(right) : tensor<1x2x8x8xf32>, tensor<2x2x1x2xf64>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// The weight of the current pair is the other one.
// CHECK-LABEL: func.func @no_fold_conv_of_other_side(
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_of_other_side(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[1.0, 0.0]], [[1.0, 0.0]]]> : tensor<2x1x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_conv_of_earlier_row(
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_of_earlier_row(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[1.0], [0.0]], [[1.0], [0.0]]]> : tensor<2x2x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_conv_of_one_other_head(
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_of_one_other_head(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[1.0, 0.0]], [[1.0, 1.0e-9]]]> : tensor<2x1x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(right) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_conv_that_swaps_heads(
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_that_swaps_heads(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[[0.0, 0.0]], [[1.0, 0.0]]],
                           [[[1.0, 0.0]], [[0.0, 0.0]]]]> : tensor<2x2x1x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(right) : tensor<1x2x8x8xf32>, tensor<2x2x1x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_conv_of_unknown_weights(
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_of_unknown_weights(%t: tensor<1x2x8x4xf32>,
    %w: tensor<2x2x3xf32>) -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x3xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_mix(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_mix(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[1.0, 0.0], [0.0, 1.0]]]> : tensor<1x2x2xbf16>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xbf16>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @identity_mix_of_single_heads(
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @identity_mix_of_single_heads(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<1.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_mix_that_swaps_heads(
// CHECK:           mta.head_mix
func.func @no_fold_mix_that_swaps_heads(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[0.0, 1.0], [1.0, 0.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_mix_of_ones(
// CHECK:           mta.head_mix
func.func @no_fold_mix_of_ones(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_mix_of_unknown_weights(
// CHECK:           mta.head_mix
func.func @no_fold_mix_of_unknown_weights(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xf32>) -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// A few characters of text, but more elements than memory.
// CHECK-LABEL: func.func @no_fold_enormous_splat(
// CHECK:           mta.key_query_conv
func.func @no_fold_enormous_splat(%t: tensor<1x262144x8x4xf32>) -> tensor<1x262144x8x4xf32> {
  %w = arith.constant dense<0.0> : tensor<262144x9999999x9999xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x262144x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x262144x8x8xf32>, tensor<262144x9999999x9999xf32>
    %2 = mta.softmax %1 : tensor<1x262144x8x8xf32>
    mta.yield %2 : tensor<1x262144x8x8xf32>
  } : tensor<1x262144x8x4xf32>, tensor<1x262144x8x4xf32>, tensor<1x262144x8x4xf32>
      -> tensor<1x262144x8x4xf32>
  return %o : tensor<1x262144x8x4xf32>
}

// The number of elements is negative in 64 bits.
// CHECK-LABEL: func.func @no_fold_more_elements_than_numbers(
// CHECK:           mta.key_query_conv
func.func @no_fold_more_elements_than_numbers(%t: tensor<1x4611686018427387905x8x4xf32>) -> tensor<1x4611686018427387905x8x4xf32> {
  %w = arith.constant dense<0.0> : tensor<4611686018427387905x1x4611686018427387905xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4611686018427387905x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x4611686018427387905x8x8xf32>, tensor<4611686018427387905x1x4611686018427387905xf32>
    %2 = mta.softmax %1 : tensor<1x4611686018427387905x8x8xf32>
    mta.yield %2 : tensor<1x4611686018427387905x8x8xf32>
  } : tensor<1x4611686018427387905x8x4xf32>, tensor<1x4611686018427387905x8x4xf32>, tensor<1x4611686018427387905x8x4xf32>
      -> tensor<1x4611686018427387905x8x4xf32>
  return %o : tensor<1x4611686018427387905x8x4xf32>
}

// Canonicalization of score programs with constant weights.

// RUN: mta-opt %s --canonicalize | FileCheck %s

//===----------------------------------------------------------------------===//
// A convolution over a window of one pair is a head mix
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @unit_conv(
// CHECK-SAME:    %[[W:[^:]*]]: tensor<2x1x1xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.head_mix %[[S]], %[[W]] : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
func.func @unit_conv(%t: tensor<1x2x8x4xf32>, %w: tensor<2x1x1xf32>) -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @unit_conv_of_groups(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]]> : tensor<1x2x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.head_mix %[[S]], %[[W]]
func.func @unit_conv_of_groups(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xbf16>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x1x1xbf16>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_unit_conv_of_unknown_groups(
// CHECK:           mta.key_query_conv
func.func @no_fold_unit_conv_of_unknown_groups(%t: tensor<1x2x8x4xf32>,
    %w: tensor<2x2x1x1xf32>) -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_window_of_two_rows(
// CHECK:           mta.key_query_conv
func.func @no_fold_window_of_two_rows(%t: tensor<1x2x8x4xf32>, %w: tensor<2x2x1xf32>) -> tensor<1x2x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_unit_conv_of_infinity(
// CHECK:           mta.key_query_conv
func.func @no_fold_unit_conv_of_infinity(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %w = arith.constant dense<0x7F800000> : tensor<2x2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

//===----------------------------------------------------------------------===//
// Head mixes in a row
//===----------------------------------------------------------------------===//

// The second one's matrix times the first one's: %b * %a.
// CHECK-LABEL: func.func @mixes(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}4.000000e+00, 6.000000e+00], [6.000000e+00, 8.000000e+00]]]> : tensor<1x2x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[M:.*]] = mta.head_mix %[[S]], %[[W]]
// CHECK-NEXT:      mta.softmax %[[M]]
func.func @mixes(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %b = arith.constant dense<[[[1.0, 1.0], [0.0, 2.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Scales of the results multiply rows.
// CHECK-LABEL: func.func @mix_then_scales(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00], [3.000000e+01, 4.000000e+01]]]> : tensor<1x2x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[M:.*]] = mta.head_mix %[[S]], %[[W]]
// CHECK-NEXT:      mta.softmax %[[M]]
func.func @mix_then_scales(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Scales of the inputs multiply columns.
// CHECK-LABEL: func.func @scales_then_mix(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 2.000000e+01], [6.000000e+00, 4.000000e+01]]]> : tensor<1x2x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[M:.*]] = mta.head_mix %[[S]], %[[W]]
// CHECK-NEXT:      mta.softmax %[[M]]
func.func @scales_then_mix(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.head_mix %1, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// The product of two numbers of 11 bits has 17 here; it is stored in f32.
// CHECK-LABEL: func.func @mixes_of_16_bits_keep_their_product(
// CHECK:         arith.constant dense<1.00782776> : tensor<2x1x1xf32>
func.func @mixes_of_16_bits_keep_their_product(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<1.00390625> : tensor<2x1x1xf16>
  %b = arith.constant dense<1.00390625> : tensor<2x1x1xf16>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.softmax %s : tensor<1x2x8x8xf32>
    %2 = mta.head_mix %1, %a : tensor<1x2x8x8xf32>, tensor<2x1x1xf16>
    %3 = mta.head_mix %2, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf16>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_mixes_around_the_softmax(
// CHECK:           mta.head_mix
// CHECK:           mta.softmax
// CHECK:           mta.head_mix
func.func @no_fold_mixes_around_the_softmax(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %b = arith.constant dense<[[[1.0, 1.0], [0.0, 2.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    %3 = mta.head_mix %2, %b : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_mixes_of_unknown_weights(
// CHECK:           mta.head_mix
// CHECK:           mta.head_mix
func.func @no_fold_mixes_of_unknown_weights(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.head_mix %1, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Groups of 2 and of 3 would need one of 6.
// CHECK-LABEL: func.func @no_fold_mixes_of_other_groups(
// CHECK:           mta.head_mix
// CHECK:           mta.head_mix
func.func @no_fold_mixes_of_other_groups(%t: tensor<1x6x8x4xf32>) -> tensor<1x6x8x4xf32> {
  %a = arith.constant dense<2.0> : tensor<3x2x2xf32>
  %b = arith.constant dense<2.0> : tensor<2x3x3xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x6x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x6x8x8xf32>, tensor<3x2x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x6x8x8xf32>, tensor<2x3x3xf32>
    %3 = mta.softmax %2 : tensor<1x6x8x8xf32>
    mta.yield %3 : tensor<1x6x8x8xf32>
  } : tensor<1x6x8x4xf32>, tensor<1x6x8x4xf32>, tensor<1x6x8x4xf32>
      -> tensor<1x6x8x4xf32>
  return %o : tensor<1x6x8x4xf32>
}

// The scores between them may be small.
// CHECK-LABEL: func.func @no_fold_mixes_whose_product_overflows(
// CHECK:           mta.head_mix
// CHECK:           mta.head_mix
func.func @no_fold_mixes_whose_product_overflows(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0e30, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %2 = mta.head_mix %1, %a : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

//===----------------------------------------------------------------------===//
// Scales around a convolution
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @conv_then_scales(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00{{\]\]}}, {{\[\[}}3.000000e+01, 4.000000e+01]]]> : tensor<2x1x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[C:.*]] = mta.key_query_conv %[[S]], %[[W]] padding(left)
// CHECK-NEXT:      mta.softmax %[[C]]
func.func @conv_then_scales(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @scales_then_conv(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00{{\]\]}}, {{\[\[}}3.000000e+01, 4.000000e+01]]]> : tensor<2x1x2xf32>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[C:.*]] = mta.key_query_conv %[[S]], %[[W]] padding(left)
// CHECK-NEXT:      mta.softmax %[[C]]
func.func @scales_then_conv(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.key_query_conv %1, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Scales of the results multiply the kernels of an output head.
// CHECK-LABEL: func.func @conv_of_groups_then_scales(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}2.000000e+00, 4.000000e+00{{\]\]}}, {{\[\[}}6.000000e+00, 8.000000e+00{{\]\]\]}}, {{\[\[\[}}5.000000e+01, 6.000000e+01{{\]\]}}, {{\[\[}}7.000000e+01, 8.000000e+01]]]]>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[C:.*]] = mta.key_query_conv %[[S]], %[[W]] padding(left)
// CHECK-NEXT:      mta.softmax %[[C]]
func.func @conv_of_groups_then_scales(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[[1.0, 2.0]], [[3.0, 4.0]]],
                           [[[5.0, 6.0]], [[7.0, 8.0]]]]> : tensor<2x2x1x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x2x1x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Scales of the inputs multiply the kernels of an input head.
// CHECK-LABEL: func.func @scales_then_conv_of_groups(
// CHECK:         %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}2.000000e+00, 4.000000e+00{{\]\]}}, {{\[\[}}3.000000e+01, 4.000000e+01{{\]\]\]}}, {{\[\[\[}}1.000000e+01, 1.200000e+01{{\]\]}}, {{\[\[}}7.000000e+01, 8.000000e+01]]]]>
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      %[[C:.*]] = mta.key_query_conv %[[S]], %[[W]] padding(left)
// CHECK-NEXT:      mta.softmax %[[C]]
func.func @scales_then_conv_of_groups(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[[1.0, 2.0]], [[3.0, 4.0]]],
                           [[[5.0, 6.0]], [[7.0, 8.0]]]]> : tensor<2x2x1x2xf32>
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.key_query_conv %1, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x2x1x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Their product has as many kernels as pairs of heads; it costs more.
// CHECK-LABEL: func.func @no_fold_conv_and_full_mix(
// CHECK:           mta.key_query_conv
// CHECK:           mta.head_mix
func.func @no_fold_conv_and_full_mix(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %b = arith.constant dense<[[[1.0, 1.0], [0.0, 2.0]]]> : tensor<1x2x2xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_scales_of_unknown_conv(
// CHECK:           mta.key_query_conv
// CHECK:           mta.head_mix
func.func @no_fold_scales_of_unknown_conv(%t: tensor<1x2x8x4xf32>, %w: tensor<2x1x2xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_conv_whose_product_overflows(
// CHECK:           mta.head_mix
// CHECK:           mta.key_query_conv
func.func @no_fold_conv_whose_product_overflows(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %a = arith.constant dense<[[[1.0, 1.0e30]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %b = arith.constant dense<[[[1.0e30]], [[1.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.key_query_conv %1, %a padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

//===----------------------------------------------------------------------===//
// One scale of all heads
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @scale_joins_the_scale(
// CHECK:         mta.attention {{.*}} scale(3.750000e-01)
// CHECK-NEXT:    ^bb0(%[[S:.*]]: tensor<1x2x8x8xf32>):
// CHECK-NEXT:      mta.softmax %[[S]]
func.func @scale_joins_the_scale(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t scale(0.125) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// 1/sqrt(4) * 3.
// CHECK-LABEL: func.func @scale_joins_the_default_scale(
// CHECK:         mta.attention {{.*}} scale(1.500000e+00)
func.func @scale_joins_the_default_scale(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// Before the softmax everything is linear.
// CHECK-LABEL: func.func @scale_joins_from_behind_a_conv(
// CHECK:         mta.attention {{.*}} scale(3.000000e+00)
// CHECK:           mta.key_query_conv
// CHECK-NEXT:      mta.softmax
func.func @scale_joins_from_behind_a_conv(%t: tensor<1x2x8x4xf32>, %w: tensor<2x1x2xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t scale(1.0) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.key_query_conv %s, %w padding(left) : tensor<1x2x8x8xf32>, tensor<2x1x2xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %3 = mta.softmax %2 : tensor<1x2x8x8xf32>
    mta.yield %3 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_scale_after_softmax(
// CHECK:           mta.softmax
// CHECK-NEXT:      mta.head_mix
func.func @no_fold_scale_after_softmax(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.softmax %s : tensor<1x2x8x8xf32>
    %2 = mta.head_mix %1, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// CHECK-LABEL: func.func @no_fold_scales_of_each_head(
// CHECK:           mta.head_mix
func.func @no_fold_scales_of_each_head(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<[[[2.0]], [[10.0]]]> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

// 1/sqrt(D) is not known.
// CHECK-LABEL: func.func @no_fold_scale_of_dynamic_dimension(
// CHECK:           mta.head_mix
func.func @no_fold_scale_of_dynamic_dimension(%t: tensor<1x2x8x?xf32>) -> tensor<1x2x8x?xf32> {
  %b = arith.constant dense<3.0> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x?xf32>, tensor<1x2x8x?xf32>, tensor<1x2x8x?xf32>
      -> tensor<1x2x8x?xf32>
  return %o : tensor<1x2x8x?xf32>
}

// CHECK-LABEL: func.func @no_fold_scale_that_overflows(
// CHECK:           mta.head_mix
func.func @no_fold_scale_that_overflows(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x4xf32> {
  %b = arith.constant dense<1.0e30> : tensor<2x1x1xf32>
  %o = mta.attention %t, %t, %t scale(1.0e30) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %1 = mta.head_mix %s, %b : tensor<1x2x8x8xf32>, tensor<2x1x1xf32>
    %2 = mta.softmax %1 : tensor<1x2x8x8xf32>
    mta.yield %2 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return %o : tensor<1x2x8x4xf32>
}

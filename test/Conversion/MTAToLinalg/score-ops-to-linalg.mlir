// The operations of a score program, each on the whole score matrix.

// RUN: mta-opt %s --convert-mta-to-linalg | FileCheck %s --implicit-check-not=mta.

// CHECK-DAG: #[[$PADDED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 + d4, d3 + d5)>
// CHECK-DAG: #[[$THETA:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d4, d5)>
// CHECK-DAG: #[[$CONV:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[$PADDED4:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d5, d3 + d6, d4 + d7)>
// CHECK-DAG: #[[$THETA4:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d2, d5, d6, d7)>
// CHECK-DAG: #[[$CONV4:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d2, d3, d4)>
// CHECK-DAG: #[[$IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3, d4)>
// CHECK-DAG: #[[$MIX:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d5)>
// CHECK-DAG: #[[$OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>

// Softmax: row maximum over the allowed keys, exponentials, zeros where a pair
// is not allowed, row sum, quotient or zero.
// CHECK-LABEL: func.func @softmax(
// CHECK:         %[[BOUNDS:.*]]:2 = linalg.generic
// CHECK:         %[[LOWEST:.*]] = arith.constant -3.40282347E+38 : f32
// CHECK:         linalg.fill ins(%[[LOWEST]]
// CHECK:         %[[MAX:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.*}}, %[[BOUNDS]]#0, %[[BOUNDS]]#1 :
// CHECK:         ^bb0(%[[X:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[OLD:.*]]: f32):
// CHECK:           %[[ALLOWED:.*]] = arith.andi
// CHECK:           %[[LARGER:.*]] = arith.maximumf %[[OLD]], %[[X]]
// CHECK:           arith.select %[[ALLOWED]], %[[LARGER]], %[[OLD]]
// CHECK:         %[[EXP:.*]] = linalg.generic {{.*}}#[[$ROW]]{{.*}} ins(%{{.*}}, %[[MAX]] :
// CHECK:           %[[DIFFERENCE:.*]] = arith.subf
// CHECK:           math.exp %[[DIFFERENCE]]
// CHECK:         %[[MASKED:.*]] = linalg.generic {{.*}} ins(%[[EXP]], %[[BOUNDS]]#0, %[[BOUNDS]]#1 :
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[MASKED]] :
// CHECK:         linalg.generic {{.*}} ins(%[[MASKED]], %[[SUM]] :
// CHECK:         ^bb0(%[[E:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK:           %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:           %[[EMPTY:.*]] = arith.cmpf oeq, %[[L]], %[[ZERO]]
// CHECK:           %[[QUOTIENT:.*]] = arith.divf %[[E]], %[[L]]
// CHECK:           arith.select %[[EMPTY]], %[[ZERO]], %[[QUOTIENT]]
func.func @softmax(%t: tensor<1x4x8x4xf32>) -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %p = mta.softmax %s : tensor<1x4x8x8xf32>
    mta.yield %p : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// Six rows above, five keys on either side; the result is masked again.
// CHECK-LABEL: func.func @conv(
// CHECK-SAME:    %[[W:[^:]*]]: tensor<4x6x11xbf16>)
// CHECK:         %[[BOUNDS:.*]]:2 = linalg.generic
// CHECK:         %[[PADDED:.*]] = tensor.pad %{{.*}} low[0, 0, 5, 5] high[0, 0, 0, 5]
// CHECK:         } : tensor<1x4x8x8xf32> to tensor<1x4x13x18xf32>
// CHECK:         %[[CONV:.*]] = linalg.generic {indexing_maps = [#[[$PADDED]], #[[$THETA]], #[[$CONV]]]{{.*}} ins(%[[PADDED]], %[[W]] :
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[THETA:.*]]: bf16, %[[OLD:.*]]: f32):
// CHECK:           %[[WIDE:.*]] = arith.extf %[[THETA]] : bf16 to f32
// CHECK:           %[[TERM:.*]] = arith.mulf %[[S]], %[[WIDE]]
// CHECK:           arith.addf %[[OLD]], %[[TERM]]
// CHECK:         linalg.generic {{.*}} ins(%[[CONV]], %[[BOUNDS]]#0, %[[BOUNDS]]#1 :
// CHECK:           arith.select
func.func @conv(%t: tensor<1x4x8x4xf32>, %w: tensor<4x6x11xbf16>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x4x8x8xf32>, tensor<4x6x11xbf16>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// CHECK-LABEL: func.func @conv_padding(
// CHECK:         tensor.pad %{{.*}} low[0, 0, 2, 3] high[0, 0, 0, 0]
// CHECK:         tensor.pad %{{.*}} low[0, 0, 2, 0] high[0, 0, 0, 3]
func.func @conv_padding(%t: tensor<1x4x8x4xf32>, %w: tensor<4x3x4xf32>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w padding(left)
        : tensor<1x4x8x8xf32>, tensor<4x3x4xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    %2 = mta.key_query_conv %1, %w padding(right)
        : tensor<1x4x8x8xf32>, tensor<4x3x4xf32>
    mta.yield %2 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// Weights of rank 4: groups of two heads are a dimension of their own.
// CHECK-LABEL: func.func @conv_of_groups(
// CHECK-SAME:    %[[W:[^:]*]]: tensor<4x2x3x5xf32>)
// CHECK:         %[[PADDED:.*]] = tensor.pad %{{.*}} low[0, 0, 2, 2] high[0, 0, 0, 2]
// CHECK-DAG:     %[[PG:.*]] = tensor.expand_shape %[[PADDED]] {{.*}} output_shape [1, 2, 2, 10, 12]
// CHECK-DAG:     %[[WG:.*]] = tensor.expand_shape %[[W]] {{.*}} output_shape [2, 2, 2, 3, 5]
// CHECK:         %[[CONV:.*]] = linalg.generic {indexing_maps = [#[[$PADDED4]], #[[$THETA4]], #[[$CONV4]]]{{.*}} ins(%[[PG]], %[[WG]] :
// CHECK:         tensor.collapse_shape %[[CONV]] {{.*}} into tensor<1x4x8x8xf32>
func.func @conv_of_groups(%t: tensor<1x4x8x4xf32>, %w: tensor<4x2x3x5xf32>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x4x8x8xf32>, tensor<4x2x3x5xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// Rows of the window before the sequence read as zero.
// CHECK-LABEL: func.func @conv_of_sequences(
// CHECK:         %[[BOUNDS:.*]]:3 = linalg.generic
// CHECK:         tensor.pad
// CHECK:         linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[BOUNDS]]#2 :
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[THETA:.*]]: f32, %[[BEGIN:.*]]: index, %[[OLD:.*]]: f32):
// CHECK:           %[[TERM:.*]] = arith.mulf %[[S]], %[[THETA]]
// CHECK-DAG:       %[[I:.*]] = linalg.index 2
// CHECK-DAG:       %[[R:.*]] = linalg.index 4
// CHECK-DAG:       %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:       %[[FIRST:.*]] = arith.addi %[[BEGIN]], %[[C2]]
// CHECK-DAG:       %[[READ:.*]] = arith.addi %[[I]], %[[R]]
// CHECK:           %[[INSIDE:.*]] = arith.cmpi sge, %[[READ]], %[[FIRST]]
// CHECK:           %[[CUT:.*]] = arith.select %[[INSIDE]], %[[TERM]],
// CHECK:           arith.addf %[[OLD]], %[[CUT]]
func.func @conv_of_sequences(
    %t: tensor<1x4x8x4xf32>, %w: tensor<4x3x5xf32>, %b: tensor<3xi32>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t sequences(%b, %b : tensor<3xi32>, tensor<3xi32>) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x4x8x8xf32>, tensor<4x3x5xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// In a group of rank 4 the loops of query and row have other numbers.
// CHECK-LABEL: func.func @conv_of_groups_and_sequences(
// CHECK:         linalg.index 3
// CHECK:         linalg.index 3
// CHECK-NEXT:    linalg.index 6
func.func @conv_of_groups_and_sequences(
    %t: tensor<1x4x8x4xf32>, %w: tensor<4x4x3x5xf32>, %b: tensor<3xi32>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t sequences(%b, %b : tensor<3xi32>, tensor<3xi32>) {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x4x8x8xf32>, tensor<4x4x3x5xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// CHECK-LABEL: func.func @head_mix(
// CHECK-SAME:    %[[W:[^:]*]]: tensor<2x2x2xf64>)
// CHECK:         %[[G:.*]] = tensor.expand_shape %{{.*}} output_shape [1, 2, 2, 8, 8]
// CHECK:         %[[MIX:.*]] = linalg.generic {indexing_maps = [#[[$IN]], #[[$MIX]], #[[$OUT]]]{{.*}} ins(%[[G]], %[[W]] :
// CHECK:           arith.truncf %{{.*}} : f64 to f32
// CHECK:           arith.mulf
// CHECK:           arith.addf
// CHECK:         tensor.collapse_shape %[[MIX]]
func.func @head_mix(%t: tensor<1x4x8x4xf32>, %w: tensor<2x2x2xf64>)
    -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x4x8x8xf32>
    %1 = mta.head_mix %0, %w : tensor<1x4x8x8xf32>, tensor<2x2x2xf64>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

// CHECK-LABEL: func.func @head_mix_of_unknown_groups(
// CHECK-SAME:    %[[W:[^:]*]]: tensor<?x?x?xf32>)
// CHECK:         %[[C:.*]] = tensor.dim %[[W]], %c1
// CHECK:         tensor.from_elements %{{.*}}, %{{.*}}, %[[C]], %{{.*}}, %{{.*}} : tensor<5xindex>
// CHECK:         tensor.reshape
func.func @head_mix_of_unknown_groups(
    %t: tensor<1x4x8x4xf32>, %w: tensor<?x?x?xf32>) -> tensor<1x4x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x4x8x8xf32>, tensor<?x?x?xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>, tensor<1x4x8x4xf32>
      -> tensor<1x4x8x4xf32>
  return %o : tensor<1x4x8x4xf32>
}

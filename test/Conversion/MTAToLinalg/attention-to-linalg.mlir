// The frame around a score program: scores, bounds of the mask, output and
// log-sum-exp.

// RUN: mta-opt %s --convert-mta-to-linalg | FileCheck %s --implicit-check-not=mta.

// CHECK-DAG: #[[$QUERY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d5)>
// CHECK-DAG: #[[$KEY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
// CHECK-DAG: #[[$VALUE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d4)>
// CHECK-DAG: #[[$RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
// CHECK-DAG: #[[$SCORE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-DAG: #[[$ROW:.*]] = affine_map<(d0, d1, d2, d3) -> (d2)>
// CHECK-DAG: #[[$GROUP:.*]] = affine_map<()[s0, s1] -> (s0 floordiv s1, 1)>
// CHECK-DAG: #[[$POSITIVE:.*]] = affine_map<()[s0] -> (s0, 1)>

// Four query heads read two key heads; without a mask every key is allowed.
// CHECK-LABEL: func.func @grouped_queries(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x4x7x16xf32>, %[[K:[^:]*]]: tensor<1x2x9x16xf32>, %[[V:[^:]*]]: tensor<1x2x9x5xf32>)
// CHECK:         %[[KEYS:.*]] = arith.constant 9 : index
// CHECK:         %[[BOUNDS:.*]]:2 = linalg.generic {{.*}} outs({{.*}} : tensor<7xindex>, tensor<7xindex>)
// CHECK:         %[[QG:.*]] = tensor.expand_shape %[[Q]] {{\[\[}}0], [1, 2], [3], [4]] output_shape [1, 2, 2, 7, 16]
// CHECK:         %[[ZERO:.*]] = linalg.fill {{.*}} -> tensor<1x2x2x7x9xf32>
// CHECK:         %[[QK:.*]] = linalg.generic
// CHECK-SAME:      indexing_maps = [#[[$QUERY]], #[[$KEY]], #[[$RESULT]]]
// CHECK-SAME:      ins(%[[QG]], %[[K]] :
// CHECK-SAME:      outs(%[[ZERO]] :
// CHECK:         %[[SCORES:.*]] = tensor.collapse_shape %[[QK]]
// CHECK:         %[[SCALE:.*]] = arith.constant 2.500000e-01 : f32
// CHECK:         %[[MASKED:.*]] = linalg.generic
// CHECK-SAME:      indexing_maps = [#[[$SCORE]], #[[$ROW]], #[[$ROW]], #[[$SCORE]]]
// CHECK-SAME:      ins(%[[SCORES]], %[[BOUNDS]]#0, %[[BOUNDS]]#1 :
// CHECK:         ^bb0(%[[S:.*]]: f32, %[[BEGIN:.*]]: index, %[[END:.*]]: index, %{{.*}}: f32):
// CHECK:           %[[J:.*]] = linalg.index 3
// CHECK:           %[[AFTER:.*]] = arith.cmpi sge, %[[J]], %[[BEGIN]]
// CHECK:           %[[BEFORE:.*]] = arith.cmpi slt, %[[J]], %[[END]]
// CHECK:           %[[ALLOWED:.*]] = arith.andi %[[AFTER]], %[[BEFORE]]
// CHECK:           %[[SCALED:.*]] = arith.mulf %[[S]], %[[SCALE]]
// CHECK:           %[[MASK:.*]] = arith.select %[[ALLOWED]], %[[SCALED]],
// CHECK:           linalg.yield %[[MASK]]
// CHECK:         %[[PG:.*]] = tensor.expand_shape %{{.*}} output_shape [1, 2, 2, 7, 9]
// CHECK:         %[[PV:.*]] = linalg.generic
// CHECK-SAME:      indexing_maps = [#[[$QUERY]], #[[$VALUE]], #[[$RESULT]]]
// CHECK-SAME:      ins(%[[PG]], %[[V]] :
// CHECK:         %[[O:.*]] = tensor.collapse_shape %[[PV]] {{.*}} into tensor<1x4x7x5xf32>
// CHECK:         return %[[O]]
func.func @grouped_queries(
    %q: tensor<1x4x7x16xf32>, %k: tensor<1x2x9x16xf32>, %v: tensor<1x2x9x5xf32>)
    -> tensor<1x4x7x5xf32> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x4x7x9xf32>):
    %p = mta.softmax %s : tensor<1x4x7x9xf32>
    mta.yield %p : tensor<1x4x7x9xf32>
  } : tensor<1x4x7x16xf32>, tensor<1x2x9x16xf32>, tensor<1x2x9x5xf32>
      -> tensor<1x4x7x5xf32>
  return %o : tensor<1x4x7x5xf32>
}

// No mask: query i reads the keys 0 <= j < Nk.
// CHECK-LABEL: func.func @mask_none(
// CHECK:         %[[KEYS:.*]] = arith.constant 9 : index
// CHECK:         linalg.generic
// CHECK:           %[[C0:.*]] = arith.constant 0 : index
// CHECK-NEXT:      linalg.yield %[[C0]], %[[KEYS]]
func.func @mask_none(
    %q: tensor<1x1x7x4xf32>, %k: tensor<1x1x9x4xf32>) -> tensor<1x1x7x4xf32> {
  %o = mta.attention %q, %k, %k {
  ^bb0(%s: tensor<1x1x7x9xf32>):
    %p = mta.softmax %s : tensor<1x1x7x9xf32>
    mta.yield %p : tensor<1x1x7x9xf32>
  } : tensor<1x1x7x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9x4xf32>
      -> tensor<1x1x7x4xf32>
  return %o : tensor<1x1x7x4xf32>
}

// Causal: the keys 0 <= j < i + 1 + (Nk - Nq).
// CHECK-LABEL: func.func @mask_causal(
// CHECK-DAG:     %[[QUERIES:.*]] = arith.constant 7 : index
// CHECK-DAG:     %[[KEYS:.*]] = arith.constant 9 : index
// CHECK:         linalg.generic
// CHECK:           %[[I:.*]] = linalg.index 0
// CHECK:           %[[C0:.*]] = arith.constant 0 : index
// CHECK:           %[[SHIFT:.*]] = arith.subi %[[KEYS]], %[[QUERIES]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[I]],
// CHECK:           %[[END:.*]] = arith.addi %[[NEXT]], %[[SHIFT]]
// CHECK:           linalg.yield %[[C0]], %[[END]]
func.func @mask_causal(
    %q: tensor<1x1x7x4xf32>, %k: tensor<1x1x9x4xf32>) -> tensor<1x1x7x4xf32> {
  %o = mta.attention %q, %k, %k mask(causal) {
  ^bb0(%s: tensor<1x1x7x9xf32>):
    %p = mta.softmax %s : tensor<1x1x7x9xf32>
    mta.yield %p : tensor<1x1x7x9xf32>
  } : tensor<1x1x7x4xf32>, tensor<1x1x9x4xf32>, tensor<1x1x9x4xf32>
      -> tensor<1x1x7x4xf32>
  return %o : tensor<1x1x7x4xf32>
}

// Every query finds its sequence s: query offsets b[s] <= i < b[s+1].
// CHECK-LABEL: func.func @sequences(
// CHECK-SAME:    %[[BQ:[^:]*]]: tensor<4xi32>, %[[BK:[^:]*]]: tensor<4xi32>)
// CHECK-DAG:     %[[BQ0:.*]] = tensor.extract_slice %[[BQ]][0]
// CHECK-DAG:     %[[BQ1:.*]] = tensor.extract_slice %[[BQ]][1]
// CHECK-DAG:     %[[BK0:.*]] = tensor.extract_slice %[[BK]][0]
// CHECK-DAG:     %[[BK1:.*]] = tensor.extract_slice %[[BK]][1]
// CHECK:         %[[BOUNDS:.*]]:3 = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK-SAME:      ins(%[[BQ0]], %[[BQ1]], %[[BK0]], %[[BK1]] :
// CHECK:         ^bb0(%{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32, %[[OLD0:.*]]: index, %[[OLD1:.*]]: index, %[[OLD2:.*]]: index):
// CHECK:           %[[QB:.*]] = arith.index_cast
// CHECK:           %[[QE:.*]] = arith.index_cast
// CHECK:           %[[KB:.*]] = arith.index_cast
// CHECK:           %[[KE:.*]] = arith.index_cast
// CHECK:           %[[IN:.*]] = arith.andi
// CHECK:           arith.subi %[[KE]], %[[QE]]
// CHECK:           %[[END:.*]] = arith.addi
// CHECK:           %[[END:.*]] = arith.addi
// CHECK:           %[[R0:.*]] = arith.select %[[IN]], %[[KB]], %[[OLD0]]
// CHECK:           %[[R1:.*]] = arith.select %[[IN]], %[[END]], %[[OLD1]]
// CHECK:           %[[R2:.*]] = arith.select %[[IN]], %[[QB]], %[[OLD2]]
// CHECK:           linalg.yield %[[R0]], %[[R1]], %[[R2]]
func.func @sequences(
    %t: tensor<1x1x8x4xf32>, %bq: tensor<4xi32>, %bk: tensor<4xi32>)
    -> tensor<1x1x8x4xf32> {
  %o = mta.attention %t, %t, %t mask(causal)
      sequences(%bq, %bk : tensor<4xi32>, tensor<4xi32>) {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
      -> tensor<1x1x8x4xf32>
  return %o : tensor<1x1x8x4xf32>
}

// The rows of the halo are computed and dropped before the values are read; the
// log-sum-exp of a row without keys is minus infinity.
// CHECK-LABEL: func.func @halo_and_log_sum_exp(
// CHECK:         %[[MAX:.*]] = linalg.generic {{.*}} outs({{.*}} : tensor<1x2x8xf32>)
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}} outs({{.*}} : tensor<1x2x8xf32>)
// CHECK:         tensor.extract_slice %{{.*}}[0, 0, 3, 0] [1, 2, 5, 8] [1, 1, 1, 1]
// CHECK:         %[[O:.*]] = tensor.collapse_shape {{.*}} into tensor<1x2x5x4xf32>
// CHECK:         %[[MAX5:.*]] = tensor.extract_slice %[[MAX]][0, 0, 3] [1, 2, 5]
// CHECK:         %[[SUM5:.*]] = tensor.extract_slice %[[SUM]][0, 0, 3] [1, 2, 5]
// CHECK:         %[[LSE:.*]] = linalg.generic {{.*}} ins(%[[MAX5]], %[[SUM5]] :
// CHECK:         ^bb0(%[[M:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK:           %[[EMPTY:.*]] = arith.cmpf oeq, %[[L]],
// CHECK:           %[[LOG:.*]] = math.log %[[L]]
// CHECK:           %[[VALUE:.*]] = arith.addf %[[M]], %[[LOG]]
// CHECK:           %[[NOTHING:.*]] = arith.constant 0xFF800000 : f32
// CHECK:           arith.select %[[EMPTY]], %[[NOTHING]], %[[VALUE]]
// CHECK:         return %[[O]], %[[LSE]]
func.func @halo_and_log_sum_exp(%t: tensor<1x2x8x4xf32>)
    -> (tensor<1x2x5x4xf32>, tensor<1x2x5xf32>) {
  %o, %lse = mta.attention %t, %t, %t query_halo(3) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x5x4xf32>, tensor<1x2x5xf32>
  return %o, %lse : tensor<1x2x5x4xf32>, tensor<1x2x5xf32>
}

// CHECK-LABEL: func.func @scale(
// CHECK:         %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK:         arith.mulf %{{.*}}, %[[SCALE]]
func.func @scale(%t: tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32> {
  %o = mta.attention %t, %t, %t scale(0.5) {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
      -> tensor<1x1x8x4xf32>
  return %o : tensor<1x1x8x4xf32>
}

// Unknown sizes are read at run time: 1/sqrt(D), H/Hk and everything else. No
// division traps when there are no heads.
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<?x?x?x?xf64>, %[[K:[^:]*]]: tensor<?x?x?x?xf64>, %[[V:[^:]*]]: tensor<?x?x?x?xf64>)
// CHECK-DAG:     %[[H:.*]] = tensor.dim %[[Q]], %{{.*}}
// CHECK-DAG:     %[[HK:.*]] = tensor.dim %[[K]], %{{.*}}
// CHECK:         %[[DIVISOR:.*]] = affine.max #[[$POSITIVE]]()[%[[HK]]]
// CHECK:         %[[G:.*]] = affine.max #[[$GROUP]]()[%[[H]], %[[DIVISOR]]]
// CHECK:         %[[SHAPE:.*]] = tensor.from_elements %{{.*}}, %{{.*}}, %[[G]], %{{.*}}, %{{.*}} : tensor<5xindex>
// CHECK:         tensor.reshape %[[Q]](%[[SHAPE]]) : (tensor<?x?x?x?xf64>, tensor<5xindex>) -> tensor<?x?x?x?x?xf64>
// CHECK:         %[[D:.*]] = arith.sitofp %{{.*}} : i64 to f64
// CHECK:         %[[ROOT:.*]] = math.sqrt %[[D]] : f64
// CHECK:         %[[SCALE:.*]] = arith.divf %{{.*}}, %[[ROOT]] : f64
// CHECK:         arith.mulf %{{.*}}, %[[SCALE]] : f64
// CHECK:         return %{{.*}} : tensor<?x?x?x?xf64>
func.func @dynamic(
    %q: tensor<?x?x?x?xf64>, %k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf64>)
    -> tensor<?x?x?x?xf64> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<?x?x?x?xf64>):
    %p = mta.softmax %s : tensor<?x?x?x?xf64>
    mta.yield %p : tensor<?x?x?x?xf64>
  } : tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>
      -> tensor<?x?x?x?xf64>
  return %o : tensor<?x?x?x?xf64>
}

// A result may know more than the operands say.
// CHECK-LABEL: func.func @refined_result(
// CHECK:         %[[C:.*]] = tensor.cast %{{.*}} : tensor<?x1x8x4xf32> to tensor<3x1x8x4xf32>
// CHECK:         return %[[C]]
func.func @refined_result(%t: tensor<?x1x8x4xf32>) -> tensor<3x1x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<?x1x8x8xf32>):
    %p = mta.softmax %s : tensor<?x1x8x8xf32>
    mta.yield %p : tensor<?x1x8x8xf32>
  } : tensor<?x1x8x4xf32>, tensor<?x1x8x4xf32>, tensor<?x1x8x4xf32>
      -> tensor<3x1x8x4xf32>
  return %o : tensor<3x1x8x4xf32>
}

// Sizes that fold although the type has forgotten them.
// CHECK-LABEL: func.func @sizes_behind_a_cast(
// CHECK:         %[[C:.*]] = tensor.cast %{{.*}} : tensor<1x?x8x4xf32> to tensor<1x4x8x4xf32>
// CHECK:         tensor.expand_shape %[[C]] {{.*}} into tensor<1x2x2x8x4xf32>
func.func @sizes_behind_a_cast(
    %q: tensor<1x4x8x4xf32>, %k: tensor<1x2x8x4xf32>) -> tensor<1x?x8x4xf32> {
  %d = tensor.cast %q : tensor<1x4x8x4xf32> to tensor<1x?x8x4xf32>
  %o = mta.attention %d, %k, %k {
  ^bb0(%s: tensor<1x?x8x8xf32>):
    %p = mta.softmax %s : tensor<1x?x8x8xf32>
    mta.yield %p : tensor<1x?x8x8xf32>
  } : tensor<1x?x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x?x8x4xf32>
  return %o : tensor<1x?x8x4xf32>
}

//===----------------------------------------------------------------------===//
// Element types: products and sums are in the type of the scores
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @f16(
// CHECK:         arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.mulf {{.*}} : f32
// CHECK:         arith.addf {{.*}} : f32
// CHECK:         arith.extf %{{.*}} : f16 to f32
// CHECK:         arith.truncf %{{.*}} : f32 to f16
func.func @f16(%t: tensor<1x1x8x4xf16>) -> tensor<1x1x8x4xf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xf16>, tensor<1x1x8x4xf16>, tensor<1x1x8x4xf16>
      -> tensor<1x1x8x4xf16>
  return %o : tensor<1x1x8x4xf16>
}

// CHECK-LABEL: func.func @bf16_to_f32(
// CHECK:         arith.extf %{{.*}} : bf16 to f32
// CHECK-NOT:     arith.truncf
// CHECK:         return
func.func @bf16_to_f32(%t: tensor<1x1x8x4xbf16>) -> tensor<1x1x8x4xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xbf16>, tensor<1x1x8x4xbf16>, tensor<1x1x8x4xbf16>
      -> tensor<1x1x8x4xf32>
  return %o : tensor<1x1x8x4xf32>
}

// CHECK-LABEL: func.func @f64_with_log_sum_exp_in_f32(
// CHECK-NOT:     arith.extf
// CHECK:         math.exp {{.*}} : f64
// CHECK:         math.log {{.*}} : f64
// CHECK:         arith.truncf %{{.*}} : f64 to f32
// CHECK:         return
func.func @f64_with_log_sum_exp_in_f32(%t: tensor<1x1x8x4xf64>)
    -> tensor<1x1x8xf32> {
  %o, %lse = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x8x8xf64>):
    %p = mta.softmax %s : tensor<1x1x8x8xf64>
    mta.yield %p : tensor<1x1x8x8xf64>
  } : tensor<1x1x8x4xf64>, tensor<1x1x8x4xf64>, tensor<1x1x8x4xf64>
      -> tensor<1x1x8x4xf64>, tensor<1x1x8xf32>
  return %lse : tensor<1x1x8xf32>
}

// Static sizes flow from the operands through an attention to its results.

// RUN: mta-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @absorb_casts(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x4x7x8xf32>, %[[K:[^:]*]]: tensor<1x2x9x8xf32>, %[[V:[^:]*]]: tensor<1x2x9x5xf32>)
// CHECK:         %[[O:.*]] = mta.attention %[[Q]], %[[K]], %[[V]] query_halo(2) {
// CHECK-NEXT:    ^bb0(%[[S:.*]]: tensor<1x4x7x9xf32>):
// CHECK-NEXT:      %[[P:.*]] = mta.softmax %[[S]] : tensor<1x4x7x9xf32>
// CHECK-NEXT:      mta.yield %[[P]] : tensor<1x4x7x9xf32>
// CHECK-NEXT:    } : tensor<1x4x7x8xf32>, tensor<1x2x9x8xf32>, tensor<1x2x9x5xf32> -> tensor<1x4x5x5xf32>
// CHECK-NEXT:    %[[C:.*]] = tensor.cast %[[O]] : tensor<1x4x5x5xf32> to tensor<?x?x?x?xf32>
// CHECK-NEXT:    return %[[C]]
func.func @absorb_casts(
    %q: tensor<1x4x7x8xf32>, %k: tensor<1x2x9x8xf32>, %v: tensor<1x2x9x5xf32>)
    -> tensor<?x?x?x?xf32> {
  %dq = tensor.cast %q : tensor<1x4x7x8xf32> to tensor<?x?x?x?xf32>
  %dk = tensor.cast %k : tensor<1x2x9x8xf32> to tensor<?x?x?x?xf32>
  %dv = tensor.cast %v : tensor<1x2x9x5xf32> to tensor<?x?x?x?xf32>
  %o = mta.attention %dq, %dk, %dv query_halo(2) {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %p = mta.softmax %s : tensor<?x?x?x?xf32>
    mta.yield %p : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
      -> tensor<?x?x?x?xf32>
  return %o : tensor<?x?x?x?xf32>
}

// CHECK-LABEL: func.func @absorb_casts_of_boundaries(
// CHECK-SAME:    %[[B:[^:]*]]: tensor<3xi32>
// CHECK:         mta.attention {{.*}} sequences(%[[B]], %[[B]] : tensor<3xi32>, tensor<3xi32>)
func.func @absorb_casts_of_boundaries(
    %t: tensor<1x1x4x4xf32>, %b: tensor<3xi32>) -> tensor<1x1x4x4xf32> {
  %db = tensor.cast %b : tensor<3xi32> to tensor<?xi32>
  %o = mta.attention %t, %t, %t
      sequences(%db, %db : tensor<?xi32>, tensor<?xi32>) {
  ^bb0(%s: tensor<1x1x4x4xf32>):
    %p = mta.softmax %s : tensor<1x1x4x4xf32>
    mta.yield %p : tensor<1x1x4x4xf32>
  } : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
      -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @refine_log_sum_exp(
// CHECK:         %{{.*}}, %[[LSE:.*]] = mta.attention
// CHECK:         -> tensor<2x3x4x8xf32>, tensor<2x3x4xf32>
// CHECK-NEXT:    %[[C:.*]] = tensor.cast %[[LSE]] : tensor<2x3x4xf32> to tensor<?x?x?xf32>
// CHECK-NEXT:    return %[[C]]
func.func @refine_log_sum_exp(%t: tensor<2x3x4x8xf32>) -> tensor<?x?x?xf32> {
  %o, %lse = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<2x3x4x4xf32>):
    %p = mta.softmax %s : tensor<2x3x4x4xf32>
    mta.yield %p : tensor<2x3x4x4xf32>
  } : tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>
      -> tensor<?x3x4x8xf32>, tensor<?x?x?xf32>
  return %lse : tensor<?x?x?xf32>
}

// Attributes stay, and a use of the old type sees the new one through a cast
// that folds into the next attention.
// CHECK-LABEL: func.func @chain(
// CHECK:         %[[A:.*]] = mta.attention %{{.*}}, %{{.*}}, %{{.*}} mask(causal) scale(5.000000e-01) attributes {tag} {
// CHECK:         %[[B:.*]] = mta.attention %[[A]], %[[A]], %[[A]] {
// CHECK:         -> tensor<1x1x4x4xf32>
// CHECK:         return %[[B]] : tensor<1x1x4x4xf32>
func.func @chain(%t: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %a = mta.attention %t, %t, %t mask(causal) scale(0.5) attributes {tag} {
  ^bb0(%s: tensor<1x1x4x4xf32>):
    %p = mta.softmax %s : tensor<1x1x4x4xf32>
    mta.yield %p : tensor<1x1x4x4xf32>
  } : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
      -> tensor<?x1x?x4xf32>
  %b = mta.attention %a, %a, %a {
  ^bb0(%s: tensor<?x1x?x?xf32>):
    %p = mta.softmax %s : tensor<?x1x?x?xf32>
    mta.yield %p : tensor<?x1x?x?xf32>
  } : tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>, tensor<?x1x?x4xf32>
      -> tensor<?x1x?x4xf32>
  %c = tensor.cast %b : tensor<?x1x?x4xf32> to tensor<1x1x4x4xf32>
  return %c : tensor<1x1x4x4xf32>
}

// Sizes of weights and of results say as much as those of operands.
// CHECK-LABEL: func.func @from_weights_and_results(
// CHECK:         ^bb0(%{{.*}}: tensor<2x6x9x?xf32>):
// CHECK:           mta.head_mix %{{.*}}, %{{.*}} : tensor<2x6x9x?xf32>, tensor<2x3x?xf32>
// CHECK:         -> tensor<2x6x7x5xf32>
func.func @from_weights_and_results(
    %q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x5xf32>,
    %w: tensor<2x3x?xf32>) -> tensor<2x?x7x?xf32> {
  %o = mta.attention %q, %k, %v query_halo(2) {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %0 = mta.head_mix %s, %w : tensor<?x?x?x?xf32>, tensor<2x3x?xf32>
    %1 = mta.softmax %0 : tensor<?x?x?x?xf32>
    mta.yield %1 : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x5xf32>
      -> tensor<2x?x7x?xf32>
  return %o : tensor<2x?x7x?xf32>
}

//===----------------------------------------------------------------------===//
// Nothing to do
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @no_fold_cast_that_refines(
// CHECK:         %[[C:.*]] = tensor.cast %{{.*}} : tensor<?x?x?x?xf32> to tensor<1x1x4x4xf32>
// CHECK:         mta.attention %[[C]], %[[C]], %[[C]]
func.func @no_fold_cast_that_refines(%t: tensor<?x?x?x?xf32>)
    -> tensor<1x1x4x4xf32> {
  %c = tensor.cast %t : tensor<?x?x?x?xf32> to tensor<1x1x4x4xf32>
  %o = mta.attention %c, %c, %c {
  ^bb0(%s: tensor<1x1x4x4xf32>):
    %p = mta.softmax %s : tensor<1x1x4x4xf32>
    mta.yield %p : tensor<1x1x4x4xf32>
  } : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
      -> tensor<1x1x4x4xf32>
  return %o : tensor<1x1x4x4xf32>
}

// CHECK-LABEL: func.func @no_fold_unknown_sizes(
// CHECK:         } : {{.*}} -> tensor<?x?x?x?xf32>
// CHECK-NEXT:    return
func.func @no_fold_unknown_sizes(%t: tensor<?x?x?x?xf32>)
    -> tensor<?x?x?x?xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %p = mta.softmax %s : tensor<?x?x?x?xf32>
    mta.yield %p : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
      -> tensor<?x?x?x?xf32>
  return %o : tensor<?x?x?x?xf32>
}

//===----------------------------------------------------------------------===//
// Sizes that contradict each other stay hidden: the error is the caller's
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @no_fold_casts_of_other_batches(
// CHECK:         tensor.cast
// CHECK:         tensor.cast
// CHECK:         } : {{.*}} -> tensor<?x1x4x4xf32>
func.func @no_fold_casts_of_other_batches(
    %q: tensor<1x1x4x4xf32>, %k: tensor<2x1x4x4xf32>) -> tensor<?x1x4x4xf32> {
  %dq = tensor.cast %q : tensor<1x1x4x4xf32> to tensor<?x1x4x4xf32>
  %dk = tensor.cast %k : tensor<2x1x4x4xf32> to tensor<?x1x4x4xf32>
  %o = mta.attention %dq, %dk, %dk {
  ^bb0(%s: tensor<?x1x4x4xf32>):
    %p = mta.softmax %s : tensor<?x1x4x4xf32>
    mta.yield %p : tensor<?x1x4x4xf32>
  } : tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>
      -> tensor<?x1x4x4xf32>
  return %o : tensor<?x1x4x4xf32>
}

// CHECK-LABEL: func.func @no_fold_halo_of_too_few_queries(
// CHECK:         tensor.cast
func.func @no_fold_halo_of_too_few_queries(
    %q: tensor<1x1x4x4xf32>) -> tensor<1x1x?x4xf32> {
  %dq = tensor.cast %q : tensor<1x1x4x4xf32> to tensor<1x1x?x4xf32>
  %o = mta.attention %dq, %q, %q query_halo(5) {
  ^bb0(%s: tensor<1x1x?x4xf32>):
    %p = mta.softmax %s : tensor<1x1x?x4xf32>
    mta.yield %p : tensor<1x1x?x4xf32>
  } : tensor<1x1x?x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
      -> tensor<1x1x?x4xf32>
  return %o : tensor<1x1x?x4xf32>
}

// CHECK-LABEL: func.func @no_fold_weights_of_other_heads(
// CHECK:         tensor.cast
func.func @no_fold_weights_of_other_heads(
    %t: tensor<1x4x4x4xf32>, %w: tensor<3x2x2xf32>) -> tensor<1x?x4x4xf32> {
  %d = tensor.cast %t : tensor<1x4x4x4xf32> to tensor<1x?x4x4xf32>
  %o = mta.attention %d, %d, %d {
  ^bb0(%s: tensor<1x?x4x4xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x?x4x4xf32>, tensor<3x2x2xf32>
    %1 = mta.softmax %0 : tensor<1x?x4x4xf32>
    mta.yield %1 : tensor<1x?x4x4xf32>
  } : tensor<1x?x4x4xf32>, tensor<1x?x4x4xf32>, tensor<1x?x4x4xf32>
      -> tensor<1x?x4x4xf32>
  return %o : tensor<1x?x4x4xf32>
}

// CHECK-LABEL: func.func @no_fold_heads_not_a_multiple(
// CHECK:         tensor.cast
func.func @no_fold_heads_not_a_multiple(
    %q: tensor<1x4x4x4xf32>, %k: tensor<1x3x4x4xf32>) -> tensor<1x?x4x4xf32> {
  %d = tensor.cast %q : tensor<1x4x4x4xf32> to tensor<1x?x4x4xf32>
  %o = mta.attention %d, %k, %k {
  ^bb0(%s: tensor<1x?x4x4xf32>):
    %0 = mta.softmax %s : tensor<1x?x4x4xf32>
    mta.yield %0 : tensor<1x?x4x4xf32>
  } : tensor<1x?x4x4xf32>, tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32>
      -> tensor<1x?x4x4xf32>
  return %o : tensor<1x?x4x4xf32>
}

// CHECK-LABEL: func.func @no_fold_no_heads(
// CHECK:         tensor.cast
func.func @no_fold_no_heads(%q: tensor<1x0x4x4xf32>) -> tensor<1x?x4x4xf32> {
  %d = tensor.cast %q : tensor<1x0x4x4xf32> to tensor<1x?x4x4xf32>
  %o = mta.attention %d, %d, %d {
  ^bb0(%s: tensor<1x?x4x4xf32>):
    %0 = mta.softmax %s : tensor<1x?x4x4xf32>
    mta.yield %0 : tensor<1x?x4x4xf32>
  } : tensor<1x?x4x4xf32>, tensor<1x?x4x4xf32>, tensor<1x?x4x4xf32>
      -> tensor<1x?x4x4xf32>
  return %o : tensor<1x?x4x4xf32>
}

// CHECK-LABEL: func.func @no_fold_results_of_other_batches(
// CHECK:         } : {{.*}} -> tensor<2x1x4x4xf32>, tensor<3x1x4xf32>
func.func @no_fold_results_of_other_batches(%t: tensor<?x1x4x4xf32>)
    -> (tensor<2x1x4x4xf32>, tensor<3x1x4xf32>) {
  %o, %lse = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<?x1x4x4xf32>):
    %0 = mta.softmax %s : tensor<?x1x4x4xf32>
    mta.yield %0 : tensor<?x1x4x4xf32>
  } : tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>, tensor<?x1x4x4xf32>
      -> tensor<2x1x4x4xf32>, tensor<3x1x4xf32>
  return %o, %lse : tensor<2x1x4x4xf32>, tensor<3x1x4xf32>
}

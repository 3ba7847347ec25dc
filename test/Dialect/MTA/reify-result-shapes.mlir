// The sizes of results as functions of the sizes of operands.

// RUN: mta-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s

// CHECK: #[[$ROWS:.*]] = affine_map<()[s0] -> (s0 - 3)>

// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<?x?x?x?xf32>, %[[K:[^:]*]]: tensor<?x?x?x?xf32>, %[[V:[^:]*]]: tensor<?x?x?x?xf32>)
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C3:.*]] = arith.constant 3 : index
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[Q]], %[[C0]]
// CHECK-DAG:     %[[H:.*]] = tensor.dim %[[Q]], %[[C1]]
// CHECK-DAG:     %[[N:.*]] = tensor.dim %[[Q]], %[[C2]]
// CHECK-DAG:     %[[R:.*]] = affine.apply #[[$ROWS]]()[%[[N]]]
// CHECK-DAG:     %[[DV:.*]] = tensor.dim %[[V]], %[[C3]]
// CHECK:         return %[[B]], %[[H]], %[[R]], %[[DV]], %[[B]], %[[H]], %[[R]]
func.func @attention(
    %q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>)
    -> (index, index, index, index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %o, %lse = mta.attention %q, %k, %v query_halo(3) {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %p = mta.softmax %s : tensor<?x?x?x?xf32>
    mta.yield %p : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>
      -> tensor<?x?x?x?xf32>, tensor<?x?x?xf32>
  %0 = tensor.dim %o, %c0 : tensor<?x?x?x?xf32>
  %1 = tensor.dim %o, %c1 : tensor<?x?x?x?xf32>
  %2 = tensor.dim %o, %c2 : tensor<?x?x?x?xf32>
  %3 = tensor.dim %o, %c3 : tensor<?x?x?x?xf32>
  %4 = tensor.dim %lse, %c0 : tensor<?x?x?xf32>
  %5 = tensor.dim %lse, %c1 : tensor<?x?x?xf32>
  %6 = tensor.dim %lse, %c2 : tensor<?x?x?xf32>
  return %0, %1, %2, %3, %4, %5, %6
      : index, index, index, index, index, index, index
}

// CHECK-LABEL: func.func @norm_and_gate(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x4x?x8xf32>
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C4:.*]] = arith.constant 4 : index
// CHECK-DAG:     %[[N:.*]] = tensor.dim %[[X]], %[[C2]]
// CHECK:         return %[[N]], %[[C4]]
func.func @norm_and_gate(
    %x: tensor<?x4x?x8xf32>, %gamma: tensor<8xf32>, %w: tensor<1x8xf32>,
    %b: tensor<1xf32>) -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = mta.head_norm %x, %gamma
      : tensor<?x4x?x8xf32>, tensor<8xf32> -> tensor<?x?x?x8xf32>
  %g = mta.gate %n, %w, %b : tensor<?x?x?x8xf32>, tensor<1x8xf32>,
                             tensor<1xf32> -> tensor<?x?x?x8xf32>
  %0 = tensor.dim %g, %c2 : tensor<?x?x?x8xf32>
  %1 = tensor.dim %n, %c1 : tensor<?x?x?x8xf32>
  return %0, %1 : index, index
}

// A size that is static under a type that forgets it.
// CHECK-LABEL: func.func @static(
// CHECK:         %[[C5:.*]] = arith.constant 5 : index
// CHECK:         return %[[C5]]
func.func @static(%t: tensor<1x1x8x4xf32>) -> index {
  %c2 = arith.constant 2 : index
  %o = mta.attention %t, %t, %t query_halo(3) {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>
      -> tensor<?x?x?x?xf32>
  %0 = tensor.dim %o, %c2 : tensor<?x?x?x?xf32>
  return %0 : index
}

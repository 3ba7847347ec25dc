// Every program ends in the LLVM dialect, and nothing but it.

// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-reference-cpu)' -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: mta-opt %t.mlir --mlir-print-op-generic --mlir-print-local-scope | FileCheck %s --check-prefix=OPS
// RUN: mlir-translate --mlir-to-llvmir %t.mlir -o /dev/null

// OPS: "builtin.module"() ({
// OPS-NOT: {{"(mta|linalg|tensor|memref|bufferization|affine|scf|cf|arith|math|index|func|ub)\.}}
// OPS-NOT: unrealized_conversion_cast

// CHECK-DAG: llvm.func @every_part(
// CHECK-DAG: llvm.func @_mlir_ciface_every_part(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr
func.func @every_part(
    %q: tensor<1x4x8x16xbf16>, %k: tensor<1x2x9x16xbf16>,
    %v: tensor<1x2x9x5xbf16>, %conv: tensor<4x6x11xbf16>,
    %mix: tensor<2x2x2xbf16>, %conv3d: tensor<4x2x3x4xbf16>,
    %gamma: tensor<5xbf16>, %w: tensor<1x5xbf16>, %b: tensor<1xbf16>)
    -> (tensor<1x4x5x5xbf16>, tensor<1x4x5xf32>) {
  %o, %lse = mta.attention %q, %k, %v mask(causal) query_halo(3) {
  ^bb0(%s: tensor<1x4x8x9xf32>):
    %0 = mta.key_query_conv %s, %conv
        : tensor<1x4x8x9xf32>, tensor<4x6x11xbf16>
    %1 = mta.head_mix %0, %mix : tensor<1x4x8x9xf32>, tensor<2x2x2xbf16>
    %2 = mta.softmax %1 : tensor<1x4x8x9xf32>
    %3 = mta.key_query_conv %2, %conv3d padding(left)
        : tensor<1x4x8x9xf32>, tensor<4x2x3x4xbf16>
    %4 = mta.head_mix %3, %mix : tensor<1x4x8x9xf32>, tensor<2x2x2xbf16>
    mta.yield %4 : tensor<1x4x8x9xf32>
  } : tensor<1x4x8x16xbf16>, tensor<1x2x9x16xbf16>, tensor<1x2x9x5xbf16>
      -> tensor<1x4x5x5xf32>, tensor<1x4x5xf32>
  %n = mta.head_norm %o, %gamma layer(3)
      : tensor<1x4x5x5xf32>, tensor<5xbf16> -> tensor<1x4x5x5xf32>
  %g = mta.gate %n, %w, %b : tensor<1x4x5x5xf32>, tensor<1x5xbf16>,
                             tensor<1xbf16> -> tensor<1x4x5x5xbf16>
  return %g, %lse : tensor<1x4x5x5xbf16>, tensor<1x4x5xf32>
}

// Every size unknown.
// CHECK-DAG: llvm.func @_mlir_ciface_dynamic(
func.func @dynamic(
    %q: tensor<?x?x?x?xf64>, %k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf64>,
    %conv: tensor<?x3x5xf64>, %conv3d: tensor<?x?x3x5xf64>,
    %mix: tensor<?x?x?xf64>) -> (tensor<?x?x?x?xf64>, tensor<?x?x?xf64>) {
  %o, %lse = mta.attention %q, %k, %v mask(causal) query_halo(2) {
  ^bb0(%s: tensor<?x?x?x?xf64>):
    %0 = mta.key_query_conv %s, %conv : tensor<?x?x?x?xf64>, tensor<?x3x5xf64>
    %1 = mta.key_query_conv %0, %conv3d
        : tensor<?x?x?x?xf64>, tensor<?x?x3x5xf64>
    %2 = mta.head_mix %1, %mix : tensor<?x?x?x?xf64>, tensor<?x?x?xf64>
    %3 = mta.softmax %2 : tensor<?x?x?x?xf64>
    mta.yield %3 : tensor<?x?x?x?xf64>
  } : tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>
      -> tensor<?x?x?x?xf64>, tensor<?x?x?xf64>
  return %o, %lse : tensor<?x?x?x?xf64>, tensor<?x?x?xf64>
}

// CHECK-DAG: llvm.func @_mlir_ciface_sequences(
func.func @sequences(
    %t: tensor<1x4x?x16xf16>, %b: tensor<?xi32>, %conv: tensor<4x4x3x5xf16>)
    -> tensor<1x4x?x16xf16> {
  %o = mta.attention %t, %t, %t mask(causal)
      sequences(%b, %b : tensor<?xi32>, tensor<?xi32>) {
  ^bb0(%s: tensor<1x4x?x?xf32>):
    %0 = mta.key_query_conv %s, %conv
        : tensor<1x4x?x?xf32>, tensor<4x4x3x5xf16>
    %1 = mta.softmax %0 : tensor<1x4x?x?xf32>
    mta.yield %1 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16>, tensor<1x4x?x16xf16>
      -> tensor<1x4x?x16xf16>
  return %o : tensor<1x4x?x16xf16>
}

// CHECK-DAG: llvm.func @_mlir_ciface_vector_gate(
func.func @vector_gate(
    %x: tensor<?x2x?x4xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>)
    -> tensor<?x2x?x4xf32> {
  %0 = mta.gate %x, %w, %b : tensor<?x2x?x4xf32>, tensor<4x4xf32>,
                             tensor<4xf32> -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// Weights that are part of the program.
// CHECK-DAG: llvm.mlir.global private constant @__constant_4x1x3xf32
// CHECK-DAG: llvm.func @_mlir_ciface_constant_weights(
func.func @constant_weights(%t: tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32> {
  %w = arith.constant dense<[[[0.25, 0.5, 0.25]], [[0.0, 1.0, 0.5]],
                             [[1.0, 0.0, 0.0]], [[0.5, 0.5, 0.5]]]>
      : tensor<4x1x3xf32>
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x4x8x8xf32>, tensor<4x1x3xf32>
    %1 = mta.softmax %0 : tensor<1x4x8x8xf32>
    mta.yield %1 : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>, tensor<1x4x8x16xf32>
      -> tensor<1x4x8x16xf32>
  return %o : tensor<1x4x8x16xf32>
}

// Two attentions, the second on the output of the first.
// CHECK-DAG: llvm.func @_mlir_ciface_chain(
func.func @chain(%t: tensor<2x1x8x16xf32>) -> tensor<2x1x8x16xf32> {
  %a = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<2x1x8x8xf32>):
    %0 = mta.softmax %s : tensor<2x1x8x8xf32>
    mta.yield %0 : tensor<2x1x8x8xf32>
  } : tensor<2x1x8x16xf32>, tensor<2x1x8x16xf32>, tensor<2x1x8x16xf32>
      -> tensor<2x1x8x16xf32>
  %b = mta.attention %a, %t, %a {
  ^bb0(%s: tensor<2x1x8x8xf32>):
    %0 = mta.softmax %s : tensor<2x1x8x8xf32>
    mta.yield %0 : tensor<2x1x8x8xf32>
  } : tensor<2x1x8x16xf32>, tensor<2x1x8x16xf32>, tensor<2x1x8x16xf32>
      -> tensor<2x1x8x16xf32>
  return %b : tensor<2x1x8x16xf32>
}

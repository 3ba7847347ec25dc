// Every operation with every optional part, through the custom form, the
// generic form and bytecode.

// RUN: mta-opt %s | mta-opt | FileCheck %s
// RUN: mta-opt %s --mlir-print-op-generic | mta-opt | FileCheck %s
// RUN: mta-opt %s --emit-bytecode | mta-opt | FileCheck %s
// RUN: mta-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

//===----------------------------------------------------------------------===//
// mta.attention
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @attention_minimal(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x4x7x8xf32>, %[[K:.*]]: tensor<2x4x9x8xf32>, %[[V:.*]]: tensor<2x4x9x5xf32>)
// CHECK:         %[[O:.*]] = mta.attention %[[Q]], %[[K]], %[[V]] {
// CHECK-NEXT:    ^bb0(%[[S:.*]]: tensor<2x4x7x9xf32>):
// CHECK-NEXT:      %[[P:.*]] = mta.softmax %[[S]] : tensor<2x4x7x9xf32>
// CHECK-NEXT:      mta.yield %[[P]] : tensor<2x4x7x9xf32>
// CHECK-NEXT:    } : tensor<2x4x7x8xf32>, tensor<2x4x9x8xf32>, tensor<2x4x9x5xf32> -> tensor<2x4x7x5xf32>
// CHECK-NEXT:    return %[[O]]
// GENERIC-LABEL: sym_name = "attention_minimal"
// GENERIC:         "mta.attention"({{.*}}) <{mask = #mta<mask none>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, query_halo = 0 : i64}> ({
func.func @attention_minimal(
    %q: tensor<2x4x7x8xf32>, %k: tensor<2x4x9x8xf32>, %v: tensor<2x4x9x5xf32>)
    -> tensor<2x4x7x5xf32> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<2x4x7x9xf32>):
    %p = mta.softmax %s : tensor<2x4x7x9xf32>
    mta.yield %p : tensor<2x4x7x9xf32>
  } : tensor<2x4x7x8xf32>, tensor<2x4x9x8xf32>, tensor<2x4x9x5xf32>
      -> tensor<2x4x7x5xf32>
  return %o : tensor<2x4x7x5xf32>
}

// A schedule prints without the mnemonic of its attribute and parses with it too.

// CHECK-LABEL: func.func @attention_schedule(
// CHECK:         mta.attention %{{.*}}, %{{.*}}, %{{.*}} mask(causal) schedule(<query_tile = 64, key_tile = 128, edge_key_tile = 32, sweeps = 2, heads = 4, lanes = 16, staging = packed>) {
// GENERIC-LABEL: sym_name = "attention_schedule"
// GENERIC:         schedule = #mta.schedule<query_tile = 64, key_tile = 128, edge_key_tile = 32, sweeps = 2, heads = 4, lanes = 16, staging = packed>
func.func @attention_schedule(%t: tensor<1x8x?x8xf32>) -> tensor<1x8x?x8xf32> {
  %o = mta.attention %t, %t, %t mask(causal)
      schedule(#mta.schedule<heads = 4, lanes = 16, sweeps = 2, query_tile = 64,
                             key_tile = 128, edge_key_tile = 32,
                             staging = packed>) {
  ^bb0(%s: tensor<1x8x?x?xf32>):
    %p = mta.softmax %s : tensor<1x8x?x?xf32>
    mta.yield %p : tensor<1x8x?x?xf32>
  } : tensor<1x8x?x8xf32>, tensor<1x8x?x8xf32>, tensor<1x8x?x8xf32>
      -> tensor<1x8x?x8xf32>
  return %o : tensor<1x8x?x8xf32>
}

// CHECK-LABEL: func.func @attention_kernel_schedule(
// CHECK:         mta.attention %{{.*}}, %{{.*}}, %{{.*}} kernel_schedule(<rows = 32, key_tile = 48, warps = 2, stages = 1, query = workgroup, scores = f16x2, key_splits = 4>) {
// GENERIC-LABEL: sym_name = "attention_kernel_schedule"
// GENERIC:         kernel_schedule = #mta.kernel_schedule<rows = 32, key_tile = 48, warps = 2, stages = 1, query = workgroup, scores = f16x2, key_splits = 4>
func.func @attention_kernel_schedule(%t: tensor<1x8x?x8xf16>) -> tensor<1x8x?x8xf16> {
  %o = mta.attention %t, %t, %t
      kernel_schedule(#mta.kernel_schedule<warps = 2, rows = 32, stages = 1,
                                           key_tile = 48, scores = f16x2,
                                           key_splits = 4, query = workgroup>) {
  ^bb0(%s: tensor<1x8x?x?xf32>):
    %p = mta.softmax %s : tensor<1x8x?x?xf32>
    mta.yield %p : tensor<1x8x?x?xf32>
  } : tensor<1x8x?x8xf16>, tensor<1x8x?x8xf16>, tensor<1x8x?x8xf16>
      -> tensor<1x8x?x8xf16>
  return %o : tensor<1x8x?x8xf16>
}

// CHECK-LABEL: func.func @attention_all_options(
// CHECK:         mta.attention %{{.*}}, %{{.*}}, %{{.*}} mask(causal) scale(1.250000e-01) query_halo(3) attributes {note = "kept"} {
// CHECK:         -> tensor<1x4x5x8xf32>, tensor<1x4x5xf32>
// GENERIC-LABEL: sym_name = "attention_all_options"
// GENERIC:         "mta.attention"({{.*}}) <{mask = #mta<mask causal>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>, query_halo = 3 : i64, scale = 1.250000e-01 : f64}> ({
func.func @attention_all_options(
    %q: tensor<1x4x8x8xf16>, %k: tensor<1x2x8x8xf16>, %v: tensor<1x2x8x8xf16>)
    -> (tensor<1x4x5x8xf32>, tensor<1x4x5xf32>) {
  %o, %lse = mta.attention %q, %k, %v mask(causal) scale(0.125) query_halo(3)
      attributes {note = "kept"} {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %p = mta.softmax %s : tensor<1x4x8x8xf32>
    mta.yield %p : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x8xf16>, tensor<1x2x8x8xf16>, tensor<1x2x8x8xf16>
      -> tensor<1x4x5x8xf32>, tensor<1x4x5xf32>
  return %o, %lse : tensor<1x4x5x8xf32>, tensor<1x4x5xf32>
}

// The default of an attribute is not printed.
// CHECK-LABEL: func.func @attention_defaults_spelled_out(
// CHECK:         mta.attention %{{.*}}, %{{.*}}, %{{.*}} {
func.func @attention_defaults_spelled_out(
    %q: tensor<1x1x8x8xf64>, %k: tensor<1x1x8x8xf64>, %v: tensor<1x1x8x8xf64>)
    -> tensor<1x1x8x8xf64> {
  %o = mta.attention %q, %k, %v mask(none) query_halo(0) {
  ^bb0(%s: tensor<1x1x8x8xf64>):
    %p = mta.softmax %s : tensor<1x1x8x8xf64>
    mta.yield %p : tensor<1x1x8x8xf64>
  } : tensor<1x1x8x8xf64>, tensor<1x1x8x8xf64>, tensor<1x1x8x8xf64>
      -> tensor<1x1x8x8xf64>
  return %o : tensor<1x1x8x8xf64>
}

// CHECK-LABEL: func.func @attention_sequences(
// CHECK-SAME:    %[[BQ:[^:]*]]: tensor<4xi32>, %[[BK:[^:]*]]: tensor<?xi32>)
// CHECK:         mta.attention %{{.*}}, %{{.*}}, %{{.*}} mask(causal) sequences(%[[BQ]], %[[BK]] : tensor<4xi32>, tensor<?xi32>) {
// GENERIC-LABEL: sym_name = "attention_sequences"
// GENERIC:         operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>
func.func @attention_sequences(
    %q: tensor<1x2x?x8xbf16>, %k: tensor<1x2x?x8xbf16>,
    %v: tensor<1x2x?x8xbf16>, %bq: tensor<4xi32>, %bk: tensor<?xi32>)
    -> tensor<1x2x?x8xbf16> {
  %o = mta.attention %q, %k, %v mask(causal)
      sequences(%bq, %bk : tensor<4xi32>, tensor<?xi32>) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %p = mta.softmax %s : tensor<1x2x?x?xf32>
    mta.yield %p : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x8xbf16>, tensor<1x2x?x8xbf16>, tensor<1x2x?x8xbf16>
      -> tensor<1x2x?x8xbf16>
  return %o : tensor<1x2x?x8xbf16>
}

// Scores may be wider than the inputs, and a halo may be all queries.
// CHECK-LABEL: func.func @attention_wide_scores_no_output_rows(
// CHECK:         query_halo(8)
// CHECK:         ^bb0(%{{.*}}: tensor<1x1x8x8xf64>):
// CHECK:         -> tensor<1x1x0x8xf64>, tensor<1x1x0xf64>
func.func @attention_wide_scores_no_output_rows(
    %q: tensor<1x1x8x8xf32>, %k: tensor<1x1x8x8xf32>, %v: tensor<1x1x8x8xf32>)
    -> (tensor<1x1x0x8xf64>, tensor<1x1x0xf64>) {
  %o, %lse = mta.attention %q, %k, %v query_halo(8) {
  ^bb0(%s: tensor<1x1x8x8xf64>):
    %p = mta.softmax %s : tensor<1x1x8x8xf64>
    mta.yield %p : tensor<1x1x8x8xf64>
  } : tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>
      -> tensor<1x1x0x8xf64>, tensor<1x1x0xf64>
  return %o, %lse : tensor<1x1x0x8xf64>, tensor<1x1x0xf64>
}

// CHECK-LABEL: func.func @attention_dynamic(
// CHECK:         ^bb0(%{{.*}}: tensor<?x?x?x?xf32>):
// CHECK:         } : tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16> -> tensor<?x?x?x?xf16>
func.func @attention_dynamic(
    %q: tensor<?x?x?x?xf16>, %k: tensor<?x?x?x?xf16>, %v: tensor<?x?x?x?xf16>)
    -> tensor<?x?x?x?xf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<?x?x?x?xf32>):
    %p = mta.softmax %s : tensor<?x?x?x?xf32>
    mta.yield %p : tensor<?x?x?x?xf32>
  } : tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16>, tensor<?x?x?x?xf16>
      -> tensor<?x?x?x?xf16>
  return %o : tensor<?x?x?x?xf16>
}

//===----------------------------------------------------------------------===//
// Score operations
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @score_operations(
// CHECK-SAME:    %[[BOTH:[^:]*]]: tensor<4x6x11xbf16>, %[[LEFT:[^:]*]]: tensor<4x2x4xf32>, %[[RIGHT:[^:]*]]: tensor<4x2x3x4xf16>, %[[MIX:[^:]*]]: tensor<2x2x2xf64>)
// CHECK:         ^bb0(%[[S:.*]]: tensor<1x4x8x8xf32>):
// CHECK-NEXT:      %[[A:.*]] = mta.key_query_conv %[[S]], %[[BOTH]] : tensor<1x4x8x8xf32>, tensor<4x6x11xbf16>
// CHECK-NEXT:      %[[B:.*]] = mta.key_query_conv %[[A]], %[[LEFT]] padding(left) : tensor<1x4x8x8xf32>, tensor<4x2x4xf32>
// CHECK-NEXT:      %[[C:.*]] = mta.softmax %[[B]] {tag} : tensor<1x4x8x8xf32>
// CHECK-NEXT:      %[[D:.*]] = mta.key_query_conv %[[C]], %[[RIGHT]] padding(right) {tag} : tensor<1x4x8x8xf32>, tensor<4x2x3x4xf16>
// CHECK-NEXT:      %[[E:.*]] = mta.head_mix %[[D]], %[[MIX]] {tag} : tensor<1x4x8x8xf32>, tensor<2x2x2xf64>
// CHECK-NEXT:      mta.yield %[[E]] {tag} : tensor<1x4x8x8xf32>
// GENERIC-LABEL: sym_name = "score_operations"
// GENERIC:         "mta.key_query_conv"{{.*}} <{padding = #mta<key_padding both>}>
// GENERIC:         "mta.key_query_conv"{{.*}} <{padding = #mta<key_padding left>}>
// GENERIC:         "mta.key_query_conv"{{.*}} <{padding = #mta<key_padding right>}> {tag}
func.func @score_operations(
    %q: tensor<1x4x8x8xbf16>, %k: tensor<1x4x8x8xbf16>,
    %v: tensor<1x4x8x8xbf16>, %both: tensor<4x6x11xbf16>,
    %left: tensor<4x2x4xf32>, %right: tensor<4x2x3x4xf16>,
    %mix: tensor<2x2x2xf64>) -> tensor<1x4x8x8xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x4x8x8xf32>):
    %0 = mta.key_query_conv %s, %both padding(both)
        : tensor<1x4x8x8xf32>, tensor<4x6x11xbf16>
    %1 = mta.key_query_conv %0, %left padding(left)
        : tensor<1x4x8x8xf32>, tensor<4x2x4xf32>
    %2 = mta.softmax %1 {tag} : tensor<1x4x8x8xf32>
    %3 = mta.key_query_conv %2, %right padding(right) {tag}
        : tensor<1x4x8x8xf32>, tensor<4x2x3x4xf16>
    %4 = mta.head_mix %3, %mix {tag} : tensor<1x4x8x8xf32>, tensor<2x2x2xf64>
    mta.yield %4 {tag} : tensor<1x4x8x8xf32>
  } : tensor<1x4x8x8xbf16>, tensor<1x4x8x8xbf16>, tensor<1x4x8x8xbf16>
      -> tensor<1x4x8x8xbf16>
  return %o : tensor<1x4x8x8xbf16>
}

// Only window sizes must be static.
// CHECK-LABEL: func.func @score_operations_dynamic(
// CHECK:         mta.key_query_conv %{{.*}}, %{{.*}} : tensor<?x?x?x?xf64>, tensor<?x3x5xf64>
// CHECK-NEXT:    mta.key_query_conv %{{.*}}, %{{.*}} : tensor<?x?x?x?xf64>, tensor<?x?x3x5xf64>
// CHECK-NEXT:    mta.head_mix %{{.*}}, %{{.*}} : tensor<?x?x?x?xf64>, tensor<?x?x?xf64>
func.func @score_operations_dynamic(
    %q: tensor<?x?x?x?xf64>, %k: tensor<?x?x?x?xf64>, %v: tensor<?x?x?x?xf64>,
    %conv: tensor<?x3x5xf64>, %conv3d: tensor<?x?x3x5xf64>,
    %mix: tensor<?x?x?xf64>) -> tensor<?x?x?x?xf64> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<?x?x?x?xf64>):
    %0 = mta.key_query_conv %s, %conv : tensor<?x?x?x?xf64>, tensor<?x3x5xf64>
    %1 = mta.key_query_conv %0, %conv3d
        : tensor<?x?x?x?xf64>, tensor<?x?x3x5xf64>
    %2 = mta.head_mix %1, %mix : tensor<?x?x?x?xf64>, tensor<?x?x?xf64>
    %3 = mta.softmax %2 : tensor<?x?x?x?xf64>
    mta.yield %3 : tensor<?x?x?x?xf64>
  } : tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>, tensor<?x?x?x?xf64>
      -> tensor<?x?x?x?xf64>
  return %o : tensor<?x?x?x?xf64>
}

//===----------------------------------------------------------------------===//
// mta.head_norm and mta.gate
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @head_norm(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<1x2x3x4xbf16>, %[[GAMMA:[^:]*]]: tensor<4xf16>, %[[DYN:[^:]*]]: tensor<?x?x?x?xf64>, %[[DYN_GAMMA:[^:]*]]: tensor<?xf64>)
// CHECK:         mta.head_norm %[[X]], %[[GAMMA]] : tensor<1x2x3x4xbf16>, tensor<4xf16> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    mta.head_norm %[[DYN]], %[[DYN_GAMMA]] epsilon(0.000000e+00) layer(0) {tag} : tensor<?x?x?x?xf64>, tensor<?xf64> -> tensor<?x?x?x?xf64>
func.func @head_norm(
    %x: tensor<1x2x3x4xbf16>, %gamma: tensor<4xf16>,
    %dyn: tensor<?x?x?x?xf64>, %dyn_gamma: tensor<?xf64>)
    -> (tensor<1x2x3x4xf32>, tensor<?x?x?x?xf64>) {
  %0 = mta.head_norm %x, %gamma epsilon(1.0e-5)
      : tensor<1x2x3x4xbf16>, tensor<4xf16> -> tensor<1x2x3x4xf32>
  %1 = mta.head_norm %dyn, %dyn_gamma epsilon(0.0) layer(0) {tag}
      : tensor<?x?x?x?xf64>, tensor<?xf64> -> tensor<?x?x?x?xf64>
  return %0, %1 : tensor<1x2x3x4xf32>, tensor<?x?x?x?xf64>
}

// CHECK-LABEL: func.func @gate(
// CHECK:         mta.gate %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x3x4xf32>, tensor<1x4xf16>, tensor<1xf64> -> tensor<1x2x3x4xbf16>
// CHECK-NEXT:    mta.gate %{{.*}}, %{{.*}}, %{{.*}} {tag} : tensor<1x2x3x4xf32>, tensor<4x4xf16>, tensor<4xf32> -> tensor<1x2x3x4xf32>
// CHECK-NEXT:    mta.gate %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x?x?xf32>, tensor<?x?xf32>, tensor<?xf32> -> tensor<?x?x?x?xf16>
func.func @gate(
    %x: tensor<1x2x3x4xf32>, %scalar: tensor<1x4xf16>, %one: tensor<1xf64>,
    %vector: tensor<4x4xf16>, %four: tensor<4xf32>, %dyn: tensor<?x?x?x?xf32>,
    %dyn_weights: tensor<?x?xf32>, %dyn_bias: tensor<?xf32>)
    -> (tensor<1x2x3x4xbf16>, tensor<1x2x3x4xf32>, tensor<?x?x?x?xf16>) {
  %0 = mta.gate %x, %scalar, %one
      : tensor<1x2x3x4xf32>, tensor<1x4xf16>, tensor<1xf64>
      -> tensor<1x2x3x4xbf16>
  %1 = mta.gate %x, %vector, %four {tag}
      : tensor<1x2x3x4xf32>, tensor<4x4xf16>, tensor<4xf32>
      -> tensor<1x2x3x4xf32>
  %2 = mta.gate %dyn, %dyn_weights, %dyn_bias
      : tensor<?x?x?x?xf32>, tensor<?x?xf32>, tensor<?xf32>
      -> tensor<?x?x?x?xf16>
  return %0, %1, %2
      : tensor<1x2x3x4xbf16>, tensor<1x2x3x4xf32>, tensor<?x?x?x?xf16>
}

//===----------------------------------------------------------------------===//
// Names and attributes
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @names(
// CHECK:         %[[O:output]], %[[L:log_sum_exp]] = mta.attention
// CHECK-NEXT:    ^bb0(%[[S:scores]]: tensor<1x1x2x2xf32>):
func.func @names(%t: tensor<1x1x2x2xf32>) -> tensor<1x1x2xf32> {
  %0:2 = mta.attention %t, %t, %t {
  ^bb0(%1: tensor<1x1x2x2xf32>):
    %2 = mta.softmax %1 : tensor<1x1x2x2xf32>
    mta.yield %2 : tensor<1x1x2x2xf32>
  } : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
      -> tensor<1x1x2x2xf32>, tensor<1x1x2xf32>
  return %0#1 : tensor<1x1x2xf32>
}

// CHECK-LABEL: func.func private @attributes()
// CHECK-SAME:    {masks = [#mta<mask none>, #mta<mask causal>], paddings = [#mta<key_padding both>, #mta<key_padding left>, #mta<key_padding right>]}
func.func private @attributes() attributes {
  masks = [#mta<mask none>, #mta<mask causal>],
  paddings = [#mta<key_padding both>, #mta<key_padding left>,
              #mta<key_padding right>]
}

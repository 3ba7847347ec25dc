// Options and results that mta.attention does not accept, by the labels C8 to C12
// of its preconditions and postconditions.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c8_negative_halo(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a query halo of at least 0, but got -1}}
  %o = mta.attention %q, %k, %v query_halo(-1) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c8_halo_larger_than_queries(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a query halo of at most the 8 queries, but got 9}}
  %o = mta.attention %q, %k, %v query_halo(9) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x?x4xf32>
  return
}

// -----

func.func @c8_smallest_halo(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a query halo of at least 0, but got -9223372036854775808}}
  %o = mta.attention %q, %k, %v query_halo(-9223372036854775808) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c8_largest_halo(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a query halo of at most the 8 queries, but got 9223372036854775807}}
  %o = mta.attention %q, %k, %v query_halo(9223372036854775807) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c9_different_numbers_of_sequences(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>,
    %bq: tensor<3xi32>, %bk: tensor<4xi32>) {
  // expected-error @below {{'mta.attention' op expects the same number of query and key boundaries, but got 3 and 4}}
  %o = mta.attention %q, %k, %v 
      sequences(%bq, %bk : tensor<3xi32>, tensor<4xi32>) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c9_single_boundary(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>,
    %bq: tensor<3xi32>, %bk: tensor<1xi32>) {
  // expected-error @below {{'mta.attention' op expects at least 2 sequence boundaries, but got 1}}
  %o = mta.attention %q, %k, %v 
      sequences(%bq, %bk : tensor<3xi32>, tensor<1xi32>) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c9_halo_beside_sequences(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>,
    %bq: tensor<3xi32>, %bk: tensor<3xi32>) {
  // expected-error @below {{'mta.attention' op expects no query halo beside sequence boundaries, but got 2}}
  %o = mta.attention %q, %k, %v query_halo(2)
      sequences(%bq, %bk : tensor<3xi32>, tensor<3xi32>) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x6x4xf32>
  return
}

// -----

func.func @c10_infinite_scale(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a finite scale, but got 0x7FF0000000000000 : f64}}
  %o = mta.attention %q, %k, %v scale(0x7FF0000000000000) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c10_nan_scale(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a finite scale, but got 0x7FF8000000000000 : f64}}
  %o = mta.attention %q, %k, %v scale(0x7FF8000000000000) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c11_output_keeps_halo_rows(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects output of type 'tensor<1x2x6x4xf32>', but got 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v query_halo(2) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c11_output_of_value_dimension(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x5xf32>) {
  // expected-error @below {{'mta.attention' op expects output of type 'tensor<1x2x8x5xf32>', but got 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x5xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c11_output_element_type(
    %q: tensor<1x2x8x4xf16>, %k: tensor<1x2x8x4xf16>, %v: tensor<1x2x8x4xf16>) {
  // expected-error @below {{'mta.attention' op expects an output of element type 'f16' or 'f32', but got 'bf16'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf16>, tensor<1x2x8x4xf16>, tensor<1x2x8x4xf16>
      -> tensor<1x2x8x4xbf16>
  return
}

// -----

func.func @c12_log_sum_exp_shape(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects log-sum-exp of type 'tensor<1x2x6xf32>', but got 'tensor<1x2x8xf32>'}}
  %o, %lse = mta.attention %q, %k, %v query_halo(2) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x6x4xf32>, tensor<1x2x8xf32>
  return
}

// -----

func.func @c12_log_sum_exp_element_type(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a log-sum-exp of the scores' element type 'f32', but got 'f64'}}
  %o, %lse = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>, tensor<1x2x8xf64>
  return
}

// -----

func.func @element_type_of_output(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op result #0 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x8x4xf8E5M2>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf8E5M2>
  return
}

// -----

func.func @rank_of_log_sum_exp(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op result #1 must be 3D tensor of f32 or f64 values without encoding, but got 'tensor<1x2x8x1xf32>'}}
  %o, %lse = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>, tensor<1x2x8x1xf32>
  return
}

// -----

func.func @element_type_of_log_sum_exp(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op result #1 must be 3D tensor of f32 or f64 values without encoding, but got 'tensor<1x2x8xf16>'}}
  %o, %lse = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>, tensor<1x2x8xf16>
  return
}

// -----

func.func @element_type_of_boundaries(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>,
    %bq: tensor<3xi64>) {
  // expected-error @below {{'mta.attention' op operand #3 must be 1D tensor of 32-bit signless integer values without encoding, but got 'tensor<3xi64>'}}
  %o = mta.attention %q, %k, %v 
      sequences(%bq, %bq : tensor<3xi64>, tensor<3xi64>) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @rank_of_boundaries(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>,
    %bq: tensor<3x1xi32>) {
  // expected-error @below {{'mta.attention' op operand #3 must be 1D tensor of 32-bit signless integer values without encoding, but got 'tensor<3x1xi32>'}}
  %o = mta.attention %q, %k, %v 
      sequences(%bq, %bq : tensor<3x1xi32>, tensor<3x1xi32>) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @unknown_mask(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{expected one of [none, causal] for which keys a query may read, got: full}}
  %o = mta.attention %q, %k, %v mask(full) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @options_out_of_order(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{expected '{' to begin a region}}
  %o = mta.attention %q, %k, %v query_halo(1) mask(causal) {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c9_only_boundaries_of_queries(
    %t: tensor<1x2x8x4xf32>, %b: tensor<3xi32>) {
  // expected-error @below {{'mta.attention' op expects boundaries of both queries and keys, but got only those of the queries}}
  %o = "mta.attention"(%t, %t, %t, %b)
      <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 0>}> ({
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  }) : (tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>,
         tensor<3xi32>) -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c9_only_boundaries_of_keys(
    %t: tensor<1x2x8x4xf32>, %b: tensor<3xi32>) {
  // expected-error @below {{'mta.attention' op expects boundaries of both queries and keys, but got only those of the keys}}
  %o = "mta.attention"(%t, %t, %t, %b)
      <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1>}> ({
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  }) : (tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>,
         tensor<3xi32>) -> tensor<1x2x8x4xf32>
  return
}

// Inputs and scores that mta.attention does not accept, by the labels C1 to C5 of
// its preconditions. The twin attention-options-invalid.mlir has C8 to C12,
// score-program-invalid.mlir C6 and C7.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c1_key_element_type(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf16>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects query, key and value of one element type, but got 'f32', 'f16' and 'f32'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf16>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c1_value_element_type(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xbf16>) {
  // expected-error @below {{'mta.attention' op expects query, key and value of one element type, but got 'f32', 'f32' and 'bf16'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xbf16>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_batch_of_key(
    %q: tensor<1x2x8x4xf32>, %k: tensor<3x2x8x4xf32>, %v: tensor<3x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same batch of query and key, but got 1 and 3}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<3x2x8x4xf32>, tensor<3x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_batch_of_value(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<3x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same batch of query and value, but got 1 and 3}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<3x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_batch_behind_dynamic_query(
    %q: tensor<?x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<3x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same batch of key and value, but got 1 and 3}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<?x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<3x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_heads_of_value(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x1x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same heads of key and value, but got 2 and 1}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x1x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_keys_of_value(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x9x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same number of keys of key and value, but got 8 and 9}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x9x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_query_heads_not_a_multiple(
    %q: tensor<1x3x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the number of query heads to be a multiple of the number of key heads, but got 3 and 2}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x3x8x8xf32>):
    %p = mta.softmax %s : tensor<1x3x8x8xf32>
    mta.yield %p : tensor<1x3x8x8xf32>
  } : tensor<1x3x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x3x8x4xf32>
  return
}

// -----

func.func @c3_fewer_query_heads(
    %q: tensor<1x1x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the number of query heads to be a multiple of the number of key heads, but got 1 and 2}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %p = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %p : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x1x8x4xf32>
  return
}

// -----

func.func @c3_key_heads_known_from_value(
    %q: tensor<1x3x8x4xf32>, %k: tensor<1x?x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the number of query heads to be a multiple of the number of key heads, but got 3 and 2}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x3x8x8xf32>):
    %p = mta.softmax %s : tensor<1x3x8x8xf32>
    mta.yield %p : tensor<1x3x8x8xf32>
  } : tensor<1x3x8x4xf32>, tensor<1x?x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x3x8x4xf32>
  return
}

// -----

func.func @c3_no_key_heads(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x0x8x4xf32>, %v: tensor<1x0x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects at least one query head and one key head, but got a query of type 'tensor<1x2x8x4xf32>' and a key of type 'tensor<1x0x8x4xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x0x8x4xf32>, tensor<1x0x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_no_heads(
    %q: tensor<1x0x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects at least one query head and one key head, but got a query of type 'tensor<1x0x8x4xf32>' and a key of type 'tensor<1x2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x0x8x8xf32>):
    %p = mta.softmax %s : tensor<1x0x8x8xf32>
    mta.yield %p : tensor<1x0x8x8xf32>
  } : tensor<1x0x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x0x8x4xf32>
  return
}

// -----

func.func @c4_head_dimension(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x5xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects the same head dimension of query and key, but got 4 and 5}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x5xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_element_type(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of a rank 4 tensor of f32 or f64 without encoding, but got 'tensor<1x2x8x8xf16>'}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf16>):
    %p = builtin.unrealized_conversion_cast %s : tensor<1x2x8x8xf16> to tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_rank(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of a rank 4 tensor of f32 or f64 without encoding, but got 'tensor<2x8x8xf32>'}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<2x8x8xf32>):
    %p = builtin.unrealized_conversion_cast %s : tensor<2x8x8xf32> to tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_unranked(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of a rank 4 tensor of f32 or f64 without encoding, but got 'tensor<*xf32>'}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<*xf32>):
    %p = builtin.unrealized_conversion_cast %s : tensor<*xf32> to tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_encoding(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of a rank 4 tensor of f32 or f64 without encoding, but got 'tensor<1x2x8x8xf32, 1 : i32>'}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32, 1 : i32>):
    %p = builtin.unrealized_conversion_cast %s : tensor<1x2x8x8xf32, 1 : i32> to tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_memref(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of a rank 4 tensor of f32 or f64 without encoding, but got 'memref<1x2x8x8xf32>'}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: memref<1x2x8x8xf32>):
    %p = builtin.unrealized_conversion_cast %s : memref<1x2x8x8xf32> to tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c5_scores_narrower_than_query(
    %q: tensor<1x2x8x4xf64>, %k: tensor<1x2x8x4xf64>, %v: tensor<1x2x8x4xf64>) {
  // expected-error @below {{'mta.attention' op expects scores not narrower than 'f64', but got 'f32'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf64>, tensor<1x2x8x4xf64>, tensor<1x2x8x4xf64>
      -> tensor<1x2x8x4xf64>
  return
}

// -----

func.func @c5_scores_shape(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of type 'tensor<1x2x8x8xf32>', but got 'tensor<1x2x8x7xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x7xf32>):
    %p = mta.softmax %s : tensor<1x2x8x7xf32>
    mta.yield %p : tensor<1x2x8x7xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

// The scores have the rows of the halo.
func.func @c5_scores_rows_without_halo(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects scores of type 'tensor<1x2x8x8xf32>', but got 'tensor<1x2x6x8xf32>'}}
  %o = mta.attention %q, %k, %v query_halo(2) {
  ^bb0(%s: tensor<1x2x6x8xf32>):
    %p = mta.softmax %s : tensor<1x2x6x8xf32>
    mta.yield %p : tensor<1x2x6x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x6x4xf32>
  return
}

// -----

func.func @unknown_element_type_f8(
    %q: tensor<1x2x8x4xf8E5M2>, %k: tensor<1x2x8x4xf8E5M2>, %v: tensor<1x2x8x4xf8E5M2>) {
  // expected-error @below {{'mta.attention' op operand #0 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x8x4xf8E5M2>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf8E5M2>, tensor<1x2x8x4xf8E5M2>, tensor<1x2x8x4xf8E5M2>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @unknown_element_type_i32(
    %q: tensor<1x2x8x4xi32>, %k: tensor<1x2x8x4xi32>, %v: tensor<1x2x8x4xi32>) {
  // expected-error @below {{'mta.attention' op operand #0 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x8x4xi32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xi32>, tensor<1x2x8x4xi32>, tensor<1x2x8x4xi32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @rank_of_key(
    %q: tensor<1x2x8x4xf32>, %k: tensor<2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op operand #1 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<2x8x4xf32>'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @unranked_value(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<*xf32>) {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  // expected-error @below {{invalid kind of type specified: expected builtin.tensor, but found 'tensor<*xf32>'}}
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<*xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @memref_query(
    %q: memref<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32>, %v: tensor<1x2x8x4xf32>) {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  // expected-error @below {{invalid kind of type specified: expected builtin.tensor, but found 'memref<1x2x8x4xf32>'}}
  } : memref<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @encoding_of_key(
    %q: tensor<1x2x8x4xf32>, %k: tensor<1x2x8x4xf32, "layout">, %v: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op operand #1 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x8x4xf32, "layout">'}}
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32, "layout">, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// What mta.gate does not accept, by the labels of its preconditions.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c1_columns(
    %x: tensor<1x2x8x4xf32>, %w: tensor<1x5xf32>, %b: tensor<1xf32>) {
  // expected-error @below {{'mta.gate' op expects the same size of the weights' and of the input's rows, but got 5 and 4}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<1x5xf32>, tensor<1xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_rows(
    %x: tensor<1x2x8x4xf32>, %w: tensor<2x4xf32>, %b: tensor<2xf32>) {
  // expected-error @below {{'mta.gate' op expects weights of 1 row or of as many as the input's rows have elements, but got weights of type 'tensor<2x4xf32>' for an input of type 'tensor<1x2x8x4xf32>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<2x4xf32>, tensor<2xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_dynamic_rows_of_static_input(
    %x: tensor<1x2x8x4xf32>, %w: tensor<?x4xf32>, %b: tensor<?xf32>) {
  // expected-error @below {{'mta.gate' op expects weights of 1 row or of as many as the input's rows have elements, but got weights of type 'tensor<?x4xf32>' for an input of type 'tensor<1x2x8x4xf32>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<?x4xf32>, tensor<?xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_static_rows_of_dynamic_input(
    %x: tensor<1x2x8x?xf32>, %w: tensor<4x4xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{'mta.gate' op expects weights of 1 row or of as many as the input's rows have elements, but got weights of type 'tensor<4x4xf32>' for an input of type 'tensor<1x2x8x?xf32>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x?xf32>, tensor<4x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x?xf32>
  return
}

// -----

func.func @c3_bias_of_scalar_gate(
    %x: tensor<1x2x8x4xf32>, %w: tensor<1x4xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{'mta.gate' op expects the same size of the bias and number of weight rows, but got 4 and 1}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<1x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_bias_of_vector_gate(
    %x: tensor<1x2x8x4xf32>, %w: tensor<4x4xf32>, %b: tensor<1xf32>) {
  // expected-error @below {{'mta.gate' op expects the same size of the bias and number of weight rows, but got 1 and 4}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<4x4xf32>, tensor<1xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c4_shape_of_result(
    %x: tensor<1x2x8x4xf32>, %w: tensor<1x4xf32>, %b: tensor<1xf32>) {
  // expected-error @below {{'mta.gate' op expects result of type 'tensor<1x2x8x4xf32>', but got 'tensor<1x2x8x5xf32>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<1x4xf32>, tensor<1xf32>
      -> tensor<1x2x8x5xf32>
  return
}

// -----

func.func @rank_of_weights(
    %x: tensor<1x2x8x4xf32>, %w: tensor<4xf32>, %b: tensor<1xf32>) {
  // expected-error @below {{'mta.gate' op operand #1 must be 2D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<4xf32>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<4xf32>, tensor<1xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @element_type_of_bias(
    %x: tensor<1x2x8x4xf32>, %w: tensor<1x4xf32>, %b: tensor<1xi8>) {
  // expected-error @below {{'mta.gate' op operand #2 must be 1D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1xi8>'}}
  %0 = mta.gate %x, %w, %b
      : tensor<1x2x8x4xf32>, tensor<1x4xf32>, tensor<1xi8>
      -> tensor<1x2x8x4xf32>
  return
}

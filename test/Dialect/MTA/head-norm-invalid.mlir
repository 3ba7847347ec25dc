// What mta.head_norm does not accept, by the labels of its preconditions.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c1_size_of_gamma(%x: tensor<1x2x8x4xf32>, %gamma: tensor<5xf32>) {
  // expected-error @below {{'mta.head_norm' op expects the same size of gamma and of the input's rows, but got 5 and 4}}
  %0 = mta.head_norm %x, %gamma
      : tensor<1x2x8x4xf32>, tensor<5xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_negative_epsilon(%x: tensor<1x2x8x4xf32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op expects a finite epsilon of at least 0, but got -1.000000e+00 : f64}}
  %0 = mta.head_norm %x, %gamma epsilon(-1.0)
      : tensor<1x2x8x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_infinite_epsilon(%x: tensor<1x2x8x4xf32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op expects a finite epsilon of at least 0, but got 0x7FF0000000000000 : f64}}
  %0 = mta.head_norm %x, %gamma epsilon(0x7FF0000000000000)
      : tensor<1x2x8x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c2_nan_epsilon(%x: tensor<1x2x8x4xf32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op expects a finite epsilon of at least 0, but got 0x7FF8000000000000 : f64}}
  %0 = mta.head_norm %x, %gamma epsilon(0x7FF8000000000000)
      : tensor<1x2x8x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c3_negative_layer(%x: tensor<1x2x8x4xf32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op expects a layer of at least 0, but got -1}}
  %0 = mta.head_norm %x, %gamma layer(-1)
      : tensor<1x2x8x4xf32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c4_shape_of_result(%x: tensor<1x2x8x4xf32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op expects result of type 'tensor<1x2x8x4xf32>', but got 'tensor<1x2x7x4xf32>'}}
  %0 = mta.head_norm %x, %gamma
      : tensor<1x2x8x4xf32>, tensor<4xf32>
      -> tensor<1x2x7x4xf32>
  return
}

// -----

func.func @rank_of_gamma(%x: tensor<1x2x8x4xf32>, %gamma: tensor<1x4xf32>) {
  // expected-error @below {{'mta.head_norm' op operand #1 must be 1D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x4xf32>'}}
  %0 = mta.head_norm %x, %gamma
      : tensor<1x2x8x4xf32>, tensor<1x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @element_type_of_input(%x: tensor<1x2x8x4xi32>, %gamma: tensor<4xf32>) {
  // expected-error @below {{'mta.head_norm' op operand #0 must be 4D tensor of f16, bf16, f32 or f64 values without encoding, but got 'tensor<1x2x8x4xi32>'}}
  %0 = mta.head_norm %x, %gamma
      : tensor<1x2x8x4xi32>, tensor<4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// Malformed score programs, by the labels C6 and C7 of mta.attention. Each gets
// one diagnostic.

// RUN: mta-opt %s --verify-diagnostics --split-input-file

func.func @c6_foreign_operation(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'arith.addf' op expects to stand outside of the score program, which holds only score operations}}
    %0 = arith.addf %s, %s : tensor<1x2x8x8xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_scores_out_of_order(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    // expected-error @below {{'mta.softmax' op expects to read the scores of the operation before it}}
    %1 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_scores_from_outside(%t: tensor<1x2x8x4xf32>, %other: tensor<1x2x8x8xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'mta.softmax' op expects to read the scores of the operation before it}}
    %0 = mta.softmax %other : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_yields_earlier_scores(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    %1 = mta.head_mix %0, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    // expected-error @below {{'mta.yield' op expects to yield the scores of the operation before it}}
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_yields_scores_from_outside(%t: tensor<1x2x8x4xf32>, %other: tensor<1x2x8x8xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    // expected-error @below {{'mta.yield' op expects to yield the scores of the operation before it}}
    mta.yield %other : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

// Weights come from outside: an operation that defines them is no score operation.
func.func @c6_weights_defined_inside(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{'arith.constant' op expects to stand outside of the score program, which holds only score operations}}
    %w = arith.constant dense<1.0> : tensor<1x2x2xf32>
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

// The only values inside are scores, which can have the type of weights.
func.func @c6_scores_as_weights(%t: tensor<3x3x3x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<3x3x3x3xf32>):
    %0 = mta.softmax %s : tensor<3x3x3x3xf32>
    // expected-error @below {{'mta.key_query_conv' op expects weights from outside of the score program}}
    %1 = mta.key_query_conv %0, %s : tensor<3x3x3x3xf32>, tensor<3x3x3x3xf32>
    mta.yield %1 : tensor<3x3x3x3xf32>
  } : tensor<3x3x3x4xf32>, tensor<3x3x3x4xf32>, tensor<3x3x3x4xf32>
      -> tensor<3x3x3x4xf32>
  return
}

// -----

func.func @c6_value_escapes(%t: tensor<1x2x8x4xf32>) -> tensor<1x2x8x8xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %p = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %p : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  // expected-error @below {{use of undeclared SSA value name}}
  return %p : tensor<1x2x8x8xf32>
}

// -----

// A score operation belongs into a score program.
func.func @c6_softmax_outside(%s: tensor<1x2x8x8xf32>) {
  // expected-error @below {{'mta.softmax' op expects parent op 'mta.attention'}}
  %0 = mta.softmax %s : tensor<1x2x8x8xf32>
  return
}

// -----

func.func @c6_head_mix_outside(%s: tensor<1x2x8x8xf32>, %w: tensor<1x2x2xf32>) {
  // expected-error @below {{'mta.head_mix' op expects parent op 'mta.attention'}}
  %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
  return
}

// -----

func.func @c6_conv_outside(%s: tensor<1x2x8x8xf32>, %w: tensor<2x3x3xf32>) {
  // expected-error @below {{'mta.key_query_conv' op expects parent op 'mta.attention'}}
  %0 = mta.key_query_conv %s, %w : tensor<1x2x8x8xf32>, tensor<2x3x3xf32>
  return
}

// -----

func.func @c6_yield_outside(%s: tensor<1x2x8x8xf32>) {
  // expected-error @below {{'mta.yield' op expects parent op 'mta.attention'}}
  mta.yield %s : tensor<1x2x8x8xf32>
}

// -----

func.func @c6_foreign_terminator(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op region #0 ('program') failed to verify constraint: region with 1 blocks}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    cf.br ^bb1
  ^bb1:
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_return_as_terminator(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    // expected-error @below {{'func.return' op expects parent op 'func.func'}}
    func.return
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_unreachable_as_terminator(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a score program that ends with mta.yield}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    llvm.unreachable
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_no_terminator(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-error @below {{block with no terminator}}
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_terminator_in_the_middle(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    // expected-error @below {{'mta.yield' op must be the last operation in the parent block}}
    mta.yield %0 : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_empty_region(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op region #0 ('program') failed to verify constraint: region with 1 blocks}}
  %o = mta.attention %t, %t, %t {
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_empty_block(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{empty block: expect at least a terminator}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_no_argument(%t: tensor<1x2x8x4xf32>, %s: tensor<1x2x8x8xf32>) {
  // expected-error @below {{'mta.attention' op expects a score program with one argument, but got 0}}
  %o = mta.attention %t, %t, %t {
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c6_two_arguments(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a score program with one argument, but got 2}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>, %r: tensor<1x2x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c7_two_softmaxes(%t: tensor<1x2x8x4xf32>) {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    // expected-note @below {{the first softmax is here}}
    %0 = mta.softmax %s : tensor<1x2x8x8xf32>
    // expected-error @below {{'mta.softmax' op expects to be the only softmax of the score program}}
    %1 = mta.softmax %0 : tensor<1x2x8x8xf32>
    mta.yield %1 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c7_no_softmax(%t: tensor<1x2x8x4xf32>, %w: tensor<1x2x2xf32>) {
  // expected-error @below {{'mta.attention' op expects a score program with one softmax, but got none}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x8x8xf32>, tensor<1x2x2xf32>
    mta.yield %0 : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

// -----

func.func @c7_nothing_but_a_yield(%t: tensor<1x2x8x4xf32>) {
  // expected-error @below {{'mta.attention' op expects a score program with one softmax, but got none}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x2x8x8xf32>):
    mta.yield %s : tensor<1x2x8x8xf32>
  } : tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>, tensor<1x2x8x4xf32>
      -> tensor<1x2x8x4xf32>
  return
}

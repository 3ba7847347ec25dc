// RUN: mta-opt %s -split-input-file -pass-pipeline='builtin.module(mta-tile-attention,canonicalize,cse)' | FileCheck %s

// One sweep in two loops: 32 queries with 5 rows above, 48 keys with 5 on both
// sides in whole vectors of 16, a running maximum, sum and accumulator; then the
// same in steps of 16 keys.

// CHECK-LABEL: @pre_conv
// CHECK-NOT: mta.{{[a-rt-z]}}
// The keys, transposed, with 5 zero columns on the left.
// CHECK: tensor.pad {{.*}} low[0, 0, 0, 5]
// CHECK: scf.forall (%{{.*}}, %[[HEAD:.*]], %[[TILE:.*]]) in (2, 4, 4)
// Whole tiles of pairs that are all allowed: no mask.
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[INNER:.*]] step %{{.*}} iter_args({{.*}}) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32x16xf32>)
// CHECK-NOT: {{arith.cmpi|arith.select %.*tensor|scf.if}}
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<37x64xf32>)
// CHECK-NOT: {{arith.cmpi|scf.if}}
// CHECK: %[[CONV:.*]] = linalg.generic
// CHECK-SAME: tensor<1x6x11xf32>, tensor<1x37x64xf32>) outs(%{{.*}} : tensor<1x32x48xf32>)
// CHECK-NOT: {{arith.cmpi|scf.if}}
// CHECK: scf.yield
// The ends of the keys: every tile is masked, none branches.
// CHECK: scf.for %{{.*}} = %[[INNER]] to %{{.*}} step %c16 iter_args({{.*}}) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32x16xf32>)
// CHECK-NOT: scf.if
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<37x32xf32>)
// CHECK: arith.cmpi ult
// CHECK: %[[MASKED:.*]] = arith.select
// CHECK: linalg.generic
// CHECK-SAME: tensor<1x6x11xf32>, tensor<1x37x32xf32>) outs(%{{.*}} : tensor<1x32x16xf32>)
// CHECK: arith.maximumf
// CHECK: math.exp2
// CHECK: tensor.parallel_insert_slice
// CHECK: } {mta.schedule = #mta.schedule<query_tile = 32, key_tile = 48, edge_key_tile = 16, sweeps = 1, heads = 1, lanes = 16, staging = packed>}
func.func @pre_conv(%q: tensor<2x4x100x16xf32>, %k: tensor<2x4x100x16xf32>,
                    %v: tensor<2x4x100x16xf32>, %theta: tensor<4x6x11xf32>)
    -> tensor<2x4x100x16xf32> {
  %o = mta.attention %q, %k, %v mask(causal)
      schedule(<query_tile = 32, key_tile = 48, edge_key_tile = 16, sweeps = 1,
                heads = 1, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<2x4x100x100xf32>):
    %0 = mta.key_query_conv %s, %theta
        : tensor<2x4x100x100xf32>, tensor<4x6x11xf32>
    %1 = mta.softmax %0 : tensor<2x4x100x100xf32>
    mta.yield %1 : tensor<2x4x100x100xf32>
  } : tensor<2x4x100x16xf32>, tensor<2x4x100x16xf32>, tensor<2x4x100x16xf32>
      -> tensor<2x4x100x16xf32>
  return %o : tensor<2x4x100x16xf32>
}

// -----

// One loop: tiles branch around the mask. Two sweeps: the rows of the
// post-convolution's window need statistics too, and all heads share a tile
// because they are mixed.

// CHECK-LABEL: @post
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in
// CHECK: scf.for {{.*}} -> (tensor<4x34xf32>, tensor<4x34xf32>)
// CHECK: scf.if
// CHECK: scf.for {{.*}} -> (tensor<4x32x16xf32>)
// CHECK: scf.if
// CHECK: {mta.schedule =
func.func @post(%q: tensor<?x4x?x16xf32>, %k: tensor<?x2x?x16xf32>,
                %v: tensor<?x2x?x16xf32>, %theta: tensor<4x3x5xf32>,
                %w: tensor<1x4x4xf32>) -> tensor<?x4x?x16xf32> {
  %o = mta.attention %q, %k, %v
      schedule(<query_tile = 32, key_tile = 48, edge_key_tile = 48, sweeps = 2,
                heads = 4, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<?x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<?x4x?x?xf32>
    %1 = mta.key_query_conv %0, %theta
        : tensor<?x4x?x?xf32>, tensor<4x3x5xf32>
    %2 = mta.head_mix %1, %w : tensor<?x4x?x?xf32>, tensor<1x4x4xf32>
    mta.yield %2 : tensor<?x4x?x?xf32>
  } : tensor<?x4x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>
      -> tensor<?x4x?x16xf32>
  return %o : tensor<?x4x?x16xf32>
}

// -----

// Two sweeps and groups of two heads where the program needs neither. Without a
// convolution, tiles have no columns on the sides.

// CHECK-LABEL: @more_than_needed
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 2)
// CHECK: scf.for {{.*}} -> (tensor<2x20xf32>, tensor<2x20xf32>)
// CHECK: scf.for {{.*}} -> (tensor<2x20x16xf32>)
func.func @more_than_needed(%t: tensor<1x4x40x16xf32>)
    -> tensor<1x4x40x16xf32> {
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 20, key_tile = 16, edge_key_tile = 16, sweeps = 2,
                heads = 2, lanes = 8, staging = packed>) {
  ^bb0(%s: tensor<1x4x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x4x40x40xf32>
    mta.yield %0 : tensor<1x4x40x40xf32>
  } : tensor<1x4x40x16xf32>, tensor<1x4x40x16xf32>, tensor<1x4x40x16xf32>
      -> tensor<1x4x40x16xf32>
  return %o : tensor<1x4x40x16xf32>
}

// -----

// Sequences are cut into tiles by a loop; there is one tile more than the rows
// need for every sequence but one. The convolution reads keys of the sequence
// before: the loop at the ends begins at the first key and leaps over the tiles
// in between.

// CHECK-LABEL: @sequences
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (index, tensor<6xindex>, tensor<6xindex>)
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 6)
// CHECK: %[[INNER:.*]] = arith.addi %[[BEGIN:.*]], %c16
// CHECK: scf.for %{{.*}} = %[[INNER]] to
// CHECK: scf.for %[[KEY:.*]] = %[[BEGIN]] to
// CHECK: arith.cmpi sge, %[[KEY]], %[[INNER]]
// CHECK: %[[BEYOND:.*]] = arith.addi %[[KEY]]
// CHECK: arith.select %{{.*}}, %[[BEYOND]], %[[KEY]]
func.func @sequences(%q: tensor<1x2x100x16xf32>, %k: tensor<1x2x100x16xf32>,
                     %v: tensor<1x2x100x16xf32>, %b: tensor<4xi32>,
                     %theta: tensor<2x1x3xf32>) -> tensor<1x2x100x16xf32> {
  %o = mta.attention %q, %k, %v sequences(%b, %b : tensor<4xi32>, tensor<4xi32>)
      schedule(<query_tile = 32, key_tile = 48, edge_key_tile = 16, sweeps = 1,
                heads = 1, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<1x2x100x100xf32>):
    %c = mta.key_query_conv %s, %theta
        : tensor<1x2x100x100xf32>, tensor<2x1x3xf32>
    %0 = mta.softmax %c : tensor<1x2x100x100xf32>
    mta.yield %0 : tensor<1x2x100x100xf32>
  } : tensor<1x2x100x16xf32>, tensor<1x2x100x16xf32>, tensor<1x2x100x16xf32>
      -> tensor<1x2x100x16xf32>
  return %o : tensor<1x2x100x16xf32>
}

// -----

// Norm and gate become part of the tile. Rows of 10 values fill one vector of 16;
// weights have zeros there. The attention rounds to bf16 where its type says so,
// the norm does not.

// CHECK-LABEL: @epilogue
// CHECK: scf.forall {{.*}} -> (tensor<1x2x40x10xbf16>)
// CHECK: scf.yield
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: math.sqrt {{.*}} : f32
// CHECK-NOT: arith.truncf
// CHECK: linalg.generic {{.*}} tensor<1x32x16xf32>, tensor<16x16xf32>) outs(%{{.*}} : tensor<1x32x16xf32>)
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: mta.head_norm
// CHECK-NOT: mta.gate
func.func @epilogue(%t: tensor<1x2x40x10xbf16>, %gamma: tensor<?xf32>,
                    %w: tensor<10x10xbf16>, %b: tensor<10xf32>)
    -> tensor<1x2x40x10xbf16> {
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 32, key_tile = 16, edge_key_tile = 16, sweeps = 1,
                heads = 1, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x10xbf16>, tensor<1x2x40x10xbf16>, tensor<1x2x40x10xbf16>
      -> tensor<1x2x40x10xbf16>
  %n = mta.head_norm %o, %gamma : tensor<1x2x40x10xbf16>, tensor<?xf32>
                                  -> tensor<1x2x40x10xf32>
  %g = mta.gate %n, %w, %b : tensor<1x2x40x10xf32>, tensor<10x10xbf16>,
                             tensor<10xf32> -> tensor<1x2x40x10xbf16>
  return %g : tensor<1x2x40x10xbf16>
}

// -----

// Neither an output that is read twice nor weights that come later are fused.

// CHECK-LABEL: @read_twice
// CHECK: scf.forall
// CHECK: mta.head_norm
func.func @read_twice(%t: tensor<1x2x40x16xf32>, %gamma: tensor<16xf32>)
    -> (tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>) {
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 32, key_tile = 16, edge_key_tile = 16, sweeps = 1,
                heads = 1, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>
      -> tensor<1x2x40x16xf32>
  %n = mta.head_norm %o, %gamma : tensor<1x2x40x16xf32>, tensor<16xf32>
                                  -> tensor<1x2x40x16xf32>
  return %o, %n : tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>
}

// CHECK-LABEL: @later_weights
// CHECK: scf.forall
// CHECK: call @make_gamma
// CHECK: mta.head_norm
func.func private @make_gamma() -> tensor<16xf32>
func.func @later_weights(%t: tensor<1x2x40x16xf32>) -> tensor<1x2x40x16xf32> {
  %o = mta.attention %t, %t, %t
      schedule(<query_tile = 32, key_tile = 16, edge_key_tile = 16, sweeps = 1,
                heads = 1, lanes = 16, staging = packed>) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>
      -> tensor<1x2x40x16xf32>
  %gamma = call @make_gamma() : () -> tensor<16xf32>
  %n = mta.head_norm %o, %gamma : tensor<1x2x40x16xf32>, tensor<16xf32>
                                  -> tensor<1x2x40x16xf32>
  return %n : tensor<1x2x40x16xf32>
}

// -----

// Narrow: query and key keep their type and get a head dimension of pairs. The
// factor, log2(e) here, is one of the weights of the first operation.

// CHECK-LABEL: @narrow
// CHECK: %[[FACTOR:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[KEY:.*]] = tensor.pad %{{.*}} low[0, 0, 0, 0] high[0, 0, 0, 1]
// CHECK: tensor.pad %{{.*}} low[0, 0, 5, 0] high[0, 0, 32, 1]
// CHECK: linalg.generic {{.*}} ins(%[[KEY]] : tensor<1x2x40x8xbf16>) outs(%{{.*}} : tensor<1x2x8x40xbf16>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x6x11xf32>)
// CHECK: arith.mulf %{{.*}}, %[[FACTOR]] : f32
// CHECK-NOT: %[[FACTOR]]
// CHECK: scf.forall
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<37x8xbf16>, tensor<8x64xbf16>) outs(%{{.*}} : tensor<37x64xf32>)
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: %[[FACTOR]]
// CHECK: math.exp2
// CHECK: staging = narrow>}
func.func @narrow(%q: tensor<1x2x40x7xbf16>, %k: tensor<1x2x40x7xbf16>,
                  %v: tensor<1x2x40x7xbf16>, %theta: tensor<2x6x11xbf16>)
    -> tensor<1x2x40x7xbf16> {
  %o = mta.attention %q, %k, %v scale(1.0)
      schedule(<query_tile = 32, key_tile = 48, edge_key_tile = 48, sweeps = 1,
                heads = 1, lanes = 16, staging = narrow>) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.key_query_conv %s, %theta
        : tensor<1x2x40x40xf32>, tensor<2x6x11xbf16>
    %1 = mta.softmax %0 : tensor<1x2x40x40xf32>
    mta.yield %1 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x7xbf16>, tensor<1x2x40x7xbf16>, tensor<1x2x40x7xbf16>
      -> tensor<1x2x40x7xbf16>
  return %o : tensor<1x2x40x7xbf16>
}

// -----

// Without an operation before the softmax the scores are scaled.

// CHECK-LABEL: @narrow_without_weights
// CHECK: %[[FACTOR:.*]] = arith.constant 1.44269502 : f32
// CHECK: scf.forall
// CHECK: %[[SCORES:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<32x8xbf16>, tensor<8x48xbf16>)
// CHECK: linalg.generic {{.*}} outs(%[[SCORES]] : tensor<32x48xf32>)
// CHECK: arith.mulf %{{.*}}, %[[FACTOR]] : f32
// CHECK: math.exp2
func.func @narrow_without_weights(%t: tensor<1x2x40x8xbf16>)
    -> tensor<1x2x40x8xbf16> {
  %o = mta.attention %t, %t, %t scale(1.0)
      schedule(<query_tile = 32, key_tile = 48, edge_key_tile = 48, sweeps = 1,
                heads = 1, lanes = 16, staging = narrow>) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x8xbf16>, tensor<1x2x40x8xbf16>, tensor<1x2x40x8xbf16>
      -> tensor<1x2x40x8xbf16>
  return %o : tensor<1x2x40x8xbf16>
}

// RUN: mta-opt %s -split-input-file \
// RUN:   -pass-pipeline='builtin.module(mta-tile-attention{query-tile=32 key-tile=48},canonicalize,cse)' \
// RUN:   | FileCheck %s

// One sweep: 32 queries with 5 rows above, 48 keys with 5 on both sides in whole
// vectors of 16, a running maximum, sum and accumulator.

// CHECK-LABEL: @pre_conv
// CHECK-NOT: mta.
// The keys, transposed, with 5 zero columns on the left.
// CHECK: tensor.pad {{.*}} low[0, 0, 0, 5]
// CHECK: scf.forall (%{{.*}}, %[[HEAD:.*]], %[[TILE:.*]]) in (2, 4, 4)
// CHECK: scf.for %[[COLUMN:.*]] = {{.*}} iter_args({{.*}}) -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x32x16xf32>)
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<37x64xf32>)
// The mask runs in tiles with a pair that is not allowed.
// CHECK: %[[MASKED:.*]] = scf.if
// CHECK: arith.select
// The convolution.
// CHECK: linalg.generic
// CHECK-SAME: %[[MASKED]] : tensor<1x6x11xf32>, tensor<1x37x64xf32>) outs(%{{.*}} : tensor<1x32x48xf32>)
// CHECK: arith.maximumf
// CHECK: math.exp2
// CHECK: tensor.parallel_insert_slice
func.func @pre_conv(%q: tensor<2x4x100x16xf32>, %k: tensor<2x4x100x16xf32>,
                    %v: tensor<2x4x100x16xf32>, %theta: tensor<4x6x11xf32>)
    -> tensor<2x4x100x16xf32> {
  %o = mta.attention %q, %k, %v mask(causal) {
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

// Two sweeps: the rows of the post-convolution's window need statistics too, and
// all heads share a tile because they are mixed.

// CHECK-LABEL: @post
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in
// CHECK: scf.for {{.*}} -> (tensor<4x34xf32>, tensor<4x34xf32>)
// CHECK: scf.for {{.*}} -> (tensor<4x32x16xf32>)
func.func @post(%q: tensor<?x4x?x16xf32>, %k: tensor<?x2x?x16xf32>,
                %v: tensor<?x2x?x16xf32>, %theta: tensor<4x3x5xf32>,
                %w: tensor<1x4x4xf32>) -> tensor<?x4x?x16xf32> {
  %o = mta.attention %q, %k, %v {
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

// Sequences are cut into tiles by a loop; there is one tile more than the rows
// need for every sequence but one.

// CHECK-LABEL: @sequences
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (index, tensor<6xindex>, tensor<6xindex>)
// CHECK: scf.forall (%{{.*}}, %{{.*}}) in (2, 6)
func.func @sequences(%q: tensor<1x2x100x16xf32>, %k: tensor<1x2x100x16xf32>,
                     %v: tensor<1x2x100x16xf32>, %b: tensor<4xi32>)
    -> tensor<1x2x100x16xf32> {
  %o = mta.attention %q, %k, %v sequences(%b, %b : tensor<4xi32>, tensor<4xi32>) {
  ^bb0(%s: tensor<1x2x100x100xf32>):
    %0 = mta.softmax %s : tensor<1x2x100x100xf32>
    mta.yield %0 : tensor<1x2x100x100xf32>
  } : tensor<1x2x100x16xf32>, tensor<1x2x100x16xf32>, tensor<1x2x100x16xf32>
      -> tensor<1x2x100x16xf32>
  return %o : tensor<1x2x100x16xf32>
}

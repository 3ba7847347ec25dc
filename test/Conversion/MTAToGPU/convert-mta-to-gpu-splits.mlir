// Keys split over workgroups: each leaves its sums, which another kernel
// combines; with something after the softmax, another one before them leaves
// statistics.

// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=16 key-tile=32 warps=2 stages=2 query=registers key-splits=4' \
// RUN:   -convert-mta-to-gpu -canonicalize -cse | FileCheck %s
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=16 key-tile=32 warps=2 stages=1 query=registers key-splits=12' \
// RUN:   -convert-mta-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=MANY

// CHECK-DAG: #[[$TILES:.*]] = affine_map<()[s0] -> (s0 ceildiv 15)>
// CHECK-DAG: #[[$STRIPS:.*]] = affine_map<()[s0] -> (s0 ceildiv 16)>

// CHECK-LABEL: func.func @pre_conv(
// CHECK-DAG:     %[[OUT:.*]] = memref.alloc(%{{.*}}) : memref<2x4x?x16xbf16>
// CHECK-DAG:     %[[LSE:.*]] = memref.alloc(%{{.*}}) : memref<2x4x?xf32>
// 4 splits of 2 batches; maxima and sums.
// CHECK-DAG:     %[[SUMS:.*]] = memref.alloc(%{{.*}}) : memref<8x4x?x16xf32>
// CHECK-DAG:     %[[STATISTICS:.*]] = memref.alloc(%{{.*}}) : memref<16x4x?xf32>
// CHECK:         %[[COUNT:.*]] = affine.apply #[[$TILES]]()
// CHECK:         %[[X:.*]] = arith.muli %[[COUNT]], %c4
// CHECK:         gpu.launch blocks(%[[PLACE:.*]], %[[PAIR:.*]], %[[BATCH:.*]]) in (%{{.*}} = %[[X]], %{{.*}} = %c2{{.*}}, %{{.*}} = %c2
// CHECK:           %[[SPLIT:.*]] = arith.remui %[[PLACE]], %c4
// CHECK:           %[[TILE:.*]] = arith.divui %[[PLACE]], %c4
// Its tiles, and one before them, whose scores the window reads.
// CHECK:           %[[ALL:.*]] = arith.select {{.*}} : index
// CHECK:           %[[ROUNDED:.*]] = arith.addi %[[ALL]], %c3
// CHECK:           %[[EACH:.*]] = arith.divui %[[ROUNDED]], %c4
// CHECK:           %[[BEGIN:.*]] = arith.muli %[[SPLIT]], %[[EACH]]
// CHECK:           %[[OWN:.*]] = arith.minsi %[[BEGIN]], %[[ALL]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[OWN]], %[[EACH]]
// CHECK:           %[[END:.*]] = arith.minsi %[[NEXT]], %[[ALL]]
// CHECK:           %[[EMPTY:.*]] = arith.cmpi eq, %[[OWN]], %[[END]]
// CHECK:           %[[BEFORE:.*]] = arith.addi %[[OWN]], %c-1
// CHECK:           %[[WARM:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK:           %[[FIRST:.*]] = arith.select %[[EMPTY]], %[[END]], %[[WARM]]
// CHECK:           %[[RESULT:.*]]:3 = scf.for %[[I:.*]] = %[[FIRST]] to %[[END]]
// Values are copied for tiles of its own only.
// CHECK:             mta.copy_tile %{{.*}} shape [32, 16]
// CHECK:             %[[COPIES:.*]] = arith.cmpi sge, %{{.*}}, %[[OWN]]
// CHECK-NEXT:        scf.if %[[COPIES]] {
// CHECK-COUNT-2:       mta.copy_tile
// CHECK-NEXT:          mta.commit_copies
// CHECK:             vector.contract
// CHECK:             %[[COUNTS:.*]] = arith.cmpi sge, %[[I]], %[[OWN]]
// CHECK-NEXT:        scf.if %[[COUNTS]] -> (vector<2x16xf32>, vector<2x16xf32>, vector<2x16x16xf32>)
// CHECK:               vector.multi_reduction <maximumf>
// CHECK:             } else {
// CHECK-NEXT:          scf.yield
// CHECK-NOT:       arith.divf
// CHECK:           %[[COPY:.*]] = arith.muli %[[SPLIT]], %c2
// CHECK:           %[[AT:.*]] = arith.addi %[[COPY]], %[[BATCH]]
// CHECK:           vector.transfer_write %[[RESULT]]#2, %[[SUMS]][%[[AT]],
// CHECK:           vector.transfer_write %[[RESULT]]#0, %[[STATISTICS]][%[[AT]],
// CHECK:           %[[SUMAT:.*]] = arith.addi %[[AT]], %c8
// CHECK:           vector.transfer_write %[[RESULT]]#1, %[[STATISTICS]][%[[SUMAT]],
// CHECK:         {mta.heads = 2 : i64, mta.rows = 16 : i64, mta.staged_scores = [f16]}
// Rows of all heads and batches.
// CHECK:         %[[FLATOUT:.*]] = memref.collapse_shape %[[OUT]] {{\[}}[0, 1, 2], [3]] : memref<2x4x?x16xbf16> into memref<?x16xbf16>
// CHECK:         %[[FLATSUMS:.*]] = memref.collapse_shape %[[SUMS]] {{\[}}[0, 1, 2], [3]]
// CHECK:         %[[FLATSTATISTICS:.*]] = memref.collapse_shape %[[STATISTICS]] {{\[}}[0, 1, 2]]
// CHECK:         affine.apply #[[$STRIPS]]()
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c32
// CHECK:           %[[BUFFER:.*]] = memref.alloca() : memref<4x16x24xf32, #gpu.address_space<workgroup>>
// CHECK-COUNT-4:   mta.copy_tile %[[FLATSUMS]]
// CHECK-NEXT:      mta.commit_copies
// Rows that do not exist have no weight.
// CHECK-COUNT-4:   vector.transfer_read %[[FLATSTATISTICS]][%{{.*}}], %cst{{.*}}, %{{.*}} {in_bounds = [true]} : memref<?xf32>, vector<16xf32>
// CHECK:           arith.maximumf
// CHECK:           mta.wait_copies
// CHECK-COUNT-4:   vector.transfer_read %[[BUFFER]]
// CHECK:           arith.divf
// CHECK:           arith.truncf
// CHECK:           vector.transfer_write {{.*}} memref<1x1x?x16xbf16>
// CHECK:           vector.transfer_write {{.*}} memref<1x1x?xf32>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 16 : i64}

// More splits than are copied at once: 8 and 4 of 12.
// MANY-LABEL:  func.func @pre_conv(
// MANY:          memref.alloca() : memref<8x16x24xf32
// MANY:          scf.for %[[FIRST:.*]] = %c0 to %c12 step %c8
// MANY:            %[[SECOND:.*]] = arith.addi %[[FIRST]], %c1
// MANY:            arith.cmpi slt, %[[SECOND]], %c12
func.func @pre_conv(%q: tensor<2x4x?x16xbf16>, %k: tensor<2x2x?x16xbf16>, %w: tensor<4x2x2x3xbf16>) -> (tensor<2x4x?x16xbf16>, tensor<2x4x?xf32>) {
  %o, %l = mta.attention %q, %k, %k mask(causal) {
  ^bb0(%s: tensor<2x4x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<2x4x?x?xf32>, tensor<4x2x2x3xbf16>
    %1 = mta.softmax %0 : tensor<2x4x?x?xf32>
    mta.yield %1 : tensor<2x4x?x?xf32>
  } : tensor<2x4x?x16xbf16>, tensor<2x2x?x16xbf16>, tensor<2x2x?x16xbf16> -> tensor<2x4x?x16xbf16>, tensor<2x4x?xf32>
  return %o, %l : tensor<2x4x?x16xbf16>, tensor<2x4x?xf32>
}

// Without a window, a split has its own tiles alone, and no branches.
// CHECK-LABEL: func.func @plain(
// CHECK:         gpu.launch
// CHECK:           scf.for
// CHECK-NOT:         scf.if {{.*}} -> (vector<32xf32>
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 32 : i64
func.func @plain(%q: tensor<1x2x8x16xbf16>, %k: tensor<1x2x?x16xbf16>) -> tensor<1x2x8x16xbf16> {
  %o = mta.attention %q, %k, %k
      kernel_schedule(<rows = 32, key_tile = 32, warps = 2, stages = 2, query = registers, scores = f16, key_splits = 3>) {
  ^bb0(%s: tensor<1x2x8x?xf32>):
    %1 = mta.softmax %s : tensor<1x2x8x?xf32>
    mta.yield %1 : tensor<1x2x8x?xf32>
  } : tensor<1x2x8x16xbf16>, tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16> -> tensor<1x2x8x16xbf16>
  return %o : tensor<1x2x8x16xbf16>
}

// Statistics of all 16 rows of all tiles, of which 14 are stored.
// CHECK-LABEL: func.func @post_conv(
// CHECK-DAG:     %[[SUMS:.*]] = memref.alloc() : memref<4x2x28x16xf32>
// CHECK-DAG:     %[[STATISTICS:.*]] = memref.alloc() : memref<8x2x32xf32>
// CHECK:         gpu.launch
// CHECK:           %[[PARTS:.*]]:2 = scf.for
// CHECK-NOT:         shape [32, 16]
// CHECK:           vector.transfer_write %[[PARTS]]#0, %[[STATISTICS]]
// CHECK:           vector.transfer_write %[[PARTS]]#1, %[[STATISTICS]]
// CHECK:         {mta.heads = 1 : i64
// CHECK:         gpu.launch
// CHECK:           %[[SPLIT:.*]] = arith.remui
// CHECK-COUNT-8:   vector.transfer_read %[[STATISTICS]]
// CHECK:           arith.maximumf
// The first split stores the log-sum-exp.
// CHECK:           %[[STORES:.*]] = arith.cmpi eq, %[[SPLIT]], %c0
// CHECK-NEXT:      scf.if %[[STORES]] {
// CHECK:             vector.transfer_write {{.*}} memref<1x2x28xf32>
// CHECK-NEXT:      }
// CHECK:           scf.for
// CHECK:           vector.transfer_write %{{.*}}, %[[SUMS]]
// CHECK:         {mta.heads = 1 : i64
// CHECK:         gpu.launch
// CHECK-NOT:       arith.divf
// CHECK-COUNT-4:   arith.addf {{.*}} : vector<16x16xf32>
// CHECK-NOT:       arith.divf
// CHECK:         {mta.heads = 1 : i64
func.func @post_conv(%q: tensor<1x2x28x24xbf16>, %k: tensor<1x2x?x24xbf16>, %v: tensor<1x2x?x16xbf16>, %w: tensor<2x3x3xbf16>) -> (tensor<1x2x28x16xbf16>, tensor<1x2x28xf32>) {
  %o, %l = mta.attention %q, %k, %v
      kernel_schedule(<rows = 16, key_tile = 32, warps = 1, stages = 2, query = registers, scores = f16, key_splits = 4>) {
  ^bb0(%s: tensor<1x2x28x?xf32>):
    %0 = mta.softmax %s : tensor<1x2x28x?xf32>
    %1 = mta.key_query_conv %0, %w : tensor<1x2x28x?xf32>, tensor<2x3x3xbf16>
    mta.yield %1 : tensor<1x2x28x?xf32>
  } : tensor<1x2x28x24xbf16>, tensor<1x2x?x24xbf16>, tensor<1x2x?x16xbf16> -> tensor<1x2x28x16xbf16>, tensor<1x2x28xf32>
  return %o, %l : tensor<1x2x28x16xbf16>, tensor<1x2x28xf32>
}

// A warp for each of 8 heads, of which 5 exist and leave sums, and all leave
// statistics, of the 16 rows of a tile that the softmax has. What follows the
// softmax is none of the first kernel's business.
// CHECK-LABEL: func.func @many_heads(
// CHECK-DAG:     %[[SUMS:.*]] = memref.alloc() : memref<4x5x20x16xf32>
// CHECK-DAG:     %[[STATISTICS:.*]] = memref.alloc() : memref<8x8x32xf32>
// CHECK:         gpu.launch
// CHECK-COUNT-1:   memref.alloca() : memref<8x9x8xf16
// CHECK-NOT:       memref.alloca
// CHECK:           %[[OWN:.*]] = arith.minsi
// CHECK:           arith.addi %[[OWN]], %c-1
// CHECK:           %[[NARROW:.*]] = arith.index_cast %[[OWN]] : index to i32
// CHECK:           %[[PARTS:.*]]:2 = scf.for %[[I:[a-z0-9]+]] = {{.*}} -> (vector<8x16xf32>, vector<8x16xf32>)
// CHECK:             %[[TILE:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:             mta.load_tile
// CHECK:             %[[COUNTS:.*]] = arith.cmpi sge, %[[TILE]], %[[NARROW]] : i32
// CHECK-NEXT:        scf.if %[[COUNTS]] -> (vector<8x16xf32>, vector<8x16xf32>)
// CHECK:           vector.transfer_write %[[PARTS]]#0, %[[STATISTICS]][%{{.*}}, %c0, %{{.*}}] {in_bounds = [true, true]}
// CHECK:           vector.transfer_write %[[PARTS]]#1, %[[STATISTICS]]
// CHECK:         {mta.heads = 8 : i64, mta.rows = 32 : i64
// CHECK:         gpu.launch
// CHECK-COUNT-8:   vector.transfer_read %[[STATISTICS]][{{.*}} : memref<8x8x32xf32>, vector<8x16xf32>
// CHECK:           arith.maximumf
// Weights change from rows to heads, behind a barrier, and meet values in the
// split's own tiles alone.
// CHECK:           scf.for %[[I:[a-z0-9]+]] = {{.*}} -> (vector<8x16x16xf32>)
// CHECK:             %[[TILE:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:             %[[COUNTS:.*]] = arith.cmpi sge, %[[TILE]],
// CHECK:             scf.if %[[COUNTS]] -> (vector<8x16x16xf32>)
// CHECK:               mta.barrier
// CHECK:               mta.load_tile {{.*}} -> vector<8x16x16xbf16>
// CHECK:             } else {
// CHECK-NEXT:          scf.yield
// CHECK:           %[[EXISTS:.*]] = vector.broadcast {{.*}} to vector<8x16x16xi1>
// CHECK:           vector.transfer_write %{{.*}}, %[[SUMS]][{{.*}}], %[[EXISTS]]
// CHECK:         {mta.heads = 8 : i64, mta.rows = 32 : i64
// 100 rows, 16 for a workgroup, without a trace of the warps.
// CHECK:         gpu.launch blocks({{.*}}) in (%{{.*}} = %c7
// CHECK-COUNT-4:   mta.copy_tile
// CHECK:         {mta.heads = 1 : i64, mta.rows = 16 : i64}
func.func @many_heads(%q: tensor<1x5x20x16xbf16>, %k: tensor<1x5x?x16xbf16>, %w: tensor<5x3x5xbf16>, %m: tensor<1x5x5xbf16>) -> tensor<1x5x20x16xbf16> {
  %o = mta.attention %q, %k, %k
      kernel_schedule(<rows = 32, key_tile = 16, warps = 8, stages = 1, query = registers, scores = f16, key_splits = 4>) {
  ^bb0(%s: tensor<1x5x20x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x5x20x?xf32>, tensor<5x3x5xbf16>
    %1 = mta.head_mix %0, %m : tensor<1x5x20x?xf32>, tensor<1x5x5xbf16>
    %2 = mta.softmax %1 : tensor<1x5x20x?xf32>
    %3 = mta.head_mix %2, %m : tensor<1x5x20x?xf32>, tensor<1x5x5xbf16>
    mta.yield %3 : tensor<1x5x20x?xf32>
  } : tensor<1x5x20x16xbf16>, tensor<1x5x?x16xbf16>, tensor<1x5x?x16xbf16> -> tensor<1x5x20x16xbf16>
  return %o : tensor<1x5x20x16xbf16>
}

// 20 splits: 4 rows for a workgroup, so that few rows are work for several.
// CHECK-LABEL: func.func @many_splits(
// CHECK:         gpu.launch
// CHECK:         {mta.heads = 1 : i64, mta.rows = 32 : i64
// CHECK:         gpu.launch blocks(%[[TILE:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %c4
// CHECK:           %[[ROW:.*]] = arith.muli %[[TILE]], %c4
// CHECK:           %[[NEXT:.*]] = arith.addi %[[ROW]], %c4
// CHECK:           %[[END:.*]] = arith.minsi %[[NEXT]], %c16
// CHECK:           scf.for %[[FIRST:.*]] = %c0 to %c20 step %c8
// CHECK:             %[[BEGIN:.*]] = arith.muli %[[FIRST]], %c16
// CHECK:             %[[LAST:.*]] = arith.addi %[[BEGIN]], %[[END]]
// CHECK:             %[[LIMIT:.*]] = arith.minsi %[[LAST]], %c320
// CHECK:             mta.copy_tile {{.*}} limit(%[[LIMIT]]) shape [16, 16]
func.func @many_splits(%q: tensor<1x2x8x16xbf16>, %k: tensor<1x2x?x16xbf16>) -> tensor<1x2x8x16xbf16> {
  %o = mta.attention %q, %k, %k
      kernel_schedule(<rows = 32, key_tile = 32, warps = 2, stages = 2, query = registers, scores = f16, key_splits = 20>) {
  ^bb0(%s: tensor<1x2x8x?xf32>):
    %1 = mta.softmax %s : tensor<1x2x8x?xf32>
    mta.yield %1 : tensor<1x2x8x?xf32>
  } : tensor<1x2x8x16xbf16>, tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16> -> tensor<1x2x8x16xbf16>
  return %o : tensor<1x2x8x16xbf16>
}

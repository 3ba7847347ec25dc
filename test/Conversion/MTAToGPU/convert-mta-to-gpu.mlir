// A launch of one tile program: copies a tile ahead, contractions, masks in
// branches, one loop over the keys or two.

// RUN: mta-opt %s -convert-mta-to-gpu -canonicalize -cse \
// RUN:   | FileCheck %s --implicit-check-not=mta.attention --implicit-check-not=mta.softmax
// RUN: mta-opt %s -convert-mta-to-gpu='workgroup-bytes=40000' -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=SMALL
// RUN: mta-opt %s -convert-mta-to-gpu=warpgroups -canonicalize -cse \
// RUN:   | FileCheck %s --check-prefix=GROUPS

// Rows of scores: 128, of which the first is the halo. Its keys trail by 8.
// CHECK-LABEL: func.func @pre_conv(
// CHECK-SAME:    %[[Q:[^:]*]]: tensor<1x1x?x16xbf16>, %[[K:[^:]*]]: tensor<1x1x?x16xbf16>, %[[V:[^:]*]]: tensor<1x1x?x16xbf16>
// CHECK-DAG:     %[[QUERY:.*]] = bufferization.to_buffer %[[Q]] read_only
// CHECK-DAG:     %[[KEY:.*]] = bufferization.to_buffer %[[K]] read_only
// CHECK-DAG:     %[[VALUE:.*]] = bufferization.to_buffer %[[V]] read_only
// CHECK-DAG:     %[[OUT:.*]] = memref.alloc(%{{.*}}) : memref<1x1x?x16xbf16>
// CHECK-DAG:     %[[TILES:.*]] = affine.apply #{{.*}}()[%{{.*}}]
// CHECK:         gpu.launch blocks({{.*}}) in (%{{.*}} = %[[TILES]], {{.*}} threads({{.*}}) in (%{{.*}} = %c256
// CHECK:           mta.copy_tile %[[QUERY]]{{.*}} shape [128, 16]
// CHECK-NEXT:      mta.commit_copies
// CHECK-NEXT:      mta.wait_copies
// CHECK-NEXT:      mta.barrier
// CHECK:           %[[QT:.*]] = vector.transfer_read {{.*}} vector<128x16xbf16>
// The bands of the window's two queries: 16 columns of halo and 8 of its own.
// CHECK:           memref.alloca() : memref<129x136xf16, #gpu.address_space<workgroup>>
// CHECK:           %[[WEIGHTS0:.*]] = vector.gather {{.*}} into vector<24x8xbf16>
// CHECK:           %[[WIDE0:.*]] = arith.extf %[[WEIGHTS0]]
// CHECK:           %[[BAND0:.*]] = arith.truncf %[[WIDE0]] : vector<24x8xf32> to vector<24x8xf16>
// CHECK:           %[[WEIGHTS1:.*]] = vector.gather
// CHECK:           %[[WIDE1:.*]] = arith.extf %[[WEIGHTS1]]
// CHECK:           %[[BAND1:.*]] = arith.truncf %[[WIDE1]]
// CHECK:           %[[KEYS:.*]] = memref.alloca() : memref<2x64x24xbf16
// CHECK:           %[[VALUES:.*]] = memref.alloca() : memref<2x64x24xbf16
// CHECK:           linalg.fill
// The first tile's keys; values trail by 8.
// CHECK:           scf.if
// CHECK:             mta.copy_tile %[[KEY]][%c0, %c0, %c0, %c0], %[[KEYS]][%c0, %c0, %c0]
// CHECK-NEXT:        mta.copy_tile %[[VALUE]][%c0, %c0, %c-8, %c0], %[[VALUES]][%c0, %c0, %c0]
// CHECK-NEXT:        mta.commit_copies
// CHECK:           scf.for %[[TILE:.*]] = %c0 to
// CHECK-NEXT:        mta.wait_copies
// CHECK-NEXT:        mta.barrier
// CHECK:             scf.if
// CHECK:               mta.copy_tile %[[KEY]]
// CHECK:               mta.copy_tile %[[VALUE]]
// CHECK-NEXT:          mta.commit_copies
// CHECK:             %[[KT:.*]] = vector.transfer_read %[[KEYS]]
// CHECK:             vector.contract {{.*}} %[[QT]], %[[KT]], {{.*}} into vector<128x64xf32>
// CHECK:             arith.mulf
// CHECK-NOT:         arith.cmpi ult
// CHECK:             scf.if
// CHECK:               arith.cmpi ult
// CHECK:               arith.select
// CHECK:             } else {
// The last query of the window is the row itself, whose scores are there.
// CHECK:             %[[OWN:.*]] = arith.truncf {{.*}} to vector<128x64xf16>
// CHECK-NEXT:        vector.transfer_write %[[OWN]]
// CHECK:             vector.transfer_read {{.*}} vector<128x16xf16>
// CHECK-NOT:         vector.transfer_read
// CHECK:             vector.insert_strided_slice %[[OWN]]
// CHECK-COUNT-8:     vector.contract {{.*}}, %[[BAND1]], {{.*}} : vector<128x24xf16>, vector<24x8xf16> into vector<128x8xf32>
// CHECK-NEXT:        mta.barrier
// CHECK:             vector.transfer_read {{.*}} vector<128x64xf16>
// CHECK-COUNT-8:     vector.contract {{.*}}, %[[BAND0]], {{.*}} : vector<128x24xf16>, vector<24x8xf16> into vector<128x8xf32>
// CHECK-NOT:         arith.cmpi ult
// CHECK:             scf.if
// CHECK:               arith.cmpi ult
// CHECK:             } else {
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:             math.exp2
// CHECK:             vector.multi_reduction <add>
// CHECK:             %[[VT:.*]] = vector.transfer_read %[[VALUES]]
// CHECK:             vector.contract {{.*}}, %[[VT]], {{.*}} into vector<128x16xf32>
// CHECK:             scf.yield
// CHECK-NOT:       scf.for
// CHECK:           vector.transfer_write {{.*}}, %[[OUT]]{{.*}} : vector<128x16xbf16>, memref<1x1x?x16xbf16>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64}

// Keys and values share a buffer where two stages do not fit.
// SMALL-LABEL: func.func @pre_conv(
// SMALL:         scf.for
// SMALL-NEXT:      mta.barrier
// SMALL:           mta.copy_tile
// SMALL-NEXT:      mta.commit_copies
// SMALL-NEXT:      mta.wait_copies
// SMALL-NEXT:      mta.barrier
// SMALL:           vector.contract
// SMALL-NEXT:      mta.barrier
// SMALL:           mta.copy_tile
// SMALL-NEXT:      mta.commit_copies
// SMALL:         mta.heads = 1
// Tensor cores that read keys and values by themselves: tiles are panels of 8
// columns, 65 rows apart, and only bands and queries are read as vectors.
// GROUPS-LABEL: func.func @pre_conv(
// GROUPS:         %[[KEYS:.*]] = memref.alloca() : memref<2x2x65x8xbf16, #gpu.address_space<workgroup>>
// GROUPS:         %[[VALUES:.*]] = memref.alloca() : memref<2x2x65x8xbf16, #gpu.address_space<workgroup>>
// GROUPS:         scf.for %[[TILE:.*]] = %c0 to
// GROUPS-NEXT:      mta.wait_copies
// GROUPS-NEXT:      mta.fence_tiles
// GROUPS-NEXT:      mta.barrier
// GROUPS:             mta.copy_tile {{.*}}, %[[KEYS]]{{.*}} shape [64, 16] panels
// GROUPS:             mta.copy_tile {{.*}}, %[[VALUES]]{{.*}} shape [64, 16] panels
// GROUPS:           %[[SLOT:.*]] = arith.remui %[[TILE]], %c2
// GROUPS:           mta.contract_tile %{{.*}}, %[[KEYS]][%[[SLOT]]] transposed, %{{.*}} vector<128x64xf32>
// GROUPS:           mta.contract_tile %{{.*}}, %[[VALUES]][%[[SLOT]]], %{{.*}} vector<128x16xf32>
func.func @pre_conv(%q: tensor<1x1x?x16xbf16>, %k: tensor<1x1x?x16xbf16>,
    %v: tensor<1x1x?x16xbf16>, %w: tensor<1x2x3xbf16>) -> tensor<1x1x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x2x3xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>, tensor<1x1x?x16xbf16>
      -> tensor<1x1x?x16xbf16>
  return %o : tensor<1x1x?x16xbf16>
}

// What follows the softmax needs the statistics of whole rows first: a loop for
// these, without values, and one for the output. Four heads share a workgroup.
// CHECK-LABEL: func.func @post_mix(
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c256
// CHECK:           scf.for
// CHECK:             vector.contract {{.*}} into vector<4x32x64xf32>
// CHECK-NOT:         vector.contract
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:             scf.yield
// CHECK:           math.log2
// CHECK:           scf.for
// CHECK:             vector.contract {{.*}} into vector<4x32x64xf32>
// CHECK-NOT:         vector.multi_reduction
// CHECK:             math.exp2
// CHECK-COUNT-4:     vector.transfer_read {{.*}} vector<32x64xf16>
// CHECK:             vector.contract {{.*}} into vector<4x32x16xf32>
// CHECK:             scf.yield
// CHECK-NOT:       scf.for
// CHECK:         {mta.heads = 4 : i64, mta.rows = 32 : i64}
func.func @post_mix(%q: tensor<1x4x?x16xbf16>, %k: tensor<1x4x?x16xbf16>,
    %v: tensor<1x4x?x16xbf16>, %w: tensor<1x4x4xbf16>) -> tensor<1x4x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x4x?x?xf32>):
    %0 = mta.softmax %s : tensor<1x4x?x?xf32>
    %1 = mta.head_mix %0, %w : tensor<1x4x?x?xf32>, tensor<1x4x4xbf16>
    mta.yield %1 : tensor<1x4x?x?xf32>
  } : tensor<1x4x?x16xbf16>, tensor<1x4x?x16xbf16>, tensor<1x4x?x16xbf16>
      -> tensor<1x4x?x16xbf16>
  return %o : tensor<1x4x?x16xbf16>
}

// A head of its own is multiplied by a number. Without a mask only the last
// tile has a branch, and nothing is rounded to f16.
// CHECK-LABEL: func.func @own_mix(
// CHECK:         gpu.launch
// CHECK:           %[[WEIGHT:.*]] = memref.load
// CHECK:           %[[NUMBER:.*]] = arith.extf %[[WEIGHT]] : bf16 to f32
// CHECK:           scf.for
// CHECK-NOT:         vector<128x64xf16>
// CHECK:             vector.broadcast %[[NUMBER]] : f32 to vector<128x64xf32>
// CHECK:         {mta.heads = 1 : i64, mta.rows = 128 : i64}
func.func @own_mix(%q: tensor<1x2x?x16xbf16>, %k: tensor<1x2x?x16xbf16>,
    %v: tensor<1x2x?x16xbf16>, %w: tensor<2x1x1xbf16>) -> tensor<1x2x?x16xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x?x?xf32>, tensor<2x1x1xbf16>
    %1 = mta.softmax %0 : tensor<1x2x?x?xf32>
    mta.yield %1 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>
      -> tensor<1x2x?x16xbf16>
  return %o : tensor<1x2x?x16xbf16>
}

// One tile ahead: threads meet once a tile, the products of the next tile run
// while this one's weights are computed, and the last tile follows the loop.

// RUN: mta-opt %s -mta-choose-kernel-schedule='chip=sm_90a rows=64 key-tile=32 warps=4 query=registers products=wgmma ahead=1' \
// RUN:   -convert-mta-to-gpu=warpgroups=true -canonicalize -cse | FileCheck %s
// RUN: mta-opt %s -mta-choose-kernel-schedule='rows=64 key-tile=32 warps=4 query=registers ahead=1' \
// RUN:   -convert-mta-to-gpu -canonicalize -cse | FileCheck %s --check-prefix=MMA --implicit-check-not=mta.wait_product

// CHECK-LABEL: func.func @pre_conv(
// The ring has places for three tiles of 32 keys.
// CHECK:         %[[RING:.*]] = memref.alloca() : memref<66x104xf16
// CHECK:         %[[KEYS:.*]] = memref.alloca() : memref<2x8x33x8xbf16
// CHECK:         %[[VALUES:.*]] = memref.alloca() : memref<2x8x33x8xbf16
// Without keys there is nothing to begin.
// CHECK:         %[[EXISTS:.*]] = arith.cmpi sgt, %[[END:.*]], %c0 :
// CHECK:         scf.if %[[EXISTS]] -> (vector<64xf32>, vector<64x64xf32>) {
// CHECK:           mta.copy_tile {{.*}}, %[[KEYS]][%c0,
// CHECK:           mta.barrier
// CHECK:           scf.if
// CHECK-NEXT:        mta.copy_tile {{.*}}, %[[KEYS]][%c1,
// CHECK:           mta.copy_tile {{.*}}, %[[VALUES]][%c0,
// CHECK:           %[[FIRST:.*]] = mta.contract_tile %{{.*}}, %[[KEYS]][%c0] transposed, %{{.*}} async
// CHECK-NEXT:      mta.wait_product %[[FIRST]] pending 0
// CHECK:           vector.transfer_write {{.*}}, %[[RING]][%c2, %c0]
// CHECK:           %[[LAST:.*]] = arith.addi %[[END]], %c-1
// CHECK:           scf.for %[[TILE:.*]] = %c0 to %[[LAST]]
// CHECK:             mta.wait_copies
// CHECK-NEXT:        mta.fence_tiles
// CHECK-NEXT:        mta.barrier
// CHECK-NOT:         mta.barrier
// CHECK:             %[[SCORES:.*]] = mta.contract_tile %{{.*}}, %[[KEYS]]{{.*}} transposed, %{{.*}} async
// CHECK:             vector.transfer_read %[[RING]]
// CHECK:             vector.contract
// CHECK:             vector.multi_reduction <maximumf>
// CHECK:             %[[OUTPUT:.*]] = mta.contract_tile %{{.*}}, %[[VALUES]]{{.*}} async
// CHECK-NEXT:        mta.wait_product %[[SCORES]] pending 1
// CHECK:             vector.transfer_write {{.*}}, %[[RING]]
// CHECK:             vector.contract
// CHECK:             mta.wait_product %[[OUTPUT]] pending 0
// CHECK:             scf.yield
// CHECK:           mta.wait_copies
// CHECK:           mta.barrier
// CHECK-NOT:       mta.barrier
// CHECK-NOT:       %[[KEYS]]
// CHECK:           mta.contract_tile %{{.*}}, %[[VALUES]]
// CHECK:           mta.wait_product
// CHECK-NEXT:      scf.yield

// Products of mma are there when they are asked for.
// MMA-LABEL: func.func @pre_conv(
// MMA:         scf.for
// MMA:           mta.wait_copies
// MMA-NEXT:      mta.barrier
// MMA-NOT:       mta.barrier
// MMA:           vector.multi_reduction <maximumf>
// MMA:           scf.yield
func.func @pre_conv(%t: tensor<1x1x256x64xbf16>, %w: tensor<1x3x5xbf16>) -> tensor<1x1x256x64xbf16> {
  %o = mta.attention %t, %t, %t mask(causal) {
  ^bb0(%s: tensor<1x1x256x256xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x256x256xf32>, tensor<1x3x5xbf16>
    %1 = mta.softmax %0 : tensor<1x1x256x256xf32>
    mta.yield %1 : tensor<1x1x256x256xf32>
  } : tensor<1x1x256x64xbf16>, tensor<1x1x256x64xbf16>, tensor<1x1x256x64xbf16> -> tensor<1x1x256x64xbf16>
  return %o : tensor<1x1x256x64xbf16>
}

// A mix of two heads makes threads meet: scores wait for it in registers.
// CHECK-LABEL: func.func @mix(
// CHECK:         scf.for {{.*}} -> (vector<2x64x32xf32>, vector<2x64xf32>, vector<2x64xf32>, vector<2x64x16xf32>)
// CHECK:           mta.barrier
// CHECK:           vector.contract
// CHECK:           mta.barrier
// CHECK:           vector.transfer_write {{.*}} : vector<2x64x32xf16>
// CHECK:           mta.barrier
// CHECK:           vector.contract
// CHECK:           scf.yield
func.func @mix(%t: tensor<1x2x256x16xbf16>, %w: tensor<1x2x2xbf16>) -> tensor<1x2x256x16xbf16> {
  %o = mta.attention %t, %t, %t kernel_schedule(<rows = 64, key_tile = 32, warps = 8, stages = 2, query = registers, scores = f16, ahead = 1>) {
  ^bb0(%s: tensor<1x2x256x256xf32>):
    %0 = mta.head_mix %s, %w : tensor<1x2x256x256xf32>, tensor<1x2x2xbf16>
    %1 = mta.softmax %0 : tensor<1x2x256x256xf32>
    mta.yield %1 : tensor<1x2x256x256xf32>
  } : tensor<1x2x256x16xbf16>, tensor<1x2x256x16xbf16>, tensor<1x2x256x16xbf16> -> tensor<1x2x256x16xbf16>
  return %o : tensor<1x2x256x16xbf16>
}

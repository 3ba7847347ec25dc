// Operations and layouts of tiles print as they parse.

// RUN: mta-opt %s | mta-opt | FileCheck %s
// RUN: mta-opt %s --mlir-print-op-generic | mta-opt | FileCheck %s

#workgroup = #gpu.address_space<workgroup>

// CHECK-LABEL: func.func @copy(
// CHECK-SAME:    %[[K:.*]]: memref<1x4x?x64xf16>, %[[TILE:[^:]*]]:
// CHECK-SAME:    %[[ROW:[^:]*]]: index, %[[KEYS:[^:]*]]: index)
// CHECK:         %[[C0:.*]] = arith.constant 0 : index
// CHECK:         mta.copy_tile %[[K]][%[[C0]], %[[C0]], %[[ROW]], %[[C0]]], %[[TILE]][%[[C0]], %[[C0]], %[[C0]]]
// CHECK-SAME:      limit(%[[KEYS]]) shape [64, 56]
// CHECK-SAME:      : memref<1x4x?x64xf16>, memref<2x64x72xf16, #gpu.address_space<workgroup>>
// CHECK-NEXT:    mta.commit_copies
// CHECK-NEXT:    mta.wait_copies pending(1)
// CHECK-NEXT:    mta.wait_copies{{$}}
// CHECK-NEXT:    mta.barrier
func.func @copy(%k: memref<1x4x?x64xf16>,
                %tile: memref<2x64x72xf16, #workgroup>, %row: index,
                %keys: index) {
  %c0 = arith.constant 0 : index
  mta.copy_tile %k[%c0, %c0, %row, %c0], %tile[%c0, %c0, %c0]
      limit(%keys) shape [64, 56]
      : memref<1x4x?x64xf16>, memref<2x64x72xf16, #workgroup>
  mta.commit_copies
  mta.wait_copies pending(1)
  mta.wait_copies pending(0)
  mta.barrier
  return
}

// CHECK-LABEL: func.func @panels(
// CHECK:         mta.copy_tile {{.*}} limit(%{{.*}}) shape [64, 64] panels : memref<?x64xf16>, memref<2x8x65x8xf16
// CHECK-NEXT:    mta.fence_tiles
// CHECK-NEXT:    %[[S:.*]] = mta.contract_tile %[[Q:.*]], %[[TILE:.*]][%[[SLOT:.*]]] transposed, %[[ZERO:[^ ]*]]
// CHECK-SAME:      : vector<16x64xf16>, memref<2x8x65x8xf16, #gpu.address_space<workgroup>>, vector<16x64xf32>
// CHECK-NEXT:    %[[T:.*]] = mta.contract_tile %[[Q]], %[[TILE]][%[[SLOT]]], %[[S]]
// CHECK-NEXT:    %[[U:.*]] = mta.contract_tile %[[Q]], %[[TILE]][%[[SLOT]]] transposed, %[[T]] async :
// CHECK-NEXT:    mta.wait_product %[[U]] pending 0 : vector<16x64xf32>
func.func @panels(%k: memref<?x64xf16>, %tile: memref<2x8x65x8xf16, #workgroup>,
                  %q: vector<16x64xf16>, %zero: vector<16x64xf32>,
                  %slot: index, %row: index, %keys: index) -> vector<16x64xf32> {
  %c0 = arith.constant 0 : index
  mta.copy_tile %k[%row, %c0], %tile[%slot, %c0, %c0, %c0]
      limit(%keys) shape [64, 64] panels
      : memref<?x64xf16>, memref<2x8x65x8xf16, #workgroup>
  mta.fence_tiles
  %s = mta.contract_tile %q, %tile[%slot] transposed, %zero
      : vector<16x64xf16>, memref<2x8x65x8xf16, #workgroup>, vector<16x64xf32>
  %t = mta.contract_tile %q, %tile[%slot], %s
      : vector<16x64xf16>, memref<2x8x65x8xf16, #workgroup>, vector<16x64xf32>
  %u = mta.contract_tile %q, %tile[%slot] transposed, %t async
      : vector<16x64xf16>, memref<2x8x65x8xf16, #workgroup>, vector<16x64xf32>
  %r = mta.wait_product %u pending 0 : vector<16x64xf32>
  return %r : vector<16x64xf32>
}

// CHECK-LABEL: func.func @load(
// CHECK-SAME:    %[[K:.*]]: memref<1x4x?x64xf16>, %[[PAIRS:[^:]*]]: memref<16x384xf16, #gpu.address_space<workgroup>>
// CHECK-SAME:    %[[ROW:[^:]*]]: index, %[[KEYS:[^:]*]]: index, %[[SHARED:[^:]*]]: index)
// CHECK:         %[[C0:.*]] = arith.constant 0 : index
// CHECK:         mta.load_tile %[[K]][%[[C0]], %[[C0]], %[[ROW]], %[[C0]]] rows(%[[C0]] to %[[KEYS]]) shared(%[[SHARED]])
// CHECK-SAME:      : memref<1x4x?x64xf16> -> vector<8x16x64xf16>
// CHECK:         mta.load_band %[[PAIRS]][%[[C0]], %[[ROW]]] diagonals(8 to 21)
// CHECK-SAME:      : memref<16x384xf16, #gpu.address_space<workgroup>> -> vector<16x24x8xf16>
func.func @load(%k: memref<1x4x?x64xf16>, %pairs: memref<16x384xf16, #workgroup>,
                %row: index, %keys: index, %shared: index)
    -> (vector<8x16x64xf16>, vector<16x24x8xf16>) {
  %c0 = arith.constant 0 : index
  %0 = mta.load_tile %k[%c0, %c0, %row, %c0] rows(%c0 to %keys) shared(%shared)
      : memref<1x4x?x64xf16> -> vector<8x16x64xf16>
  %1 = mta.load_band %pairs[%c0, %row] diagonals(8 to 21)
      : memref<16x384xf16, #workgroup> -> vector<16x24x8xf16>
  return %0, %1 : vector<8x16x64xf16>, vector<16x24x8xf16>
}

// CHECK-LABEL: func.func @layouts
// CHECK-SAME:    a = #mta.layout<accumulator[head, row, column]>
// CHECK-SAME:    b = #mta.layout<rhs[row, column]>
// CHECK-SAME:    c = #mta.layout<accumulator[row]>
// CHECK-SAME:    d = #mta.layout<accumulator[head, row, column] runs column>
// CHECK-SAME:    e = #mta.layout<rhs[head, column, row] runs reduction>
func.func @layouts() attributes {
    a = #mta.layout<accumulator[head, row, column]>,
    b = #mta.layout<rhs[row, column]>, c = #mta.layout<accumulator[row]>,
    d = #mta.layout<accumulator[head, row, column] runs column>,
    e = #mta.layout<rhs[head, column, row] runs reduction>} {
  return
}

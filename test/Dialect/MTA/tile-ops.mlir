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

// CHECK-LABEL: func.func @layouts
// CHECK-SAME:    a = #mta.layout<accumulator[head, row, column]>
// CHECK-SAME:    b = #mta.layout<rhs[row, column]>
// CHECK-SAME:    c = #mta.layout<accumulator[row]>
func.func @layouts() attributes {
    a = #mta.layout<accumulator[head, row, column]>,
    b = #mta.layout<rhs[row, column]>, c = #mta.layout<accumulator[row]>} {
  return
}

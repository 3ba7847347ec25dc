// RUN: mta-opt %s -mta-verify-tiled | FileCheck %s
// RUN: mta-opt %S/choose-schedule.mlir -pass-pipeline='builtin.module(mta-choose-schedule,mta-tile-attention,mta-verify-tiled)' -o /dev/null

// The contract is about loops over tiles; nothing is expected of the rest of a
// module.

// CHECK-LABEL: @elsewhere
// CHECK: linalg.matmul
func.func @elsewhere(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>,
                     %c: tensor<?x?xf32>, %n: index) -> tensor<?x?xf32> {
  %0 = scf.forall (%i) in (%n) shared_outs(%o = %c) -> (tensor<?x?xf32>) {
    %1 = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>)
                       outs(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %o[0, 0] [%n, %n] [1, 1]
          : tensor<?x?xf32> into tensor<?x?xf32>
    }
  }
  return %0 : tensor<?x?xf32>
}

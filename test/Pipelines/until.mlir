// Pipelines end at the level that is asked for.

// RUN: mta-opt %s -mta-cpu='until=1' | FileCheck %s --check-prefix=TILES --implicit-check-not=vector.load
// RUN: mta-opt %s -mta-cpu='until=2 vector-bits=512' | FileCheck %s --check-prefix=VECTORS --implicit-check-not=tensor
// RUN: mta-opt %s -mta-cpu='until=4' -o %t.4.mlir
// RUN: mta-opt %s -mta-cpu | diff %t.4.mlir -
// RUN: mta-opt %s -mta-gpu='until=2G' | FileCheck %s --check-prefix=WORKGROUPS --implicit-check-not=nvvm.mma.sync
// RUN: mta-opt %s -mta-gpu='until=3G' | FileCheck %s --check-prefix=THREADS --implicit-check-not=gpu.module
// RUN: mta-opt %s -mta-gpu='until=4' -o %t.4.mlir
// RUN: mta-opt %s -mta-gpu | diff %t.4.mlir -
// RUN: mta-opt %s -mta-cpu='until=1 explain=true' -o /dev/null 2>&1 | FileCheck %s --check-prefix=EXPLAIN
// RUN: not mta-opt %s -mta-gpu='until=2' 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not mta-opt %s -mta-cpu='until=3G' 2>&1 | FileCheck %s --check-prefix=LEVEL

// TILES-LABEL: func.func @attention(
// TILES:         scf.forall
// TILES:           linalg.generic
// VECTORS-LABEL: func.func @attention(
// VECTORS:         scf.forall
// VECTORS:           vector.load {{.*}} vector<16xf32>
// WORKGROUPS-LABEL: func.func @attention(
// WORKGROUPS:         gpu.launch blocks
// WORKGROUPS:           vector.contract
// THREADS-LABEL: func.func @attention(
// THREADS:         gpu.launch blocks
// THREADS:           nvvm.mma.sync
// EXPLAIN: remark: takes #mta.schedule<
// LEVEL: until option: Cannot find option named '{{2|3G}}'!

func.func @attention(%q: tensor<1x2x40x16xbf16>, %k: tensor<1x2x40x16xbf16>,
                     %v: tensor<1x2x40x16xbf16>) -> tensor<1x2x40x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xbf16>, tensor<1x2x40x16xbf16>, tensor<1x2x40x16xbf16>
      -> tensor<1x2x40x16xbf16>
  return %o : tensor<1x2x40x16xbf16>
}

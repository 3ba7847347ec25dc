// RUN: mta-opt %s -mta-cpu | FileCheck %s
// RUN: mta-opt %s -mta-cpu='threads=0 vector-bits=128' | FileCheck %s --check-prefix=SERIAL
// RUN: not mta-opt %s -mta-cpu='key-tile=-8' 2>&1 | FileCheck %s --check-prefix=TILE

// RUN: mta-opt %s -mta-cpu='pair-cost=1 vector-bits=512' | FileCheck %s --check-prefix=PAIRS
// RUN: mta-opt %s -mta-cpu='pair-cost=0 vector-bits=512' | FileCheck %s --check-prefix=SINGLES

// TILE: expects key_tile of at least 1, but got -8

// Packing first, in equal parts; then tiles, and no threads within.
// CHECK: omp.parallel
// CHECK: omp.wsloop {
// CHECK: omp.wsloop schedule(dynamic)
// CHECK-NOT: omp.parallel
// CHECK-LABEL: llvm.func @_mlir_ciface_attention
// CHECK-NOT: {{(memref|linalg|scf|mta|vector|arith)\.}}
// SERIAL-NOT: omp.
// SERIAL: vector<4xf32>
// SERIAL-NOT: vector<16xf32>

func.func @attention(%q: tensor<1x2x40x16xf32>, %k: tensor<1x2x40x16xf32>,
                     %v: tensor<1x2x40x16xf32>, %theta: tensor<2x6x11xf32>)
    -> tensor<1x2x40x16xf32> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.key_query_conv %s, %theta
        : tensor<1x2x40x40xf32>, tensor<2x6x11xf32>
    %1 = mta.softmax %0 : tensor<1x2x40x40xf32>
    mta.yield %1 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>, tensor<1x2x40x16xf32>
      -> tensor<1x2x40x16xf32>
  return %o : tensor<1x2x40x16xf32>
}

// PAIRS-LABEL: @bf16
// PAIRS: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%{{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// SINGLES-LABEL: @bf16
// SINGLES-NOT: llvm.x86
func.func @bf16(%q: tensor<1x2x40x15xbf16>, %k: tensor<1x2x40x15xbf16>,
                %v: tensor<1x2x40x15xbf16>) -> tensor<1x2x40x15xbf16> {
  %o = mta.attention %q, %k, %v {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x15xbf16>, tensor<1x2x40x15xbf16>, tensor<1x2x40x15xbf16>
      -> tensor<1x2x40x15xbf16>
  return %o : tensor<1x2x40x15xbf16>
}

// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{chip=sm_1})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CHIP
// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{block-size=-1})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=BLOCK
// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{block-size=0})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ZERO
// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{block-size=1025})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LARGE
// RUN: not mta-opt %s --pass-pipeline='builtin.module(mta-reference-gpu{threads=1})' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNKNOWN

// CHIP: error: Minimum NVVM target SM version is sm_20
// BLOCK: for the --block-size option: '-1' value invalid for uint argument
// ZERO: error: expects a block-size of 1 to 1024 threads, but got 0
// LARGE: error: expects a block-size of 1 to 1024 threads, but got 1025
// UNKNOWN: no such option threads

func.func @attention(%t: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x8x8xf32>):
    %0 = mta.softmax %s : tensor<1x1x8x8xf32>
    mta.yield %0 : tensor<1x1x8x8xf32>
  } : tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>
      -> tensor<1x1x8x8xf32>
  return %o : tensor<1x1x8x8xf32>
}

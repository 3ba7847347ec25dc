// An unmodified mlir-opt learns the dialect, the passes and the pipelines.

// RUN: mlir-opt --load-dialect-plugin=%mta_lib/libMTAPlugin%shlibext %s \
// RUN:   | FileCheck %s --check-prefix=PARSE
// PARSE: mta.attention
// PARSE: mta.key_query_conv

// RUN: mlir-opt --load-dialect-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --load-pass-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --pass-pipeline='builtin.module(convert-mta-to-linalg)' %s \
// RUN:   | FileCheck %s --check-prefix=LINALG
// LINALG-NOT: mta.
// LINALG: linalg.generic

// RUN: mlir-opt --load-dialect-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --load-pass-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --pass-pipeline='builtin.module(mta-reference-cpu)' %s \
// RUN:   | FileCheck %s --check-prefix=CPU
// CPU: llvm.func @_mlir_ciface_pre_conv

// RUN: mlir-opt --load-dialect-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --load-pass-plugin=%mta_lib/libMTAPlugin%shlibext \
// RUN:   --pass-pipeline='builtin.module(mta-reference-gpu{chip=sm_90})' %s \
// RUN:   | FileCheck %s --check-prefix=GPU
// GPU: gpu.binary @mta_kernels
// GPU-SAME: .target sm_90

// Without the plugin the dialect is unknown.
// RUN: not mlir-opt %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: Dialect `mta' not found

func.func @pre_conv(%q: tensor<1x2x5x4xf32>, %k: tensor<1x2x5x4xf32>,
                    %v: tensor<1x2x5x4xf32>, %theta: tensor<2x3x3xf32>)
    -> tensor<1x2x5x4xf32> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x2x5x5xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x2x5x5xf32>, tensor<2x3x3xf32>
    %1 = mta.softmax %0 : tensor<1x2x5x5xf32>
    mta.yield %1 : tensor<1x2x5x5xf32>
  } : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>
      -> tensor<1x2x5x4xf32>
  return %o : tensor<1x2x5x4xf32>
}

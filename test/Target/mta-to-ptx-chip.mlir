// Without --chip, a module that has PTX already is translated to that; an error
// says so in a few lines, not in all of the PTX.

// RUN: mta-opt --pass-pipeline='builtin.module(mta-gpu{chip=sm_90a})' %s -o %t.mlir
// RUN: mta-translate --mta-to-ptx %t.mlir | FileCheck %s
// RUN: mta-translate --mta-to-contract %t.mlir | FileCheck %s --check-prefix=CONTRACT
// RUN: not mta-translate --mta-to-ptx --chip sm_80 %t.mlir 2> %t.err
// RUN: FileCheck %s --check-prefix=OTHER --implicit-check-not=ld.param < %t.err
// RUN: mta-translate --mta-to-ptx %s | FileCheck %s --check-prefix=USUAL

// CHECK: .target sm_90a
// CONTRACT: "chip": "sm_90a"
// OTHER: :3:1: error: expects PTX for sm_80, but 'mta_kernels' has none
// USUAL: .target sm_80
func.func @plain(%t: tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16> {
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16> -> tensor<1x1x64x16xf16>
  return %o : tensor<1x1x64x16xf16>
}

// Products by wgmma that the option, the chip, the type, the warps or the head
// dimension does not allow.

// RUN: mta-opt %s -split-input-file -verify-diagnostics -convert-mta-to-gpu
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='chip=sm_90a products=mfma' 2>&1 | FileCheck %s --check-prefix=WORD
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='chip=sm_90 products=wgmma' 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not mta-opt %s -split-input-file -mta-choose-kernel-schedule='chip=sm_90a products=wgmma' 2>&1 | FileCheck %s --check-prefix=TYPE
// WORD: expects products by mma or wgmma, but got 'mfma'
// CHIP: expects sm_90a for wgmma, but got 'sm_90'
// TYPE: 'mta.attention' op expects 16-bit operands for wgmma, but got 'f32'

func.func @single_precision(%t: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule, such as mta-choose-kernel-schedule writes}}
  %o = mta.attention %t, %t, %t {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32> -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}

// -----

func.func @c14_half_a_warpgroup(%t: tensor<1x1x64x16xbf16>) -> tensor<1x1x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a kernel schedule with a multiple of 4 warps for every head for wgmma, but got 2}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 32, key_tile = 16, warps = 2, stages = 1, query = registers, scores = f16, products = wgmma>) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

// -----

func.func @older_chip(%t: tensor<1x1x64x16xbf16>) -> tensor<1x1x64x16xbf16> {
  // expected-error@+1 {{'mta.attention' op expects a chip with wgmma, sm_90a, for #mta.kernel_schedule<rows = 64, key_tile = 16, warps = 4, stages = 1, query = registers, scores = f16, products = wgmma>}}
  %o = mta.attention %t, %t, %t
      kernel_schedule(<rows = 64, key_tile = 16, warps = 4, stages = 1, query = registers, scores = f16, products = wgmma>) {
  ^bb0(%s: tensor<1x1x64x64xf32>):
    %0 = mta.softmax %s : tensor<1x1x64x64xf32>
    mta.yield %0 : tensor<1x1x64x64xf32>
  } : tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16>, tensor<1x1x64x16xbf16> -> tensor<1x1x64x16xbf16>
  return %o : tensor<1x1x64x16xbf16>
}

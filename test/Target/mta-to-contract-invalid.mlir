// What has no contract, one diagnostic each.

// RUN: mta-translate --mta-to-contract --split-input-file --verify-diagnostics %s

// expected-error @below {{expects a module with work for a GPU, but got none}}
module {
  func.func @f() { return }
}

// -----

// expected-error @below {{expects a binary with launch contracts, but 'kernels' has none}}
module {
  gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 8.0\0A.visible .entry k()\0A{\0A">]
}

// -----

// expected-error @below {{expects PTX for sm_80, but 'kernels' has none}}
module {
  gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_90">, assembly = ".version 8.0">, #gpu.object<#nvvm.target<chip = "sm_100">, assembly = ".version 8.0">]
}

// -----

// The host code does more than to launch kernels.
func.func private @log()

func.func @logged(%q: tensor<1x2x40x16xf16>) -> tensor<1x2x40x16xf16> {
  %o = mta.attention %q, %q, %q {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xf16>, tensor<1x2x40x16xf16>, tensor<1x2x40x16xf16>
      -> tensor<1x2x40x16xf16>
  // expected-error @below {{expects a function that only launches kernels on buffers, for its launch contract}}
  // expected-note @below {{the reference kernels, of mta-translate --reference}}
  call @log() : () -> ()
  return %o : tensor<1x2x40x16xf16>
}

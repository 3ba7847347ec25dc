// What has no PTX, one diagnostic each.

// RUN: mta-translate --mta-to-ptx --split-input-file --verify-diagnostics %s

// expected-error @below {{expects a module with work for a GPU, but got none}}
module {
  func.func @f() { return }
}

// -----

// expected-error @below {{expects PTX for sm_80, but 'cubin' has none}}
module {
  gpu.binary @cubin [#gpu.object<#nvvm.target<chip = "sm_80">, bin = "machine code">]
}

// -----

// expected-error @below {{expects PTX for sm_80, but 'other_chip' has none}}
module {
  gpu.binary @other_chip [#gpu.object<#nvvm.target<chip = "sm_90">, assembly = ".version 8.0">, #gpu.object<#nvvm.target<chip = "sm_100">, assembly = ".version 8.0">]
}

// -----

// expected-error @below {{expects PTX for sm_80, but 'other_vendor' has none}}
module {
  gpu.binary @other_vendor [#gpu.object<#rocdl.target<chip = "gfx90a">, assembly = "s_endpgm">]
}

// -----

// expected-error @below {{expects PTX without external functions, but got one that calls '__nv_sinf'}}
module {
  gpu.binary @external [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0\0A.extern .func  (.param .b32 func_retval0) __nv_sinf\0A(\0A.param .b32 x\0A)\0A;\0A">]
}

gpu.binary @first [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0">]
gpu.binary @second [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0">]

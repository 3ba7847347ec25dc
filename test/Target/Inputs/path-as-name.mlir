gpu.binary @"../outside" [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = ".version 7.0">]

gpu.binary @bad [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "no PTX">]

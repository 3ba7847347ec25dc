// How to launch fused kernels, as JSON. Several kernels of a function, here a
// norm in f64 after its attention, are in the order of their launches; functions
// are, too.

// RUN: mta-translate --mta-to-contract --chip=sm_90a %s -o %t.json
// RUN: FileCheck %s --input-file=%t.json
// A module whose kernels are PTX already has its contracts with it, but not the
// names of the text, which are not in the IR.
// RUN: mta-opt --pass-pipeline='builtin.module(mta-gpu)' %s | mta-translate --mta-to-contract | FileCheck %s --check-prefix=BINARY
// RUN: mta-opt --pass-pipeline='builtin.module(mta-gpu{merge-kernels=false})' %s | FileCheck %s --check-prefix=APART

// The reference is there to be compared with, not to be launched by others.
// RUN: not mta-translate --mta-to-contract --reference %s 2>&1 | FileCheck %s --check-prefix=REFERENCE
// REFERENCE: error: expects a binary with launch contracts, but 'mta_kernels' has none

// CHECK:      "version": 1,
// CHECK-NEXT: "compiler": "mta {{[0-9.]+}}",
// CHECK-NEXT: "chip": "sm_90a",
// CHECK-NEXT: "ptx_version": "8.0",
// CHECK-NEXT: "functions": [

// CHECK:      "name": "plain",
// CHECK-NEXT: "sizes": [],
// CHECK-NEXT: "supported": [],
// CHECK:      "kind": "output",
// CHECK-NEXT: "type": "f16",
// CHECK-NEXT: "shape": [
// CHECK-NEXT:   "1",
// CHECK-NEXT:   "2",
// CHECK-NEXT:   "40",
// CHECK-NEXT:   "16"
// CHECK-NEXT: ],
// CHECK-NEXT: "strides": [
// CHECK-NEXT:   "1280",
// CHECK-NEXT:   "640",
// CHECK-NEXT:   "16",
// CHECK-NEXT:   "1"
// CHECK-NEXT: ],
// CHECK-NEXT: "alignment": 16
// CHECK:      "module": "mta_kernels",
// CHECK-NEXT: "entry": "plain_kernel",
// CHECK:      "parameter_bytes": 16,
// CHECK:      "grid": [
// CHECK-NEXT:   "1",
// CHECK-NEXT:   "2",
// CHECK-NEXT:   "1"
// CHECK-NEXT: ],

// CHECK:      "name": "normed",
// CHECK-NEXT: "sizes": [
// CHECK-NEXT:   {
// CHECK-NEXT:     "name": "queries",
// CHECK-NEXT:     "minimum": 0,
// CHECK-NEXT:     "maximum": 2147483647
// CHECK-NEXT:   },
// CHECK-NEXT:   {
// CHECK-NEXT:     "name": "keys",
// CHECK:      "supported": [
// CHECK-NEXT:   "queries - 5 >= 0"
// CHECK:      "name": "workspace0",
// CHECK-NEXT: "kind": "workspace",
// CHECK:      "must_be_zero": false
// CHECK:      "entry": "normed_kernel",
// CHECK:      "parameters": [
// CHECK-NEXT:   {
// CHECK-NEXT:     "name": "normed_kernel_param_0",
// CHECK-NEXT:     "kind": "input",
// CHECK-NEXT:     "type": "pointer",
// CHECK-NEXT:     "buffer": "q",
// CHECK-NEXT:     "alignment": 16,
// CHECK-NEXT:     "offset": 0,
// CHECK-NEXT:     "size": 8
// CHECK-NEXT:   },
// CHECK-NEXT:   {
// CHECK-NEXT:     "name": "normed_kernel_param_1",
// CHECK-NEXT:     "kind": "size",
// CHECK-NEXT:     "type": "i32",
// CHECK-NEXT:     "value": "queries",
// CHECK-NEXT:     "divisibility": 1,
// CHECK-NEXT:     "offset": 8,
// CHECK-NEXT:     "size": 4
// CHECK:      "grid": [
// CHECK-NEXT:   "ceildiv(queries - 5, 11)",
// CHECK-NEXT:   "2",
// CHECK-NEXT:   "1"
// CHECK-NEXT: ],
// CHECK-NEXT: "block": [
// CHECK-NEXT:   32,
// CHECK:      "cluster": [
// CHECK:      "static_workgroup_bytes": 0,
// CHECK-NEXT: "dynamic_workgroup_bytes": {{[0-9]+}},
// CHECK-NEXT: "needs_opt_in": false,
// CHECK-NEXT: "numerics": {
// CHECK-NEXT:   "products": [
// CHECK-NEXT:     "bf16",
// CHECK-NEXT:     "f16"
// CHECK-NEXT:   ],
// CHECK-NEXT:   "accumulation": "f32",
// CHECK-NEXT:   "staged_scores": [
// CHECK-NEXT:     "f16"
// CHECK-NEXT:   ],
// CHECK-NEXT:   "approximations": [
// CHECK-NEXT:     "ex2.approx.ftz.f32"
// CHECK:      "entry": "normed_kernel_0",

// BINARY: "chip": "sm_80",
// BINARY-NEXT: "ptx_version": "7.0",
// BINARY: "name": "plain",
// BINARY: "name": "arg0",
// BINARY: "name": "normed",

// APART: gpu.binary @plain_kernel {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "plain"
// APART: gpu.binary @normed_kernel {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "normed"
// APART-SAME: kernel = @normed_kernel_0::@normed_kernel,
// APART: gpu.binary @normed_kernel_0 {mta.launch_contracts = [#mta.launch_contract<version = 1, function = "normed"

func.func @plain(%q: tensor<1x2x40x16xf16>) -> tensor<1x2x40x16xf16> {
  %o = mta.attention %q, %q, %q {
  ^bb0(%s: tensor<1x2x40x40xf32>):
    %0 = mta.softmax %s : tensor<1x2x40x40xf32>
    mta.yield %0 : tensor<1x2x40x40xf32>
  } : tensor<1x2x40x16xf16>, tensor<1x2x40x16xf16>, tensor<1x2x40x16xf16>
      -> tensor<1x2x40x16xf16>
  return %o : tensor<1x2x40x16xf16>
}

func.func @normed(%q: tensor<1x2x?x16xbf16>, %k: tensor<1x2x?x16xbf16>,
                  %v: tensor<1x2x?x16xbf16>, %theta: tensor<2x6x11xbf16>,
                  %gamma: tensor<16xf64>) -> tensor<1x2x?x16xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) query_halo(5) {
  ^bb0(%s: tensor<1x2x?x?xf32>):
    %0 = mta.key_query_conv %s, %theta : tensor<1x2x?x?xf32>, tensor<2x6x11xbf16>
    %1 = mta.softmax %0 : tensor<1x2x?x?xf32>
    mta.yield %1 : tensor<1x2x?x?xf32>
  } : tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>, tensor<1x2x?x16xbf16>
      -> tensor<1x2x?x16xf32>
  %n = mta.head_norm %o, %gamma
      : tensor<1x2x?x16xf32>, tensor<16xf64> -> tensor<1x2x?x16xbf16>
  return %n : tensor<1x2x?x16xbf16>
}

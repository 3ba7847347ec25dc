// Fused kernels as texts of PTX: tensor cores fed by ldmatrix and asynchronous copies,
// and nothing that a driver would have to link.

// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-gpu{rows=64 key-tile=32 warps=4 stages=1 query=workgroup scores=f16x2})' -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir --implicit-check-not=.extern --implicit-check-not=mta.attention --implicit-check-not=gpu.module
// RUN: mta-translate --mta-to-ptx %t.mlir | FileCheck %s --check-prefix=ASSEMBLY
// RUN: mta-opt %s --pass-pipeline='builtin.module(mta-gpu{chip=sm_90a explain=true})' 2>&1 | FileCheck %s --check-prefix=CHIP

// CHECK-LABEL: func.func @pre_conv(
// CHECK:         gpu.launch_func @mta_kernels::@pre_conv_kernel blocks in
// CHECK-SAME:      threads in (%c128,
// CHECK-SAME:      dynamic_shared_memory_size
// CHECK:       gpu.binary @mta_kernels
// CHECK-SAME:    chip = "sm_80"
// CHECK-SAME:    .target sm_80
// CHECK-SAME:    .entry pre_conv_kernel(
// CHECK-SAME:    .maxntid 128

// ASSEMBLY-DAG: cp.async.cg.shared.global
// ASSEMBLY-DAG: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// ASSEMBLY-DAG: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// ASSEMBLY-DAG: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// ASSEMBLY-DAG: ex2.approx.ftz.f32
// ASSEMBLY-DAG: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16

// CHIP: remark: takes #mta.kernel_schedule<{{.*}}> for h100-sxm
// CHIP: .target sm_90a

func.func @pre_conv(%q: tensor<1x1x?x128xbf16>, %k: tensor<1x1x?x128xbf16>,
                    %v: tensor<1x1x?x128xbf16>, %w: tensor<1x6x11xbf16>)
    -> tensor<1x1x?x128xbf16> {
  %o = mta.attention %q, %k, %v mask(causal) {
  ^bb0(%s: tensor<1x1x?x?xf32>):
    %0 = mta.key_query_conv %s, %w : tensor<1x1x?x?xf32>, tensor<1x6x11xbf16>
    %1 = mta.softmax %0 : tensor<1x1x?x?xf32>
    mta.yield %1 : tensor<1x1x?x?xf32>
  } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>
      -> tensor<1x1x?x128xbf16>
  return %o : tensor<1x1x?x128xbf16>
}

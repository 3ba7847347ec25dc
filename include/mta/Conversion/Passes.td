//===- Passes.td - Conversion passes -----------------------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_CONVERSION_PASSES_TD
#define MTA_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertMTAToLinalgPass : Pass<"convert-mta-to-linalg"> {
  let summary = "the reference lowering: score programs on whole tensors";
  let description = [{
    Before: any IR with operations of the `mta` dialect on tensors. After: the
    same computation in `linalg`, `tensor`, `arith` and `math`; no operation of
    the `mta` dialect on tensors remains.

    Every step of the score program becomes one or a few `linalg.generic`
    operations on the whole B x H x Nq x Nk score matrix, in the order of the
    program. Nothing is fused and nothing is skipped: the result needs memory
    for several score matrices, grows with Nq·Nk, and is the oracle that faster
    lowerings are compared with, not a product.

    The mask becomes two numbers a query, the first key it may read and the end
    of those keys; with sequence boundaries also the first query of its
    sequence. Scores that are not allowed are zero in every matrix the lowering
    forms, so convolutions read zeros and need no mask of their own.

    Not its job: choosing memory (bufferization) or loops.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def ConvertMTAToGPUPass : Pass<"convert-mta-to-gpu"> {
  let summary = "attention as a launch of a tile program on vectors";
  let description = [{
    Before: `mta.attention` on tensors. After: a `gpu.launch` whose body is what
    one workgroup does, on vectors of a whole tile: contractions with keys,
    values and the band matrices of convolutions, row reductions, elementwise
    arithmetic. Keys and values come to workgroup memory by asynchronous copies
    ahead of their use. Nothing of the size of the score matrix is in memory.

    The body reads as a sequential program, of which barriers are no-ops; which
    thread does what is the matter of `mta-assign-layouts` and
    `convert-vector-to-fragments`.

    A workgroup works on a group of heads that are mixed and on R rows of
    scores, of which the first ones are the halo of its convolutions. Where
    something follows the softmax it runs over the keys twice. The shape of all
    this is the attention's `#mta.kernel_schedule`; without one it gets an error.

    With several `key_splits`, workgroups share the keys of a tile of queries.
    Each leaves its sums of weighted values in a workspace, and a second launch
    combines them; where something follows the softmax, a launch before them
    leaves the statistics of every split. The results do not depend on the order
    in which workgroups run.

    Norms and gates that alone use the output, and whose weights are there
    before the attention, are applied to the tile before it is stored. Those in
    f64 are left alone, as are vector gates for which registers or the range of
    f16 do not suffice.

    Operands of f32 are multiplied as tf32, which has 11 bits: with
    `f32-precision=tf32x3` an operand is the sum of two tf32 numbers, of which
    three products are added; with `tf32` it is rounded to one. The arithmetic
    that splits them is part of the tile program, and a contraction of operands
    that are tf32 numbers has the attribute `mta.tf32`.

    Supported are f16, bf16 and f32 with weights of any of these, head
    dimensions that are multiples of 8 up to 256 and head groups of up to 16;
    for everything else the operation gets an error.
  }];
  let options = [
    Option<"workgroupBytes", "workgroup-bytes", "int64_t", "166912",
           "Workgroup memory that a kernel may use">,
    Option<"warpgroups", "warpgroups", "bool", "false",
           "The chip's tensor cores read workgroup memory by themselves: wgmma "
           "of sm_90a">,
    Option<"f32Precision", "f32-precision", "::mta::F32Precision",
           "::mta::F32Precision::TF32x3",
           "How tensor cores multiply operands of f32",
           [{::llvm::cl::values(
               clEnumValN(::mta::F32Precision::TF32x3, "tf32x3",
                          "three products of operands split in two"),
               clEnumValN(::mta::F32Precision::TF32, "tf32",
                          "one product of operands rounded to tf32"))}]>
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def ChooseKernelSchedulePass : Pass<"mta-choose-kernel-schedule"> {
  let summary = "give attentions without a kernel schedule the fastest one";
  let description = [{
    Before: `mta.attention` without a kernel schedule. After: the same with a
    `#mta.kernel_schedule`. An attention that has one keeps it.

    Candidates are all combinations of the values of its fields that fit the
    score program and a workgroup's memory. For each, the work of one tile of
    keys is counted, as `lib/Conversion/MTAToGPU/KernelCost.h` describes, and
    turned into the time of the launch with published figures of a GPU of the
    chip: rates of the tensor cores, workgroup memory, arithmetic and L2,
    multiprocessors, and how many workgroups are resident on one by the
    registers of its threads and its memory. Rows and keys that are computed and
    not used count. Of the candidates that do not spill registers the one with
    the least time is taken; of those within 2 percent of it, the one with the
    most usual tiles. Operands of f16 get `f16x2` for scores that are staged,
    unless that takes three times as long. Where the number of queries does not
    fill the GPU, there are candidates whose workgroups split the keys.

    A number of queries or keys that is not known is taken for the expected one.
    Without one it is taken for 2048, and keys are not split: what splits leave
    is as many times the outputs, for however many queries the kernel is called
    with. A batch that is not known is taken for the expected one, or for 4.

    A number that is not 0, or not negative for `ahead`, and a word that is not
    empty are taken as they are.
    Where no candidate is left, the error names the constraint.
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"sm_80\"",
           "NVIDIA target, such as sm_80 or sm_90a">,
    Option<"rows", "rows", "int64_t", "0",
           "Rows of scores of a workgroup, for each head">,
    Option<"keyTile", "key-tile", "int64_t", "0", "Keys of a tile">,
    Option<"warps", "warps", "int64_t", "0", "Warps of a workgroup">,
    Option<"stages", "stages", "int64_t", "0",
           "Tiles of keys in workgroup memory">,
    Option<"query", "query", "std::string", "\"\"",
           "Where queries are: registers, workgroup or global">,
    Option<"scores", "scores", "std::string", "\"\"",
           "What a staged score is: f16, f16x2, f16x2_before or f32">,
    Option<"products", "products", "std::string", "\"\"",
           "How queries meet keys, and weights values: mma or wgmma">,
    Option<"keySplits", "key-splits", "int64_t", "0",
           "Workgroups that share the keys of a tile of queries">,
    Option<"ahead", "ahead", "int64_t", "-1",
           "Tiles of keys whose scores are computed ahead: 0 or 1">,
    Option<"expectedQueries", "expected-queries", "int64_t", "0",
           "Queries where their number is dynamic, with those of the halo">,
    Option<"expectedKeys", "expected-keys", "int64_t", "0",
           "Keys where their number is dynamic">,
    Option<"expectedBatch", "expected-batch", "int64_t", "0",
           "The batch where it is dynamic">,
    Option<"explain", "explain", "bool", "false",
           "Emit a remark with a table of the best candidates">
  ];
}

def AssignLayoutsPass : Pass<"mta-assign-layouts"> {
  let summary = "which thread holds which elements of a tile program's vectors";
  let description = [{
    Before: a tile program as `convert-mta-to-gpu` makes it. After: every
    operation that yields vectors has an attribute `mta.layouts` with the
    `#mta.layout` of every result.

    Contractions fix the layouts of their operands and results; from there they
    spread over elementwise operations, broadcasts, reductions, slices, loops
    and branches. Constants, steps, broadcasts and bounds of rows and columns
    are repeated for every use, as uses may differ, and stand where it is.

    A vector that no contraction reaches, or that two reach with different
    layouts, is an error: there is no conversion between layouts that nobody
    asked for.
  }];
  let dependentDialects = ["::mta::MTADialect"];
}

def ConvertVectorToFragmentsPass : Pass<"convert-vector-to-fragments"> {
  let summary = "a tile program as what one thread does";
  let description = [{
    Before: a tile program with layouts. After: the program of one thread, on
    pairs of neighbouring elements and on numbers: contractions are
    `nvvm.mma.sync` or `wgmma`, reads of workgroup memory `nvgpu.ldmatrix`, or
    loads of pairs for f32, reductions over columns two shuffles, copies
    `nvgpu.device_async_copy` of 16 bytes. Nothing is indexed at run time but
    memory, so that all pieces are registers.

    Elementwise operations with the attribute `mta.opaque` have results of 16
    bits of which nothing is known, to passes and assemblers alike: where
    registers are short, what is read of them is not kept as 32 bits.

    Contractions of f32 are products of tf32, of which hardware reads the upper
    19 bits. They have to say so by the attribute `mta.tf32`: whoever writes it
    has cleared the other bits.

    Barriers and the order of operations stay as they are. With more than 8
    heads, where registers are short, threads read their number again in loops
    and after barriers, in inline PTX, so that what follows from it is computed
    where it is used; `nvvm.bar.warp.sync` keeps loads where they are.
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::nvgpu::NVGPUDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // MTA_CONVERSION_PASSES_TD

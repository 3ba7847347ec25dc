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
    something follows the softmax it runs over the keys twice.

    Supported are f16 and bf16, head dimensions that are multiples of 8 up to
    128 and head groups of up to 16; for everything else the operation gets an
    error.
  }];
  let options = [
    Option<"workgroupBytes", "workgroup-bytes", "int64_t", "166912",
           "Workgroup memory that a kernel may use">
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
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
    `nvvm.mma.sync`, reads of workgroup memory `nvgpu.ldmatrix`, reductions over
    columns two shuffles, copies `nvgpu.device_async_copy` of 16 bytes. Nothing
    is indexed at run time but memory, so that all pieces are registers.

    Barriers and the order of operations stay as they are. With more than 8
    warps, where registers are short, threads read their number again in loops
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

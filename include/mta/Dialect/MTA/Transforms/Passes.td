//===- Passes.td - Passes between the levels ---------------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_TRANSFORMS_PASSES_TD
#define MTA_DIALECT_MTA_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandMathPass : Pass<"mta-expand-math"> {
  let summary = "expand exp and log into arithmetic";
  let description = [{
    Before: `math.exp` and `math.log` of f32 or f64 scalars. After: the same
    values from `arith` and `math.fma`, `math.floor` operations, which every
    target has as instructions. On a GPU nothing else is left to call: the
    alternative is a call into a device library that the PTX would have to
    bring along.

    exp reduces the argument by multiples of ln 2 and evaluates a polynomial;
    log takes the exponent off and evaluates the series of the inverse
    hyperbolic tangent. Both stay within 2 ulp, return the limits at infinities
    and pass NaN on. Results below the smallest normal number are zero, and
    subnormal arguments of log are treated as zero.

    f16 and bf16 operands, vectors and other functions are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def CollapseParallelLoopsPass : Pass<"mta-collapse-parallel-loops"> {
  let summary = "collapse parallel loops to one dimension";
  let description = [{
    Before: `scf.parallel` loops of any number of dimensions. After: outermost
    ones have one dimension, whose induction variable is decomposed by division.
    A launch then has as many threads as there are elements, whatever the
    extents are, and no dimension of a grid limits an extent.

    Loops with reductions and nested parallel loops are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def CopiesToLinalgPass : Pass<"mta-copies-to-linalg"> {
  let summary = "turn memref.copy into linalg.copy";
  let description = [{
    Before: `memref.copy` operations, as bufferization leaves them. After:
    `linalg.copy`, which becomes loops, so that copies between buffers run where
    everything else runs.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def MergeGPUModulesPass : Pass<"mta-merge-gpu-modules", "::mlir::ModuleOp"> {
  let summary = "put all kernels of a module into one gpu.module";
  let description = [{
    Before: several `gpu.module`s, as outlining makes one for every launch.
    After: the first of them, renamed to `mta_kernels`, holds all their
    functions, under names that are unique; launches refer to it. One module
    serialises to one PTX text.

    Modules with other contents than functions keep to themselves.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

#endif // MTA_DIALECT_MTA_TRANSFORMS_PASSES_TD

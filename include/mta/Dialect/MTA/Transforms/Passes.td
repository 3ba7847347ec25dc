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
  let summary = "expand exp, exp2 and log into arithmetic";
  let description = [{
    Before: `math.exp`, `math.exp2` and `math.log` of f32 or f64 scalars and
    vectors. After: the same values from `arith` and `math.fma`, `math.floor` operations, which every
    target has as instructions. On a GPU nothing else is left to call: the
    alternative is a call into a device library that the PTX would have to
    bring along.

    exp and exp2 take a power of two out and evaluate a polynomial on the rest;
    log takes the exponent off and evaluates the series of the inverse
    hyperbolic tangent. All stay within 2 ulp, exp2 of f32 within 1, return the
    limits at infinities and pass NaN on. exp2 rounds by adding a large number,
    so that a vector takes 16 operations. Results below the smallest normal number are zero, and
    subnormal arguments of log are treated as zero.

    f16 and bf16 operands and other functions are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def MathToIntrinsicsPass : Pass<"mta-math-to-intrinsics"> {
  let summary = "turn math operations that are instructions into intrinsics";
  let description = [{
    Before: `math.fma`, `math.floor` and `math.sqrt` of f32 or f64 scalars.
    After: calls of the LLVM intrinsics of the same names. The NVPTX backend
    selects one instruction for each, where the upstream conversion to NVVM
    calls libdevice, which only a CUDA toolkit has.

    Vectors, f16, bf16 and other functions are left alone.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ApproximateMathPass : Pass<"mta-approximate-math"> {
  let summary = "turn exp2 and log2 into the GPU's approximate instructions";
  let description = [{
    Before: `math.exp2` and `math.log2` of f32 numbers and vectors of one
    dimension. After: `ex2.approx.ftz.f32` and `lg2.approx.ftz.f32`, one
    instruction each. PTX ISA 9.7.3: exp2 has a relative error of at most
    2^-22, log2 an absolute one of at most 2^-22 between 1/2 and 2 and a
    relative one elsewhere. Subnormal numbers are zero.

    Everything else is left alone.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::vector::VectorDialect"];
}

def KernelParametersPass : Pass<"mta-kernel-parameters", "::mlir::ModuleOp"> {
  let summary = "kernels take pointers and sizes in place of memrefs";
  let description = [{
    Before: kernels with contiguous memrefs as arguments, and their launches.
    After: a kernel takes, for every such memref, a pointer aligned to 16 bytes
    and a 32-bit number for every dimension that is not static; the launches
    pass them. That is what people who launch a kernel themselves have to pass.

    Arguments that come from those of the function that launches the kernel, also
    by views, stand first, in the function's order; others follow.

    Other arguments stay as they are, among them memrefs with a layout or in a
    memory space.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def PlanWorkgroupMemoryPass : Pass<"mta-plan-workgroup-memory"> {
  let summary = "places buffers in the dynamic workgroup memory of a launch";
  let description = [{
    Before: `memref.alloca`s in workgroup memory in the body of a `gpu.launch`.
    After: views of `gpu.dynamic_shared_memory`, and the launch asks for as much
    as they need. Buffers share bytes if the ranges of the body's operations
    that use them are apart; what lies between, in particular a barrier, is the
    matter of who wrote the body.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::gpu::GPUDialect",
                           "::mlir::memref::MemRefDialect"];
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

    Modules with other contents than kernels, or with other targets or
    attributes than the first, keep to themselves.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

def TileAttentionPass : Pass<"mta-tile-attention"> {
  let summary = "attention as loops over tiles of queries and keys";
  let description = [{
    Before: `mta.attention` with a schedule. After: an `scf.forall` over batch,
    group of heads and tile of queries, in it `scf.for` loops over tiles of keys
    that carry the running maximum, sum and accumulator of an online softmax,
    and linalg on tiles of static size. Memory beyond operands and results grows
    with N. The `scf.forall` keeps the schedule as `mta.schedule`.

    From the neighbourhoods of the score operations follow, going backward from
    the weights, the rows above a tile and the columns on both sides of it that
    every value has to cover. With two sweeps over the keys, one is for the
    statistics of the rows, one for weights and output. Tiles of keys that no
    row of the tile may read are skipped. Where `edge_key_tile` is less than
    `key_tile`, whole tiles of pairs that are all allowed have a loop without a
    mask, and a second loop in narrower steps goes over both ends of the keys.

    The `mta.head_norm` and `mta.gate` operations after an attention, if each is
    the only use of the value before, become part of its tiles.

    Query, key and value are copied once to the layout that tiles read: queries
    scaled, keys transposed, zeros around, in the element type of the scores.

    Head dimensions and head groups have to be static.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def ChooseSchedulePass : Pass<"mta-choose-schedule"> {
  let summary = "give attentions without a schedule the cheapest one";
  let description = [{
    Before: `mta.attention` without a schedule. After: the same with a
    `#mta.schedule`. An attention that has one keeps it.

    Candidates are all combinations of a few sizes of tiles. Of those whose
    working set fits into three quarters of the second-level cache, the one with the
    fewest multiply-adds for a score is taken; of equal ones, the one with the
    larger tiles. What a candidate costs is counted on the extents of its tiles,
    as `lib/Dialect/MTA/Transforms/ScheduleCost.h` describes. If no working set
    fits, the smallest is taken.

    A loop of its own for the ends of the keys is considered for programs of one
    sweep and at most two operations: it holds the tile program once more, and
    compiling that takes time.

    An option that is not 0 is taken as it is.
  }];
  let options = [
    Option<"queryTile", "query-tile", "int64_t", "0", "Queries of a tile">,
    Option<"keyTile", "key-tile", "int64_t", "0",
           "Keys of a tile, a multiple of a vector's elements">,
    Option<"edgeKeyTile", "edge-key-tile", "int64_t", "0",
           "Keys of a tile at the ends of the keys, at most those of a tile">,
    Option<"sweeps", "sweeps", "int64_t", "0", "Sweeps over the keys">,
    Option<"heads", "heads", "int64_t", "0", "Heads that share a tile">,
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Bits of a vector register">,
    Option<"nearCacheBytes", "l1-bytes", "int64_t", "49152",
           "Bytes of the first-level data cache">,
    Option<"cacheBytes", "l2-bytes", "int64_t", "2097152",
           "Bytes of the second-level cache of a core">,
    Option<"explain", "explain", "bool", "false",
           "Emit a remark with the cost of every candidate">
  ];
}

def VerifyTiledPass : Pass<"mta-verify-tiled"> {
  let summary = "the contract of level 1, tiles on tensors";
  let description = [{
    Changes nothing, and fails with the operation that breaks one of:

    - V1: no `mta.attention` is left. Norms and gates may be.

    and inside of a loop over tiles, an `scf.forall` with `mta.schedule`,

    - V2: linalg is on tensors of static size.
    - V3: tensors have at most one dynamic size, the rows of the tile that exist.
    - V4: of a matrix from outside, a tile reads whole rows or whole columns: no
      matrix of queries by keys is there to be read.
    - V5: the loops over keys carry the maxima and sums of the rows, heads x
      rows, and the accumulator, heads x `query_tile` x Dv; in one loop nest for
      one sweep, in two for two.
  }];
}

def VerifyTileProgramPass : Pass<"mta-verify-tile-program"> {
  let summary = "the contract of level 2, tiles as vectors";
  let description = [{
    Changes nothing, and fails with the operation that breaks one of, inside of
    a loop over tiles, an `scf.forall` with `mta.schedule`:

    - V1: there are no tensors.
    - V2: there is no linalg but copies of dynamic size, of the rows that exist,
      operations on buffers whose last dimension is not contiguous, which head
      dimensions of 1 leave, and sums and maxima over a number of columns that is no multiple of the
      lanes, which a schedule for narrower vectors leaves.
    - V3: vectors have one dimension, and at most as many elements as a register
      has of 16-bit elements.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Bits of a vector register">
  ];
}

def VectorizeTilesPass : Pass<"mta-vectorize-tiles"> {
  let summary = "linalg on tiles as blocks of vector registers";
  let description = [{
    Before: linalg on buffers of static size. After: loops over blocks of rows
    and vectors that stay in registers while reductions run. A convolution is a
    sum of shifted rows times numbers, a head mix a sum of heads times numbers:
    both, like the products with keys and values, are multiply-adds of a vector
    and a number that all its lanes share.

    Operations that are not contiguous along a loop of the output, that have
    dynamic sizes or other bodies than arithmetic are left for loops.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Bits of a vector register">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def FusePaddingPass : Pass<"mta-fuse-padding"> {
  let summary = "pad tensors where they are computed";
  let description = [{
    Before: `tensor.pad` with a constant. After: the constant is written to what
    lies around, and the elementwise operation that makes the padded tensor
    writes its result between. Bufferization then needs one buffer where it
    otherwise needs two and a copy.

    ```mlir
    func.func @before(%x: tensor<6xbf16>) -> tensor<8xf32> {
      %zero = arith.constant 0.0 : f32
      %empty = tensor.empty() : tensor<6xf32>
      %wide = linalg.generic {
        indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
        iterator_types = ["parallel"]
      } ins(%x : tensor<6xbf16>) outs(%empty : tensor<6xf32>) {
      ^bb0(%in: bf16, %out: f32):
        %0 = arith.extf %in : bf16 to f32
        linalg.yield %0 : f32
      } -> tensor<6xf32>
      %padded = tensor.pad %wide low[2] high[0] {
      ^bb0(%i: index):
        tensor.yield %zero : f32
      } : tensor<6xf32> to tensor<8xf32>
      return %padded : tensor<8xf32>
    }

    func.func @after(%x: tensor<6xbf16>) -> tensor<8xf32> {
      %zero = arith.constant 0.0 : f32
      %empty = tensor.empty() : tensor<8xf32>
      %low = tensor.extract_slice %empty[0] [2] [1] : tensor<8xf32> to tensor<2xf32>
      %zeros = linalg.fill ins(%zero : f32) outs(%low : tensor<2xf32>) -> tensor<2xf32>
      %filled = tensor.insert_slice %zeros into %empty[0] [2] [1] : tensor<2xf32> into tensor<8xf32>
      %place = tensor.extract_slice %filled[2] [6] [1] : tensor<8xf32> to tensor<6xf32>
      %wide = linalg.generic {
        indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
        iterator_types = ["parallel"]
      } ins(%x : tensor<6xbf16>) outs(%place : tensor<6xf32>) {
      ^bb0(%in: bf16, %out: f32):
        %0 = arith.extf %in : bf16 to f32
        linalg.yield %0 : f32
      } -> tensor<6xf32>
      %padded = tensor.insert_slice %wide into %filled[2] [6] [1] : tensor<6xf32> into tensor<8xf32>
      return %padded : tensor<8xf32>
    }
    ```

    Other values of the padding are left alone.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def ParallelizeRowsPass : Pass<"mta-parallelize-rows"> {
  let summary = "linalg on whole buffers as parallel loops over rows";
  let description = [{
    Before: linalg on buffers outside of any loop: operands are packed, results
    are normed and copied there. After: `scf.parallel` over all loops but the
    contiguous one of the output, and in it the operation on one row, which other
    passes turn into vectors. A transposition keeps the loop that is contiguous
    in its operand as well and works on blocks of columns, so that lines of the
    operand are read once.

    Reductions stay in the operation on the row. Operations of one loop are left
    alone.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"
  ];
}

def ScheduleWorksharePass : Pass<"mta-schedule-workshare"> {
  let summary = "let threads take uneven iterations one by one";
  let description = [{
    Before: `omp.wsloop` without a schedule, which gives every thread an equal
    share of the iterations, in order. After: where iterations hold a loop with
    bounds of their own, as tiles of causal attention do, the schedule is
    dynamic and the last dimension runs backward: late tiles read the most keys,
    and begun first they leave no thread alone at the end.

    ```mlir
    func.func @before(%bounds: memref<8xindex>, %out: memref<8xindex>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %eight = arith.constant 8 : index
      omp.parallel {
        omp.wsloop {
          omp.loop_nest (%i) : index = (%zero) to (%eight) step (%one) {
            %keys = memref.load %bounds[%i] : memref<8xindex>
            scf.for %j = %zero to %keys step %one {
              memref.store %j, %out[%i] : memref<8xindex>
            }
            omp.yield
          }
        }
        omp.terminator
      }
      return
    }
    ```

    becomes `omp.wsloop schedule(dynamic)` with `7 - %i` for `%i`. Every
    iteration is still run once, by one thread, so no result changes.

    Loops with equal iterations are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // MTA_DIALECT_MTA_TRANSFORMS_PASSES_TD

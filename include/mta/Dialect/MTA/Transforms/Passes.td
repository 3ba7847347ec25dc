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
    Before: kernels with memrefs as arguments that begin where their pointer
    points to, and their launches. After: a kernel takes, for every such memref,
    a pointer aligned to 16 bytes, a 32-bit number for every dimension that is
    not static, and a 64-bit one for every stride that a layout leaves open; the
    launches pass them. That is what people who launch a kernel themselves have
    to pass.

    Arguments that come from those of the function that launches the kernel, also
    by views, stand first, in the function's order; others follow.

    Other arguments stay as they are, among them memrefs with an offset or in a
    memory space.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def OneWorkgroupPass : Pass<"mta-one-workgroup", "::mlir::ModuleOp"> {
  let summary = "let large workgroups have the registers of a multiprocessor";
  let description = [{
    Before: kernels whose `known_block_size` says how many threads a workgroup
    has. After: those of 512 threads and more, with 128 registers or fewer for
    each, have `nvvm.minctasm = 1`, so that the assembler does not spill some of
    them to leave room for a second workgroup.

    ```mlir
    gpu.module @before {
      gpu.func @kernel() kernel attributes {known_block_size = array<i32: 512, 1, 1>} {
        gpu.return
      }
    }
    gpu.module @after {
      gpu.func @kernel() kernel attributes {known_block_size = array<i32: 512, 1, 1>, nvvm.minctasm = 1 : i32} {
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect"];
}

def VerifyBufferLayoutsPass
    : Pass<"mta-verify-buffer-layouts", "::mlir::ModuleOp"> {
  let summary = "check the layouts of arguments";
  let description = [{
    Before and after: functions of tensors on their way to bufferization. The
    attribute `bufferization.buffer_layout` of an argument is a layout for its
    rank, or an error says which is not.

    ```mlir
    func.func @before_and_after(%x: tensor<?x64xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
      return
    }
    ```
  }];
}

def NameSizesPass : Pass<"mta-name-sizes", "::mlir::ModuleOp"> {
  let summary = "name the dynamic sizes of functions of tensors";
  let description = [{
    Before: functions of tensors with operations of level 0 in them. After: the
    same, with what the operations say about sizes as attributes, so that later
    levels know it: `mta.sizes` of a function, the names of its dynamic sizes,
    of which those that have to be equal are one; `mta.supported`, the sizes for
    which it means anything, where there are others; and of every argument
    `mta.shape`, its dimensions in terms of these sizes, and `mta.name`, which
    results have, too. Strides that the layout of an argument leaves open are
    sizes, which `mta.strides` refers to, and `mta.destination` marks an argument
    that a result is copied to.

    ```mlir
    func.func @before(%x: tensor<?x8x?x16xf32>, %gamma: tensor<16xf32>) -> tensor<?x8x?x16xf32> {
      %0 = mta.head_norm %x, %gamma : tensor<?x8x?x16xf32>, tensor<16xf32> -> tensor<?x8x?x16xf32>
      return %0 : tensor<?x8x?x16xf32>
    }

    func.func @after(
        %x: tensor<?x8x?x16xf32> {mta.name = "arg0", mta.shape = affine_map<()[s0, s1] -> (s0, 8, s1, 16)>},
        %gamma: tensor<16xf32> {mta.name = "arg1", mta.shape = affine_map<()[s0, s1] -> (16)>})
        -> (tensor<?x8x?x16xf32> {mta.name = "out"}) attributes {mta.sizes = ["arg0_size0", "arg0_size2"]} {
      %0 = mta.head_norm %x, %gamma : tensor<?x8x?x16xf32>, tensor<16xf32> -> tensor<?x8x?x16xf32>
      return %0 : tensor<?x8x?x16xf32>
    }
    ```

    A name that is there stays. An attention of sizes that do not follow from
    those of the arguments is an error.
  }];
}

def LaunchContractPass : Pass<"mta-launch-contract", "::mlir::ModuleOp"> {
  let summary = "say how to launch kernels, as an attribute";
  let description = [{
    Before: functions that launch kernels of `gpu.module`s, with parameters as
    `mta-kernel-parameters` makes them. After: the same, and every `gpu.module`
    has the attribute `mta.launch_contracts`, with a `#mta.launch_contract` for
    every function that launches one of its kernels.

    All that the contract says is read off the launches and the kernels: grids,
    parameters and buffers as functions of the sizes of the function's
    arguments. Names and relations of the sizes are those of `mta-name-sizes`;
    without these every dynamic dimension of an argument is a size.

    A function may do nothing but to compute sizes, allocate buffers, launch
    kernels and return buffers; anything else in one that launches kernels is an
    error.
  }];
}

def PlanWorkgroupMemoryPass : Pass<"mta-plan-workgroup-memory"> {
  let summary = "places buffers in the dynamic workgroup memory of a launch";
  let description = [{
    Before: `memref.alloca`s in workgroup memory in the body of a `gpu.launch`.
    After: views of `gpu.dynamic_shared_memory`, and the launch asks for as much
    as they need. Buffers share bytes if the ranges of the body's operations
    that use them are apart; what lies between, in particular a barrier, is the
    matter of who wrote the body.

    What the launch says in `mta.staged_scores` goes with the memory, as a launch
    loses its attributes when its body becomes a kernel.
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
    With the staging `narrow`, query and key keep their element type, and a head
    dimension that is odd gets a zero more. Then the weights of the first score
    operation are scaled, or the scores if the softmax comes first.

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

    With a `pair-cost`, bf16 queries and keys that are multiplied in pairs are
    among the candidates, as the staging `narrow`.

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
    Option<"pairCost", "pair-cost", "int64_t", "0",
           "Multiply-adds of f32 vectors that take the time of a dot product "
           "of vectors of bf16 pairs; 0 where the processor has none">,
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

def VerifyWorkgroupProgramPass : Pass<"mta-verify-workgroup-program"> {
  let summary = "the contract of level 2G, tile programs of workgroups";
  let description = [{
    Changes nothing, and fails with the operation that breaks one of, in a
    `gpu.launch` with `mta.heads`, after bufferization:

    - V1: the number of threads is constant: whole warps for every head, and
      whole strips of 16 rows for every warp.
    - V2: there are arithmetic, vectors, loops and branches of `scf`, views and
      single elements of buffers, `linalg.fill`, copies and barriers of `mta`;
      no tensors.
    - V3: buffers made in it are in workgroup memory, of static size, and stand
      in the body of the launch.
    - V4: nothing reads the number of a thread: it is the program of all.
    - V5: vectors are read from workgroup memory, and whole ones, but for rows of
      weights and numbers of rows, which a mask may leave some of; what is
      written lies inside of its buffer, be it all of a vector or the rows that
      a mask leaves.
    - V6: tiles are copied to workgroup memory, a copy is followed by
      `mta.commit_copies` in its block, and `mta.wait_copies` by a barrier before
      anything is read.
  }];
}

def VerifyThreadProgramPass : Pass<"mta-verify-thread-program"> {
  let summary = "the contract of level 3G, programs of threads";
  let description = [{
    Changes nothing, and fails with the operation that breaks one of, in a
    `gpu.launch`:

    - V1: there are no tensors, and no operations of `linalg` or `mta`.
    - V2: vectors have at most 128 bits, the four registers of an `ldmatrix`.
    - V3: an asynchronous copy is followed by the end of its group, in its block
      or in branches around it; a group by a wait, which may be in the next
      iteration of a loop; a wait by a barrier before anything is loaded.
    - V4: barriers are not in branches or loops that depend on the number of the
      thread.
  }];
}

def VectorizeTilesPass : Pass<"mta-vectorize-tiles"> {
  let summary = "linalg on tiles as blocks of vector registers";
  let description = [{
    Before: linalg on buffers of static size. After: loops over blocks of rows
    and vectors that stay in registers while reductions run. A convolution is a
    sum of shifted rows times numbers, a head mix a sum of heads times numbers:
    both, like the products with keys and values, are multiply-adds of a vector
    and a number that all its lanes share.

    With `pair-products`, a contraction of bf16 matrices with sums in f32 goes
    over its reduction two steps at a time, by `x86vector.avx512.dot`. Rows of
    the matrix that vectors are loaded from are interleaved in the panel, so
    that a vector of pairs is one load there; a pair of the other matrix is one
    32-bit number for all lanes.

    Operations that are not contiguous along a loop of the output, that have
    dynamic sizes or other bodies than arithmetic are left for loops.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "512",
           "Bits of a vector register">,
    Option<"pairProducts", "pair-products", "bool", "false",
           "Whether the processor has dot products of vectors of bf16 pairs">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::x86vector::X86VectorDialect"
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

//===- MTATileOps.td - Tiles on GPUs -----------------------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTATILEOPS_TD
#define MTA_DIALECT_MTA_IR_MTATILEOPS_TD

include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mta/Dialect/MTA/IR/MTADialect.td"

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

def MTA_FragmentAccumulator : I32EnumAttrCase<"Accumulator", 0, "accumulator">;
def MTA_FragmentRhs : I32EnumAttrCase<"Rhs", 1, "rhs">;

def MTA_Fragment : I32EnumAttr<"Fragment", "which operand of mma a value is",
                               [MTA_FragmentAccumulator, MTA_FragmentRhs]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_DimHead : I32EnumAttrCase<"Head", 0, "head">;
def MTA_DimRow : I32EnumAttrCase<"Row", 1, "row">;
def MTA_DimColumn : I32EnumAttrCase<"Column", 2, "column">;

def MTA_DimRole : I32EnumAttr<"DimRole", "what a dimension of a tile is",
                              [MTA_DimHead, MTA_DimRow, MTA_DimColumn]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_RunsNone : I32EnumAttrCase<"None", 0, "none">;
def MTA_RunsReduction : I32EnumAttrCase<"Reduction", 1, "reduction">;
def MTA_RunsColumn : I32EnumAttrCase<"Column", 2, "column">;

def MTA_Runs : I32EnumAttr<"Runs", "which dimension a lane holds in runs",
                           [MTA_RunsNone, MTA_RunsReduction, MTA_RunsColumn]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_LayoutAttr : AttrDef<MTA_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "how the threads of a workgroup share a vector";
  let description = [{
    A vector of a tile program is a value of the workgroup. A layout says which
    thread holds which of its elements, in terms of the fragments of the
    tensor cores' `mma.m16n8` (PTX ISA 9.7.14.5), with group `g = lane / 4` and
    position `t = lane % 4`:

    - `accumulator`: tiles of 16 rows x 8 columns. A lane holds rows `g` and
      `g + 8`, columns `2t` and `2t + 1`. The operand A of 16-bit elements is
      the same in pieces of 8 columns, so a result becomes an operand without
      moving data. Heads and strips of 16 rows are spread over the warps.
      For tf32 the tables have columns `t` and `t + 4` of A and rows `t` and
      `t + 4` of B in a lane, but the order of what is added up is free: taken
      as `2t` and `2t + 1` they are these layouts again.
    - `rhs`: tiles of 8 rows (the reduction, k) x 8 columns (n), the operand B.
      A lane holds rows `2t` and `2t + 1` of column `g`. Every warp holds all
      of it, of its own head.

    `dims` names the vector's dimensions. A vector without rows or without
    columns is held as often as there are lanes that need it: row statistics,
    `<accumulator [row]>`, by the four lanes of a group.

    The roles are those of the fragment, not those of the tile: in
    `<accumulator [row, head, column]>` of a vector heads x rows x columns the
    heads are the rows of fragments, all of which a warp holds, and the rows
    of the tile are spread over the warps, as the heads are otherwise.

    `runs` says how memory meets fragments without workgroup memory between
    them. A product does not depend on the order of its reduction, and
    columns may come in any order as long as they are stored in it. So
    consecutive fragments take their elements from memory such that a lane's
    elements are neighbours there:

    - `reduction`: of 32 elements along the reduction a lane holds the 8 from
      `8t`: the columns of an operand A, the rows of an operand B.
    - `column`: of 32 columns of an operand B a lane holds the 4 from `4g`, and
      of the accumulator the 8 from `8t`.

    Where fewer than 32 are left, runs are half or a quarter as long.
  }];
  let parameters = (ins "::mta::Fragment":$fragment,
                        ArrayRefParameter<"::mta::DimRole">:$dims,
                        DefaultValuedParameter<"::mta::Runs",
                                               "::mta::Runs::None">:$runs);
  let assemblyFormat = "`<` $fragment `[` $dims `]` (`runs` $runs^)? `>`";
  let extraClassDeclaration = [{
    bool isRhs() const { return getFragment() == ::mta::Fragment::Rhs; }
    bool has(::mta::DimRole role) const {
      return ::llvm::is_contained(getDims(), role);
    }
  }];
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

def MTA_CopyTileOp : Op<MTA_Dialect, "copy_tile", [
    AttrSizedOperandSegments,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "copies rows of a matrix to workgroup memory, asynchronously";
  let description = [{
    Copies `shape` = rows x columns elements of the last two dimensions of
    `source`, from `source_indices`, to `dest_indices` of `dest`. Rows of the
    source outside of [0, limit) read as zero; the first one may be negative.

    With `panels`, `dest` holds panels of 8 columns: element (row, column) of
    the tile is at (column / 8, row, column % 8) of its last three dimensions.

    The whole workgroup takes part. The data is there after an
    `mta.commit_copies`, an `mta.wait_copies` and a barrier.

    Preconditions:

    - C1: there is one index for every dimension.
    - C2: the element types are equal and have 16 or 32 bits.
    - C3: a row of `shape` is a multiple of 8 elements.
    - C4: the last dimension of both is contiguous.
    - C5: with `panels`, the last dimension of `dest` has size 8 and there are
      enough panels.

    Example:

    ```mlir
    func.func @copy(%k: memref<1x4x?x64xf16>, %tile: memref<2x64x72xf16, #gpu.address_space<workgroup>>,
                    %row: index, %keys: index) {
      %c0 = arith.constant 0 : index
      mta.copy_tile %k[%c0, %c0, %row, %c0], %tile[%c0, %c0, %c0] limit(%keys) shape [64, 64]
          : memref<1x4x?x64xf16>, memref<2x64x72xf16, #gpu.address_space<workgroup>>
      return
    }
    ```
  }];
  let arguments = (ins
    AnyMemRef:$source, Variadic<Index>:$source_indices,
    AnyMemRef:$dest, Variadic<Index>:$dest_indices,
    Index:$limit, DenseI64ArrayAttr:$shape, UnitAttr:$panels);
  let assemblyFormat = [{
    $source `[` $source_indices `]` `,` $dest `[` $dest_indices `]`
    `limit` `` `(` $limit `)` `shape` $shape (`panels` $panels^)? attr-dict
    `:` type($source) `,` type($dest)
  }];
  let hasVerifier = 1;
}

def MTA_CommitCopiesOp : Op<MTA_Dialect, "commit_copies", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "closes a group of asynchronous copies";
  let description = [{
    The copies since the last group become one that can be waited for.

    Example:

    ```mlir
    func.func @commit() {
      mta.commit_copies
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def MTA_WaitCopiesOp : Op<MTA_Dialect, "wait_copies", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits for groups of asynchronous copies";
  let description = [{
    Returns when at most `pending` groups are under way. What other threads
    copied is visible after a barrier.

    Preconditions:

    - C1: `pending` is not negative.

    Example:

    ```mlir
    func.func @wait() {
      mta.wait_copies pending(1)
      return
    }
    ```
  }];
  let arguments = (ins
    ConfinedAttr<DefaultValuedAttr<I32Attr, "0">, [IntNonNegative]>:$pending);
  let assemblyFormat = "(`pending` `` `(` $pending^ `)`)? attr-dict";
}

def MTA_FenceTilesOp : Op<MTA_Dialect, "fence_tiles", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "shows workgroup memory to the tensor cores";
  let description = [{
    What this thread wrote to workgroup memory, also by copies that it waited
    for, is visible after a barrier to tensor cores that read the memory by
    themselves, `mta.contract_tile`: they access it through another proxy (PTX
    ISA 8.7, "Proxies").

    Example:

    ```mlir
    func.func @fence() {
      mta.fence_tiles
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def MTA_ContractTileOp : Op<MTA_Dialect, "contract_tile", [
    AllTypesMatch<["accumulator", "result"]>,
    MemoryEffects<[MemRead]>]> {
  let summary = "a product with a tile that tensor cores read from memory";
  let description = [{
    `lhs` (rows x k) times a matrix (k x columns) plus `accumulator` (rows x
    columns), in f32. The matrix is a tile in workgroup memory in panels of 8
    columns, as `mta.copy_tile` with `panels` writes it, or the transpose of it
    with `transposed`. With heads, the first dimension of the vectors, every
    head has a tile of its own.

    `indices` lead to the tile: all dimensions but the panels' three.

    This is `wgmma.mma_async` of Hopper (PTX ISA 9.7.15), which reads the tile
    once for four warps; `vector.contract` with a vector that was read is
    `mma.sync`, which needs it in the registers of every warp.

    With `async` the tensor cores are at work when the operation ends. The
    result is not there before `mta.wait_product`, and tile, `lhs` and
    `accumulator` are in use until then.

    Preconditions:

    - C1: `tile` has three dimensions more than there are indices, is
      contiguous, and its last dimension has size 8.
    - C2: elements of `lhs` and `tile` are of one type, f16 or bf16.
    - C3: k is a multiple of 16; columns are a multiple of 8 and at most 256.
    - C4: the tile has enough rows and panels.
    - C5: the result with `async` is used by `mta.wait_product` alone, once.

    Example:

    ```mlir
    func.func @scores(%q: vector<64x32xf16>, %k: memref<2x4x65x8xf16, #gpu.address_space<workgroup>>,
                      %zero: vector<64x64xf32>, %slot: index) -> vector<64x64xf32> {
      %s = mta.contract_tile %q, %k[%slot] transposed, %zero
          : vector<64x32xf16>, memref<2x4x65x8xf16, #gpu.address_space<workgroup>>, vector<64x64xf32>
      return %s : vector<64x64xf32>
    }
    ```
  }];
  let arguments = (ins
    AnyVectorOfNonZeroRank:$lhs, AnyVectorOfNonZeroRank:$accumulator,
    AnyMemRef:$tile, Variadic<Index>:$indices, UnitAttr:$transposed,
    UnitAttr:$async);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $lhs `,` $tile `[` $indices `]` (`transposed` $transposed^)? `,`
    $accumulator (`async` $async^)? attr-dict
    `:` type($lhs) `,` type($tile) `,` type($accumulator)
  }];
  let hasVerifier = 1;
}

def MTA_WaitProductOp : Op<MTA_Dialect, "wait_product", [
    AllTypesMatch<["product", "result"]>,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the result of a product that tensor cores are at work on";
  let description = [{
    Waits until at most the last `pending` of the products that were begun with
    `async` are under way. `product` is none of those: it is the result now.

    This is `wgmma.wait_group` (PTX ISA 9.7.15.7.1).

    Preconditions:

    - C1: `product` is the result of an `mta.contract_tile` with `async` in the
      same block.
    - C2: since then at least `pending` others have been begun in the block.

    Example:

    ```mlir
    func.func @scores(%q: vector<64x32xf16>, %k: memref<4x65x8xf16, #gpu.address_space<workgroup>>,
                      %zero: vector<64x64xf32>) -> vector<64x64xf32> {
      %0 = mta.contract_tile %q, %k[] transposed, %zero async
          : vector<64x32xf16>, memref<4x65x8xf16, #gpu.address_space<workgroup>>, vector<64x64xf32>
      %s = mta.wait_product %0 pending 0 : vector<64x64xf32>
      return %s : vector<64x64xf32>
    }
    ```
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$product,
    ConfinedAttr<I64Attr, [IntNonNegative]>:$pending);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = "$product `pending` $pending attr-dict `:` type($product)";
  let hasVerifier = 1;
}

def MTA_BarrierOp : Op<MTA_Dialect, "barrier", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "the threads of a workgroup meet";
  let description = [{
    What any thread of the workgroup wrote before is visible to all after. In
    the sequential reading of a tile program it does nothing. Other than for
    `gpu.barrier`, what it does to memory is known to passes that have to see
    through it, such as the deallocation of buffers.

    Example:

    ```mlir
    func.func @meet() {
      mta.barrier
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

def MTA_LoadTileOp : Op<MTA_Dialect, "load_tile", [
    MemoryEffects<[MemRead]>]> {
  let summary = "rows of a matrix of every head, in runs of each lane";
  let description = [{
    Element (h, r, c) of the result is that of `source` at `indices`, of which
    the last three are a head, a row and a column, with h, r and c added. The
    head is divided by `shared`, the query heads that share a head of the
    source, and is the last one if there are fewer. Rows are those in
    [`first`, `limit`), which is not empty: the nearest one where r goes beyond.

    Example:

    ```mlir
    func.func @load(%k: memref<1x4x?x64xf16>, %row: index, %keys: index, %shared: index) -> vector<8x16x64xf16> {
      %c0 = arith.constant 0 : index
      %0 = mta.load_tile %k[%c0, %c0, %row, %c0] rows(%c0 to %keys) shared(%shared)
          : memref<1x4x?x64xf16> -> vector<8x16x64xf16>
      return %0 : vector<8x16x64xf16>
    }
    ```

    Preconditions:

    - C1: there is one index for every dimension, and there are at least 3.
    - C2: the result has heads, rows and columns, in multiples of 8, and the
      source's element type, of 16 bits.
    - C3: the last dimension is contiguous.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$indices,
                       Index:$first, Index:$limit, Index:$shared);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` `rows` `` `(` $first `to` $limit `)`
    `shared` `` `(` $shared `)` attr-dict `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

def MTA_LoadBandOp : Op<MTA_Dialect, "load_band", [
    MemoryEffects<[MemRead]>]> {
  let summary = "a band matrix of every head from pairs of its diagonals";
  let description = [{
    All elements of a diagonal of a band matrix are equal: element (k, n) is
    that of diagonal `7 + k - n`. Workgroup memory holds pairs of neighbouring
    diagonals, (`first`, `first + 1`), (`first + 1`, `first + 2`) and so on, so
    that what a lane holds of an operand B, rows k and k + 1 of column n, is one
    aligned word for every n. The last pair begins with diagonal `last`. In
    place of pairs before the first and after the last one these are read: they
    hold zeros where the band ends.

    Row h of the last two dimensions of `source`, from `indices` on, is that of
    head h.

    Example:

    ```mlir
    func.func @load(%pairs: memref<16x384xf16, #gpu.address_space<workgroup>>, %first: index) -> vector<16x24x8xf16> {
      %c0 = arith.constant 0 : index
      %0 = mta.load_band %pairs[%c0, %first] diagonals(8 to 21)
          : memref<16x384xf16, #gpu.address_space<workgroup>> -> vector<16x24x8xf16>
      return %0 : vector<16x24x8xf16>
    }
    ```

    Preconditions:

    - C1: there are two dimensions and one index for each.
    - C2: the result has heads, a multiple of 8 rows, 8 columns, and the
      source's element type, of 16 bits.
    - C3: the last dimension is contiguous.
    - C4: the first diagonal is not negative, and not after the last one.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$indices,
                       I64Attr:$first, I64Attr:$last);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` `diagonals` `` `(` $first `to` $last `)` attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // MTA_DIALECT_MTA_IR_MTATILEOPS_TD

//===- MTAAttributes.td - Attributes of the mta dialect ----*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD
#define MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mta/Dialect/MTA/IR/MTADialect.td"

//===----------------------------------------------------------------------===//
// Mask
//===----------------------------------------------------------------------===//

def MTA_MaskNone : I32EnumAttrCase<"None", 0, "none">;
def MTA_MaskCausal : I32EnumAttrCase<"Causal", 1, "causal">;

def MTA_Mask : I32EnumAttr<"Mask", "which keys a query may read",
                           [MTA_MaskNone, MTA_MaskCausal]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_MaskAttr : EnumAttr<MTA_Dialect, MTA_Mask, "mask"> {
  let description = [{
    `none`: a query may read every key. `causal`: query `i` may read key `j` if
    `j <= i + (Nk - Nq)`, so the last query reads all keys (bottom-right
    alignment).
  }];
}

//===----------------------------------------------------------------------===//
// KeyPadding
//===----------------------------------------------------------------------===//

def MTA_KeyPaddingBoth : I32EnumAttrCase<"Both", 0, "both">;
def MTA_KeyPaddingLeft : I32EnumAttrCase<"Left", 1, "left">;
def MTA_KeyPaddingRight : I32EnumAttrCase<"Right", 2, "right">;

def MTA_KeyPadding : I32EnumAttr<
    "KeyPadding", "on which side of a key a convolution window extends",
    [MTA_KeyPaddingBoth, MTA_KeyPaddingLeft, MTA_KeyPaddingRight]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_KeyPaddingAttr : EnumAttr<MTA_Dialect, MTA_KeyPadding, "key_padding"> {
  let description = [{
    How many of a window's `ck` keys stand to the left of the key itself:
    `both` (ck - 1) / 2 for odd `ck`, `left` ck - 1, `right` 0.
  }];
}

//===----------------------------------------------------------------------===//
// Precision
//===----------------------------------------------------------------------===//

def MTA_F32PrecisionTF32x3 : I32EnumAttrCase<"TF32x3", 0, "tf32x3">;
def MTA_F32PrecisionTF32 : I32EnumAttrCase<"TF32", 1, "tf32">;

/// Tensor cores have no f32 operands. `tf32x3` writes each as the sum of two
/// tf32 numbers, up to 2⁻²³ of it, and adds three of the four products. `tf32`
/// rounds operands to 11 bits and multiplies once.
def MTA_F32Precision : I32EnumAttr<
    "F32Precision", "how tensor cores multiply operands of f32",
    [MTA_F32PrecisionTF32x3, MTA_F32PrecisionTF32]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

//===----------------------------------------------------------------------===//
// Schedule
//===----------------------------------------------------------------------===//

def MTA_StagingPacked : I32EnumAttrCase<"Packed", 0, "packed">;
def MTA_StagingNarrow : I32EnumAttrCase<"Narrow", 1, "narrow">;

def MTA_Staging : I32EnumAttr<"Staging", "where tiles read their operands",
                              [MTA_StagingPacked, MTA_StagingNarrow]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_ScheduleAttr : AttrDef<MTA_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how an attention is cut into tiles";
  let description = [{
    Everything about the loops of `mta-tile-attention` that does not follow from
    the score program. `mta-choose-schedule` writes one where there is none.

    - `query_tile`: the query rows of a tile. The rows above it that windows
      read come on top.
    - `key_tile`: the keys of one step of the loop over keys. Columns on both
      sides that windows read come on top.
    - `edge_key_tile`: the keys of one step where a tile may hold a pair that is
      not allowed, at both ends of the keys. Less than `key_tile`: a loop of its
      own, which alone holds code for the mask. Equal: one loop, in which tiles
      branch around it.
    - `sweeps`: 1, scores and output in one sweep over the keys, rescaled as the
      running maximum grows; 2, one sweep for the statistics of the softmax and
      one for weights and output, which is what score operations after the
      softmax need.
    - `heads`: the consecutive query heads that share a tile.
    - `lanes`: columns of scores come in multiples of it.
    - `staging`: query, key and value are copied once to the layout that tiles
      read, with zeros around. `packed`, in the element type of the scores, the
      query scaled; `narrow`, query and key in their own element type, for
      processors that multiply it, and what comes after their product is scaled.

    All sizes are at least 1 and at most 65536, `edge_key_tile` is at most
    `key_tile`, both are multiples of `lanes`, and there are one or two sweeps.
    What has to fit the attention is C13 of `mta.attention`.
  }];
  let parameters = (ins
    "int64_t":$query_tile, "int64_t":$key_tile, "int64_t":$edge_key_tile,
    "int64_t":$sweeps, "int64_t":$heads, "int64_t":$lanes,
    EnumParameter<MTA_Staging>:$staging);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether tiles that may hold a pair that is not allowed have a loop of
    /// their own.
    bool hasEdgeLoop() const { return getEdgeKeyTile() < getKeyTile(); }
  }];
}

//===----------------------------------------------------------------------===//
// Schedule of a GPU kernel
//===----------------------------------------------------------------------===//

def MTA_QueryInRegisters : I32EnumAttrCase<"Registers", 0, "registers">;
def MTA_QueryInWorkgroup : I32EnumAttrCase<"Workgroup", 1, "workgroup">;

def MTA_QueryInGlobal : I32EnumAttrCase<"Global", 2, "global">;

def MTA_QueryPlacement : I32EnumAttr<
    "QueryPlacement", "where queries are during a sweep over the keys",
    [MTA_QueryInRegisters, MTA_QueryInWorkgroup, MTA_QueryInGlobal]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_ScoresF16 : I32EnumAttrCase<"F16", 0, "f16">;
def MTA_ScoresF16x2 : I32EnumAttrCase<"F16x2", 1, "f16x2">;
def MTA_ScoresF16x2Before : I32EnumAttrCase<"F16x2Before", 3, "f16x2_before">;
def MTA_ScoresF32 : I32EnumAttrCase<"F32", 2, "f32">;

def MTA_ScoreStorage : I32EnumAttr<
    "ScoreStorage", "what a score is in workgroup memory",
    [MTA_ScoresF16, MTA_ScoresF16x2, MTA_ScoresF32, MTA_ScoresF16x2Before]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_ProductsMma : I32EnumAttrCase<"Mma", 0, "mma">;
def MTA_ProductsWgmma : I32EnumAttrCase<"Wgmma", 1, "wgmma">;

def MTA_Products : I32EnumAttr<
    "Products", "how queries meet keys, and weights values",
    [MTA_ProductsMma, MTA_ProductsWgmma]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_KernelScheduleAttr : AttrDef<MTA_Dialect, "KernelSchedule"> {
  let mnemonic = "kernel_schedule";
  let summary = "the shape of an attention's kernel on a GPU";
  let description = [{
    Everything about the kernel of `convert-mta-to-gpu` that does not follow
    from the score program. `mta-choose-kernel-schedule` writes one where there
    is none.

    - `rows`: the rows of scores that a workgroup computes for each of its
      heads, in strips of 16. The rows above its own queries that windows read
      are among them: with 128 rows and windows of 6 queries it stores 123.
    - `key_tile`: the keys of one step of the loop over keys.
    - `warps`: the warps of a workgroup. Each works on one head, on one strip or
      several neighbouring ones. Of keys, values and the weights of windows,
      which all strips read, several strips need one copy in registers.
    - `stages`: 2, keys and values of a tile are copied while another is used;
      1, they share a buffer that each is copied to when it is needed.
    - `query`: `registers`, queries stay in the registers of the warp that owns
      them; `workgroup`, they stay in workgroup memory and are read for every
      tile of keys; `global`, they are loaded again for every tile of keys.
    - `scores`: `f16`, a score in workgroup memory is one number of 11 bits;
      `f16x2`, the sum of two; `f16x2_before`, the sum of two before the
      softmax, and one after it, where it is a weight; `f32`, of f32 operands and of no others, it is
      not rounded. Only windows and mixes of several heads bring scores there.
    - `products`: `mma`, every warp reads keys and values into its registers;
      `wgmma` (sm_90a), tensor cores read them from workgroup memory by
      themselves, once for four warps of a head, with 16-bit operands. Left out,
      it is `mma`.
    - `key_splits`: the workgroups that share the keys of a tile of queries, each
      with a range of them. Another kernel combines their outputs, and where
      something follows the softmax, one before computes its statistics. Left
      out, it is 1, and there is one kernel.
    - `ahead`: 1, the scores of the next tile of keys are computed, up to what
      the first window reads of them, between the barriers of this one, so that
      tensor cores have work while this tile's weights are computed; with
      `wgmma` they do it on their own. It takes two stages, one split, and the
      registers and the workgroup memory of another tile of scores. Left out, it
      is 0.

    `rows` and `key_tile` are multiples of 16, at least that and at most 4096;
    there are 1 to 32 warps, one or two stages, 1 to 256 splits of the keys, and
    none or one tile ahead.
    What has to fit the attention is C14 of `mta.attention`.

    Groups of 5 to 16 heads of 16-bit operands have kernels of one shape: a warp
    for each of 8 or 16 heads, 16 rows, or 32 if windows read rows above, of
    which the lower 16 are stored, one stage, and keys and values that go from
    global memory to registers. `key_tile`, `query`, `scores` and `key_splits`
    remain to be chosen.
  }];
  let parameters = (ins
    "int64_t":$rows, "int64_t":$key_tile, "int64_t":$warps, "int64_t":$stages,
    EnumParameter<MTA_QueryPlacement>:$query,
    EnumParameter<MTA_ScoreStorage>:$scores,
    DefaultValuedParameter<"::mta::Products",
                           "::mta::Products::Mma">:$products,
    DefaultValuedParameter<"int64_t", "1">:$key_splits,
    DefaultValuedParameter<"int64_t", "0">:$ahead);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD

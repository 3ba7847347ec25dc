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
// Schedule
//===----------------------------------------------------------------------===//

def MTA_StagingPacked : I32EnumAttrCase<"Packed", 0, "packed">;

def MTA_Staging : I32EnumAttr<"Staging", "where tiles read their operands",
                              [MTA_StagingPacked]> {
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
    - `staging`: `packed`, query, key and value are copied once to the layout
      that tiles read, with zeros around.

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

#endif // MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD

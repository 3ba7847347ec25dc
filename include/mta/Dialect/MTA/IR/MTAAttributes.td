//===- MTAAttributes.td - Attributes of the mta dialect ----*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD
#define MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD

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

#endif // MTA_DIALECT_MTA_IR_MTAATTRIBUTES_TD

//===- MTAContractAttributes.td - Launch contracts ---------*- tablegen -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_DIALECT_MTA_IR_MTACONTRACTATTRIBUTES_TD
#define MTA_DIALECT_MTA_IR_MTACONTRACTATTRIBUTES_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mta/Dialect/MTA/IR/MTADialect.td"

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

def MTA_BufferKindInput : I32EnumAttrCase<"Input", 0, "input">;
def MTA_BufferKindOutput : I32EnumAttrCase<"Output", 1, "output">;
def MTA_BufferKindWorkspace : I32EnumAttrCase<"Workspace", 2, "workspace">;

def MTA_BufferKind : I32EnumAttr<"BufferKind", "what a buffer is to a caller",
    [MTA_BufferKindInput, MTA_BufferKindOutput, MTA_BufferKindWorkspace]> {
  let cppNamespace = "::mta";
  let genSpecializedAttr = 0;
}

def MTA_BufferAttr : AttrDef<MTA_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "a buffer that a caller of kernels provides";
  let description = [{
    Elements in global memory, the last dimension varying fastest.

    - `kind`: `input`, only read; `output`, every element is written;
      `workspace`, of no interest before the first and after the last kernel.
      What a workspace holds before does not matter.
    - `shape`: a result for every dimension, a function of the sizes of the
      contract.
    - `strides`: a result for every dimension, how many elements lie between
      neighbours; left out for contiguous elements. The elements of an output
      lie apart.
    - `alignment`: of the first byte, in bytes.
  }];
  let parameters = (ins StringRefParameter<"unique in the contract">:$name,
                        EnumParameter<MTA_BufferKind>:$kind,
                        "::mlir::Type":$element,
                        "::mlir::AffineMapAttr":$shape,
                        OptionalParameter<"::mlir::AffineMapAttr">:$strides,
                        "int64_t":$alignment);
  let extraClassDeclaration = [{
    /// A result for every dimension, of contiguous elements too.
    ::llvm::SmallVector<::mlir::AffineExpr> getStrideExprs() const;
  }];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def MTA_PointerAttr : AttrDef<MTA_Dialect, "Pointer"> {
  let mnemonic = "pointer";
  let summary = "a kernel's parameter: the address of a buffer";
  let parameters = (ins StringRefParameter<"of the contract">:$buffer);
  let assemblyFormat = "`<` $buffer `>`";
}

def MTA_SizeAttr : AttrDef<MTA_Dialect, "Size"> {
  let mnemonic = "size";
  let summary = "a kernel's parameter: a number that follows from the sizes";
  let parameters = (ins "::mlir::IntegerType":$type,
                        "::mlir::AffineMapAttr":$value);
  let assemblyFormat = "`<` $type `,` $value `>`";
  let genVerifyDecl = 1;
}

def MTA_NumericsAttr : AttrDef<MTA_Dialect, "Numerics"> {
  let mnemonic = "numerics";
  let summary = "how a kernel computes";
  let description = [{
    - `products`: the types of the operands of tensor cores, `accumulation`: that
      of their sums.
    - `staged_scores`: a score that waits in workgroup memory is a sum of numbers
      of these types.
    - `approximations`: the instructions of PTX with an error of more than their
      rounding, such as `ex2.approx.ftz.f32`; `ftz` takes subnormal numbers for
      zero.
  }];
  let parameters = (ins "::mlir::ArrayAttr":$products,
                        "::mlir::Type":$accumulation,
                        "::mlir::ArrayAttr":$staged_scores,
                        "::mlir::ArrayAttr":$approximations);
  let assemblyFormat = "`<` struct(params) `>`";
}

def MTA_KernelLaunchAttr : AttrDef<MTA_Dialect, "KernelLaunch"> {
  let mnemonic = "kernel_launch";
  let summary = "a kernel and how it is launched";
  let description = [{
    - `kernel`: its module and, in it, the entry of the PTX.
    - `parameters`: `#mta.pointer`s and `#mta.size`s, in order. Each has the
      alignment of its size, so that offsets follow.
    - `grid`: three results, functions of the sizes. A kernel whose grid is empty
      is not launched.
    - `block` and `cluster`: three numbers.
    - `static_bytes` and `dynamic_bytes`: workgroup memory that the kernel has
      and that the launch has to ask for.
    - `numerics`: of kernels that use tensor cores. Others compute in f32, or in
      the type of their buffers if it is wider.
  }];
  let parameters = (ins
    "::mlir::SymbolRefAttr":$kernel, "::mlir::ArrayAttr":$parameters,
    "::mlir::AffineMapAttr":$grid, "::mlir::DenseI64ArrayAttr":$block,
    "::mlir::DenseI64ArrayAttr":$cluster, "int64_t":$static_bytes,
    "int64_t":$dynamic_bytes,
    OptionalParameter<"::mta::NumericsAttr">:$numerics);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Contracts
//===----------------------------------------------------------------------===//

def MTA_LaunchContractAttr : AttrDef<MTA_Dialect, "LaunchContract"> {
  let mnemonic = "launch_contract";
  let summary = "how to run a function that is kernels in a binary";
  let description = [{
    All that a program needs to launch the kernels of a function by itself. An
    array of them, one for each function, is the attribute
    `mta.launch_contracts` of the `gpu.module`, then `gpu.binary`, with the
    kernels, and is verified against these: kernels, their parameters and the
    size of their blocks.

    - `version`: of the contract's form, 1.
    - `sizes`: the names of the numbers that are not static, each from 0 to
      2^31-1. Symbol `i` of all maps is size `i`.
    - `nonnegative` and `zero`: functions of the sizes that have to be so for the
      kernels to be right, if there are any.
    - `buffers`: `#mta.buffer`s: inputs and outputs in the order of the function's
      arguments and results, then workspaces.
    - `launches`: `#mta.kernel_launch`es, to be run one after the other.
  }];
  let parameters = (ins
    "int64_t":$version, StringRefParameter<>:$function,
    "::mlir::ArrayAttr":$sizes,
    OptionalParameter<"::mlir::AffineMapAttr">:$nonnegative,
    OptionalParameter<"::mlir::AffineMapAttr">:$zero,
    "::mlir::ArrayAttr":$buffers, "::mlir::ArrayAttr":$launches);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The version that this compiler writes and reads.
    static constexpr int64_t kVersion = 1;

    /// The buffer of a name, or null.
    BufferAttr lookup(::llvm::StringRef buffer) const;
  }];
}

#endif // MTA_DIALECT_MTA_IR_MTACONTRACTATTRIBUTES_TD

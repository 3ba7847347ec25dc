//===- Numerics.cpp - How a kernel computes ---------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaunchContractBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mta;

/// The type of the operands of a product, null for integers.
static Type operandType(Builder &b, NVVM::MmaOp op) {
  std::optional<NVVM::MMATypes> type = op.getMultiplicandAPtxType();
  if (!type)
    return {};
  switch (*type) {
  case NVVM::MMATypes::f16:
    return b.getF16Type();
  case NVVM::MMATypes::bf16:
    return b.getBF16Type();
  case NVVM::MMATypes::tf32:
    return b.getTF32Type();
  case NVVM::MMATypes::f64:
    return b.getF64Type();
  default:
    return {};
  }
}

/// The type of the operands of wgmma with sums in f32, which is inline
/// assembly; null for another text.
static Type wgmmaOperandType(Builder &b, StringRef text) {
  if (!text.contains("wgmma.mma_async"))
    return {};
  return text.contains(".f32.bf16.bf16") ? Type(b.getBF16Type())
                                         : Type(b.getF16Type());
}

/// The type of the sums, the members of the structure that an mma returns.
static Type sumType(NVVM::MmaOp op) {
  auto results = dyn_cast<LLVM::LLVMStructType>(op.getResult().getType());
  return getElementTypeOrSelf(results ? results.getBody().front()
                                      : op.getResult().getType());
}

/// "ex2.approx.ftz.f32" for the intrinsic "llvm.nvvm.ex2.approx.ftz.f", "" for
/// one that is no approximation.
static std::string instructionOf(StringRef intrinsic) {
  if (!intrinsic.consume_front("llvm.nvvm.") || !intrinsic.contains(".approx"))
    return "";
  StringRef name = intrinsic.rsplit('.').first;
  return (name + (intrinsic.ends_with(".d") ? ".f64" : ".f32")).str();
}

NumericsAttr mta::readNumerics(gpu::GPUFuncOp kernel) {
  Builder b(kernel.getContext());
  llvm::SmallSetVector<Type, 2> products, sums;
  llvm::SmallSetVector<Attribute, 2> approximations;
  ArrayAttr staged = b.getArrayAttr({});
  kernel.walk([&](Operation *op) {
    if (auto mma = dyn_cast<NVVM::MmaOp>(op)) {
      if (Type type = operandType(b, mma)) {
        products.insert(type);
        sums.insert(sumType(mma));
      }
    } else if (auto text = dyn_cast<LLVM::InlineAsmOp>(op)) {
      if (Type type = wgmmaOperandType(b, text.getAsmString())) {
        products.insert(type);
        sums.insert(b.getF32Type());
      }
    } else if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op)) {
      std::string name = instructionOf(call.getIntrin());
      if (!name.empty())
        approximations.insert(b.getStringAttr(name));
    } else if (auto types = op->getAttrOfType<ArrayAttr>(
                   MTADialect::getStagedScoresAttrName())) {
      staged = types;
    }
  });
  if (products.size() == 0 || sums.size() != 1)
    return {};
  return NumericsAttr::get(
      kernel.getContext(), b.getTypeArrayAttr(products.getArrayRef()),
      sums.front(), staged, b.getArrayAttr(approximations.getArrayRef()));
}

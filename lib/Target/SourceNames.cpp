//===- SourceNames.cpp - Names that a module's text has ---------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/CSignature.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

/// "query" for the range of "%query" in the text.
static StringRef nameAt(SMRange range) {
  if (!range.isValid())
    return "";
  const char *begin = range.Start.getPointer();
  StringRef text(begin, range.End.getPointer() - begin);
  text.consume_front("%");
  return text;
}

/// What the text calls `value`, "" if it has no name.
static StringRef findName(const AsmParserState &state, Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    const auto *block = state.getBlockDef(argument.getOwner());
    unsigned number = argument.getArgNumber();
    return block && number < block->arguments.size()
               ? nameAt(block->arguments[number].loc)
               : "";
  }
  const auto *definition = state.getOpDef(value.getDefiningOp());
  if (!definition)
    return "";
  unsigned number = cast<OpResult>(value).getResultNumber();
  for (const auto &group : definition->resultGroups)
    if (group.startIndex == number)
      return nameAt(group.definition.loc);
  return "";
}

static void nameFunction(const AsmParserState &state, func::FuncOp function) {
  if (function.isExternal())
    return;
  Builder builder(function.getContext());
  for (BlockArgument argument : function.getArguments()) {
    unsigned number = argument.getArgNumber();
    StringRef name = findName(state, argument);
    if (!name.empty() && !function.getArgAttr(number, mta::nameAttribute))
      function.setArgAttr(number, mta::nameAttribute,
                          builder.getStringAttr(name));
  }
  auto result =
      dyn_cast<func::ReturnOp>(function.getBody().back().getTerminator());
  if (!result)
    return;
  for (auto [number, value] : llvm::enumerate(result.getOperands())) {
    StringRef name = isa<OpResult>(value) ? findName(state, value) : "";
    if (!name.empty() && !function.getResultAttr(number, mta::nameAttribute))
      function.setResultAttr(number, mta::nameAttribute,
                             builder.getStringAttr(name));
  }
}

OwningOpRef<ModuleOp>
mta::parseWithNames(const std::shared_ptr<llvm::SourceMgr> &source,
                    MLIRContext *context) {
  const llvm::MemoryBuffer *buffer =
      source->getMemoryBuffer(source->getMainFileID());
  ParserConfig config(context);
  if (isBytecode(buffer->getMemBufferRef()))
    return parseSourceFile<ModuleOp>(source, config);
  Block block;
  AsmParserState state;
  if (failed(parseAsmSourceFile(*source, &block, config, &state)))
    return nullptr;
  auto location =
      FileLineColLoc::get(context, buffer->getBufferIdentifier(), 1, 1);
  // As the parser does: a text that is one module is that module.
  OwningOpRef<ModuleOp> module;
  if (llvm::hasSingleElement(block) && isa<ModuleOp>(block.front())) {
    module = cast<ModuleOp>(block.front());
    module.get()->remove();
  } else {
    module = ModuleOp::create(location);
    module->getBodyRegion().front().getOperations().splice(
        module->getBody()->begin(), block.getOperations());
    if (failed(verify(*module)))
      return nullptr;
  }
  module->walk([&](func::FuncOp function) { nameFunction(state, function); });
  return module;
}

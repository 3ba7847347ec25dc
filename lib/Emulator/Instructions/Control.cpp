//===- Control.cpp - Branches, calls and barriers -------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

void doNothing(Warp &, const Instruction &) {}

void decodeBra(Decoder &d) {
  d.accept("uni");
  d.inst.control = Control::Branch;
  d.label();
  d.finish(Class::Branch, nullptr);
}

void decodeBrx(Decoder &d) {
  d.expect("idx");
  d.accept("uni");
  d.inst.control = Control::BranchIndexed;
  d.source(Type::U32);
  const Operand *list = d.takeOperand();
  if (!list)
    return;
  auto found = d.frame->function->branchTargets.find(list->name);
  if (found == d.frame->function->branchTargets.end())
    return d.fail("unknown list of branch targets '" + list->name + "'");
  std::vector<uint32_t> targets;
  for (const std::string &name : found->second) {
    uint32_t index = 0;
    if (!d.frame->function->findLabel(name, d.statement->scope, index))
      return d.fail("unknown label '" + name + "'");
    targets.push_back(d.frame->basePc + index);
  }
  d.inst.target = d.program.branchTables.size();
  d.program.branchTables.push_back(std::move(targets));
  d.finish(Class::Branch, nullptr);
}

/// Pairs the variables named at the call with those the function declares.
void pairVariables(Decoder &d, const Operand *group,
                   const std::vector<Variable> &formals,
                   const FunctionFrame &callee, bool isResult,
                   std::vector<CallSite::Copy> &copies) {
  size_t given = group ? group->elements.size() : 0;
  if (given != formals.size())
    return d.fail("expects " + std::to_string(formals.size()) +
                  (isResult ? " results" : " arguments") + ", but got " +
                  std::to_string(given));
  for (size_t i = 0; i < given; ++i) {
    SymbolAddress actual;
    const Operand &operand = group->elements[i];
    if (operand.kind != Operand::Kind::Symbol ||
        !d.symbol(operand.name, actual) || actual.space != Space::Param)
      return d.fail("expects .param variables in a call");
    const SymbolAddress &formal = callee.symbols.at(formals[i].name);
    if (actual.bytes != formal.bytes || actual.address < CallParamBase)
      return d.fail("expects " + std::to_string(formal.bytes) + " bytes for '" +
                    formals[i].name + "', but got " +
                    std::to_string(actual.bytes));
    CallSite::Copy copy;
    copy.from = actual.address - CallParamBase;
    copy.to = formal.address - CallParamBase;
    copy.bytes = formal.bytes;
    if (isResult)
      std::swap(copy.from, copy.to);
    copies.push_back(copy);
  }
}

void decodeCall(Decoder &d) {
  d.accept("uni");
  d.inst.control = Control::Call;
  const Operand *results = nullptr, *arguments = nullptr;
  if (d.nextOperand() && d.nextOperand()->kind == Operand::Kind::Group)
    results = d.takeOperand();
  const Operand *name = d.takeOperand();
  if (!name)
    return;
  if (name->kind != Operand::Kind::Symbol || !d.functions.count(name->name))
    return d.fail("expects the name of a function; indirect calls are not "
                  "supported");
  if (d.operandsLeft())
    arguments = d.takeOperand();
  const FunctionFrame &callee = d.functions[name->name];
  CallSite site;
  pairVariables(d, arguments, callee.function->parameters, callee, false,
                site.arguments);
  pairVariables(d, results, callee.function->results, callee, true,
                site.results);
  d.inst.target = callee.basePc;
  d.inst.aux = d.program.calls.size();
  d.program.calls.push_back(std::move(site));
  d.finish(Class::Branch, nullptr);
}

template <Control C> void decodeEnd(Decoder &d) {
  if (C == Control::Return)
    d.accept("uni");
  d.inst.control = C;
  d.finish(Class::Branch, nullptr);
}

//===----------------------------------------------------------------------===//
// Barriers (PTX ISA 9.7.13.1); op: id, count, predicate, result
//===----------------------------------------------------------------------===//

void barrierOperands(Decoder &d, BarrierForm form) {
  const Operand *result = nullptr;
  bool isReduction = form >= BarrierForm::RedPopc;
  if (isReduction)
    result = d.takeOperand();
  d.source(Type::U32);
  // a reduction's count is optional: the predicate is the last operand.
  bool hasCount = d.operandsLeft() == (isReduction ? 2u : 1u);
  if (hasCount)
    d.source(Type::U32);
  else
    d.append(d.program.truePredicate);
  if (form == BarrierForm::Arrive && !hasCount)
    d.fail("expects the number of threads at an arrive");
  d.inst.aux = hasCount;
  if (!isReduction || !result)
    return;
  d.inst.offset = d.predicateSource();
  d.pushDestination(
      *result, form == BarrierForm::RedPopc ? Type::U32 : Type::Pred, nullptr);
}

void decodeBarrier(Decoder &d, bool defaultAligned) {
  if (d.accept("cluster"))
    return decodeClusterBarrier(d);
  d.accept("cta");
  int kind = d.expectAny({"sync", "arrive", "red"});
  BarrierForm form = BarrierForm(kind);
  if (kind == 2)
    form = BarrierForm(2 + d.expectAny({"popc", "and", "or"}));
  bool aligned = d.accept("aligned") || defaultAligned;
  if (form == BarrierForm::RedPopc)
    d.expectType({Type::U32});
  else if (kind == 2)
    d.expectType({Type::Pred});
  d.inst.control = Control::Barrier;
  d.inst.variant = unsigned(form);
  d.inst.count = aligned;
  barrierOperands(d, form);
  d.finish(Class::Barrier, nullptr);
}

void synchronizeWarp(Warp &warp, const Instruction &) {
  // The lanes' earlier accesses are ordered before their later ones.
  warp.clock.synchronize(warp.index, warp.block->nextStamp());
}

/// bar.warp.sync mask, or a barrier of the block.
void decodeBar(Decoder &d) {
  if (!d.accept("warp"))
    return decodeBarrier(d, true);
  d.expect("sync");
  d.inst.control = Control::WarpSync;
  d.source(Type::B32);
  d.finish(Class::Barrier, synchronizeWarp);
}

void decodeBarrierPlain(Decoder &d) { decodeBarrier(d, false); }

//===----------------------------------------------------------------------===//
// Instructions without a result
//===----------------------------------------------------------------------===//

void decodeNanosleep(Decoder &d) {
  d.require(70, 6, 3, "nanosleep");
  d.expectType({Type::U32});
  d.source(Type::U32);
  d.finish(Class::Other, doNothing);
}

void decodePrefetch(Decoder &d) {
  if (d.nextModifier() == "tensormap" || d.nextModifier() == "const" ||
      d.nextModifier() == "param")
    return decodePrefetchMap(d);
  Space space = d.accept("global")  ? Space::Global
                : d.accept("local") ? Space::Local
                                    : Space::Generic;
  d.expectAny({"L1", "L2", "L2::evict_last", "L2::evict_normal"});
  d.address(space);
  d.finish(Class::Other, doNothing);
}

void decodePrefetchu(Decoder &d) {
  d.expect("L1");
  d.address(Space::Generic);
  d.finish(Class::Other, doNothing);
}

} // namespace

void registerControl(InstructionTable &table) {
  table.add("bra", Domain::Any, decodeBra);
  table.add("brx", Domain::Any, decodeBrx);
  table.add("call", Domain::Any, decodeCall);
  table.add("ret", Domain::Any, decodeEnd<Control::Return>);
  table.add("exit", Domain::Any, decodeEnd<Control::Exit>);
  table.add("trap", Domain::Any, decodeEnd<Control::Trap>);
  table.add("brkpt", Domain::Any, decodeEnd<Control::Trap>);
  table.add("bar", Domain::Any, decodeBar);
  table.add("barrier", Domain::Any, decodeBarrierPlain);
  table.add("nanosleep", Domain::Any, decodeNanosleep);
  table.add("prefetch", Domain::Any, decodePrefetch);
  table.add("prefetchu", Domain::Any, decodePrefetchu);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

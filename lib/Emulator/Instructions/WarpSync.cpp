//===- WarpSync.cpp - Exchange between the lanes of a warp ----------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// shfl, vote, match, activemask, redux and elect (PTX ISA 9.7.9.6, 9.7.13). The
// interpreter has brought the lanes of the member mask together; op[0] is the
// row of the mask.
//
//===----------------------------------------------------------------------===//

#include "Families.h"
#include <algorithm>

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

enum class Shuffle : uint8_t { Up, Down, Butterfly, Index };

/// The lane that `lane` reads; `ok` is false if it is outside the segment. c
/// holds the clamp in bits 0 to 4 and the segment mask in bits 8 to 12.
template <Shuffle Mode>
int sourceLane(int lane, uint32_t b, uint32_t c, bool &ok) {
  int offset = b & 31, clamp = c & 31, segment = c >> 8 & 31;
  int last = (lane & segment) | (clamp & ~segment);
  int first = lane & segment;
  int source = Mode == Shuffle::Up          ? lane - offset
               : Mode == Shuffle::Down      ? lane + offset
               : Mode == Shuffle::Butterfly ? lane ^ offset
                                            : first | (offset & ~segment);
  ok = Mode == Shuffle::Up ? source >= last : source <= last;
  return ok ? source : lane;
}

/// shfl.sync: op = members, d, p, a, b, c.
template <Shuffle Mode> void shuffle(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[3]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[4]);
  const uint32_t *c = warp.row<uint32_t>(inst.op[5]);
  int from[WarpSize];
  uint32_t inside = 0, missing = 0;
  for (unsigned lane = 0; lane < WarpSize; ++lane) {
    bool ok = false;
    from[lane] = sourceLane<Mode>(lane, b[lane], c[lane], ok);
    inside |= uint32_t(ok) << lane;
    missing |= (~warp.active >> (from[lane] & 31) & 1) << lane;
  }
  // The value of a lane that does not take part is undefined.
  missing &= warp.active;
  if (missing) {
    unsigned lane = __builtin_ctz(missing);
    return warp.fail(inst, lane,
                     "shuffle from lane " + std::to_string(from[lane]) +
                         ", which does not take part");
  }
  uint32_t source[WarpSize];
  std::copy_n(a, WarpSize, source);
  writeLanes<uint32_t>(warp, inst.op[1],
                       [&](unsigned l) { return source[from[l] & 31]; });
  writePredicate(warp, inst.op[2], inside);
}

/// Puts the last operand, the member mask, first.
void membersFirst(Decoder &d) {
  d.inst.control = Control::WarpSync;
  const auto &operands = d.statement->operands;
  if (operands.empty())
    return d.fail("expects a member mask");
  d.pushSource(operands.back(), Type::B32, nullptr);
}

/// A destination with an optional predicate: d or d|p.
void pairDestination(Decoder &d) {
  const Operand *result = d.takeOperand();
  if (!result)
    return;
  d.pushDestination(*result, Type::B32, nullptr);
  d.pushDestination(result->second ? *result->second : Operand(), Type::Pred,
                    nullptr);
}

void decodeShfl(Decoder &d) {
  if (!d.accept("sync"))
    return d.fail("shfl without .sync does not exist from sm_70 on");
  Shuffle mode = Shuffle(d.expectAny({"up", "down", "bfly", "idx"}));
  d.expectType({Type::B32});
  membersFirst(d);
  pairDestination(d);
  for (unsigned i = 0; i < 3; ++i)
    d.source(Type::B32);
  d.takeOperand();
  d.finish(Class::Shuffle, mode == Shuffle::Up     ? shuffle<Shuffle::Up>
                           : mode == Shuffle::Down ? shuffle<Shuffle::Down>
                           : mode == Shuffle::Butterfly
                               ? shuffle<Shuffle::Butterfly>
                               : shuffle<Shuffle::Index>);
}

enum class Vote : uint8_t { All, Any, Uniform, Ballot };

/// vote.sync: op = members, d, a.
void voteHandler(Warp &warp, const Instruction &inst) {
  uint32_t value = (warp.predicate(inst.op[2]) ^ inst.aux) & warp.active;
  bool all = value == warp.active, any = value != 0;
  switch (Vote(inst.variant)) {
  case Vote::All:
    return writePredicate(warp, inst.op[1], all ? AllLanes : 0);
  case Vote::Any:
    return writePredicate(warp, inst.op[1], any ? AllLanes : 0);
  case Vote::Uniform:
    return writePredicate(warp, inst.op[1], all || !any ? AllLanes : 0);
  case Vote::Ballot:
    return writeLanes<uint32_t>(warp, inst.op[1],
                                [=](unsigned) { return value; });
  }
}

void decodeVote(Decoder &d) {
  if (!d.accept("sync"))
    return d.fail("vote without .sync does not exist from sm_70 on");
  Vote mode = Vote(d.expectAny({"all", "any", "uni", "ballot"}));
  Type type = d.expectType({Type::Pred, Type::B32});
  if ((mode == Vote::Ballot) != (type == Type::B32))
    d.fail("expects .b32 with .ballot and .pred otherwise");
  membersFirst(d);
  d.destination(type);
  d.inst.aux = d.predicateSource();
  d.takeOperand();
  d.inst.variant = uint8_t(mode);
  d.finish(Class::Shuffle, voteHandler);
}

/// match.sync: op = members, d, p, a. variant: .all
template <typename T> void matchHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[3]);
  uint32_t active = warp.active;
  uint32_t same[WarpSize];
  for (unsigned lane = 0; lane < WarpSize; ++lane)
    same[lane] = active & maskOf([=](unsigned l) { return a[l] == a[lane]; });
  bool all = same[__builtin_ctz(active)] == active;
  bool wantsAll = inst.variant;
  writeLanes<uint32_t>(warp, inst.op[1], [&](unsigned l) {
    return wantsAll ? (all ? active : 0) : same[l];
  });
  writePredicate(warp, inst.op[2], all ? AllLanes : 0);
}

void decodeMatch(Decoder &d) {
  d.inst.variant = d.expectAny({"any", "all"});
  d.expect("sync");
  d.require(70, 6, 0, "match");
  Type type = d.expectType({Type::B32, Type::B64});
  membersFirst(d);
  if (d.nextOperand() && d.nextOperand()->second && !d.inst.variant)
    d.fail("expects a predicate only with .all");
  pairDestination(d);
  d.source(type);
  d.takeOperand();
  d.finish(Class::Shuffle,
           type == Type::B32 ? matchHandler<uint32_t> : matchHandler<uint64_t>);
}

void activeMaskHandler(Warp &warp, const Instruction &inst) {
  uint32_t active = warp.active;
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned) { return active; });
}

void decodeActiveMask(Decoder &d) {
  d.expectType({Type::B32});
  d.destination(Type::B32);
  d.finish(Class::Shuffle, activeMaskHandler);
}

enum class Reduction : uint8_t { Add, Min, Max, And, Or, Xor };

template <typename T> T reduce(T a, T b, Reduction operation) {
  switch (operation) {
  case Reduction::Add:
    return uint32_t(a) + uint32_t(b);
  case Reduction::Min:
    return std::min(a, b);
  case Reduction::Max:
    return std::max(a, b);
  case Reduction::And:
    return a & b;
  case Reduction::Or:
    return a | b;
  case Reduction::Xor:
    return a ^ b;
  }
  return a;
}

/// redux.sync: op = members, d, a.
template <typename T> void reduceHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[2]);
  T value = a[__builtin_ctz(warp.active)];
  for (uint32_t left = warp.active & (warp.active - 1); left; left &= left - 1)
    value = reduce(value, a[__builtin_ctz(left)], Reduction(inst.variant));
  writeLanes<T>(warp, inst.op[1], [=](unsigned) { return value; });
}

void decodeRedux(Decoder &d) {
  d.expect("sync");
  d.require(80, 7, 0, "redux");
  int operation = d.expectAny({"add", "min", "max", "and", "or", "xor"});
  Type type = d.expectType({Type::U32, Type::S32, Type::B32});
  if ((operation >= int(Reduction::And)) != (type == Type::B32))
    d.fail("expects .b32 with .and, .or and .xor, and .u32 or .s32 otherwise");
  membersFirst(d);
  d.destination(type);
  d.source(type);
  d.takeOperand();
  d.inst.variant = operation;
  d.finish(Class::Shuffle, type == Type::S32 ? reduceHandler<int32_t>
                                             : reduceHandler<uint32_t>);
}

/// elect.sync: op = members, d, p; the lowest lane is elected.
void electHandler(Warp &warp, const Instruction &inst) {
  uint32_t leader = __builtin_ctz(warp.active);
  writeLanes<uint32_t>(warp, inst.op[1], [=](unsigned) { return leader; });
  writePredicate(warp, inst.op[2], 1u << leader);
}

void decodeElect(Decoder &d) {
  d.expect("sync");
  d.require(90, 8, 0, "elect");
  membersFirst(d);
  if (d.nextOperand() && !d.nextOperand()->second)
    d.fail("expects a destination and a predicate, d|p");
  pairDestination(d);
  d.takeOperand();
  d.finish(Class::Shuffle, electHandler);
}

} // namespace

void registerWarpSync(InstructionTable &table) {
  table.add("shfl", Domain::Any, decodeShfl);
  table.add("vote", Domain::Any, decodeVote);
  table.add("match", Domain::Any, decodeMatch);
  table.add("activemask", Domain::Any, decodeActiveMask);
  table.add("redux", Domain::Any, decodeRedux);
  table.add("elect", Domain::Any, decodeElect);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

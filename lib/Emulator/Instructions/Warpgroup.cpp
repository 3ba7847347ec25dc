//===- Warpgroup.cpp - setmaxnreg and griddepcontrol ----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.19.5 and 9.7.13.13. The registers of a block are a pool: a warp
// that gives some up lets another have them, which waits until there are
// enough.
//
//===----------------------------------------------------------------------===//

#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

void doNothing(Warp &, const Instruction &) {}

/// variant: 1 to decrease. aux: the registers of a thread from now on.
void setRegisters(Warp &warp, const Instruction &inst) {
  Block &block = *warp.block;
  if (warp.active != warp.live)
    return warp.fail(inst, -1, "expects all lanes of the warp");
  uint32_t &own = warp.warpgroup.registerCount;
  if (inst.variant ? inst.aux > own : inst.aux < own)
    return warp.fail(inst, -1,
                     std::string("setmaxnreg.") +
                         (inst.variant ? "dec" : "inc") + " to " +
                         std::to_string(inst.aux) +
                         " registers, but the warp has " + std::to_string(own));
  if (inst.variant) {
    block.freeRegisters += (own - inst.aux) * WarpSize;
    ++block.events;
    wakeWaiting(block);
  } else if (uint32_t more = (inst.aux - own) * WarpSize;
             more <= block.freeRegisters) {
    block.freeRegisters -= more;
    ++block.events;
  } else {
    warp.blocked = true;
    warp.awaited = Group::NoMbarrier;
    return;
  }
  own = inst.aux;
}

void decodeSetRegisters(Decoder &d) {
  d.requireArchitecture("setmaxnreg");
  d.inst.variant = d.expectAny({"inc", "dec"});
  d.expect("sync");
  d.expect("aligned");
  d.expectType({Type::U32});
  d.inst.aux = d.immediate(24, 256, "a number of registers");
  if (d.inst.aux % 8)
    d.fail("expects a number of registers that is a multiple of 8, but got " +
           std::to_string(d.inst.aux));
  d.program.setsRegisters = true;
  d.inst.control = Control::Await;
  d.finish(Class::Other, setRegisters);
}

/// Grids run one after another, so a dependent grid finds everything done.
void decodeDependence(Decoder &d) {
  d.require(90, 7, 8, "griddepcontrol");
  d.expectAny({"launch_dependents", "wait"});
  d.finish(Class::Other, doNothing);
}

} // namespace

void registerWarpgroup(InstructionTable &table) {
  table.add("setmaxnreg", Domain::Any, decodeSetRegisters);
  table.add("griddepcontrol", Domain::Any, decodeDependence);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

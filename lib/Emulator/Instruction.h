//===- Instruction.h - Decoded instructions and programs --------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel and the functions it calls become one Program: a flat array of
// instructions in which every name is resolved. An operand is the byte offset
// of a row in a warp's register file; constants and special registers have
// rows there too, so handlers never ask what kind of operand they have.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_LIB_EMULATOR_INSTRUCTION_H
#define MTA_LIB_EMULATOR_INSTRUCTION_H

#include "Syntax.h"
#include <cstdint>
#include <string>
#include <vector>

namespace mta::emulator {

struct Warp;
struct Instruction;

/// Executes one instruction for the active lanes of a warp.
using Handler = void (*)(Warp &, const Instruction &);

constexpr unsigned WarpSize = 32;
constexpr uint32_t AllLanes = 0xffffffff;

/// How the interpreter loop treats an instruction; None calls the handler and
/// goes on.
enum class Control : uint8_t {
  None,
  Branch,        // target
  BranchIndexed, // op[0]: index row; targets in Program::branchTables[target]
  Call,          // target; Program::calls[aux]
  Return,
  Exit,
  Trap,
  WarpSync, // op[0]: member mask row; then the handler
  Barrier,  // see BarrierForm
  Await,    // the handler may set Warp::blocked, and is then called again
};

/// What an instruction is counted as.
enum class Class : uint8_t {
  Move,
  Integer,
  Float32,
  Float64,
  Half,
  Convert,
  Special,
  Matrix,
  LoadGlobal,
  StoreGlobal,
  LoadShared,
  StoreShared,
  LoadMatrix,
  Local,
  Parameter,
  Atomic,
  AsyncCopy,
  BulkLoad,
  BulkStore,
  BulkReduce,
  Mbarrier,
  Shuffle,
  Barrier,
  Fence,
  Branch,
  Other,
};
constexpr unsigned NumClasses = unsigned(Class::Other) + 1;
const char *className(Class cls);

enum class BarrierForm : uint8_t { Sync, Arrive, RedPopc, RedAnd, RedOr };

struct Instruction {
  Handler handler = nullptr;
  const uint32_t *op = nullptr;
  uint32_t guard = 0;     // byte offset of a predicate
  uint32_t guardFlip = 0; // all ones for @!p
  Control control = Control::None;
  Class cls = Class::Other;
  /// Set if the interpreter must look at Program::validity for this one.
  bool tracksValidity = false;
  Space space = Space::Generic;
  uint8_t width = 0;       // bytes of one memory element
  uint8_t count = 0;       // elements of a vector access
  uint8_t cell = 0;        // bytes of one register cell of the operand
  uint8_t addressCell = 8; // bytes of one cell of the address register
  bool isSigned = false;
  bool isStrong = false; // volatile, relaxed, acquire, release or atomic
  uint8_t variant = 0;   // of the handler's own meaning
  int64_t offset = 0;    // added to the address
  uint32_t target = 0;
  uint32_t aux = 0;
  uint32_t pc = 0;
};

/// A register that some path reads before it is written; its validity is a
/// mask of lanes in the register file.
struct ValidityUse {
  uint32_t mask = 0; // byte offset of the mask
  std::string name;
  /// The read happens only where a predicate is set.
  bool isConditional = false;
  uint32_t condition = 0, flip = 0;
};

/// An access to a register that is an operand of some wgmma.
struct AsyncUse {
  uint32_t id = 0; // index of the register in WarpgroupState::registers
  bool isWrite = false;
};

/// What to do about validity at one instruction.
struct Validity {
  std::vector<ValidityUse> reads;
  std::vector<uint32_t> writes;
  std::vector<AsyncUse> async;
  /// A move copies the validity of `reads` instead of demanding it.
  bool propagates = false;
};

struct SpecialRow {
  std::string name;
  uint32_t offset = 0;
  unsigned cell = 4;
};

struct ConstantRow {
  uint32_t offset = 0;
  unsigned cell = 4;
  uint64_t bits[2] = {0, 0};
};

/// Where an argument or result goes when a call or return happens.
struct CallSite {
  struct Copy {
    uint32_t from = 0, to = 0, bytes = 0;
  };
  std::vector<Copy> arguments, results;
};

/// The operands of one wgmma.mma_async, see Warpgroups.h.
struct WgmmaOperands {
  /// Shape and types; wgmmas of one kind may share accumulators.
  uint32_t kind = 0;
  std::vector<uint32_t> accumulators, factors; // ids of registers
};

struct EntryParameter {
  std::string name;
  Type type = Type::None;
  uint32_t offset = 0, bytes = 0, align = 1;
  bool isPointer = false;
};

struct Program {
  const ParsedModule *module = nullptr;
  const Function *entry = nullptr;
  std::vector<Instruction> code;
  std::vector<const Statement *> statements; // by pc
  std::vector<uint32_t> operandPool;
  std::vector<size_t> operandStarts; // by pc
  std::vector<Validity> validity;    // by pc; empty if nothing is tracked
  std::vector<uint32_t> validityMasks;
  std::vector<std::vector<uint32_t>> branchTables;
  std::vector<CallSite> calls;
  std::vector<SpecialRow> specials;
  std::vector<ConstantRow> constants;
  std::vector<EntryParameter> parameters;
  std::vector<WgmmaOperands> wgmmas; // Instruction::target
  /// Names of the registers that a wgmma has as operands, by id.
  std::vector<std::string> asyncRegisters;
  /// Whether some instruction is setmaxnreg.
  bool setsRegisters = false;
  uint32_t parameterBytes = 0;
  uint32_t entryPc = 0;
  uint32_t truePredicate = 0;  // byte offset of an all-ones predicate
  uint32_t registerBytes = 0;  // of one warp
  uint32_t localBytes = 0;     // of one thread, .local variables
  uint32_t callParamBytes = 0; // of one thread, .param of device functions
  uint32_t staticShared = 0;   // bytes
  uint32_t dynamicSharedOffset = 0;
  unsigned maxCallDepth = 0;
};

/// Addresses. Global and constant memory have host addresses. The other spaces
/// have windows in the generic address space above every host address; the low
/// 32 bits of a window are zero, so the low half of a generic address is the
/// address within the space.
constexpr uint64_t SharedWindow = uint64_t(0x0101) << 48;
constexpr uint64_t LocalWindow = uint64_t(0x0202) << 48;
constexpr uint64_t ParamWindow = uint64_t(0x0303) << 48;
constexpr uint64_t WindowMask = uint64_t(0xffffffff) << 32;
/// Within the local space, the .param variables of device functions.
constexpr uint32_t CallParamBase = 0x40000000;

} // namespace mta::emulator

#endif // MTA_LIB_EMULATOR_INSTRUCTION_H

//===- Compare.cpp - setp, set, selp and slct -----------------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA 9.7.5 and 9.7.6.
//
//===----------------------------------------------------------------------===//

#include "../SmallFloat.h"
#include "Families.h"

namespace mta::emulator {
inline namespace MTA_EMULATOR_ISA {
namespace {

enum Comparison : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Lo,
  Ls,
  Hi,
  Hs,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan
};

/// The loop is inside the switch, so that each comparison is one vector loop.
template <typename T>
uint32_t compareLanes(const T *a, const T *b, uint8_t comparison) {
  switch (comparison) {
  case Eq:
    return maskOf([=](unsigned l) { return a[l] == b[l]; });
  case Ne: // ordered for floating point
    return maskOf([=](unsigned l) { return a[l] < b[l] || a[l] > b[l]; });
  case Lt:
  case Lo:
    return maskOf([=](unsigned l) { return a[l] < b[l]; });
  case Le:
  case Ls:
    return maskOf([=](unsigned l) { return a[l] <= b[l]; });
  case Gt:
  case Hi:
    return maskOf([=](unsigned l) { return a[l] > b[l]; });
  case Ge:
  case Hs:
    return maskOf([=](unsigned l) { return a[l] >= b[l]; });
  case Equ:
    return maskOf([=](unsigned l) { return !(a[l] < b[l] || a[l] > b[l]); });
  case Neu:
    return maskOf([=](unsigned l) { return a[l] != b[l]; });
  case Ltu:
    return maskOf([=](unsigned l) { return !(a[l] >= b[l]); });
  case Leu:
    return maskOf([=](unsigned l) { return !(a[l] > b[l]); });
  case Gtu:
    return maskOf([=](unsigned l) { return !(a[l] <= b[l]); });
  case Geu:
    return maskOf([=](unsigned l) { return !(a[l] < b[l]); });
  case Num:
    return maskOf([=](unsigned l) { return a[l] == a[l] && b[l] == b[l]; });
  default:
    return maskOf([=](unsigned l) { return a[l] != a[l] || b[l] != b[l]; });
  }
}

/// Operand rows as values that compare as the type does.
template <typename T> struct Plain {
  using Value = T;
  const T *values;
  explicit Plain(const T *row) : values(row) {}
};
struct FlushedRow {
  using Value = float;
  alignas(64) float values[WarpSize];
  explicit FlushedRow(const float *row) {
    for (unsigned l = 0; l < WarpSize; ++l)
      values[l] = flush(row[l]);
  }
};
struct HalfRow {
  using Value = float;
  alignas(64) float values[WarpSize];
  explicit HalfRow(const uint16_t *row) {
    for (unsigned l = 0; l < WarpSize; ++l)
      values[l] = halfToFloat(row[l]);
  }
};
struct BfloatRow {
  using Value = float;
  alignas(64) float values[WarpSize];
  explicit BfloatRow(const uint16_t *row) {
    for (unsigned l = 0; l < WarpSize; ++l)
      values[l] = bfloatToFloat(row[l]);
  }
};

/// The lanes for which the rows at offsets a and b compare true.
template <typename T, typename Row>
uint32_t compareRows(Warp &warp, uint32_t a, uint32_t b, uint8_t comparison) {
  Row left(warp.row<T>(a)), right(warp.row<T>(b));
  return compareLanes<typename Row::Value>(left.values, right.values,
                                           comparison);
}

enum class Combine : uint8_t { None, And, Or, Xor };

uint32_t combine(uint32_t value, uint32_t other, Combine operation) {
  switch (operation) {
  case Combine::And:
    return value & other;
  case Combine::Or:
    return value | other;
  case Combine::Xor:
    return value ^ other;
  case Combine::None:
    break;
  }
  return value;
}

/// setp: op = p, q, a, b, c. variant: comparison; count: combination.
template <typename T, typename Row>
void setpHandler(Warp &warp, const Instruction &inst) {
  uint32_t value =
      compareRows<T, Row>(warp, inst.op[2], inst.op[3], inst.variant);
  uint32_t other = warp.predicate(inst.op[4]) ^ inst.aux;
  Combine operation = Combine(inst.count);
  writePredicate(warp, inst.op[0], combine(value, other, operation));
  writePredicate(warp, inst.op[1], combine(~value, other, operation));
}

/// setp of packed halves: p for the low, q for the high element.
template <typename Row> void setpPacked(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[2]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[3]);
  uint32_t other = warp.predicate(inst.op[4]) ^ inst.aux;
  uint32_t results[2];
  for (unsigned i = 0; i < 2; ++i) {
    uint16_t x[WarpSize], y[WarpSize];
    for (unsigned l = 0; l < WarpSize; ++l) {
      x[l] = a[l] >> (16 * i);
      y[l] = b[l] >> (16 * i);
    }
    results[i] =
        combine(compareLanes<float>(Row(x).values, Row(y).values, inst.variant),
                other, Combine(inst.count));
  }
  writePredicate(warp, inst.op[0], results[0]);
  writePredicate(warp, inst.op[1], results[1]);
}

/// set: op = d, a, b, c; all ones or 1.0 where true. cell: bytes of d.
template <typename T, typename Row>
void setHandler(Warp &warp, const Instruction &inst) {
  uint32_t value =
      compareRows<T, Row>(warp, inst.op[1], inst.op[2], inst.variant);
  uint32_t other = warp.predicate(inst.op[3]) ^ inst.aux;
  value = combine(value, other, Combine(inst.count));
  uint32_t yes = inst.offset;
  if (inst.cell == 2)
    writeLanes<uint16_t>(warp, inst.op[0], [=](unsigned l) {
      return value >> l & 1 ? uint16_t(yes) : uint16_t(0);
    });
  else
    writeLanes<uint32_t>(warp, inst.op[0],
                         [=](unsigned l) { return value >> l & 1 ? yes : 0; });
}

/// set of packed halves: each half of d is offset where true.
template <typename Row> void setPacked(Warp &warp, const Instruction &inst) {
  const uint32_t *a = warp.row<uint32_t>(inst.op[1]);
  const uint32_t *b = warp.row<uint32_t>(inst.op[2]);
  uint32_t other = warp.predicate(inst.op[3]) ^ inst.aux;
  uint32_t truth[2];
  for (unsigned i = 0; i < 2; ++i) {
    uint16_t x[WarpSize], y[WarpSize];
    for (unsigned l = 0; l < WarpSize; ++l) {
      x[l] = a[l] >> (16 * i);
      y[l] = b[l] >> (16 * i);
    }
    truth[i] =
        combine(compareLanes<float>(Row(x).values, Row(y).values, inst.variant),
                other, Combine(inst.count));
  }
  uint32_t yes = inst.offset & 0xffff;
  writeLanes<uint32_t>(warp, inst.op[0], [=](unsigned l) {
    return (truth[0] >> l & 1 ? yes : 0) | (truth[1] >> l & 1 ? yes << 16 : 0);
  });
}

struct Kind {
  uint8_t comparison = Eq;
  Combine combination = Combine::None;
  bool ftz = false;
};

Kind acceptKind(Decoder &d) {
  Kind kind;
  kind.comparison =
      d.expectAny({"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs",
                   "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"});
  kind.combination = Combine(1 + d.acceptAny({"and", "or", "xor"}));
  kind.ftz = d.accept("ftz");
  return kind;
}

/// Which comparisons a type has (PTX ISA 9.3.1).
void checkComparison(Decoder &d, const Kind &kind, Type type) {
  bool ok = true;
  if (isFloat(type))
    ok = kind.comparison < Lo || kind.comparison > Hs;
  else if (isBits(type))
    ok = kind.comparison <= Ne;
  else if (isSigned(type))
    ok = kind.comparison <= Ge;
  else
    ok = kind.comparison <= Hs;
  bool flushes = type == Type::F32 || type == Type::F16 || type == Type::F16x2;
  if (!ok || (kind.ftz && !flushes))
    d.fail("type ." + std::string(typeName(type)) +
           " does not have this comparison");
}

template <template <typename, typename> class H>
Handler handlerFor(Type type, bool ftz) {
  switch (type) {
  case Type::U16:
  case Type::B16:
    return H<uint16_t, Plain<uint16_t>>::handler;
  case Type::S16:
    return H<int16_t, Plain<int16_t>>::handler;
  case Type::U32:
  case Type::B32:
    return H<uint32_t, Plain<uint32_t>>::handler;
  case Type::S32:
    return H<int32_t, Plain<int32_t>>::handler;
  case Type::U64:
  case Type::B64:
    return H<uint64_t, Plain<uint64_t>>::handler;
  case Type::S64:
    return H<int64_t, Plain<int64_t>>::handler;
  case Type::F32:
    return ftz ? H<float, FlushedRow>::handler
               : H<float, Plain<float>>::handler;
  case Type::F64:
    return H<double, Plain<double>>::handler;
  case Type::F16:
    return H<uint16_t, HalfRow>::handler;
  case Type::BF16:
    return H<uint16_t, BfloatRow>::handler;
  default:
    return nullptr;
  }
}
template <typename T, typename Row> struct Setp {
  static constexpr Handler handler = setpHandler<T, Row>;
};
template <typename T, typename Row> struct Set {
  static constexpr Handler handler = setHandler<T, Row>;
};

Type comparedType(Decoder &d) {
  return d.expectType({Type::B16, Type::B32, Type::B64, Type::U16, Type::U32,
                       Type::U64, Type::S16, Type::S32, Type::S64, Type::F16,
                       Type::F16x2, Type::BF16, Type::BF16x2, Type::F32,
                       Type::F64});
}

Class classFor(Type type) {
  return type == Type::F64   ? Class::Float64
         : type == Type::F32 ? Class::Float32
         : isFloat(type)     ? Class::Half
                             : Class::Integer;
}

void combinedOperand(Decoder &d, const Kind &kind) {
  d.inst.count = uint8_t(kind.combination);
  if (kind.combination == Combine::None)
    d.append(d.predicateRow(true));
  else
    d.inst.aux = d.predicateSource();
}

void decodeSetp(Decoder &d) {
  Kind kind = acceptKind(d);
  Type type = comparedType(d);
  checkComparison(d, kind, type);
  // Subnormal halves compare like their flushed values only against others
  // than zero, so .ftz would need a row of its own.
  if (kind.ftz && type != Type::F32)
    d.fail("setp.ftz of halves is not supported");
  if (type == Type::BF16 || type == Type::BF16x2)
    d.require(90, 7, 8, "setp.bf16");
  bool packed = type == Type::F16x2 || type == Type::BF16x2;
  d.inst.variant = kind.comparison;
  d.predicateDestinations(true);
  d.source(type);
  d.source(type);
  combinedOperand(d, kind);
  Handler handler = type == Type::F16x2    ? setpPacked<HalfRow>
                    : type == Type::BF16x2 ? setpPacked<BfloatRow>
                                           : handlerFor<Setp>(type, kind.ftz);
  if (!d.failed() && packed && !d.statement->operands[0].second)
    d.fail("expects two destinations for a packed comparison");
  d.finish(classFor(type), handler);
}

/// What set writes where the comparison holds.
int64_t trueValue(Type result) {
  switch (result) {
  case Type::F32:
    return 0x3f800000;
  case Type::F16:
  case Type::F16x2:
    return 0x3c00;
  case Type::BF16:
  case Type::BF16x2:
    return 0x3f80;
  default:
    return AllLanes;
  }
}

void decodeSet(Decoder &d) {
  Kind kind = acceptKind(d);
  Type result =
      d.expectType({Type::U32, Type::S32, Type::F32, Type::U16, Type::S16,
                    Type::F16, Type::BF16, Type::F16x2, Type::BF16x2});
  Type type = comparedType(d);
  checkComparison(d, kind, type);
  bool packed = type == Type::F16x2 || type == Type::BF16x2;
  Handler handler = type == Type::F16x2    ? setPacked<HalfRow>
                    : type == Type::BF16x2 ? setPacked<BfloatRow>
                                           : handlerFor<Set>(type, kind.ftz);
  if (kind.ftz && type != Type::F32)
    return d.fail("set.ftz of halves is not supported");
  bool packedResult =
      result == type || result == Type::U32 || result == Type::S32;
  bool scalarResult = result != Type::F16x2 && result != Type::BF16x2;
  if (packed ? !packedResult : !scalarResult)
    return d.fail("set does not have this combination of types");
  d.inst.variant = kind.comparison;
  d.inst.cell = typeBytes(result);
  d.inst.offset = trueValue(result);
  d.destination(result);
  d.source(type);
  d.source(type);
  combinedOperand(d, kind);
  d.finish(classFor(type), handler);
}

/// selp: op = d, a, b, p.
template <typename T> void selectHandler(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  uint32_t p = warp.predicate(inst.op[3]) ^ inst.aux;
  writeLanes<T>(warp, inst.op[0],
                [=](unsigned l) { return p >> l & 1 ? a[l] : b[l]; });
}

void decodeSelp(Decoder &d) {
  Type type = d.expectType({Type::B16, Type::B32, Type::B64, Type::U16,
                            Type::U32, Type::U64, Type::S16, Type::S32,
                            Type::S64, Type::F32, Type::F64});
  d.destination(type);
  d.source(type);
  d.source(type);
  d.inst.aux = d.predicateSource();
  d.finish(Class::Integer, typeBytes(type) == 2   ? selectHandler<uint16_t>
                           : typeBytes(type) == 4 ? selectHandler<uint32_t>
                                                  : selectHandler<uint64_t>);
}

/// slct: op = d, a, b, c; a where c >= 0; NaN selects b.
template <typename T, typename C, bool Ftz>
void selectSign(Warp &warp, const Instruction &inst) {
  const T *a = warp.row<T>(inst.op[1]);
  const T *b = warp.row<T>(inst.op[2]);
  const C *c = warp.row<C>(inst.op[3]);
  writeLanes<T>(warp, inst.op[0], [=](unsigned l) {
    C sign = c[l];
    if constexpr (Ftz)
      sign = flush(sign);
    return sign >= 0 ? a[l] : b[l];
  });
}

template <typename T> Handler selectSignFor(Type sign, bool ftz) {
  return sign == Type::S32 ? selectSign<T, int32_t, false>
         : ftz             ? selectSign<T, float, true>
                           : selectSign<T, float, false>;
}

void decodeSlct(Decoder &d) {
  bool ftz = d.accept("ftz");
  Type type = d.expectType({Type::B16, Type::B32, Type::B64, Type::U16,
                            Type::U32, Type::U64, Type::S16, Type::S32,
                            Type::S64, Type::F32, Type::F64});
  Type sign = d.expectType({Type::S32, Type::F32});
  if (ftz && sign != Type::F32)
    d.fail("expects .ftz only with .f32");
  d.destination(type);
  d.source(type);
  d.source(type);
  d.source(sign);
  d.finish(Class::Integer,
           typeBytes(type) == 2   ? selectSignFor<uint16_t>(sign, ftz)
           : typeBytes(type) == 4 ? selectSignFor<uint32_t>(sign, ftz)
                                  : selectSignFor<uint64_t>(sign, ftz));
}

} // namespace

void registerCompare(InstructionTable &table) {
  table.add("setp", Domain::Any, decodeSetp);
  table.add("set", Domain::Any, decodeSet);
  table.add("selp", Domain::Any, decodeSelp);
  table.add("slct", Domain::Any, decodeSlct);
}

} // namespace MTA_EMULATOR_ISA
} // namespace mta::emulator

//===- CSignature.cpp - How C calls a function of tensors -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/CSignature.h"

#include "mta/Dialect/MTA/Builders/BufferLayout.h"
#include "mta/Dialect/MTA/Transforms/SizeClasses.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace mta;

/// The C type of a scalar or an element, "" if there is none.
static StringRef cType(Type type) {
  if (type.isF16())
    return "MtaF16";
  if (type.isBF16())
    return "MtaBF16";
  if (type.isF32())
    return "float";
  if (type.isF64())
    return "double";
  if (type.isSignlessInteger(8))
    return "int8_t";
  if (type.isSignlessInteger(16))
    return "int16_t";
  if (type.isSignlessInteger(32))
    return "int32_t";
  if (type.isSignlessInteger(64) || type.isIndex())
    return "int64_t";
  return "";
}

static CCondition::Kind kindOf(SizeClasses::Condition::Kind kind) {
  switch (kind) {
  case SizeClasses::Condition::Kind::Equal:
    return CCondition::Kind::Equal;
  case SizeClasses::Condition::Kind::AtLeast:
    return CCondition::Kind::AtLeast;
  case SizeClasses::Condition::Kind::MultipleOf:
    return CCondition::Kind::MultipleOf;
  }
  llvm_unreachable("every kind is handled above");
}

static unsigned bytesOf(Type type) {
  return type.isIndex() ? 8 : type.getIntOrFloatBitWidth() / 8;
}

static std::string printed(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Functions of the C library may be called by the code that is made.
static bool isLibraryFunction(StringRef name) {
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  llvm::TargetLibraryInfoImpl library(triple);
  llvm::LibFunc unused;
  return name == "main" || library.getLibFunc(name, unused);
}

bool mta::isCFunctionName(StringRef name) {
  return isCIdentifier(name) && !isLibraryFunction(name);
}

namespace {
/// Builds the signature of one function.
class SignatureBuilder {
public:
  explicit SignatureBuilder(func::FuncOp function)
      : function(function), classes(function) {}

  FailureOr<CFunction> build();

private:
  InFlightDiagnostic emitError() {
    return mlir::emitError(function.getLoc())
           << "'" << function.getName() << "' ";
  }

  std::string unique(StringRef name, const Twine &otherwise);
  StringRef givenName(DictionaryAttr attributes);
  FailureOr<CParameter> describe(Type type, const Twine &what);
  LogicalResult addArgument(unsigned number);
  LogicalResult addResult(unsigned number, Value value);
  CExtent addSize(SizeClasses::Class size, const Twine &otherwise);
  std::optional<CExtent> lookup(SizeClasses::Class size);
  std::optional<CExtent> derive(SizeClasses::Class size);
  LogicalResult addConditions();
  void addNotes();

  func::FuncOp function;
  SizeClasses classes;
  CFunction result;
  llvm::StringSet<> taken;
  llvm::DenseMap<SizeClasses::Class, unsigned> parameters;
};
} // namespace

/// `name` if C can use it and nothing else has it, else something like it.
std::string SignatureBuilder::unique(StringRef name, const Twine &otherwise) {
  std::string base =
      isCIdentifier(name) && name != result.name ? name.str() : otherwise.str();
  std::string candidate = base;
  for (unsigned suffix = 2; !taken.insert(candidate).second; ++suffix)
    candidate = base + "_" + std::to_string(suffix);
  return candidate;
}

StringRef SignatureBuilder::givenName(DictionaryAttr attributes) {
  auto name =
      attributes ? attributes.getAs<StringAttr>(nameAttribute) : StringAttr();
  return name ? name.getValue() : StringRef();
}

FailureOr<CParameter> SignatureBuilder::describe(Type type, const Twine &what) {
  CParameter parameter;
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type element = tensor ? tensor.getElementType() : type;
  StringRef name = cType(element);
  if (name.empty() || (tensor && tensor.getEncoding()))
    return emitError() << "expects " << what.str()
                       << " to be a tensor or scalar of f16, bf16, f32, f64, "
                          "i8, i16, i32, i64 or index, but got "
                       << type;
  parameter.type = name;
  parameter.bytes = bytesOf(element);
  parameter.sourceType = printed(type);
  parameter.isArray = static_cast<bool>(tensor);
  return parameter;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

std::optional<CExtent> SignatureBuilder::lookup(SizeClasses::Class size) {
  if (std::optional<int64_t> value = classes.getConstant(size))
    return CExtent::constant(*value);
  auto found = parameters.find(size);
  if (found == parameters.end())
    return std::nullopt;
  return CExtent{static_cast<int>(found->second), 1, 0};
}

/// A size that follows from the arguments.
std::optional<CExtent> SignatureBuilder::derive(SizeClasses::Class size) {
  if (std::optional<CExtent> extent = lookup(size))
    return extent;
  auto shift = classes.getShift(size);
  std::optional<CExtent> base = shift ? lookup(shift->first) : std::nullopt;
  if (base)
    base->offset += shift->second;
  return base;
}

CExtent SignatureBuilder::addSize(SizeClasses::Class size,
                                  const Twine &otherwise) {
  if (std::optional<CExtent> known = lookup(size))
    return *known;
  parameters[size] = result.sizes.size();
  StringRef name = classes.getName(size);
  bool isFree = !name.empty() && !taken.contains(name);
  result.sizes.push_back({unique(isFree ? name : "", otherwise)});
  return *lookup(size);
}

LogicalResult SignatureBuilder::addConditions() {
  for (const SizeClasses::Condition &condition : classes.conditions) {
    CCondition added;
    added.kind = kindOf(condition.kind);
    std::optional<CExtent> left = lookup(classes.leader(condition.left));
    bool isConstant = left && left->isConstant();
    for (SizeClasses::Class size : condition.right) {
      std::optional<CExtent> extent = lookup(classes.leader(size));
      isConstant &= extent && extent->isConstant();
      if (extent)
        added.right.push_back(*extent);
    }
    if (isConstant)
      continue;
    if (!left || added.right.size() != condition.right.size())
      return emitError() << "expects sizes that follow from those of its "
                            "arguments, but got an attention of others";
    added.left = *left;
    result.conditions.push_back(std::move(added));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

LogicalResult SignatureBuilder::addArgument(unsigned number) {
  Value value = function.getArgument(number);
  auto parameter =
      describe(value.getType(), "argument #" + std::to_string(number));
  if (failed(parameter))
    return failure();
  if (isa<RankedTensorType>(value.getType()) &&
      !getBufferType(value).getLayout().isIdentity())
    return emitError() << "expects argument #" << number
                       << " to be contiguous, but got "
                       << getBufferType(value).getLayout();
  parameter->name =
      unique(givenName(function.getArgAttrDict(number)), "arg" + Twine(number));
  result.arguments.push_back(std::move(*parameter));
  return success();
}

LogicalResult SignatureBuilder::addResult(unsigned number, Value value) {
  std::string what = "result #" + std::to_string(number);
  auto parameter = describe(value.getType(), what);
  if (failed(parameter))
    return failure();
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  if (!tensor)
    return emitError() << "expects " << what << " to be a tensor, but got "
                       << value.getType();
  bool isOnly = function.getNumResults() == 1;
  parameter->isInput = false;
  parameter->name = unique(givenName(function.getResultAttrDict(number)),
                           isOnly ? Twine("out") : "out" + Twine(number));
  for (int64_t dim = 0; dim < tensor.getRank(); ++dim) {
    std::optional<CExtent> extent = derive(classes.find(value, dim));
    if (!extent)
      return emitError() << "expects sizes of results that follow from those "
                            "of its arguments, but got dimension "
                         << dim << " of " << what;
    parameter->shape.push_back(*extent);
  }
  result.results.push_back(std::move(*parameter));
  return success();
}

/// What cannot be seen from a type.
void SignatureBuilder::addNotes() {
  function.walk([&](AttentionOp op) {
    auto note = [&](Value boundaries, StringRef name) {
      auto argument = dyn_cast_or_null<BlockArgument>(boundaries);
      if (!argument || argument.getOwner() != &function.getBody().front())
        return;
      result.arguments[argument.getArgNumber()].note =
          "offsets that do not decrease, from 0 to the number of " +
          name.str() + "; not checked";
    };
    note(op.getQueryBoundaries(), "queries");
    note(op.getKeyBoundaries(), "keys");
  });
}

FailureOr<CFunction> SignatureBuilder::build() {
  result.name = function.getName();
  if (!isCFunctionName(result.name))
    return emitError() << "expects a name that is an identifier of C and C++ "
                          "and not a function of the C library";
  for (unsigned number = 0; number < function.getNumArguments(); ++number)
    if (failed(addArgument(number)))
      return failure();
  for (auto [argument, parameter] :
       llvm::zip_equal(function.getArguments(), result.arguments))
    if (auto tensor = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t dim = 0; dim < tensor.getRank(); ++dim)
        parameter.shape.push_back(
            addSize(classes.find(argument, dim),
                    parameter.name + "_size" + Twine(dim)));
  SmallVector<func::ReturnOp> returns(
      function.getBody().getOps<func::ReturnOp>());
  if (returns.size() != 1)
    return emitError() << "expects one return, but got " << returns.size();
  for (auto [number, value] : llvm::enumerate(returns[0].getOperands()))
    if (failed(addResult(number, value)))
      return failure();
  if (failed(addConditions()))
    return failure();
  addNotes();
  return std::move(result);
}

FailureOr<CFunction> mta::computeCSignature(func::FuncOp function) {
  return SignatureBuilder(function).build();
}

FailureOr<std::vector<CFunction>> mta::computeCSignatures(ModuleOp module) {
  std::vector<CFunction> signatures;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      return emitError(function.getLoc(), "expects a module that defines what "
                                          "it calls, but got a declaration of "
                                          "'")
             << function.getName() << "'";
    if (!function.isPublic())
      continue;
    auto signature = computeCSignature(function);
    if (failed(signature))
      return failure();
    signatures.push_back(std::move(*signature));
  }
  if (signatures.empty())
    return emitError(module.getLoc(),
                     "expects a module with public functions, but got none");
  return signatures;
}

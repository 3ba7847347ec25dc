//===- NameSizes.cpp - Names and relations of sizes -------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Dialect/MTA/Transforms/Passes.h"

#include "mta/Dialect/MTA/Builders/BufferLayout.h"
#include "mta/Dialect/MTA/Transforms/SizeClasses.h"

#include "mlir/IR/IntegerSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace mta {
#define GEN_PASS_DEF_NAMESIZESPASS
#include "mta/Dialect/MTA/Transforms/Passes.h.inc"
} // namespace mta

using namespace mlir;
using namespace mta;

namespace {
class SizeNamer {
public:
  explicit SizeNamer(func::FuncOp function)
      : function(function), classes(function), b(function.getContext()) {}

  LogicalResult run();

private:
  std::string unique(std::string name);
  std::string nameOf(StringAttr given, const Twine &otherwise);
  StringRef nameOf(BlockArgument argument);
  void nameArguments();
  LogicalResult nameStrides(BlockArgument argument,
                            SmallVectorImpl<AffineExpr> &strides);
  void setMap(BlockArgument argument, StringRef attribute,
              ArrayRef<AffineExpr> results);
  AffineExpr addSize(SizeClasses::Class size, const Twine &otherwise);
  std::optional<AffineExpr> lookup(SizeClasses::Class size);
  LogicalResult addCondition(const SizeClasses::Condition &condition);
  void require(AffineExpr size, bool isEquality);

  func::FuncOp function;
  SizeClasses classes;
  Builder b;
  llvm::StringSet<> taken;
  SmallVector<std::string> sizes;
  llvm::DenseMap<SizeClasses::Class, AffineExpr> symbols;
  SmallVector<AffineExpr> constraints;
  SmallVector<bool> areEqualities;
};
} // namespace

std::string SizeNamer::unique(std::string name) {
  std::string candidate = name;
  for (unsigned suffix = 2; !taken.insert(candidate).second; ++suffix)
    candidate = name + "_" + std::to_string(suffix);
  return candidate;
}

/// `given` if it is a name in C and Python.
std::string SizeNamer::nameOf(StringAttr given, const Twine &otherwise) {
  StringRef name = given ? given.getValue() : StringRef();
  bool isName =
      !name.empty() && !llvm::isDigit(name[0]) &&
      llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  return unique(isName ? name.str() : otherwise.str());
}

StringRef SizeNamer::nameOf(BlockArgument argument) {
  return function
      .getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                    MTADialect::getNameAttrName())
      .getValue();
}

void SizeNamer::nameArguments() {
  StringRef attribute = MTADialect::getNameAttrName();
  for (unsigned number = 0; number < function.getNumArguments(); ++number)
    function.setArgAttr(
        number, attribute,
        b.getStringAttr(
            nameOf(function.getArgAttrOfType<StringAttr>(number, attribute),
                   "arg" + Twine(number))));
  unsigned results = function.getNumResults();
  for (unsigned number = 0; number < results; ++number)
    function.setResultAttr(
        number, attribute,
        b.getStringAttr(
            nameOf(function.getResultAttrOfType<StringAttr>(number, attribute),
                   results == 1 ? Twine("out") : "out" + Twine(number))));
}

std::optional<AffineExpr> SizeNamer::lookup(SizeClasses::Class size) {
  if (std::optional<int64_t> value = classes.getConstant(size))
    return b.getAffineConstantExpr(*value);
  auto found = symbols.find(classes.leader(size));
  if (found == symbols.end())
    return std::nullopt;
  return found->second;
}

AffineExpr SizeNamer::addSize(SizeClasses::Class size, const Twine &otherwise) {
  if (std::optional<AffineExpr> known = lookup(size))
    return *known;
  // A destination has rows for the queries behind the halo.
  if (auto shift = classes.getShift(size))
    if (std::optional<AffineExpr> other = lookup(shift->first))
      return *other + shift->second;
  StringRef name = classes.getName(size);
  bool isFree = !name.empty() && !taken.contains(name);
  AffineExpr symbol = b.getAffineSymbolExpr(sizes.size());
  sizes.push_back(unique(isFree ? name.str() : otherwise.str()));
  symbols[classes.leader(size)] = symbol;
  return symbol;
}

LogicalResult SizeNamer::addCondition(const SizeClasses::Condition &condition) {
  using Kind = SizeClasses::Condition::Kind;
  std::optional<AffineExpr> left = lookup(condition.left);
  AffineExpr right = b.getAffineConstantExpr(1);
  for (SizeClasses::Class size : condition.right) {
    std::optional<AffineExpr> factor = lookup(size);
    if (!factor)
      left.reset();
    else
      right = right * *factor;
  }
  if (!left)
    return function.emitOpError("expects sizes that follow from those of its "
                                "arguments, but got an attention of others");
  if (condition.kind == Kind::MultipleOf) {
    require(right - 1, /*isEquality=*/false);
    require(*left % right, /*isEquality=*/true);
  } else {
    require(*left - right, condition.kind == Kind::Equal);
  }
  return success();
}

/// Requires a size to be 0, or not to be negative.
void SizeNamer::require(AffineExpr size, bool isEquality) {
  // What the types say is verified.
  if (isa<AffineConstantExpr>(size) || llvm::is_contained(constraints, size))
    return;
  constraints.push_back(size);
  areEqualities.push_back(isEquality);
}

/// Strides of an argument that is not contiguous.
LogicalResult SizeNamer::nameStrides(BlockArgument argument,
                                     SmallVectorImpl<AffineExpr> &strides) {
  MemRefType type = getBufferType(argument);
  if (type.getLayout().isIdentity())
    return success();
  StringRef name = nameOf(argument);
  FailureOr<SmallVector<int64_t>> numbers = getStrides(type);
  if (failed(numbers))
    return function.emitOpError("expects a layout of strides, without an "
                                "offset, but got ")
           << type.getLayout() << " of '" << name << "'";
  int64_t elements = kAccessBits / type.getElementTypeBitWidth();
  for (auto [dim, stride] : llvm::enumerate(*numbers)) {
    if (!ShapedType::isDynamic(stride)) {
      strides.push_back(b.getAffineConstantExpr(stride));
      continue;
    }
    strides.push_back(b.getAffineSymbolExpr(sizes.size()));
    sizes.push_back(unique((name + "_stride" + Twine(dim)).str()));
    require(strides.back() % elements, /*isEquality=*/true);
  }
  return success();
}

void SizeNamer::setMap(BlockArgument argument, StringRef attribute,
                       ArrayRef<AffineExpr> results) {
  function.setArgAttr(argument.getArgNumber(), attribute,
                      AffineMapAttr::get(AffineMap::get(
                          0, sizes.size(), results, b.getContext())));
}

LogicalResult SizeNamer::run() {
  nameArguments();
  SmallVector<BlockArgument> arrays;
  for (BlockArgument argument : function.getArguments())
    if (isa<RankedTensorType, MemRefType>(argument.getType()))
      arrays.push_back(argument);
  SmallVector<SmallVector<AffineExpr>> shapes, strides(arrays.size());
  for (BlockArgument array : arrays) {
    SmallVector<AffineExpr> &shape = shapes.emplace_back();
    int64_t rank = cast<ShapedType>(array.getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      shape.push_back(addSize(classes.find(array, dim),
                              nameOf(array) + "_size" + Twine(dim)));
  }
  for (auto [array, numbers] : llvm::zip_equal(arrays, strides))
    if (failed(nameStrides(array, numbers)))
      return failure();
  function.walk([&](bufferization::MaterializeInDestinationOp copy) {
    if (auto array = dyn_cast<BlockArgument>(copy.getDest()))
      if (array.getOwner()->getParentOp() == function)
        function.setArgAttr(array.getArgNumber(),
                            MTADialect::getDestinationAttrName(),
                            b.getUnitAttr());
  });
  for (const SizeClasses::Condition &condition : classes.conditions)
    if (failed(addCondition(condition)))
      return failure();
  for (auto [array, shape, numbers] :
       llvm::zip_equal(arrays, shapes, strides)) {
    setMap(array, MTADialect::getShapeAttrName(), shape);
    if (!numbers.empty())
      setMap(array, MTADialect::getStridesAttrName(), numbers);
  }
  function->setAttr(MTADialect::getSizesAttrName(),
                    b.getStrArrayAttr(llvm::to_vector_of<StringRef>(sizes)));
  if (!constraints.empty())
    function->setAttr(MTADialect::getSupportedAttrName(),
                      IntegerSetAttr::get(IntegerSet::get(
                          0, sizes.size(), constraints, areEqualities)));
  return success();
}

namespace {
struct NameSizesPass : mta::impl::NameSizesPassBase<NameSizesPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool hasTensors = llvm::any_of(function.getArgumentTypes(),
                                     llvm::IsaPred<RankedTensorType>);
      if (!function.isExternal() && hasTensors &&
          failed(SizeNamer(function).run()))
        return signalPassFailure();
    }
  }
};
} // namespace

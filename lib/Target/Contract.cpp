//===- Contract.cpp - Launch contracts as JSON ------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Contract.h"

#include "mta/Dialect/MTA/IR/MTA.h"
#include "mta/Version.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mta;

static constexpr int64_t kLargestSize = 2147483647;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

namespace {
/// Sums take brackets where they are a factor or are subtracted.
enum class Place { Alone, InSum, InProduct };
} // namespace

static std::string print(AffineExpr expression, ArrayRef<StringRef> names,
                         Place place);

/// `expression` times -1, if it has a negative factor.
static std::optional<AffineExpr> negated(AffineExpr expression) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue() < 0 ? std::optional<AffineExpr>(-expression)
                                   : std::nullopt;
  auto product = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!product || product.getKind() != AffineExprKind::Mul)
    return std::nullopt;
  auto factor = dyn_cast<AffineConstantExpr>(product.getRHS());
  if (!factor || factor.getValue() >= 0)
    return std::nullopt;
  return product.getLHS() * -factor.getValue();
}

static std::string printSum(AffineBinaryOpExpr sum, ArrayRef<StringRef> names) {
  AffineExpr left = sum.getLHS(), right = sum.getRHS();
  // -x + 5 is 5 - x.
  if (negated(left) && !negated(right))
    std::swap(left, right);
  std::string text = print(left, names, Place::Alone);
  if (std::optional<AffineExpr> subtracted = negated(right))
    return text + " - " + print(*subtracted, names, Place::InSum);
  return text + " + " + print(right, names, Place::Alone);
}

static std::string print(AffineExpr expression, ArrayRef<StringRef> names,
                         Place place) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression)) {
    std::string text = std::to_string(constant.getValue());
    return constant.getValue() < 0 && place != Place::Alone ? "(" + text + ")"
                                                            : text;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return names[symbol.getPosition()].str();
  auto binary = cast<AffineBinaryOpExpr>(expression);
  auto call = [&](const char *name) {
    return name + ("(" + print(binary.getLHS(), names, Place::Alone)) + ", " +
           print(binary.getRHS(), names, Place::Alone) + ")";
  };
  switch (binary.getKind()) {
  case AffineExprKind::Add: {
    std::string text = printSum(binary, names);
    return place == Place::Alone ? text : "(" + text + ")";
  }
  case AffineExprKind::Mul:
    return print(binary.getLHS(), names, Place::InProduct) + " * " +
           print(binary.getRHS(), names, Place::InProduct);
  case AffineExprKind::Mod:
    return call("mod");
  case AffineExprKind::FloorDiv:
    return call("floordiv");
  case AffineExprKind::CeilDiv:
    return call("ceildiv");
  default:
    llvm_unreachable("contracts have no dimensions");
  }
}

std::string mta::printExpression(AffineExpr expression,
                                 ArrayRef<StringRef> names) {
  return print(expression, names, Place::Alone);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static std::string printed(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

namespace {
class ContractWriter {
public:
  ContractWriter(llvm::json::OStream &json, LaunchContractAttr contract)
      : json(json), contract(contract),
        names(llvm::to_vector(
            contract.getSizes().getAsValueRange<StringAttr>())) {}

  void write();

private:
  std::string text(AffineExpr expression) {
    return printExpression(expression, names);
  }
  void writeTexts(StringRef key, ArrayRef<AffineExpr> expressions);
  void writeNumbers(StringRef key, ArrayRef<int64_t> numbers);
  void writeSupported();
  void writeBuffer(BufferAttr buffer);
  void writeParameter(Attribute parameter, StringRef name, int64_t &offset);
  void writeNumerics(NumericsAttr numerics);
  void writeKernel(KernelLaunchAttr launch);

  llvm::json::OStream &json;
  LaunchContractAttr contract;
  SmallVector<StringRef> names;
};
} // namespace

void ContractWriter::writeTexts(StringRef key,
                                ArrayRef<AffineExpr> expressions) {
  json.attributeArray(key, [&] {
    for (AffineExpr expression : expressions)
      json.value(text(expression));
  });
}

void ContractWriter::writeNumbers(StringRef key, ArrayRef<int64_t> numbers) {
  json.attributeArray(key, [&] {
    for (int64_t number : numbers)
      json.value(number);
  });
}

void ContractWriter::writeSupported() {
  json.attributeArray("supported", [&] {
    for (auto [map, relation] : {std::pair(contract.getNonnegative(), " >= 0"),
                                 std::pair(contract.getZero(), " == 0")})
      if (map)
        for (AffineExpr expression : map.getAffineMap().getResults())
          json.value(text(expression) + relation);
  });
}

void ContractWriter::writeBuffer(BufferAttr buffer) {
  json.object([&] {
    json.attribute("name", buffer.getName());
    json.attribute("kind", stringifyEnum(buffer.getKind()));
    json.attribute("type", printed(buffer.getElement()));
    writeTexts("shape", buffer.getShape().getAffineMap().getResults());
    writeTexts("strides", buffer.getStrideExprs());
    json.attribute("alignment", buffer.getAlignment());
    // The launches write what they read of it.
    if (buffer.getKind() == BufferKind::Workspace)
      json.attribute("must_be_zero", false);
  });
}

void ContractWriter::writeParameter(Attribute parameter, StringRef name,
                                    int64_t &offset) {
  auto pointer = dyn_cast<PointerAttr>(parameter);
  auto number = dyn_cast<SizeAttr>(parameter);
  int64_t bytes = pointer ? 8 : number.getType().getWidth() / 8;
  offset = llvm::alignTo(offset, bytes);
  json.object([&] {
    json.attribute("name", name);
    if (pointer) {
      BufferAttr buffer = contract.lookup(pointer.getBuffer());
      json.attribute("kind", stringifyEnum(buffer.getKind()));
      json.attribute("type", "pointer");
      json.attribute("buffer", buffer.getName());
      json.attribute("alignment", buffer.getAlignment());
    } else {
      json.attribute("kind", "size");
      json.attribute("type", printed(number.getType()));
      json.attribute("value",
                     text(number.getValue().getAffineMap().getResult(0)));
      json.attribute("divisibility", 1);
    }
    json.attribute("offset", offset);
    json.attribute("size", bytes);
  });
  offset += bytes;
}

void ContractWriter::writeNumerics(NumericsAttr numerics) {
  auto writeTypes = [&](StringRef key, ArrayAttr types) {
    json.attributeArray(key, [&] {
      for (Type type : types.getAsValueRange<TypeAttr>())
        json.value(printed(type));
    });
  };
  if (!numerics)
    return;
  json.attributeObject("numerics", [&] {
    writeTypes("products", numerics.getProducts());
    json.attribute("accumulation", printed(numerics.getAccumulation()));
    writeTypes("staged_scores", numerics.getStagedScores());
    json.attributeArray("approximations", [&] {
      for (StringRef name :
           numerics.getApproximations().getAsValueRange<StringAttr>())
        json.value(name);
    });
  });
}

void ContractWriter::writeKernel(KernelLaunchAttr launch) {
  StringRef entry = launch.getKernel().getLeafReference().getValue();
  int64_t offset = 0;
  json.object([&] {
    json.attribute("module", launch.getKernel().getRootReference().getValue());
    json.attribute("entry", entry);
    json.attributeArray("parameters", [&] {
      // As the backend names them.
      for (auto [index, parameter] : llvm::enumerate(launch.getParameters()))
        writeParameter(parameter, (entry + "_param_" + Twine(index)).str(),
                       offset);
    });
    json.attribute("parameter_bytes", offset);
    writeTexts("grid", launch.getGrid().getAffineMap().getResults());
    writeNumbers("block", launch.getBlock());
    writeNumbers("cluster", launch.getCluster());
    int64_t bytes = launch.getStaticBytes() + launch.getDynamicBytes();
    json.attribute("static_workgroup_bytes", launch.getStaticBytes());
    json.attribute("dynamic_workgroup_bytes", launch.getDynamicBytes());
    json.attribute("needs_opt_in", bytes > kWorkgroupBytesWithoutOptIn);
    writeNumerics(launch.getNumerics());
  });
}

void ContractWriter::write() {
  json.object([&] {
    json.attribute("name", contract.getFunction());
    json.attributeArray("sizes", [&] {
      for (StringRef name : names)
        json.object([&] {
          json.attribute("name", name);
          json.attribute("minimum", 0);
          json.attribute("maximum", kLargestSize);
        });
    });
    writeSupported();
    json.attributeArray("buffers", [&] {
      for (auto buffer : contract.getBuffers().getAsRange<BufferAttr>())
        writeBuffer(buffer);
    });
    json.attributeArray("kernels", [&] {
      for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
        writeKernel(launch);
    });
  });
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

StringRef mta::ptxVersionOf(StringRef ptx) {
  return ptx.split(".version ").second.take_until([](char c) {
    return c == '\n' || c == '\r';
  });
}

FailureOr<std::vector<LaunchContractAttr>>
mta::collectContracts(ModuleOp module) {
  llvm::SmallSetVector<Attribute, 2> contracts;
  for (auto binary : module.getOps<gpu::BinaryOp>()) {
    auto found = binary->getAttrOfType<ArrayAttr>(
        MTADialect::getLaunchContractsAttrName());
    if (!found)
      return emitError(module.getLoc(), "expects a binary with launch "
                                        "contracts, but '")
             << binary.getName() << "' has none";
    contracts.insert_range(found);
  }
  std::vector<LaunchContractAttr> result;
  for (Attribute contract : contracts)
    result.push_back(cast<LaunchContractAttr>(contract));
  return result;
}

void mta::writeContracts(llvm::json::OStream &json, StringRef chip,
                         StringRef ptxVersion,
                         ArrayRef<LaunchContractAttr> contracts) {
  json.object([&] {
    json.attribute("version", LaunchContractAttr::kVersion);
    json.attribute("compiler", "mta " MTA_VERSION);
    json.attribute("chip", chip);
    json.attribute("ptx_version", ptxVersion);
    json.attributeArray("functions", [&] {
      for (LaunchContractAttr contract : contracts)
        ContractWriter(json, contract).write();
    });
  });
}

FailureOr<std::string> mta::translateToContract(ModuleOp module,
                                                const PTXOptions &options) {
  auto texts = translateToPTX(module, options);
  if (failed(texts))
    return failure();
  auto contracts = collectContracts(module);
  if (failed(contracts))
    return failure();
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, /*IndentSize=*/2);
  writeContracts(json, options.chip, ptxVersionOf(texts->front().text),
                 *contracts);
  return text + "\n";
}

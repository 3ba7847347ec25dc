//===- Launcher.cpp - kernel.c of a bundle ----------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The template has what is the same in all launchers. Written here:
//
//   for every variant   VARIANT_match: its sizes, from tensors
//     for every image   VARIANT_IMAGE_measure: checks sizes, workspace
//                       VARIANT_IMAGE_launch: checks buffers, launches
//                       the public functions, which pick the image
//   for every image     its kernels, and its code as numbers
//
//===----------------------------------------------------------------------===//

#include "Declarations.h"
#include "FunctionWriter.h"
#include "Model.h"
#include "Template.h"

#include "mta/Hardware/GPU.h"
#include "mta/Target/Contract.h"
#include "mta/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mta;
using namespace mta::bundle;

//===----------------------------------------------------------------------===//
// Public functions
//===----------------------------------------------------------------------===//

/// `  const TYPE NAME[] = {..};`, of `otherwise` if there are no items: C has
/// no empty arrays.
static std::string array(StringRef declaration, ArrayRef<std::string> items,
                         StringRef otherwise = "NULL") {
  std::string begin = (declaration + "[] = {").str();
  size_t indent = declaration.size() - declaration.ltrim().size() + 4;
  return begin +
         (items.empty() ? otherwise.str()
                        : joinLines(items, begin.size(), indent)) +
         "};\n";
}

static void writeTables(llvm::raw_ostream &os, const Model &model,
                        const Variant &variant) {
  os << "\nstatic const Measure " << variant.name << "_measures[] = {";
  for (const Image &image : model.images)
    os << "\n    " << variant.name << "_" << image.chip << "_measure,";
  os << "};\nstatic const Launch " << variant.name << "_launches[] = {";
  for (const Image &image : model.images)
    os << "\n    " << variant.name << "_" << image.chip << "_launch,";
  os << "};\nstatic const Variant " << variant.name << "_variant = {\n    "
     << variant.name << "_measures, " << variant.name << "_launches, "
     << variant.name << "_match};\n";
}

static void writeCall(llvm::raw_ostream &os, const Model &model,
                      const Variant &variant) {
  SmallVector<std::string> buffers;
  for (const Buffer &buffer : variant.buffers)
    buffers.push_back(buffer.name);
  os << "\n"
     << declareCall(model, variant) << " {\n"
     << array("  const void *const buffers", buffers)
     << array("  const int64_t sizes", variant.sizes, "0")
     << "  const Call call = {buffers, sizes, workspace, workspace_bytes};\n"
     << "  return run(bundle, stream, &call, &" << variant.name
     << "_variant);\n}\n\n"
     << declareWorkspace(model, variant) << " {\n"
     << array("  const int64_t sizes", variant.sizes, "0")
     << "  return measure(bundle, sizes, bytes, &" << variant.name
     << "_variant);\n}\n";
}

static void writeDispatch(llvm::raw_ostream &os, const Model &model,
                          const Function &function) {
  SmallVector<std::string> all, data, variants;
  for (const Buffer &buffer : model.firstVariant(function).buffers) {
    all.push_back("tensors->" + buffer.name);
    data.push_back(all.back() + ".data");
  }
  for (unsigned variant : function.variants)
    variants.push_back("&" + model.variants[variant].name + "_variant");
  std::string choice = "  const Variant *variant = NULL;\n"
                       "  int64_t sizes[SIZE_COUNT];\n"
                       "  EXPECT(tensors, MTA_BUNDLE_NULL_POINTER);\n"
                       "  CHECK(" +
                       function.name + "_choose(tensors, sizes, &variant));\n";
  os << "\nstatic int " << function.name << "_choose(const " << function.name
     << "_tensors *tensors, int64_t *sizes,\n    const Variant **variant) {\n"
     << array("  const MtaBundleTensor all", all)
     << array("  static const Variant *const variants", variants)
     << "  return choose(all, variants, " << variants.size()
     << ", sizes, variant);\n}\n\n"
     << declareDispatch(model, function) << " {\n"
     << choice << "  {\n"
     << array("    const void *const buffers", data)
     << "    const Call call = {buffers, sizes, workspace, workspace_bytes};\n"
     << "    return run(bundle, stream, &call, variant);\n  }\n}\n\n"
     << declareDispatchWorkspace(model, function) << " {\n"
     << choice << "  return measure(bundle, sizes, bytes, variant);\n}\n";
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

SmallVector<KernelLaunchAttr> bundle::kernelsOf(const Image &image) {
  SmallVector<KernelLaunchAttr> kernels;
  for (LaunchContractAttr contract : image.contracts)
    for (auto launch : contract.getLaunches().getAsRange<KernelLaunchAttr>())
      kernels.push_back(launch);
  return kernels;
}

static int64_t workgroupBytes(KernelLaunchAttr launch) {
  return launch.getStaticBytes() + launch.getDynamicBytes();
}

static void writeKernels(llvm::raw_ostream &os, const Image &image) {
  os << "\nstatic const Kernel " << image.chip << "_kernels[] = {\n";
  for (KernelLaunchAttr launch : kernelsOf(image)) {
    ArrayRef<int64_t> block = launch.getBlock();
    os << "    {\"" << launch.getKernel().getLeafReference().getValue()
       << "\", {" << block[0] << ", " << block[1] << ", " << block[2] << "}, "
       << launch.getDynamicBytes() << ", "
       << (workgroupBytes(launch) > kWorkgroupBytesWithoutOptIn) << "},\n";
  }
  os << "};\n";
}

/// Numbers, as string literals of more than 4095 characters are not portable
/// (ISO/IEC 9899:2011, 5.2.4.1). The driver wants PTX to end with a zero.
static void writeBytes(llvm::raw_ostream &os, const std::string &name,
                       StringRef bytes) {
  os << "\nstatic const unsigned char " << name << "[] = {";
  for (auto [index, byte] : llvm::enumerate(bytes.bytes()))
    os << (index % 20 ? "" : "\n    ") << unsigned(byte) << ",";
  os << "\n    0};\n";
}

static void writeImages(llvm::raw_ostream &os, const Model &model) {
  for (const Image &image : model.images) {
    writeKernels(os, image);
    writeBytes(os, image.chip + "_ptx", image.ptx);
    if (!image.cubin.empty())
      writeBytes(os, image.chip + "_cubin", image.cubin);
  }
  os << "\nstatic const Image *getImages(void) {\n"
        "  static const Image images[IMAGE_COUNT] = {\n";
  for (const Image &image : model.images) {
    auto kernels = kernelsOf(image);
    auto most = llvm::max_element(kernels, [](auto left, auto right) {
      return workgroupBytes(left) < workgroupBytes(right);
    });
    char feature = llvm::isAlpha(image.chip.back()) ? image.chip.back() : 0;
    os << "      {\"" << image.chip << "\", "
       << hardware::architectureNumber(image.chip) << ", "
       << (feature ? std::string{'\'', feature, '\''} : "0") << ", "
       << workgroupBytes(*most) << ", " << image.chip << "_kernels, "
       << kernels.size() << ", " << image.chip << "_ptx, "
       << (image.cubin.empty() ? "NULL" : image.chip + "_cubin") << "},\n";
  }
  os << "  };\n  return images;\n}\n";
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

/// What expressions and workspaces need, if there are such ones.
static std::string writeArithmetic(StringRef code) {
  static constexpr std::pair<StringLiteral, StringLiteral> functions[] = {
      {"ceildiv", R"(
static int64_t ceildiv(int64_t a, int64_t b) {
  return a / b + (a % b != 0);
}
)"},
      {"floordiv", R"(
static int64_t floordiv(int64_t a, int64_t b) { return a / b; }
)"},
      {"mod", R"(
static int64_t mod(int64_t a, int64_t b) { return a % b; }
)"},
      {"isSize", R"(
static int isSize(int64_t size) { return size >= 0 && size <= 2147483647; }
)"},
      {"isInt32", R"(
static int isInt32(int64_t number) {
  return number >= -2147483647 - 1 && number <= 2147483647;
}
)"}};
  std::string text;
  for (auto [name, definition] : functions)
    if (code.contains((name + "(").str()))
      text += definition;
  return text;
}

/// Takes a place of a workspace; needs getBytes.
static constexpr StringLiteral reserveFunction = R"(
/// Takes the next bytes of a workspace for an array.
static int reserve(int64_t elementBytes, const int64_t *shape, int rank,
                   int64_t *offset, int64_t *bytes) {
  int64_t size = getBytes(elementBytes, shape, rank);
  EXPECT(size >= 0, MTA_BUNDLE_BAD_SIZE);
  *offset = *bytes;
  *bytes += (size + WORKSPACE_ALIGNMENT - 1) / WORKSPACE_ALIGNMENT *
            WORKSPACE_ALIGNMENT;
  return MTA_BUNDLE_SUCCESS;
}
)";

/// Reads strides of tensors.
static constexpr StringLiteral strideFunction = R"(
/// How many elements lie from one to the next of a dimension; any number does
/// where there is one.
static int64_t getStride(const MtaBundleTensor *tensor, int dim) {
  int64_t stride = 1;
  int i;
  if (tensor->shape[dim] <= 1 ||
      getBytes(1, tensor->shape, tensor->rank) <= 0)
    return 0;
  if (tensor->strides)
    return tensor->strides[dim];
  for (i = dim + 1; i < tensor->rank; ++i)
    stride *= tensor->shape[i];
  return stride;
}
)";

/// Checks strides of outputs.
static constexpr StringLiteral apartFunction = R"(
/// Whether no two elements share a place: from the smallest stride on, each is
/// at least as long as what the ones before go through.
static int lieApart(const int64_t *shape, const int64_t *strides, int rank) {
  int64_t end = 1;
  unsigned done = 0;
  for (;;) {
    int next = -1, i;
    for (i = 0; i < rank; ++i) {
      if (shape[i] == 0)
        return 1;
      if (shape[i] > 1 && !(done >> i & 1u) &&
          (next < 0 || strides[i] < strides[next]))
        next = i;
    }
    if (next < 0)
      return 1;
    if (strides[next] < end)
      return 0;
    end += (shape[next] - 1) * strides[next];
    done |= 1u << next;
  }
}
)";

/// Sizes of the arrays of the launcher, which are at least 1.
static void setCounts(llvm::StringMap<std::string> &values,
                      const Model &model) {
  size_t kernels = 1, sizes = 1, workspaces = 1;
  for (const Image &image : model.images)
    kernels = std::max(kernels, kernelsOf(image).size());
  for (const Variant &variant : model.variants) {
    sizes = std::max(sizes, variant.sizes.size());
    for (unsigned image = 0; image < model.images.size(); ++image)
      workspaces = std::max(workspaces, variant.workspaces(image).size());
  }
  values["IMAGE_COUNT"] = std::to_string(model.images.size());
  values["KERNEL_COUNT"] = std::to_string(kernels);
  values["SIZE_COUNT"] = std::to_string(sizes);
  values["WORKSPACE_COUNT"] = std::to_string(workspaces);
}

std::string bundle::writeLauncher(const Model &model) {
  std::string functions, images;
  llvm::raw_string_ostream os(functions), imagesStream(images);
  for (const Variant &variant : model.variants) {
    os << "\n//===- " << variant.name << " -===//\n";
    FunctionWriter(os, model, variant).write();
    writeTables(os, model, variant);
    writeCall(os, model, variant);
  }
  for (const Function &function : model.functions)
    writeDispatch(os, model, function);
  writeImages(imagesStream, model);
  llvm::StringMap<std::string> values;
  setCounts(values, model);
  values["NAME"] = model.name;
  values["VERSION"] = MTA_VERSION;
  values["CHIPS"] = model.chips();
  values["ARITHMETIC"] = writeArithmetic(functions);
  auto setIfUsed = [&](StringRef place, StringRef call, StringRef definition) {
    values[place] = StringRef(functions).contains(call) ? definition.str() : "";
  };
  setIfUsed("RESERVE", "reserve(", reserveFunction);
  setIfUsed("STRIDE", "getStride(", strideFunction);
  setIfUsed("APART", "lieApart(", apartFunction);
  values["FUNCTIONS"] = functions;
  values["IMAGES"] = images;
  return fillTemplate(launcherTemplate, values);
}

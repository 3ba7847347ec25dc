//===- Readme.cpp - README.txt of a bundle ----------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "Template.h"

#include "mta/Hardware/GPU.h"
#include "mta/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mta;
using namespace mta::bundle;

static std::string imageFiles(const Model &model) {
  std::string text;
  for (const Image &image : model.images) {
    text += "  " + image.ptxFile + ": PTX for " + image.chip + "\n";
    if (!image.cubin.empty())
      text += "  " + image.cubinFile + ": the same, assembled by ptxas, " +
              model.ptxasVersion + "\n";
  }
  return text;
}

/// The devices that run an image, as the launcher decides.
static std::string devicesOf(llvm::StringRef chip) {
  unsigned number = hardware::architectureNumber(chip);
  std::string capability =
      std::to_string(number / 10) + "." + std::to_string(number % 10);
  if (chip.ends_with("a"))
    return "compute capability " + capability + " only";
  if (chip.ends_with("f"))
    return "compute capability " + capability + " and later ones of " +
           std::to_string(number / 10) + ".x";
  return "compute capability " + capability + " and later";
}

static std::string targets(const Model &model) {
  std::string text;
  for (const Image &image : model.images)
    text += "  " + image.chip + ": " + devicesOf(image.chip) +
            "; PTX version " + image.ptxVersion + "\n";
  return text;
}

static std::string functions(const Model &model) {
  std::string text;
  for (const Function &function : model.functions) {
    for (unsigned variant : function.variants)
      text += "  " + model.variants[variant].name + "\n";
    text += "  " + function.name + "_dispatch: chooses ";
    text += function.variants.size() > 1
                ? "one of the above by types and shapes of tensors\n"
                : "it by types and shapes of tensors\n";
  }
  return text;
}

std::string bundle::writeReadme(const Model &model,
                                llvm::ArrayRef<BundleFile> hashed) {
  auto names =
      llvm::map_range(hashed, [](const BundleFile &file) { return file.name; });
  llvm::StringMap<std::string> values;
  values["NAME"] = model.name;
  values["VERSION"] = MTA_VERSION;
  values["IMAGE_FILES"] = imageFiles(model);
  values["TARGETS"] = targets(model);
  values["FUNCTIONS"] = functions(model);
  values["HASHED_FILES"] = llvm::join(names, " ");
  values["HASH"] = hashOf(hashed);
  return fillTemplate(readmeTemplate, values);
}

//===- Manifest.cpp - kernel.json of a bundle -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include "mta/Target/Contract.h"
#include "mta/Version.h"
#include "llvm/Support/JSON.h"

using namespace mta;
using namespace mta::bundle;

/// Of the form that python/mta/bundle.schema.json describes.
static constexpr int64_t kVersion = 1;

static void writeImage(llvm::json::OStream &json, const Image &image) {
  json.object([&] {
    json.attribute("chip", image.chip);
    json.attribute("ptx", image.ptxFile);
    if (!image.cubin.empty())
      json.attribute("cubin", image.cubinFile);
    json.attributeBegin("contract");
    writeContracts(json, image.chip, image.ptxVersion, image.contracts);
    json.attributeEnd();
  });
}

static void writeFunction(llvm::json::OStream &json, const Model &model,
                          const Function &function) {
  json.object([&] {
    json.attribute("name", function.name);
    json.attributeArray("variants", [&] {
      for (unsigned variant : function.variants)
        json.value(model.variants[variant].name);
    });
  });
}

static void writeFile(llvm::json::OStream &json, const BundleFile &file) {
  json.object([&] {
    json.attribute("name", file.name);
    json.attribute("bytes", static_cast<int64_t>(file.contents.size()));
    json.attribute("sha256", hashOf(file.contents));
  });
}

std::string bundle::writeManifest(const Model &model,
                                  llvm::ArrayRef<BundleFile> hashed) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("format", "mta-bundle");
    json.attribute("version", kVersion);
    json.attribute("compiler", "mta " MTA_VERSION);
    json.attribute("name", model.name);
    json.attribute("content_hash", "sha256:" + hashOf(hashed));
    json.attributeArray("files", [&] {
      for (const BundleFile &file : hashed)
        writeFile(json, file);
    });
    if (!model.ptxasVersion.empty())
      json.attributeObject("ptxas", [&] {
        json.attribute("version", model.ptxasVersion);
        json.attributeArray("flags", [&] {
          for (const std::string &flag : model.ptxasFlags)
            json.value(flag);
        });
      });
    json.attributeArray("functions", [&] {
      for (const Function &function : model.functions)
        writeFunction(json, model, function);
    });
    json.attributeArray("images", [&] {
      for (const Image &image : model.images)
        writeImage(json, image);
    });
  });
  return text + "\n";
}

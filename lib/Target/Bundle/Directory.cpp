//===- Directory.cpp - Folders that appear whole or not at all --*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/Bundle.h"

#include "mta/Target/AtomicOutput.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;
namespace fs = llvm::sys::fs;

/// The files of the bundle that `folder` is; nothing if it is none.
static std::optional<StringSet<>> filesOfBundle(StringRef folder) {
  SmallString<128> path(folder);
  sys::path::append(path, "kernel.json");
  auto text = MemoryBuffer::getFile(path);
  if (!text)
    return std::nullopt;
  Expected<json::Value> value = json::parse((*text)->getBuffer());
  if (!value) {
    consumeError(value.takeError());
    return std::nullopt;
  }
  const json::Object *manifest = value->getAsObject();
  if (!manifest || manifest->getString("format") != "mta-bundle")
    return std::nullopt;
  StringSet<> names = {"kernel.json", "README.txt"};
  if (const json::Array *files = manifest->getArray("files"))
    for (const json::Value &file : *files)
      if (const json::Object *fields = file.getAsObject())
        names.insert(fields->getString("name").value_or(""));
  return names;
}

/// Whether `path` may be replaced; why not is an error.
static LogicalResult verifyReplaceable(StringRef path, std::string &error) {
  fs::file_status status;
  if (fs::status(path, status) || !fs::exists(status))
    return success();
  if (status.type() != fs::file_type::directory_file) {
    error =
        ("expects a folder for the bundle, but '" + path + "' is none").str();
    return failure();
  }
  std::optional<StringSet<>> known = filesOfBundle(path);
  std::error_code code;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end;
       entry.increment(code)) {
    StringRef name = sys::path::filename(entry->path());
    if (known && known->contains(name))
      continue;
    error =
        ("expects a new folder or one with a bundle and nothing else, but '" +
         path + "' has '" + name + "'")
            .str();
    return failure();
  }
  if (code)
    error = ("cannot read '" + path + "': " + code.message()).str();
  return success(!code);
}

/// Puts the folder `made` in the place of `path`.
static std::error_code replace(const Twine &made, StringRef path) {
  // On an empty folder and where there is nothing this is all.
  std::error_code code = fs::rename(made, path);
  if (!code || !fs::is_directory(path))
    return code;
  SmallString<128> old;
  fs::createUniquePath(path + ".%%%%%%%%.old", old, /*MakeAbsolute=*/false);
  if ((code = fs::rename(path, old)))
    return code;
  if ((code = fs::rename(made, path))) {
    fs::rename(old, path);
    return code;
  }
  return fs::remove_directories(old);
}

LogicalResult mta::writeBundle(ArrayRef<BundleFile> files, StringRef given,
                               std::string &error) {
  // A link to a folder stays one.
  SmallString<128> path(given), made;
  if (fs::exists(given))
    fs::real_path(given, path);
  while (path.size() > 1 && sys::path::is_separator(path.back()))
    path.pop_back();
  if (failed(verifyReplaceable(path, error)))
    return failure();
  fs::createUniquePath(path + ".%%%%%%%%.tmp", made, /*MakeAbsolute=*/false);
  std::error_code code =
      fs::create_directory(made, /*IgnoreExisting=*/false, fs::all_all);
  LogicalResult result = success();
  for (const BundleFile &file : files) {
    SmallString<128> name(made);
    sys::path::append(name, file.name);
    if (!code && succeeded(result))
      result = writeFileAtomically(name, file.contents, error);
  }
  if (!code && succeeded(result))
    code = replace(made, path);
  if (code)
    error = ("cannot write '" + given + "': " + code.message()).str();
  if (!code && succeeded(result))
    return success();
  fs::remove_directories(made);
  return failure();
}

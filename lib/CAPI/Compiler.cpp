//===- Compiler.cpp - C ABI of the MTA compiler -----------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta-c/Compiler.h"

#include "Internal.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mta/InitAll.h"
#include "mta/Target/CSignature.h"
#include "mta/Target/Contract.h"
#include "mta/Target/Object.h"
#include "mta/Target/PTX.h"
#include "mta/Version.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace mlir;

//===----------------------------------------------------------------------===//
// Shared state
//===----------------------------------------------------------------------===//

static thread_local std::string lastError;

/// Passes and targets are registered once in the process, contexts copy the
/// dialects they need from the registry.
static const DialectRegistry &sharedRegistry() {
  static DialectRegistry registry;
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    registerAllPasses();
    mta::registerPasses();
    mta::registerAllDialects(registry);
  });
  return registry;
}

// The registered passes create what they need while a pipeline runs.
MtaModule::MtaModule()
    : context(sharedRegistry(), MLIRContext::Threading::DISABLED) {
  context.loadAllAvailableDialects();
}

void mta::capi::setLastError(std::string message) {
  lastError = std::move(message);
}

namespace {
/// Collects the diagnostics of a call as the command line tools print them:
/// "file:line:column: error: text".
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(MLIRContext &context)
      : handler(&context, [](Diagnostic &diagnostic) {
          append(diagnostic);
          for (Diagnostic &note : diagnostic.getNotes())
            append(note);
        }) {
    lastError.clear();
  }

private:
  static StringRef severity(DiagnosticSeverity severity) {
    switch (severity) {
    case DiagnosticSeverity::Note:
      return "note";
    case DiagnosticSeverity::Warning:
      return "warning";
    case DiagnosticSeverity::Error:
      return "error";
    case DiagnosticSeverity::Remark:
      return "remark";
    }
    llvm_unreachable("every severity is handled above");
  }

  static void append(Diagnostic &diagnostic) {
    llvm::raw_string_ostream stream(lastError);
    if (!lastError.empty())
      stream << "\n";
    if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      stream << place.getFilename().getValue() << ":" << place.getLine() << ":"
             << place.getColumn() << ": ";
    stream << severity(diagnostic.getSeverity()) << ": " << diagnostic;
  }

  ScopedDiagnosticHandler handler;
};
} // namespace

/// A copy that `mtaFree` releases, with a zero after the last byte.
static char *copyOut(StringRef text) {
  char *result = static_cast<char *>(std::malloc(text.size() + 1));
  if (!result) {
    lastError = "error: out of memory";
    return nullptr;
  }
  std::memcpy(result, text.data(), text.size());
  result[text.size()] = '\0';
  return result;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

const char *mtaVersion(void) { return MTA_VERSION; }

const char *mtaLastError(void) { return lastError.c_str(); }

void mtaFree(void *pointer) { std::free(pointer); }

/// Parses with `parse`, which gets the text and the context.
static MtaModule *
parseModule(const char *text, size_t length, const char *name,
            llvm::function_ref<OwningOpRef<ModuleOp>(
                const std::shared_ptr<llvm::SourceMgr> &, MLIRContext *)>
                parse) {
  auto result = std::make_unique<MtaModule>();
  DiagnosticCollector collector(result->context);
  auto buffer =
      llvm::MemoryBuffer::getMemBufferCopy(StringRef(text, length), name);
  if (!buffer) {
    lastError = "error: out of memory";
    return nullptr;
  }
  auto source = std::make_shared<llvm::SourceMgr>();
  source->AddNewSourceBuffer(std::move(buffer), SMLoc());
  result->op = parse(source, &result->context);
  if (!result->op) {
    if (lastError.empty())
      lastError = "error: expects a builtin.module";
    return nullptr;
  }
  return result.release();
}

MtaModule *mtaModuleParse(const char *text, size_t length, const char *name) {
  return parseModule(
      text, length, name,
      [](const std::shared_ptr<llvm::SourceMgr> &source, MLIRContext *context) {
        return parseSourceFile<ModuleOp>(source, context);
      });
}

MtaModule *mtaModuleParseWithNames(const char *text, size_t length,
                                   const char *name) {
  return parseModule(text, length, name, mta::parseWithNames);
}

MtaModule *mtaModuleClone(const MtaModule *module) {
  lastError.clear();
  char *text = mtaModulePrint(module);
  if (!text)
    return nullptr;
  MtaModule *result = mtaModuleParse(text, std::strlen(text), "<clone>");
  mtaFree(text);
  return result;
}

void mtaModuleDestroy(MtaModule *module) { delete module; }

int mtaModuleRunPipeline(MtaModule *module, const char *pipeline) {
  DiagnosticCollector collector(module->context);
  std::string message;
  llvm::raw_string_ostream stream(message);
  FailureOr<OpPassManager> parsed = parsePassPipeline(pipeline, stream);
  if (failed(parsed)) {
    lastError = StringRef(message).trim().str();
    return 1;
  }
  if (parsed->getOpAnchorName() != ModuleOp::getOperationName()) {
    lastError = ("error: expects a pipeline on builtin.module, but got one "
                 "on " +
                 parsed->getOpAnchorName())
                    .str();
    return 1;
  }
  PassManager pm(&module->context);
  static_cast<OpPassManager &>(pm) = std::move(*parsed);
  if (succeeded(pm.run(*module->op)))
    return 0;
  if (lastError.empty())
    lastError = "error: the pipeline failed without a diagnostic";
  return 1;
}

char *mtaModulePrint(const MtaModule *module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  const_cast<OwningOpRef<ModuleOp> &>(module->op)->print(stream);
  return copyOut(text);
}

/// The PTX of a copy of the module, which stays as it is.
static FailureOr<std::string> translate(const MtaModule *module,
                                        const char *chip) {
  OwningOpRef<ModuleOp> copy(
      const_cast<OwningOpRef<ModuleOp> &>(module->op)->clone());
  mta::PTXOptions options;
  options.chip = chip;
  auto texts = mta::translateToPTX(*copy, options);
  if (failed(texts))
    return failure();
  if (texts->size() != 1)
    return copy->emitError("has several GPU binaries that cannot be merged");
  return texts->front().text;
}

char *mtaModuleToPTX(const MtaModule *module, const char *chip) {
  DiagnosticCollector collector(const_cast<MLIRContext &>(module->context));
  FailureOr<std::string> text = translate(module, chip);
  return succeeded(text) ? copyOut(*text) : nullptr;
}

char *mtaModuleToContract(const MtaModule *module, const char *chip) {
  DiagnosticCollector collector(const_cast<MLIRContext &>(module->context));
  OwningOpRef<ModuleOp> copy(
      const_cast<OwningOpRef<ModuleOp> &>(module->op)->clone());
  mta::PTXOptions options;
  options.chip = chip;
  FailureOr<std::string> text = mta::translateToContract(*copy, options);
  return succeeded(text) ? copyOut(*text) : nullptr;
}

static char *assemble(Location loc, StringRef ptx, const char *chip,
                      const char *ptxas, size_t *size) {
  FailureOr<std::string> cubin =
      mta::assemblePTX(loc, ptx, chip, ptxas ? ptxas : "");
  if (failed(cubin))
    return nullptr;
  *size = cubin->size();
  return copyOut(*cubin);
}

char *mtaModuleToCubin(const MtaModule *module, const char *chip,
                       const char *ptxas, size_t *size) {
  DiagnosticCollector collector(const_cast<MLIRContext &>(module->context));
  FailureOr<std::string> text = translate(module, chip);
  if (failed(text))
    return nullptr;
  return assemble(module->op.get()->getLoc(), *text, chip, ptxas, size);
}

char *mtaAssemblePTX(const char *ptx, const char *chip, const char *ptxas,
                     size_t *size) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  DiagnosticCollector collector(context);
  return assemble(UnknownLoc::get(&context), ptx, chip, ptxas, size);
}

//===----------------------------------------------------------------------===//
// Executables
//===----------------------------------------------------------------------===//

/// Whether code can be generated for the module; sets the last error if not.
static bool isCompilable(ModuleOp op, int optimizationLevel) {
  if (optimizationLevel >= 0 && optimizationLevel <= 3)
    return succeeded(mta::verifyForProcessor(op, mta::thisMachineHas));
  lastError = "error: expects an optimization level of 0 to 3, but got " +
              std::to_string(optimizationLevel);
  return false;
}

/// Makes it the last error, unless diagnostics have said more.
static void report(llvm::Error error) {
  std::string message = llvm::toString(std::move(error));
  if (lastError.empty())
    lastError = "error: " + message;
}

MtaExecutable *
mta::capi::compile(const MtaModule *module, int optimizationLevel,
                   ArrayRef<std::pair<const char *, void *>> symbols) {
  DiagnosticCollector collector(const_cast<MLIRContext &>(module->context));
  ModuleOp op = const_cast<OwningOpRef<ModuleOp> &>(module->op).get();
  if (!isCompilable(op, optimizationLevel))
    return nullptr;
  auto jit = JIT::create(op, optimizationLevel, symbols);
  if (jit)
    return new MtaExecutable{std::move(*jit)};
  report(jit.takeError());
  return nullptr;
}

MtaExecutable *mtaModuleCompile(const MtaModule *module,
                                int optimizationLevel) {
  return mta::capi::compile(module, optimizationLevel, {});
}

char *mtaModuleToMachineCode(const MtaModule *module, int optimizationLevel,
                             size_t *size) {
  DiagnosticCollector collector(const_cast<MLIRContext &>(module->context));
  ModuleOp op = const_cast<OwningOpRef<ModuleOp> &>(module->op).get();
  if (!isCompilable(op, optimizationLevel))
    return nullptr;
  auto code = mta::capi::JIT::translate(op, optimizationLevel);
  if (!code) {
    report(code.takeError());
    return nullptr;
  }
  *size = code->size();
  return copyOut(*code);
}

MtaExecutable *mtaMachineCodeLoad(const char *code, size_t size) {
  lastError.clear();
  sharedRegistry();
  auto jit = mta::capi::JIT::load(StringRef(code, size));
  if (jit)
    return new MtaExecutable{std::move(*jit)};
  report(jit.takeError());
  return nullptr;
}

const char *mtaProcessor(void) {
  static const std::string text = [] {
    std::string result = llvm::sys::getDefaultTargetTriple() + " " +
                         llvm::sys::getHostCPUName().str();
    llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    SmallVector<StringRef> names;
    for (const auto &feature : features)
      if (feature.second)
        names.push_back(feature.first());
    llvm::sort(names);
    for (StringRef name : names)
      result += (" +" + name).str();
    return result;
  }();
  return text.c_str();
}

void mtaExecutableDestroy(MtaExecutable *executable) { delete executable; }

void *mtaExecutableLookup(MtaExecutable *executable, const char *name) {
  lastError.clear();
  auto symbol = executable->jit->lookup(name);
  if (!symbol) {
    lastError = "error: " + llvm::toString(symbol.takeError());
    return nullptr;
  }
  return *symbol;
}

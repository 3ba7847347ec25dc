//===- JIT.cpp - Machine code in this process -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JIT.h"

#include "mta/Target/Object.h"
#include "mta/Target/OpenMPLibrary.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"

#include <cstdlib>

#ifdef __linux__
#include <sys/mman.h>
#endif

using namespace llvm;
using namespace llvm::orc;
using namespace mta::capi;

/// Memory that `free` releases, as compiled code and its callers do. Large
/// buffers are asked for in large pages, of which a call then touches tens
/// instead of thousands for the first time.
static void *allocate(size_t size) {
#ifdef __linux__
  constexpr size_t kHugePage = 2 << 20;
  if (size >= 2 * kHugePage) {
    void *memory = nullptr;
    if (posix_memalign(&memory, kHugePage, size) != 0)
      return nullptr;
    // Only a wish: without large pages the memory is as good.
    (void)madvise(memory, size, MADV_HUGEPAGE);
    return memory;
  }
#endif
  return std::malloc(size);
}

Error JIT::explain(Error error) {
  std::string text = llvm::toString(std::move(error));
  if (!reports.empty())
    text += ": " + reports;
  reports.clear();
  return createStringError(text);
}

namespace {
/// LLVM IR for this machine, optimized, and what generates its code.
struct HostModule {
  // Before the code, which lives in it.
  std::unique_ptr<LLVMContext> context = std::make_unique<LLVMContext>();
  std::unique_ptr<Module> code;
  std::optional<JITTargetMachineBuilder> builder;
  std::unique_ptr<TargetMachine> machine;

  Error prepare(mlir::ModuleOp module, int optimizationLevel);
};
} // namespace

Error HostModule::prepare(mlir::ModuleOp module, int optimizationLevel) {
  code = mlir::translateModuleToLLVMIR(module, *context);
  if (!code)
    return createStringError("cannot be translated to LLVM IR");
  auto host = JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  builder = std::move(*host);
  builder->setCodeGenOptLevel(static_cast<CodeGenOptLevel>(optimizationLevel));
  auto created = builder->createTargetMachine();
  if (!created)
    return created.takeError();
  machine = std::move(*created);
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple(machine->getTargetTriple());
  mta::optimize(*code, *machine, optimizationLevel);
  return Error::success();
}

Error JIT::createEngine(JITTargetMachineBuilder builder) {
  auto created =
      LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!created)
    return created.takeError();
  engine = std::move(*created);
  // A module is used by one thread at a time, and compiled by the caller's.
  engine->getExecutionSession().setErrorReporter([this](Error error) {
    if (!reports.empty())
      reports += "; ";
    reports += llvm::toString(std::move(error));
  });
  return Error::success();
}

Error JIT::addModule(mlir::ModuleOp module, int optimizationLevel) {
  HostModule host;
  if (Error error = host.prepare(module, optimizationLevel))
    return error;
  if (Error error = createEngine(std::move(*host.builder)))
    return error;
  return engine->addIRModule(
      ThreadSafeModule(std::move(host.code), std::move(host.context)));
}

Error JIT::addMachineCode(StringRef code) {
  auto host = JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  if (Error error = createEngine(std::move(*host)))
    return error;
  return engine->addObjectFile(
      MemoryBuffer::getMemBufferCopy(code, "<machine code>"));
}

Error JIT::addSymbols(ArrayRef<std::pair<const char *, void *>> symbols) {
  SymbolMap map;
  map[engine->mangleAndIntern("malloc")] = {ExecutorAddr::fromPtr(&allocate),
                                            JITSymbolFlags::Exported};
  for (auto [name, address] : symbols)
    map[engine->mangleAndIntern(name)] = {ExecutorAddr::fromPtr(address),
                                          JITSymbolFlags::Exported};
  JITDylib &library = engine->getMainJITDylib();
  if (Error error = library.define(absoluteSymbols(std::move(map))))
    return error;
  char prefix = engine->getDataLayout().getGlobalPrefix();
  auto process = DynamicLibrarySearchGenerator::GetForCurrentProcess(prefix);
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  // Threads of `mta-cpu`; code that does not use them does not need it.
  std::string path = mta::findOpenMPLibrary();
  if (path.empty())
    return Error::success();
  auto threads = DynamicLibrarySearchGenerator::Load(path.c_str(), prefix);
  if (threads)
    library.addGenerator(std::move(*threads));
  else
    consumeError(threads.takeError());
  return Error::success();
}

Expected<std::unique_ptr<JIT>>
JIT::create(mlir::ModuleOp module, int optimizationLevel,
            ArrayRef<std::pair<const char *, void *>> symbols) {
  std::unique_ptr<JIT> jit(new JIT());
  if (Error error = jit->addModule(module, optimizationLevel))
    return error;
  if (Error error = jit->addSymbols(symbols))
    return error;
  // Constructors load the kernels of a module that has some.
  if (Error error = jit->engine->initialize(jit->engine->getMainJITDylib()))
    return jit->explain(std::move(error));
  return jit;
}

Expected<std::unique_ptr<JIT>> JIT::load(StringRef code) {
  std::unique_ptr<JIT> jit(new JIT());
  if (Error error = jit->addMachineCode(code))
    return jit->explain(std::move(error));
  if (Error error = jit->addSymbols({}))
    return error;
  return jit;
}

Expected<std::string> JIT::translate(mlir::ModuleOp module,
                                     int optimizationLevel) {
  HostModule host;
  if (Error error = host.prepare(module, optimizationLevel))
    return error;
  // The engine finds them in LLVM IR only.
  if (host.code->getNamedGlobal("llvm.global_ctors"))
    return createStringError("expects a module without constructors");
  // As the engine has it: code that may lie anywhere.
  host.builder->setRelocationModel(Reloc::PIC_);
  host.builder->setCodeModel(CodeModel::Small);
  auto machine = host.builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  auto object = SimpleCompiler(**machine)(*host.code);
  if (!object)
    return object.takeError();
  return (*object)->getBuffer().str();
}

Expected<void *> JIT::lookup(StringRef name) {
  auto address = engine->lookup(name);
  if (!address)
    return explain(address.takeError());
  return address->toPtr<void *>();
}

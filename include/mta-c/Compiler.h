//===- Compiler.h - C ABI of the MTA compiler -------------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler as a library without C++ in its interface: parse a module, run
// a pass pipeline, print it, translate it to PTX or cubin, compile it for this
// machine and look its functions up. `libMTACompiler` implements it; the
// Python package is its first user.
//
// Errors. A function that fails returns NULL (or nonzero) and leaves the
// diagnostics, one per line as the command line tools print them, in
// `mtaLastError()` of the calling thread. Nothing aborts or exits.
//
// Threads. A module or an executable belongs to one thread at a time;
// different objects are independent.
//
// Memory. Strings and buffers returned as `char *` are released with
// `mtaFree`, objects with their `Destroy` function. Destroying NULL is
// allowed.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_C_COMPILER_H
#define MTA_C_COMPILER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MTA_C_EXPORT __attribute__((visibility("default")))
#else
#define MTA_C_EXPORT
#endif

/// A parsed and verified MLIR module together with its context.
typedef struct MtaModule MtaModule;
/// A module compiled to machine code in this process.
typedef struct MtaExecutable MtaExecutable;

/// The version of the compiler, "MAJOR.MINOR.PATCH". Statically allocated.
MTA_C_EXPORT const char *mtaVersion(void);

/// The diagnostics of the last call on this thread: errors of one that failed,
/// warnings and remarks of one that did not, "" if there were none. Valid until
/// the next call on this thread.
MTA_C_EXPORT const char *mtaLastError(void);

/// Releases a string or buffer returned by this library, or a buffer that a
/// compiled function allocated for its result.
MTA_C_EXPORT void mtaFree(void *pointer);

/// Parses and verifies `length` bytes of MLIR text or bytecode. `name` stands
/// for the file in diagnostics. Returns NULL on failure.
MTA_C_EXPORT MtaModule *mtaModuleParse(const char *text, size_t length,
                                       const char *name);

/// As `mtaModuleParse`; functions keep the names that the text has for their
/// arguments and results in attributes `mta.name`.
MTA_C_EXPORT MtaModule *mtaModuleParseWithNames(const char *text, size_t length,
                                                const char *name);

/// An independent copy of a module.
MTA_C_EXPORT MtaModule *mtaModuleClone(const MtaModule *module);

/// Releases a module; executables made of it stay.
MTA_C_EXPORT void mtaModuleDestroy(MtaModule *module);

/// Runs a pass pipeline in the syntax of `mta-opt --pass-pipeline`, for example
/// "builtin.module(mta-reference-cpu)". Returns 0 on success; on failure the
/// module may be left partly transformed and should be destroyed.
MTA_C_EXPORT int mtaModuleRunPipeline(MtaModule *module, const char *pipeline);

/// The module as text that `mtaModuleParse` reads.
MTA_C_EXPORT char *mtaModulePrint(const MtaModule *module);

/// Translates a copy of the module, whatever level it is at, to one PTX text
/// with all its kernels. `chip` is an NVIDIA target such as "sm_80" or
/// "sm_90a". Attentions become fused kernels, as by `mta-gpu`; for the
/// reference run `mta-reference-gpu` first. Needs no CUDA installation.
MTA_C_EXPORT char *mtaModuleToPTX(const MtaModule *module, const char *chip);

/// How to launch the kernels of `mtaModuleToPTX`, as JSON; its schema is
/// python/mta/contract.schema.json.
MTA_C_EXPORT char *mtaModuleToContract(const MtaModule *module,
                                       const char *chip);

/// As `mtaModuleToPTX`, assembled with ptxas. `ptxas` is the program to call,
/// or NULL to search PATH. The size goes to `*size`.
MTA_C_EXPORT char *mtaModuleToCubin(const MtaModule *module, const char *chip,
                                    const char *ptxas, size_t *size);

/// Assembles a PTX text, such as one of `mtaModuleToPTX`, as `mtaModuleToCubin`
/// does.
MTA_C_EXPORT char *mtaAssemblePTX(const char *ptx, const char *chip,
                                  const char *ptxas, size_t *size);

/// Compiles a copy of a module that is in the LLVM dialect (the result of
/// `mta-reference-cpu`) for this machine. `optimizationLevel` is 0 to 3.
MTA_C_EXPORT MtaExecutable *mtaModuleCompile(const MtaModule *module,
                                             int optimizationLevel);

/// The machine code that `mtaModuleCompile` makes, as the bytes of an object
/// file whose size goes to `*size`: for this processor and those with an equal
/// `mtaProcessor`. The module has no constructors.
MTA_C_EXPORT char *mtaModuleToMachineCode(const MtaModule *module,
                                          int optimizationLevel, size_t *size);

/// Loads what `mtaModuleToMachineCode` made, in this or another process with
/// the same version of this library. It runs as it is: load only what you
/// trust.
MTA_C_EXPORT MtaExecutable *mtaMachineCodeLoad(const char *code, size_t size);

/// This processor, as machine code depends on it: architecture, name and
/// features. Statically allocated.
MTA_C_EXPORT const char *mtaProcessor(void);

/// Releases an executable with its code: addresses of its functions end with
/// it.
MTA_C_EXPORT void mtaExecutableDestroy(MtaExecutable *executable);

/// The address of a function of the executable, or NULL. A function `f` of
/// memrefs has the entry point "_mlir_ciface_f", which takes a pointer to the
/// descriptor of each memref; if `f` has results, a pointer to the structure of
/// their descriptors comes first. A descriptor is {allocated pointer, aligned
/// pointer, int64 offset, int64 sizes[rank], int64 strides[rank]}. The caller
/// owns the results and frees their allocated pointers with `mtaFree`.
MTA_C_EXPORT void *mtaExecutableLookup(MtaExecutable *executable,
                                       const char *name);

#ifdef __cplusplus
}
#endif

#endif // MTA_C_COMPILER_H

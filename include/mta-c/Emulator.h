//===- Emulator.h - C ABI of the PTX emulator -------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The PTX emulator as a library without C++ in its interface: parse a module,
// register memory, launch kernels, read counters. `libMTAEmulator` implements
// it. Device addresses are host addresses.
//
// Errors. A function that fails returns NULL (or nonzero) and leaves a message
// in `mtaEmulatorLastError()` of the calling thread. Nothing aborts or exits.
//
// Threads. A module or a memory belongs to one thread at a time; different
// objects are independent. A launch uses threads of its own.
//
// Memory. Strings returned as `char *` are released with `mtaEmulatorFree`,
// objects with their `Destroy` function. Destroying NULL is allowed.
//
//===----------------------------------------------------------------------===//

#ifndef MTA_C_EMULATOR_H
#define MTA_C_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MTA_C_EMULATOR_EXPORT __attribute__((visibility("default")))
#else
#define MTA_C_EMULATOR_EXPORT
#endif

/// A parsed PTX module with the memory of its variables.
typedef struct MtaEmulatorModule MtaEmulatorModule;
/// The ranges of host memory that kernels may touch.
typedef struct MtaEmulatorMemory MtaEmulatorMemory;

/// What kernels may do with a range. An output is filled with 0xff when it is
/// registered, and reading what no kernel wrote to it is an error.
enum {
  MTA_EMULATOR_IN = 0,
  MTA_EMULATOR_OUT = 1,
  MTA_EMULATOR_INOUT = 2,
};

/// When the data of asynchronous copies arrive.
enum {
  MTA_EMULATOR_ASYNC_EAGER = 0,
  MTA_EMULATOR_ASYNC_LAZY = 1,
};

/// How to launch a kernel. Zero-initialise, set `size` to the size of this
/// structure, then what matters.
typedef struct MtaEmulatorLaunchConfig {
  size_t size;
  /// The name of the kernel.
  const char *entry;
  /// Blocks, and threads of a block, in x, y and z.
  uint32_t grid[3];
  uint32_t block[3];
  /// Bytes of dynamic shared memory of a block.
  uint32_t dynamicShared;
  /// One of MTA_EMULATOR_ASYNC_EAGER and MTA_EMULATOR_ASYNC_LAZY.
  int32_t async;
  /// The parameters as the entry lays them out (see mtaEmulatorModuleEntries).
  const void *parameters;
  size_t parameterBytes;
  /// Chooses the order of warps; 0 runs them in order.
  uint64_t seed;
  /// Instructions one warp may execute; 0 stands for 100 million.
  uint64_t maxSteps;
  /// Host threads; 0 stands for all cores.
  uint32_t threads;
  /// If not NULL, called now and then with the blocks done, of all.
  void (*progress)(uint64_t done, uint64_t all, void *user);
  void *user;
} MtaEmulatorLaunchConfig;

/// The message of the last failed call on this thread; "" if there was none.
/// Valid until the next call on this thread.
MTA_C_EMULATOR_EXPORT const char *mtaEmulatorLastError(void);

/// Releases a string that this library returned.
MTA_C_EMULATOR_EXPORT void mtaEmulatorFree(void *pointer);

/// Parses `length` bytes of PTX. `name` stands for the file in messages.
MTA_C_EMULATOR_EXPORT MtaEmulatorModule *
mtaEmulatorModuleParse(const char *text, size_t length, const char *name);

/// Releases a module with its variables.
MTA_C_EMULATOR_EXPORT void mtaEmulatorModuleDestroy(MtaEmulatorModule *module);

/// The entries as JSON: {"target": "sm_80", "entries": [{"name": …,
/// "parameter_bytes": …, "required_threads": [x, y, z], "max_threads": [x, y,
/// z], "parameters": [{"name": …, "type": "u64", "offset": …, "size": …,
/// "align": …, "array": false}, …]}, …]}.
MTA_C_EMULATOR_EXPORT char *
mtaEmulatorModuleEntries(const MtaEmulatorModule *module);

/// The address of a .global or .const variable and its size, or NULL.
MTA_C_EMULATOR_EXPORT void *
mtaEmulatorModuleVariable(const MtaEmulatorModule *module, const char *name,
                          size_t *size);

/// Decodes an entry and what it calls without running it. Returns 0 if every
/// instruction is known and allowed.
MTA_C_EMULATOR_EXPORT int mtaEmulatorModuleCheck(MtaEmulatorModule *module,
                                                 const char *entry);

/// A memory without ranges.
MTA_C_EMULATOR_EXPORT MtaEmulatorMemory *mtaEmulatorMemoryCreate(void);

/// Releases a memory; the ranges stay, as they are the caller's.
MTA_C_EMULATOR_EXPORT void mtaEmulatorMemoryDestroy(MtaEmulatorMemory *memory);

/// Registers `size` bytes at `base`, with MTA_EMULATOR_IN, OUT or INOUT as the
/// `access`. Ranges do not overlap. `name` appears in
/// messages. Cheap: nothing is copied, and only outputs are touched.
MTA_C_EMULATOR_EXPORT int mtaEmulatorMemoryAdd(MtaEmulatorMemory *memory,
                                               void *base, size_t size,
                                               int access, const char *name);

/// Unregisters the range that starts at `base`; later use of it is an error.
MTA_C_EMULATOR_EXPORT int mtaEmulatorMemoryRemove(MtaEmulatorMemory *memory,
                                                  void *base);

/// Elements of `elementBytes` bytes that nothing wrote in the output at `base`;
/// `*first` gets the index of the first.
MTA_C_EMULATOR_EXPORT size_t
mtaEmulatorMemoryCountUnwritten(const MtaEmulatorMemory *memory, void *base,
                                size_t elementBytes, size_t *first);

/// Makes a tensor map for cp.async.bulk.tensor: 128 bytes, which the kernel
/// takes as a parameter (.align 64 .b8 [128]) or finds in global memory. The
/// parameters, their order and the values of the enumerations are those of
/// cuTensorMapEncodeTiled, so that host code for the driver can make maps for
/// the emulator: data types 0 to 9 (8-bit unsigned to bfloat16), interleave 0,
/// swizzle 0 to 3 (none, 32, 64, 128 bytes), fill 0 (zeros) or 1 (NaN). The
/// promotion is ignored. `strides` has rank - 1 elements, in bytes. The bytes
/// themselves are not those of the driver, and no GPU understands them.
MTA_C_EMULATOR_EXPORT int
mtaEmulatorTensorMapEncodeTiled(void *tensorMap, int dataType, uint32_t rank,
                                void *globalAddress, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides, int interleave,
                                int swizzle, int l2Promotion, int fill);

/// Runs a kernel to its end and returns its counters as JSON
/// (docs/emulator.md names them), or NULL after a fault, which the message
/// describes.
MTA_C_EMULATOR_EXPORT char *
mtaEmulatorLaunch(MtaEmulatorModule *module, MtaEmulatorMemory *memory,
                  const MtaEmulatorLaunchConfig *config);

#ifdef __cplusplus
}
#endif

#endif // MTA_C_EMULATOR_H

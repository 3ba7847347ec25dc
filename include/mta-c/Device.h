//===- Device.h - C ABI of the emulated GPU -----------------------*- C -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the host code of a compiled module together with its kernels, which a
// PTX emulator executes on the host's own memory and checks while it does.
// The rules of mta-c/Compiler.h on errors, threads and memory hold here too.
//
//   device = mtaDeviceCreate(0, 0, 0)
//   mtaModuleRunPipeline(module, "builtin.module(mta-reference-gpu,"
//                                "mta-host-to-llvm)")
//   executable = mtaModuleCompileForDevice(module, device, 2)
//   mtaDeviceRegister(device, q, bytes, 0, "q") ...   the arguments' buffers
//   mtaDeviceBegin(device)
//   call the function that mtaExecutableLookup finds
//   mtaDeviceEnd(device)                              0, or what went wrong
//
//===----------------------------------------------------------------------===//

#ifndef MTA_C_DEVICE_H
#define MTA_C_DEVICE_H

#include "mta-c/Compiler.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// An emulated GPU.
typedef struct MtaDevice MtaDevice;

/// Creates a device. `lazyCopies` nonzero lands asynchronous copies as late as
/// the program allows instead of at once, `seed` chooses the order of warps,
/// `threads` is the number of host threads, 0 for the number of cores.
MTA_C_EXPORT MtaDevice *mtaDeviceCreate(int lazyCopies, uint64_t seed,
                                        unsigned threads);

/// Executables compiled for the device have to be destroyed before it.
MTA_C_EXPORT void mtaDeviceDestroy(MtaDevice *device);

/// Lets kernels access `size` bytes at `pointer`: read for access 0, read and
/// write for access 2; with access 1 the bytes are poisoned and may be read
/// only once written. `name` stands for the buffer in messages. Fails if the
/// bytes overlap a registered buffer.
MTA_C_EXPORT int mtaDeviceRegister(MtaDevice *device, void *pointer,
                                   size_t size, int access, const char *name);

/// Ends the registration of the buffer that starts at `pointer`.
MTA_C_EXPORT int mtaDeviceUnregister(MtaDevice *device, void *pointer);

/// The number of the `count` elements of `elementSize` bytes from `pointer`
/// that no kernel wrote, in a buffer with access 1 or one that the program
/// allocated. If there are any, `*first` is the index of the first one.
MTA_C_EXPORT size_t mtaDeviceCountUnwritten(const MtaDevice *device,
                                            const void *pointer, size_t count,
                                            size_t elementSize, size_t *first);

/// The kernels of a PTX text on a device, which releases them.
typedef struct MtaKernels MtaKernels;

/// Loads PTX. Returns NULL if the emulator does not accept the text.
MTA_C_EXPORT MtaKernels *mtaDeviceLoad(MtaDevice *device, const char *ptx);

/// Runs a kernel, between `mtaDeviceBegin` and `mtaDeviceEnd`, which reports
/// the first error. `parameters` are all parameters as the entry lays them out,
/// as the driver's CU_LAUNCH_PARAM_BUFFER_POINTER.
MTA_C_EXPORT void mtaDeviceLaunch(MtaDevice *device, MtaKernels *kernels,
                                  const char *entry, const uint32_t grid[3],
                                  const uint32_t block[3],
                                  uint32_t dynamicShared,
                                  const void *parameters,
                                  size_t parameterBytes);

/// As `mtaModuleCompile`, for a module whose host code launches kernels: the
/// launches and allocations of the executable go to `device`. Fails if the
/// emulator does not accept the PTX.
MTA_C_EXPORT MtaExecutable *mtaModuleCompileForDevice(const MtaModule *module,
                                                      MtaDevice *device,
                                                      int optimizationLevel);

/// Makes the device the one that executables on this thread talk to, until
/// `mtaDeviceEnd`.
MTA_C_EXPORT void mtaDeviceBegin(MtaDevice *device);

/// Ends what `mtaDeviceBegin` began. Returns 0 if all kernels in between ran
/// without an error; else the first error is in `mtaLastError`.
MTA_C_EXPORT int mtaDeviceEnd(MtaDevice *device);

/// Releases a buffer that the program allocated for its result.
MTA_C_EXPORT void mtaDeviceFree(MtaDevice *device, void *pointer);

/// How many kernels the device has run.
MTA_C_EXPORT uint64_t mtaDeviceGetLaunches(const MtaDevice *device);

#ifdef __cplusplus
}
#endif

#endif // MTA_C_DEVICE_H

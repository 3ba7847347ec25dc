//===- global-released.c - A kernel uses memory that was given back -------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A module keeps a pointer in a variable from one launch to the next. The
// buffer that it points to is unregistered in between: the second launch is a
// use after release, and names the buffer.
//
//===----------------------------------------------------------------------===//

// RUN: %cc %cflags %s -o %t -I %mta_src/include -L %mta_lib -lMTAEmulator \
// RUN:   -Wl,-rpath,%mta_lib
// RUN: %t | FileCheck %s

// clang-format off
// CHECK: keep: done
// CHECK-NEXT: use: done
// CHECK-NEXT: use: kept.ptx:16: error: global write of 4 bytes out of bounds: the scratch buffer has been released (address 0x{{[0-9a-f]+}})
// CHECK-NEXT: instruction: st.global.u32 [%rd0+4], %r0;
// CHECK-NEXT: kernel use, block (0,0,0), warp 0, lane 0, thread (0,0,0)
// clang-format on

#include "mta-c/Emulator.h"
#include <stdio.h>
#include <string.h>

static const char *const Text = ".version 8.0\n"
                                ".target sm_80\n"
                                ".address_size 64\n"
                                ".global .u64 kept;\n"
                                ".visible .entry keep(.param .u64 p) {\n"
                                "  .reg .u64 %rd0;\n"
                                "  ld.param.u64 %rd0, [p];\n"
                                "  st.global.u64 [kept], %rd0;\n"
                                "  ret;\n"
                                "}\n"
                                ".visible .entry use() {\n"
                                "  .reg .u32 %r0;\n"
                                "  .reg .u64 %rd0;\n"
                                "  ld.global.u64 %rd0, [kept];\n"
                                "  mov.u32 %r0, 7;\n"
                                "  st.global.u32 [%rd0+4], %r0;\n"
                                "  ret;\n"
                                "}\n";

static void launch(MtaEmulatorModule *module, MtaEmulatorMemory *memory,
                   const char *entry, const void *parameters, size_t bytes) {
  MtaEmulatorLaunchConfig config;
  memset(&config, 0, sizeof config);
  config.size = sizeof config;
  config.entry = entry;
  for (int i = 0; i < 3; ++i)
    config.grid[i] = config.block[i] = 1;
  config.parameters = parameters;
  config.parameterBytes = bytes;
  char *counters = mtaEmulatorLaunch(module, memory, &config);
  printf("%s: %s\n", entry, counters ? "done" : mtaEmulatorLastError());
  mtaEmulatorFree(counters);
}

int main(void) {
  MtaEmulatorModule *module =
      mtaEmulatorModuleParse(Text, strlen(Text), "kept.ptx");
  MtaEmulatorMemory *memory = mtaEmulatorMemoryCreate();
  uint32_t buffer[4] = {0};
  uint64_t address = (uintptr_t)buffer;
  mtaEmulatorMemoryAdd(memory, buffer, sizeof buffer, MTA_EMULATOR_INOUT,
                       "the scratch buffer");
  launch(module, memory, "keep", &address, sizeof address);
  launch(module, memory, "use", NULL, 0);
  mtaEmulatorMemoryRemove(memory, buffer);
  launch(module, memory, "use", NULL, 0);
  mtaEmulatorModuleDestroy(module);
  mtaEmulatorMemoryDestroy(memory);
  return 0;
}

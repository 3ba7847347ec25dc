//===- load.c - Loads a bundle and says how it went -----------------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "device.h"

int main(void) {
  mta_bundle *bundle = NULL;
  makeContext();
  int status = mta_load(&bundle);
  if ((status != MTA_BUNDLE_SUCCESS) != !bundle)
    puts("a bundle and an error, or none of both");
  if (!bundle)
    printf("%s\n", mta_status_text(status));
  else
    printf("kernels for %s\n", mta_chip(bundle));
  status = mta_unload(bundle);
  if (status != MTA_BUNDLE_SUCCESS)
    printf("unload: %s\n", mta_status_text(status));
  return 0;
}

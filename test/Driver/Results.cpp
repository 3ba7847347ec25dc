//===- Results.cpp - Texts for results of the driver ------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

using namespace mta::standin;

namespace {
struct Text {
  CUresult result;
  const char *name, *text;
};
} // namespace

#define RESULT(NAME, TEXT) {NAME, #NAME, TEXT}
static const Text texts[] = {
    RESULT(CUDA_SUCCESS, "no error"),
    RESULT(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    RESULT(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    RESULT(CUDA_ERROR_NOT_INITIALIZED, "cuInit has not been called"),
    RESULT(CUDA_ERROR_NO_DEVICE, "there is no device"),
    RESULT(CUDA_ERROR_INVALID_DEVICE, "no device has this number"),
    RESULT(CUDA_ERROR_INVALID_IMAGE, "the image is neither PTX nor a binary"),
    RESULT(CUDA_ERROR_INVALID_CONTEXT, "no or an invalid context"),
    RESULT(CUDA_ERROR_NO_BINARY_FOR_GPU, "no code for this device"),
    RESULT(CUDA_ERROR_INVALID_PTX, "the PTX cannot be compiled"),
    RESULT(CUDA_ERROR_FILE_NOT_FOUND, "there is no such file"),
    RESULT(CUDA_ERROR_INVALID_HANDLE, "invalid handle"),
    RESULT(CUDA_ERROR_NOT_FOUND, "there is nothing of this name"),
    RESULT(CUDA_ERROR_NOT_READY, "not ready yet"),
    RESULT(CUDA_ERROR_ILLEGAL_ADDRESS, "a kernel used memory it must not use"),
    RESULT(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources asked for"),
    RESULT(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, "peer access is not enabled"),
    RESULT(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "the primary context is in use"),
    RESULT(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
           "the memory is registered already"),
    RESULT(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED,
           "the memory is not registered"),
    RESULT(CUDA_ERROR_LAUNCH_FAILED, "a kernel failed"),
    RESULT(CUDA_ERROR_NOT_SUPPORTED, "the stand-in driver cannot do this"),
    RESULT(CUDA_ERROR_UNKNOWN, "unknown error"),
};
#undef RESULT

static const Text *find(CUresult result) {
  for (const Text &text : texts)
    if (text.result == result)
      return &text;
  return nullptr;
}

const char *mta::standin::nameOf(CUresult result) {
  const Text *text = find(result);
  return text ? text->name : nullptr;
}

const char *mta::standin::textOf(CUresult result) {
  const Text *text = find(result);
  return text ? text->text : nullptr;
}

/// These need neither a device nor a context, nor do they count as calls.
MTA_ENTRY cuGetErrorName(CUresult error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = nameOf(error);
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

MTA_ENTRY cuGetErrorString(CUresult error, const char **text) {
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = textOf(error);
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

//===- Streams.cpp - cuStream*: streams, all of them idle -------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is put into a stream is done at once, so that a stream only has to be
// there.
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

using namespace mta::standin;

static Driver &driver() { return Driver::get(); }

static bool isDefault(CUstream stream) {
  return !stream || stream == CU_STREAM_LEGACY ||
         stream == CU_STREAM_PER_THREAD;
}

bool Driver::isStream(CUstream stream) const {
  if (isDefault(stream))
    return true;
  Stream *found = streams.find(stream);
  return found && found->context == current();
}

/// Runs `body` on a stream of the program or the default one, which is null.
static CUresult
callOnStream(const char *name, CUstream stream,
             const std::function<CUresult(Context &, Stream *)> &body) {
  return driver().callInContext(name, [&](Context &context) {
    Stream *found = isDefault(stream) ? nullptr : driver().streams.find(stream);
    if (!isDefault(stream) && !found)
      return CUDA_ERROR_INVALID_HANDLE;
    return body(context, found);
  });
}

static CUresult createStream(const char *name, CUstream *stream, unsigned flags,
                             int priority) {
  return driver().callInContext(name, [&](Context &context) {
    if (!stream || flags > 1)
      return CUDA_ERROR_INVALID_VALUE;
    *stream = reinterpret_cast<CUstream>(
        driver().streams.create(Stream{&context, flags, priority}));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuStreamCreate(CUstream *stream, unsigned flags) {
  return createStream("cuStreamCreate", stream, flags, 0);
}

MTA_ENTRY cuStreamCreateWithPriority(CUstream *stream, unsigned flags,
                                     int priority) {
  return createStream("cuStreamCreateWithPriority", stream, flags, priority);
}

MTA_ENTRY cuStreamDestroy_v2(CUstream stream) {
  return driver().callInitialized("cuStreamDestroy", [&] {
    Stream *found = driver().streams.find(stream);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    driver().streams.destroy(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuStreamSynchronize(CUstream stream) {
  return callOnStream("cuStreamSynchronize", stream,
                      [](Context &, Stream *) { return CUDA_SUCCESS; });
}

MTA_ENTRY cuStreamQuery(CUstream stream) {
  return callOnStream("cuStreamQuery", stream,
                      [](Context &, Stream *) { return CUDA_SUCCESS; });
}

MTA_ENTRY cuStreamGetCtx(CUstream stream, CUcontext *result) {
  return callOnStream(
      "cuStreamGetCtx", stream, [&](Context &context, Stream *found) {
        store(result,
              reinterpret_cast<CUcontext>(found ? found->context : &context));
        return CUDA_SUCCESS;
      });
}

MTA_ENTRY cuStreamGetDevice(CUstream stream, CUdevice *device) {
  return callOnStream(
      "cuStreamGetDevice", stream, [&](Context &context, Stream *found) {
        store(device, (found ? found->context : &context)->device->ordinal);
        return CUDA_SUCCESS;
      });
}

MTA_ENTRY cuStreamGetFlags(CUstream stream, unsigned *flags) {
  return callOnStream("cuStreamGetFlags", stream,
                      [&](Context &, Stream *found) {
                        store(flags, found ? found->flags : 0);
                        return CUDA_SUCCESS;
                      });
}

MTA_ENTRY cuStreamGetPriority(CUstream stream, int *priority) {
  return callOnStream("cuStreamGetPriority", stream,
                      [&](Context &, Stream *found) {
                        store(priority, found ? found->priority : 0);
                        return CUDA_SUCCESS;
                      });
}

MTA_ENTRY cuStreamGetId(CUstream stream, unsigned long long *id) {
  return callOnStream("cuStreamGetId", stream, [&](Context &, Stream *) {
    store(id, reinterpret_cast<uintptr_t>(stream));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status) {
  return callOnStream("cuStreamIsCapturing", stream, [&](Context &, Stream *) {
    store(status, CU_STREAM_CAPTURE_STATUS_NONE);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  static thread_local CUstreamCaptureMode current =
      CU_STREAM_CAPTURE_MODE_GLOBAL;
  return driver().callInitialized("cuThreadExchangeStreamCaptureMode", [&] {
    if (!mode)
      return CUDA_ERROR_INVALID_VALUE;
    std::swap(*mode, current);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  return callOnStream("cuStreamWaitEvent", stream, [&](Context &, Stream *) {
    return driver().events.find(event) ? CUDA_SUCCESS
                                       : CUDA_ERROR_INVALID_HANDLE;
  });
}

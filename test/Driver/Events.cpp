//===- Events.cpp - cuEvent*: points in time --------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

using namespace mta::standin;

static Driver &driver() { return Driver::get(); }

/// CU_EVENT_DISABLE_TIMING.
static constexpr unsigned withoutTiming = 2;

static CUresult callOnEvent(const char *name, CUevent event,
                            const std::function<CUresult(Event &)> &body) {
  return driver().callInContext(name, [&](Context &) {
    Event *found = driver().events.find(event);
    return found ? body(*found) : CUDA_ERROR_INVALID_HANDLE;
  });
}

MTA_ENTRY cuEventCreate(CUevent *event, unsigned flags) {
  return driver().callInContext("cuEventCreate", [&](Context &context) {
    if (!event || flags > 7)
      return CUDA_ERROR_INVALID_VALUE;
    *event = reinterpret_cast<CUevent>(
        driver().events.create(Event{&context, flags}));
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuEventDestroy_v2(CUevent event) {
  return driver().callInitialized("cuEventDestroy", [&] {
    Event *found = driver().events.find(event);
    if (!found)
      return CUDA_ERROR_INVALID_HANDLE;
    driver().events.destroy(found);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuEventRecord(CUevent event, CUstream stream) {
  return callOnEvent("cuEventRecord", event, [&](Event &found) {
    if (!driver().isStream(stream) || found.context != Driver::current())
      return CUDA_ERROR_INVALID_HANDLE;
    found.isRecorded = true;
    found.time = std::chrono::steady_clock::now();
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) {
  return cuEventRecord(event, stream);
}

MTA_ENTRY cuEventQuery(CUevent event) {
  return callOnEvent("cuEventQuery", event,
                     [](Event &) { return CUDA_SUCCESS; });
}

MTA_ENTRY cuEventSynchronize(CUevent event) {
  return callOnEvent("cuEventSynchronize", event,
                     [](Event &) { return CUDA_SUCCESS; });
}

MTA_ENTRY cuEventElapsedTime_v2(float *milliseconds, CUevent start,
                                CUevent end) {
  return callOnEvent("cuEventElapsedTime", start, [&](Event &first) {
    Event *last = driver().events.find(end);
    if (!last || !first.isRecorded || !last->isRecorded ||
        ((first.flags | last->flags) & withoutTiming))
      return CUDA_ERROR_INVALID_HANDLE;
    std::chrono::duration<float, std::milli> elapsed = last->time - first.time;
    store(milliseconds, elapsed.count());
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime_v2(milliseconds, start, end);
}

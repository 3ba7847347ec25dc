//===- Copies.cpp - cuMemcpy*, cuMemset*, tensor maps -----------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Driver.h"

#include "mta/Emulator/TensorMap.h"

#include <algorithm>
#include <cstring>

using namespace mta::standin;
namespace emulator = mta::emulator;

static Driver &driver() { return Driver::get(); }

namespace {
/// Where an operand of a copy is; with Either, its address says that.
enum class Side { Host, Device, Either };
} // namespace

static bool isValid(Side side, uintptr_t address, size_t bytes) {
  if (!bytes)
    return true;
  if (side == Side::Device || (side == Side::Either && driver().find(address)))
    return driver().isOnDevice(address, bytes);
  return address != 0;
}

static CUresult copy(const char *name, uintptr_t to, Side toSide,
                     uintptr_t from, Side fromSide, size_t bytes,
                     CUstream stream = nullptr) {
  return driver().callInContext(name, [&](Context &) {
    driver().note(std::to_string(bytes));
    if (!driver().isStream(stream))
      return CUDA_ERROR_INVALID_HANDLE;
    if (!isValid(toSide, to, bytes) || !isValid(fromSide, from, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    if (bytes)
      std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from),
                   bytes);
    driver().markWritten(to, bytes);
    return CUDA_SUCCESS;
  });
}

static uintptr_t number(const void *pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

MTA_ENTRY cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  return copy("cuMemcpyHtoD", to, Side::Device, number(from), Side::Host,
              bytes);
}

MTA_ENTRY cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
  return copy("cuMemcpyDtoH", number(to), Side::Host, from, Side::Device,
              bytes);
}

MTA_ENTRY cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy("cuMemcpyDtoD", to, Side::Device, from, Side::Device, bytes);
}

MTA_ENTRY cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return copy("cuMemcpy", to, Side::Either, from, Side::Either, bytes);
}

MTA_ENTRY cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes,
                               CUstream stream) {
  return copy("cuMemcpyHtoDAsync", to, Side::Device, number(from), Side::Host,
              bytes, stream);
}

MTA_ENTRY cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes,
                               CUstream stream) {
  return copy("cuMemcpyDtoHAsync", number(to), Side::Host, from, Side::Device,
              bytes, stream);
}

MTA_ENTRY cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                               CUstream stream) {
  return copy("cuMemcpyDtoDAsync", to, Side::Device, from, Side::Device, bytes,
              stream);
}

MTA_ENTRY cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                        CUstream stream) {
  return copy("cuMemcpyAsync", to, Side::Either, from, Side::Either, bytes,
              stream);
}

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

template <typename T>
static CUresult fill(const char *name, CUdeviceptr to, T value, size_t count,
                     CUstream stream = nullptr) {
  return driver().callInContext(name, [&](Context &) {
    if (!driver().isStream(stream))
      return CUDA_ERROR_INVALID_HANDLE;
    size_t bytes = count * sizeof(T);
    if (to % sizeof(T) || bytes / sizeof(T) != count ||
        !isValid(Side::Device, to, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    std::fill_n(reinterpret_cast<T *>(to), count, value);
    driver().markWritten(to, bytes);
    return CUDA_SUCCESS;
  });
}

MTA_ENTRY cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) {
  return fill("cuMemsetD8", to, value, count);
}

MTA_ENTRY cuMemsetD16_v2(CUdeviceptr to, unsigned short value, size_t count) {
  return fill("cuMemsetD16", to, value, count);
}

MTA_ENTRY cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) {
  return fill("cuMemsetD32", to, value, count);
}

MTA_ENTRY cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                          CUstream stream) {
  return fill("cuMemsetD8Async", to, value, count, stream);
}

MTA_ENTRY cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                           CUstream stream) {
  return fill("cuMemsetD16Async", to, value, count, stream);
}

MTA_ENTRY cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                           CUstream stream) {
  return fill("cuMemsetD32Async", to, value, count, stream);
}

//===----------------------------------------------------------------------===//
// Tensor maps, in the emulator's encoding
//===----------------------------------------------------------------------===//

MTA_ENTRY cuTensorMapEncodeTiled(
    CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *address,
    const cuuint64_t *sizes, const cuuint64_t *strides, const cuuint32_t *box,
    const cuuint32_t *elementStrides, CUtensorMapInterleave interleave,
    CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
    CUtensorMapFloatOOBfill fill) {
  return driver().callInitialized("cuTensorMapEncodeTiled", [&] {
    if (!map || rank < 1 || rank > 5 || !sizes || !box || !elementStrides ||
        (rank > 1 && !strides) || interleave || unsigned(type) > 9)
      return CUDA_ERROR_INVALID_VALUE;
    emulator::TensorDescription description;
    description.type = emulator::TensorType(type);
    description.rank = rank;
    description.address = number(address);
    std::copy_n(sizes, rank, description.sizes.begin());
    std::copy_n(box, rank, description.box.begin());
    std::copy_n(elementStrides, rank, description.elementStrides.begin());
    if (rank > 1)
      std::copy_n(strides, rank - 1, description.strides.begin());
    description.swizzle = emulator::TensorSwizzle(swizzle);
    description.fillsNaN = fill != CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
    emulator::TensorMapStorage storage;
    if (!encodeTensorMap(description, storage).empty())
      return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(map, storage.data(), sizeof *map);
    return CUDA_SUCCESS;
  });
}

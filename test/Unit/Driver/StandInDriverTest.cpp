//===- StandInDriverTest.cpp - Objects of the stand-in driver -------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverAPI.h"

#include <string>
#include <thread>

/// Before any test calls cuInit.
static const CUresult beforeInit = cuCtxSynchronize();

TEST_F(DriverTest, EverythingComesAfterInit) {
  EXPECT_EQ(beforeInit, CUDA_ERROR_NOT_INITIALIZED);
}

TEST_F(DriverTest, DevicesHaveTheLimitsOfTheirChip) {
  int major = 0, shared = 0, threads = 0;
  ASSERT_EQ(cuDeviceGetAttribute(
                &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0),
            CUDA_SUCCESS);
  ASSERT_EQ(
      cuDeviceGetAttribute(
          &shared, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0),
      CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetAttribute(&threads,
                                 CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(major, 9);
  EXPECT_EQ(shared, 227 * 1024);
  EXPECT_EQ(threads, 1024);
  EXPECT_EQ(cuDeviceGetAttribute(
                &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 1),
            CUDA_ERROR_INVALID_DEVICE);
}

TEST_F(DriverTest, ContextsAreAStackOfEachThread) {
  CUcontext second = nullptr, found = nullptr;
  ASSERT_EQ(cuCtxCreate(&second, nullptr, 0, 0), CUDA_SUCCESS);
  cuCtxGetCurrent(&found);
  EXPECT_EQ(found, second);
  std::thread([&] {
    CUcontext other = second;
    EXPECT_EQ(cuCtxGetCurrent(&other), CUDA_SUCCESS);
    EXPECT_EQ(other, nullptr);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
  }).join();
  ASSERT_EQ(cuCtxPopCurrent(&found), CUDA_SUCCESS);
  EXPECT_EQ(found, second);
  cuCtxGetCurrent(&found);
  EXPECT_EQ(found, context);
  EXPECT_EQ(cuCtxDestroy(second), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPushCurrent(second), CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(DriverTest, PrimaryContextsAreCounted) {
  CUcontext first = nullptr, second = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&first, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&second, 0), CUDA_SUCCESS);
  EXPECT_EQ(first, second);
  EXPECT_EQ(cuDevicePrimaryCtxRelease(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPushCurrent(first), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPopCurrent(nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuDevicePrimaryCtxRelease(0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPushCurrent(first), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuDevicePrimaryCtxRelease(0), CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(DriverTest, MemoryIsCheckedAndCounted) {
  CUdeviceptr pointer = 0, other = 0;
  size_t before = 0, after = 0, total = 0;
  cuMemGetInfo(&before, &total);
  ASSERT_EQ(cuMemAlloc(&pointer, 1000), CUDA_SUCCESS);
  EXPECT_EQ(pointer % 256, 0u);
  cuMemGetInfo(&after, &total);
  EXPECT_EQ(before - after, 1000u);
  EXPECT_EQ(cuMemAlloc(&other, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc(&other, total), CUDA_ERROR_OUT_OF_MEMORY);
  char data[1000] = {};
  EXPECT_EQ(cuMemcpyHtoD(pointer, data, 1000), CUDA_SUCCESS);
  EXPECT_EQ(cuMemcpyHtoD(pointer + 1, data, 1000), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(0, data, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD32(pointer, 7, 250), CUDA_SUCCESS);
  EXPECT_EQ(cuMemsetD32(pointer + 2, 7, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH(data, pointer, 1000), CUDA_SUCCESS);
  EXPECT_EQ(data[996], 7);
  EXPECT_EQ(cuMemFree(pointer + 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree(pointer), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(pointer), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, PointersTellWhatTheyAre) {
  CUdeviceptr pointer = 0;
  ASSERT_EQ(cuMemAllocAsync(&pointer, 64, nullptr), CUDA_SUCCESS);
  unsigned type = 0;
  size_t size = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                  pointer + 60),
            CUDA_SUCCESS);
  EXPECT_EQ(type, unsigned(CU_MEMORYTYPE_DEVICE));
  EXPECT_EQ(cuPointerGetAttribute(&size, CU_POINTER_ATTRIBUTE_RANGE_SIZE,
                                  pointer + 60),
            CUDA_SUCCESS);
  EXPECT_EQ(size, 64u);
  EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                  pointer + 64),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, PoolsCountTheirMemory) {
  CUmemPoolProps properties = {};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  CUmemoryPool pool = nullptr, current = nullptr;
  CUdeviceptr pointer = 0;
  cuuint64_t used = 0, highest = 0;
  ASSERT_EQ(cuMemPoolCreate(&pool, &properties), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAllocFromPoolAsync(&pointer, 640, pool, nullptr),
            CUDA_SUCCESS);
  cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used);
  EXPECT_EQ(used, 640u);
  EXPECT_EQ(cuMemFreeAsync(pointer, nullptr), CUDA_SUCCESS);
  cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used);
  cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &highest);
  EXPECT_EQ(used, 0u);
  EXPECT_EQ(highest, 640u);
  ASSERT_EQ(cuDeviceSetMemPool(0, pool), CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetMemPool(&current, 0), CUDA_SUCCESS);
  EXPECT_EQ(current, pool);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetMemPool(&current, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemPoolDestroy(current), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(DriverTest, EventsMeasureTime) {
  CUevent start = nullptr, end = nullptr;
  ASSERT_EQ(cuEventCreate(&start, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&end, 0), CUDA_SUCCESS);
  float milliseconds = -1;
  ASSERT_EQ(cuEventRecord(start, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuEventElapsedTime(&milliseconds, start, end),
            CUDA_ERROR_INVALID_HANDLE);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ASSERT_EQ(cuEventRecord(end, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuEventElapsedTime(&milliseconds, start, end), CUDA_SUCCESS);
  EXPECT_GE(milliseconds, 2);
  EXPECT_EQ(cuEventDestroy(start), CUDA_SUCCESS);
  EXPECT_EQ(cuEventDestroy(start), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverTest, EntryPointsHaveVersions) {
  void *address = nullptr, *old = nullptr;
  CUdriverProcAddressQueryResult status;
  ASSERT_EQ(cuGetProcAddress("cuMemAlloc", &address, 12000, 0, &status),
            CUDA_SUCCESS);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SUCCESS);
  EXPECT_EQ(address, reinterpret_cast<void *>(&cuMemAlloc));
  ASSERT_EQ(cuGetProcAddress("cuCtxCreate", &old, 12000, 0, nullptr),
            CUDA_SUCCESS);
  EXPECT_NE(old, nullptr);
  ASSERT_EQ(cuGetProcAddress("cuCtxCreate", &address, 13000, 0, nullptr),
            CUDA_SUCCESS);
  EXPECT_EQ(address, reinterpret_cast<void *>(&cuCtxCreate));
  EXPECT_NE(address, old);
  EXPECT_EQ(cuGetProcAddress("cuNothing", &address, 13000, 0, &status),
            CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
}

TEST_F(DriverTest, ResultsHaveNames) {
  const char *name = nullptr;
  ASSERT_EQ(cuGetErrorName(CUDA_ERROR_NOT_FOUND, &name), CUDA_SUCCESS);
  EXPECT_EQ(name, std::string("CUDA_ERROR_NOT_FOUND"));
  EXPECT_EQ(cuGetErrorName(CUresult(12345), &name), CUDA_ERROR_INVALID_VALUE);
}

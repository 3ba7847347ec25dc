//===- StandInLaunchTest.cpp - Code and launches of the stand-in ----------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverAPI.h"

#include <string>

namespace {
/// Stores 7 to the word of its thread; `check` needs blocks of 32.
std::string text(const std::string &target = "sm_80") {
  std::string body = "{\n"
                     "  .reg .u32 %r<2>;\n"
                     "  .reg .u64 %rd<3>;\n"
                     "  ld.param.u64 %rd0, [p];\n"
                     "  mov.u32 %r0, %tid.x;\n"
                     "  mul.wide.u32 %rd1, %r0, 4;\n"
                     "  add.u64 %rd2, %rd0, %rd1;\n"
                     "  mov.u32 %r1, 7;\n"
                     "  st.global.u32 [%rd2], %r1;\n"
                     "  ret;\n"
                     "}\n";
  return ".version 8.0\n.target " + target +
         "\n.address_size 64\n"
         ".global .u32 counter = 5;\n"
         ".visible .entry fill(.param .u64 p) " +
         body + ".visible .entry check(.param .u64 p) .reqntid 32, 1, 1 " +
         body +
         ".visible .entry buffered(.param .u64 p) {\n"
         "  .shared .u32 buffer[256];\n"
         "  .reg .u32 %r0;\n"
         "  .reg .u64 %rd0;\n"
         "  mov.u32 %r0, 1;\n"
         "  st.shared.u32 [buffer], %r0;\n"
         "  ret;\n"
         "}\n";
}

class LaunchTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    ASSERT_EQ(cuModuleLoadData(&module, text().c_str()), CUDA_SUCCESS);
    ASSERT_EQ(cuModuleGetFunction(&fill, module, "fill"), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc(&memory, 128), CUDA_SUCCESS);
  }

  CUresult launch(CUfunction function, unsigned grid, unsigned block,
                  unsigned shared = 0, CUstream stream = nullptr) {
    void *parameters[] = {&memory};
    return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, stream,
                          parameters, nullptr);
  }

  CUmodule module = nullptr;
  CUfunction fill = nullptr;
  CUdeviceptr memory = 0;
};
} // namespace

TEST_F(DriverTest, ImagesAreChecked) {
  CUmodule module = nullptr;
  EXPECT_EQ(cuModuleLoadData(&module, "\177ELF..."),
            CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(cuModuleLoadData(&module, "nonsense"), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(cuModuleLoadData(&module, ".version 8.0\n.target sm_80\nnonsense"),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(cuModuleLoadData(&module, text("sm_100").c_str()),
            CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(cuModuleLoadData(&module, text("sm_90a").c_str()), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(DriverTest, WhyAnImageIsRefusedIsWritten) {
  CUmodule module = nullptr;
  char log[200] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER,
                            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  EXPECT_EQ(
      cuModuleLoadDataEx(&module, text("sm_100").c_str(), 2, options, values),
      CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(log, std::string("PTX for sm_100 does not run on sm_90"));
}

TEST_F(LaunchTest, KernelsRun) {
  unsigned words[32] = {};
  ASSERT_EQ(launch(fill, 1, 32), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoH(words, memory, 128), CUDA_SUCCESS);
  for (unsigned word : words)
    EXPECT_EQ(word, 7u);
}

TEST_F(LaunchTest, ParametersMayBeInOneBuffer) {
  size_t size = 8;
  void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &memory,
                   CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
  CUlaunchConfig config = {1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, 0};
  EXPECT_EQ(cuLaunchKernelEx(&config, fill, nullptr, extra), CUDA_SUCCESS);
  size = 4;
  EXPECT_EQ(cuLaunchKernelEx(&config, fill, nullptr, extra),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, ShapesAreChecked) {
  CUfunction check = nullptr;
  ASSERT_EQ(cuModuleGetFunction(&check, module, "check"), CUDA_SUCCESS);
  EXPECT_EQ(launch(check, 1, 32), CUDA_SUCCESS);
  EXPECT_EQ(launch(check, 1, 16), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(fill, 0, 32), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(fill, 1, 1025), CUDA_ERROR_INVALID_VALUE);
  void *parameters[] = {&memory};
  EXPECT_EQ(cuLaunchKernel(fill, 1, 65536, 1, 32, 1, 1, 0, nullptr, parameters,
                           nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(
      cuLaunchKernel(fill, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, nullptr),
      CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, DynamicSharedMemoryNeedsOptingIn) {
  CUfunction buffered = nullptr;
  ASSERT_EQ(cuModuleLoadData(&module, text("sm_90").c_str()), CUDA_SUCCESS);
  ASSERT_EQ(cuModuleGetFunction(&buffered, module, "buffered"), CUDA_SUCCESS);
  int bytes = 0;
  ASSERT_EQ(
      cuFuncGetAttribute(&bytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, buffered),
      CUDA_SUCCESS);
  EXPECT_EQ(bytes, 1024);
  EXPECT_EQ(launch(buffered, 1, 1, 47 * 1024), CUDA_SUCCESS);
  EXPECT_EQ(launch(buffered, 1, 1, 48 * 1024), CUDA_ERROR_INVALID_VALUE);
  auto attribute = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
  EXPECT_EQ(cuFuncSetAttribute(buffered, attribute, 227 * 1024),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(buffered, attribute, 226 * 1024), CUDA_SUCCESS);
  EXPECT_EQ(launch(buffered, 1, 1, 226 * 1024), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
}

TEST_F(LaunchTest, FaultsStayWithTheContext) {
  EXPECT_EQ(launch(fill, 1, 64), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(launch(fill, 1, 32), CUDA_ERROR_ILLEGAL_ADDRESS);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate(&other, nullptr, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
}

TEST_F(LaunchTest, HandlesBelongToTheirContext) {
  CUfunction found = nullptr;
  CUstream stream = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&found, module, "nothing"),
            CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(launch(reinterpret_cast<CUfunction>(&found), 1, 32),
            CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuStreamCreate(&stream, 0), CUDA_SUCCESS);
  EXPECT_EQ(launch(fill, 1, 32, 0, stream), CUDA_SUCCESS);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate(&other, nullptr, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleGetFunction(&found, module, "fill"),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(fill, 1, 32), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
  EXPECT_EQ(launch(fill, 1, 32, 0, stream), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(LaunchTest, VariablesHaveAddresses) {
  CUdeviceptr address = 0;
  size_t bytes = 0;
  unsigned value = 0;
  ASSERT_EQ(cuModuleGetGlobal(&address, &bytes, module, "counter"),
            CUDA_SUCCESS);
  EXPECT_EQ(bytes, 4u);
  EXPECT_EQ(cuMemcpyDtoH(&value, address, 4), CUDA_SUCCESS);
  EXPECT_EQ(value, 5u);
  EXPECT_EQ(cuModuleGetGlobal(&address, &bytes, module, "fill"),
            CUDA_ERROR_NOT_FOUND);
}

TEST_F(LaunchTest, LibrariesAreLoadedToEveryContext) {
  CUlibrary library = nullptr;
  CUkernel kernel = nullptr;
  ASSERT_EQ(cuLibraryLoadData(&library, text().c_str(), nullptr, nullptr, 0,
                              nullptr, nullptr, 0),
            CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryGetKernel(&kernel, library, "nothing"),
            CUDA_ERROR_NOT_FOUND);
  ASSERT_EQ(cuLibraryGetKernel(&kernel, library, "fill"), CUDA_SUCCESS);
  auto function = reinterpret_cast<CUfunction>(kernel);
  EXPECT_EQ(launch(function, 1, 32, 100 * 1024), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(
      cuKernelSetAttribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                           100 * 1024, kernel, 0),
      CUDA_SUCCESS);
  EXPECT_EQ(launch(function, 1, 32, 100 * 1024), CUDA_SUCCESS);
  CUcontext other = nullptr;
  ASSERT_EQ(cuCtxCreate(&other, nullptr, 0, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAlloc(&memory, 128), CUDA_SUCCESS);
  EXPECT_EQ(launch(function, 1, 32), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxDestroy(other), CUDA_SUCCESS);
  EXPECT_EQ(cuLibraryUnload(library), CUDA_SUCCESS);
  EXPECT_EQ(launch(function, 1, 32), CUDA_ERROR_INVALID_HANDLE);
}

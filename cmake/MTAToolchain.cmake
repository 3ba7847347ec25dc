# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Finds LLVM/MLIR 22 and sets what every target of the project compiles with.

# Debian's version file rejects find_package(MLIR 22.1); the version is checked
# below instead.
if(NOT MLIR_DIR)
  set(MLIR_DIR "/usr/lib/llvm-22/lib/cmake/mlir" CACHE PATH
      "The folder that holds MLIRConfig.cmake")
endif()
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR
    "MTA expects LLVM/MLIR 22, but got ${LLVM_VERSION} in ${MLIR_DIR}")
endif()
message(STATUS "Using MLIR ${LLVM_VERSION} in ${MLIR_DIR}")

# One copy of the registries: everything links libMLIR and libLLVM, never a
# static MLIR archive next to them.
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${definitions})

add_compile_options(
  -Wall -Wextra -Wno-unused-parameter -fvisibility-inlines-hidden
  "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # TableGen's output and MLIR's CRTP bases.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-private-field>")
endif()

# Objects name no folder of this machine, in the texts of assertions, so that equal
# sources make equal wheels. ccache sees to it by making paths relative, which lets
# clones share what it holds; it would not if the compiler's arguments had the path.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
      "${CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
else()
  add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
endif()

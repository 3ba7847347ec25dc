# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The native part of the Python wheel: the target mta-wheel builds it from the
# objects of the ordinary build, and the install component Wheel is what
# pyproject.toml puts beside the Python files.
#
#   mta/_lib/libMTACompiler.so   our libraries, MLIR and LLVM in one
#   mta/_lib/libomp.so.5         the threads of mta-cpu
#   mta/_bin/TOOL                the tools, which link libMTACompiler.so
#   bin/TOOL                     a script that starts mta/_bin/TOOL
#
# A machine that gets a wheel has no LLVM. Its shared libraries are 260 MB and
# want another 60 MB of others; of its archives the linker takes what is used,
# and only the two backends that the compiler generates code with.

find_package(Threads REQUIRED)
find_library(MTA_ZLIB_ARCHIVE libz.a)
find_library(MTA_ZSTD_ARCHIVE libzstd.a)
if(NOT MTA_ZLIB_ARCHIVE OR NOT MTA_ZSTD_ARCHIVE)
  add_custom_target(mta-wheel COMMAND "${CMAKE_COMMAND}" -E echo
    "error: expects libz.a and libzstd.a (packages zlib1g-dev, libzstd-dev) for a wheel"
    COMMAND "${CMAKE_COMMAND}" -E false VERBATIM)
  return()
endif()

set(wheel_backends "${LLVM_NATIVE_ARCH}" NVPTX)
set(wheel_tools mta-lsp-server mta-opt mta-translate)

# An LLVMInitialize* of no backend for each that is left out: MLIR's passes ask
# for all that LLVM was built with.
set(backends "${LLVM_TARGETS_TO_BUILD}")
list(REMOVE_ITEM backends ${wheel_backends})
set(absent "")
foreach(backend IN LISTS backends)
  foreach(part TargetInfo Target TargetMC AsmPrinter AsmParser Disassembler TargetMCA)
    string(APPEND absent "void LLVMInitialize${backend}${part}(void) {}\n")
  endforeach()
endforeach()
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/wheel/AbsentBackends.c" CONTENT "${absent}")

# The C interface and what the tools use are the library's symbols; the linker
# drops the rest unless the library itself uses it.
set(exports "${PROJECT_BINARY_DIR}/wheel/exports")
set(objects "")
foreach(tool IN LISTS wheel_tools)
  list(APPEND objects "$<TARGET_OBJECTS:${tool}>")
endforeach()
add_custom_command(
  OUTPUT "${exports}.map" "${exports}.rsp"
  COMMAND "${CMAKE_COMMAND}" "-DNM=${LLVM_TOOLS_BINARY_DIR}/llvm-nm"
          "-DOBJECTS=$<JOIN:${objects},|>" "-DOUTPUT=${exports}"
          -P "${PROJECT_SOURCE_DIR}/cmake/WriteWheelExports.cmake"
  DEPENDS ${objects} cmake/WriteWheelExports.cmake
  COMMENT "Listing what the tools need of the wheel's library"
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(mta-wheel-exports DEPENDS "${exports}.map" "${exports}.rsp")

# Archives of LLVM and MLIR by their files: their CMake targets link the shared
# libraries. None of them is taken whole.
file(GLOB archives "${LLVM_LIBRARY_DIR}/libMLIR*.a" "${LLVM_LIBRARY_DIR}/libLLVM*.a")
get_property(targets GLOBAL PROPERTY MTA_EXPORTED_TARGETS)
set(components "")
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    list(APPEND components ${target})
  endif()
endforeach()
list(TRANSFORM components REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE component_files)

function(mta_add_wheel_binary target folder name)
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,--strip-all)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME "${name}"
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/wheel/${folder}"
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/wheel/${folder}"
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH OFF
    INSTALL_RPATH "$ORIGIN/../_lib")
  install(PROGRAMS "$<TARGET_FILE:${target}>" DESTINATION "mta/${folder}"
          COMPONENT Wheel EXCLUDE_FROM_ALL)
endfunction()

# OpenMPLibrary.cpp comes once more, as one that knows no folder of this machine.
add_library(mta-wheel-library SHARED EXCLUDE_FROM_ALL
  $<TARGET_OBJECTS:MTACompiler>
  lib/Target/OpenMPLibrary.cpp
  "${PROJECT_BINARY_DIR}/wheel/AbsentBackends.c")
add_dependencies(mta-wheel-library mta-wheel-exports MTACompiler ${components})
target_link_libraries(mta-wheel-library PRIVATE
  ${component_files} ${archives} "${MTA_ZLIB_ARCHIVE}" "${MTA_ZSTD_ARCHIVE}" Threads::Threads)
target_link_options(mta-wheel-library PRIVATE
  "@${exports}.rsp" "-Wl,--version-script=${exports}.map" -Wl,--undefined-version -Wl,-Bsymbolic)
set_property(TARGET mta-wheel-library PROPERTY LINK_DEPENDS
  "${exports}.map" "${exports}.rsp" ${component_files})
mta_add_wheel_binary(mta-wheel-library _lib MTACompiler)
set(wheel_targets mta-wheel-library)

foreach(tool IN LISTS wheel_tools)
  add_executable(wheel-${tool} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${tool}>)
  add_dependencies(wheel-${tool} ${tool})
  target_link_libraries(wheel-${tool} PRIVATE mta-wheel-library)
  mta_add_wheel_binary(wheel-${tool} _bin ${tool})
  list(APPEND wheel_targets wheel-${tool})
endforeach()
add_executable(wheel-mta-ptx-run EXCLUDE_FROM_ALL $<TARGET_OBJECTS:mta-ptx-run>)
target_link_libraries(wheel-mta-ptx-run PRIVATE MTAEmulator)
mta_add_wheel_binary(wheel-mta-ptx-run _bin mta-ptx-run)
list(APPEND wheel_targets wheel-mta-ptx-run)

add_custom_target(mta-wheel DEPENDS ${wheel_targets})

# The package's symbolic link stands for a file of another name; the loader looks
# for this one.
file(REAL_PATH "${MTA_OPENMP_LIBRARY}" openmp_library)
install(FILES "${openmp_library}" DESTINATION mta/_lib RENAME libomp.so.5
        COMPONENT Wheel EXCLUDE_FROM_ALL)
if(SKBUILD)
  foreach(tool IN LISTS wheel_tools ITEMS mta-ptx-run)
    configure_file(tools/wheel-tool.py.in "wheel/bin/${tool}" @ONLY)
    install(PROGRAMS "${PROJECT_BINARY_DIR}/wheel/bin/${tool}"
            DESTINATION "${SKBUILD_SCRIPTS_DIR}" COMPONENT Wheel EXCLUDE_FROM_ALL)
  endforeach()
endif()

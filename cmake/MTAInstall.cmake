# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What `cmake --install` puts where: headers (with the generated ones and the
# .td files), the component libraries with a package that `find_package(MTA)`
# finds, the shared compiler library, the plugin and the tools.

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/mta")

install(DIRECTORY include/mta include/mta-c
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h" PATTERN "*.td")
install(DIRECTORY "${PROJECT_BINARY_DIR}/include/mta"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.inc" PATTERN "Version.h"
        PATTERN "CMakeFiles" EXCLUDE)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

get_property(exported GLOBAL PROPERTY MTA_EXPORTED_TARGETS)
install(TARGETS ${exported} EXPORT MTATargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT MTATargets NAMESPACE MTA:: DESTINATION "${package_dir}")

# The libraries of C++ components, whose headers include LLVM's and MLIR's.
set(components ${exported})
foreach(target IN LISTS exported)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "STATIC_LIBRARY")
    list(REMOVE_ITEM components ${target})
  endif()
endforeach()
list(TRANSFORM components PREPEND "MTA::" OUTPUT_VARIABLE MTA_COMPONENTS)

configure_package_config_file(
  cmake/MTAConfig.cmake.in "${PROJECT_BINARY_DIR}/cmake/MTAConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/cmake/MTAConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/MTAConfig.cmake"
              "${PROJECT_BINARY_DIR}/cmake/MTAConfigVersion.cmake"
        DESTINATION "${package_dir}")

# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# mta_add_library(NAME sources... [DEPENDS targets...] [LINK_LIBS libs...])
#
# A static, position independent component of the compiler, exported by
# `install` under the same name. Components that need MLIR name it in LINK_LIBS
# as `MLIR`, which is the shared library.
function(mta_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  # MLIR's headers call LLVM: whoever includes them links both.
  if("MLIR" IN_LIST ARG_LINK_LIBS)
    list(APPEND ARG_LINK_LIBS LLVM)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY MTA_EXPORTED_TARGETS ${name})
endfunction()

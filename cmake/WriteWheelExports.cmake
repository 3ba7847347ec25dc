# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# cmake -DNM=llvm-nm -DOBJECTS=a.o|b.o -DOUTPUT=exports -P WriteWheelExports.cmake
#
# Writes exports.map, a version script with the symbols that the objects leave
# undefined and the C interface, and exports.rsp, the options that make the
# linker look for the former in archives.

string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
execute_process(COMMAND "${NM}" --undefined-only --format=just-symbols ${OBJECTS}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
# Those of libc and libstdc++ come from elsewhere.
string(REGEX MATCHALL "LLVM[0-9A-Za-z]+|_Z[0-9A-Za-z_]*(3mta|4llvm|4mlir)[0-9A-Za-z_]*"
       symbols "${symbols}")
list(REMOVE_DUPLICATES symbols)
list(SORT symbols)

set(map "{\n  global:\n    mta[A-Z]*;\n")
set(options "")
foreach(symbol IN LISTS symbols)
  string(APPEND map "    ${symbol};\n")
  string(APPEND options "-Wl,--undefined=${symbol}\n")
endforeach()
string(APPEND map "  local:\n    *;\n};\n")
file(WRITE "${OUTPUT}.map" "${map}")
file(WRITE "${OUTPUT}.rsp" "${options}")

# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What the scripts here share. A script sources it after `set -euo pipefail`;
# it goes to the root of the repository and defines:
#
#   PRESET, BUILD    the CMake preset (MTA_PRESET, default dev) and its folder
#   LLVM_BIN         the programs of LLVM 22: FileCheck, lit and so on
#   step WHAT CMD..  says what is done, does it, says how long it took
#   quiet CMD..      runs a command and shows its output only if it fails
#   fail WORDS..     one line on standard error, and exit status 1

cd "$(dirname "${BASH_SOURCE[0]}")/.."

PRESET="${MTA_PRESET:-dev}"
BUILD="build/$PRESET"
LLVM_BIN="/usr/lib/llvm-22/bin"

fail() {
  echo "$(basename "$0"): error: $*" >&2
  exit 1
}

step() {
  local what="$1" start="$SECONDS"
  shift
  echo "==> $what"
  "$@"
  echo "    done in $((SECONDS - start)) s"
}

quiet() {
  local log status=0
  log="$(mktemp)"
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

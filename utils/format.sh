#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Formats the C++ sources with clang-format-22. With --check it changes nothing
# and fails if a file would change.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

command -v clang-format-22 >/dev/null ||
  fail "expects clang-format-22, but found none; it is in the package of that name"
case "${1:-}" in
"") options=(-i) ;;
--check) options=(--dry-run -Werror) ;;
*) fail "expects no argument or --check, but got '$1'" ;;
esac
git ls-files -z --cached --others --exclude-standard '*.h' '*.c' '*.cpp' |
  xargs -0 clang-format-22 "${options[@]}"

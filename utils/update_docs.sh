#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Writes docs/generated anew from the .td files and from the sources of the Python
# package. Run it after a change of a description there; a test fails until it is
# done.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -e "$BUILD/build.ninja" ] || quiet cmake --preset "$PRESET"
step "generating the op and pass reference" cmake --build --preset "$PRESET" --target mta-doc
mkdir -p docs/generated
rm -f docs/generated/*.md
cp "$BUILD"/docs/*.md docs/generated/
python3 utils/python_api.py >docs/generated/python.md

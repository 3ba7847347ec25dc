#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Builds what is missing in the build tree of MTA_PRESET and a wheel from it, in
# dist or the folder given. The wheel runs on machines with this one's kind of
# processor, its C library or a newer one, and any Python 3.10 or newer; they need
# no LLVM and no compiler. utils/setup.sh has to have run.

set -euo pipefail
caller="$PWD"
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ "$#" -le 1 ] || fail "expects at most one folder, but got $# arguments"
[ "$PRESET" != asan ] || fail "expects a preset without sanitizers, but got $PRESET"
[ -x .venv/bin/python ] || fail "expects .venv, but found none; utils/setup.sh makes it"
folder="$PWD/dist"
[ -z "${1:-}" ] || folder="$(cd "$caller" && realpath -m "$1")"

# Equal sources make equal wheels: files have the time of the commit, or a fixed
# one outside of a clone.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)"
fi
export SOURCE_DATE_EPOCH

build_wheel() {
  local library
  # The symbols of this machine's C library are the newest that can be asked for.
  library="$(getconf GNU_LIBC_VERSION)"
  library="${library#glibc }"
  quiet .venv/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir "$folder" \
    --config-settings="build-dir=$BUILD" \
    --config-settings="cmake.args=--preset=$PRESET" \
    --config-settings="wheel.tags=py3-none-manylinux_${library/./_}_$(uname -m)" .
}

# A wheel is an installation to a temporary folder, which the build tree is made to
# forget.
restore_build() {
  quiet cmake --preset "$PRESET" -U 'SKBUILD*' -U 'Python*' -U CMAKE_INSTALL_PREFIX
}

mkdir -p "$folder"
trap restore_build EXIT
step "building a wheel of $BUILD in $folder" build_wheel

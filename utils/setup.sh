#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs what is missing on a Debian 12 machine, makes .venv with the Python
# package in it, and builds the compiler. Safe to repeat: what is in place is
# left alone. MTA_PRESET chooses a preset of CMakePresets.json (default: dev).
# MTA_TORCH=1 installs PyTorch for its tests, too: 5 GB and some minutes.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Of LLVM exactly this major version: its C++ interface changes with each.
PACKAGES=(clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  libomp-22-dev zlib1g-dev libzstd-dev
  cmake ninja-build ccache git libgtest-dev python3 python3-venv)
if [ "$PRESET" = asan ]; then
  PACKAGES+=(libclang-rt-22-dev)
fi

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

install_packages() {
  local package
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    fail "expects to run as root or to find sudo, to install: $*"
  quiet as_root apt-get update
  for package in "$@"; do
    [ -n "$(apt-cache madison "$package")" ] ||
      fail "expects the package $package in apt's sources, but found none;" \
        "it is in the suite bookworm-security of Debian 12"
  done
  quiet as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "$@"
}

REQUIREMENTS=(utils/requirements.txt)
if [ -n "${MTA_TORCH:-}" ]; then
  REQUIREMENTS+=(utils/requirements-torch.txt)
fi

# The state of the sources that decide what is in .venv.
requirements_state() {
  cat "${REQUIREMENTS[@]}" pyproject.toml python/mta/_version.py | sha256sum
}

make_environment() {
  [ -x .venv/bin/python ] || python3 -m venv .venv
  # Python compiles what it imports; of PyTorch, that is little.
  quiet .venv/bin/python -m pip install --no-compile "${REQUIREMENTS[@]/#/--requirement=}"
  quiet .venv/bin/python -m pip install --no-deps --no-build-isolation --editable .
  requirements_state >.venv/mta-requirements
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  fail "expects Debian 12, but found no dpkg and apt"
fi
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  step "installing ${missing[*]}" install_packages "${missing[@]}"
fi
if [ "$(cat .venv/mta-requirements 2>/dev/null)" != "$(requirements_state)" ] ||
  ! .venv/bin/python -c 'import mta' 2>/dev/null; then
  step "making .venv with the Python package" make_environment
fi
step "configuring $BUILD" quiet cmake --preset "$PRESET"
step "building $BUILD" cmake --build --preset "$PRESET"

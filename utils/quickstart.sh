#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# From a fresh Debian 12 machine to PTX and to checked numbers: installs and
# builds (utils/setup.sh), compiles an attention of the authors' 880M model to
# PTX, and runs the same program on this processor on a golden file's data.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PTX="$BUILD/v2-880m.ptx"
golden_folder=""
trap 'rm -rf "$golden_folder"' EXIT

compile() {
  "$BUILD/bin/mta-translate" --mta-to-ptx --chip sm_90a examples/v2-880m.mlir -o "$PTX"
}

# The golden of the shape, heads of 96 and all, with fewer tokens.
check() {
  [ -n "$golden_folder" ] || {
    golden_folder="$(mktemp -d)"
    cp test/goldens/full_830m_shape.npz "$golden_folder"
  }
  .venv/bin/python -m mta check "$golden_folder" --target reference --dtype "$1"
}

utils/setup.sh
step "compiling examples/v2-880m.mlir to PTX for sm_90a" compile
step "running the same program on this processor in f32, against float64" check f32
step "running the same program on this processor in bf16, against float64" check bf16

cat <<EOF

Ready.
  $PTX: $(grep -c '\.visible \.entry' "$PTX") kernel(s), $(wc -c <"$PTX") bytes of PTX
  $BUILD/bin: mta-opt and mta-translate; .venv/bin/python -m mta: the Python package
  utils/test.sh runs all tests; README.md and docs/index.md go on from here.
EOF

#!/usr/bin/env bash
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs and builds what is needed (utils/setup.sh) and runs all tests. The
# last line is `N passed, N failed` over all suites; the exit status is 1 if
# anything failed or a suite did not run.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

RESULTS="$BUILD/test-results"

# suite NAME CMD..: the command writes $RESULTS/NAME.xml. Its failure is left
# to the summary, so that the other suites run.
suite() {
  local name="$1" status=0
  shift
  "$@" || status=$?
  echo "$status" >"$RESULTS/$name.status"
}

run_lit() {
  "$LLVM_BIN/lit" --verbose --order=lexical --xunit-xml-output "$RESULTS/lit.xml" \
    "$BUILD/test" "$BUILD/examples"
}

run_pytest() {
  .venv/bin/python -m pytest -q -p no:cacheprovider --numprocesses auto --dist worksteal \
    --junitxml "$RESULTS/python.xml" \
    test/python test/Docs test/utils
}

run_wheel() {
  .venv/bin/python -m pytest -q -p no:cacheprovider --junitxml "$RESULTS/wheel.xml" test/Wheel
}

run_unit_test() {
  "$1" --gtest_brief=1 --gtest_output="xml:$RESULTS/$(basename "$1").xml"
}

utils/setup.sh
rm -rf "$RESULTS"
mkdir -p "$RESULTS"

# Python and lit's Python programs use the library that was just built.
export MTA_BUILD_DIR="$PWD/$BUILD"
export MTA_COMPILER_LIBRARY="$MTA_BUILD_DIR/lib/libMTACompiler.so"

# As in test/lit.cfg.py, for the unit tests and Python.
export ASAN_OPTIONS="${ASAN_OPTIONS:-allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0}"

step "lit: tools, passes, integration, examples" suite lit run_lit
mapfile -t unit_tests < <(find "$BUILD" -name CMakeFiles -prune -o \
  -type f -executable -name '*Tests' -print | sort)
for binary in "${unit_tests[@]}"; do
  step "GoogleTest: $(basename "$binary")" suite "$(basename "$binary")" \
    run_unit_test "$binary"
done
step "pytest: Python package, documentation, scripts" suite python run_pytest
if [ "$PRESET" = asan ]; then
  echo "==> no wheel: one with sanitizers would need their run-time library"
else
  step "pytest: a wheel, built and used without this tree" suite wheel run_wheel
fi

.venv/bin/python utils/summarize_tests.py "$RESULTS"

# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""utils/summarize_tests.py, the last line of utils/test.sh."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "utils" / "summarize_tests.py"

PASSED = '<testcase classname="a" name="good"/>'
FAILED = '<testcase classname="a" name="bad"><failure>why</failure></testcase>'
ERROR = '<testcase classname="a" name="broken"><error>why</error></testcase>'
SKIPPED = '<testcase classname="a" name="later"><skipped/></testcase>'
DISABLED = '<testcase classname="a" name="disabled" status="notrun"/>'


@pytest.fixture
def summarize(tmp_path):
    """A function from suites, (exit status, test cases or None), to output lines and status."""

    def run(**suites):
        for name, (status, cases) in suites.items():
            (tmp_path / f"{name}.status").write_text(f"{status}\n")
            if cases is not None:
                xml = f"<testsuites><testsuite>{cases}</testsuite></testsuites>"
                (tmp_path / f"{name}.xml").write_text(xml)
        result = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True,
                                text=True, check=False)
        return result.stdout.splitlines(), result.returncode

    return run


def test_sums_over_suites(summarize):
    lines, status = summarize(lit=(0, PASSED * 3), python=(0, PASSED * 2))
    assert lines[-1] == "5 passed, 0 failed"
    assert status == 0


def test_counts_failures_and_errors_and_names_them(summarize):
    lines, status = summarize(lit=(1, PASSED + FAILED), python=(1, ERROR))
    assert lines[-1] == "1 passed, 2 failed"
    assert "FAILED a.bad" in lines and "FAILED a.broken" in lines
    assert status == 1


def test_counts_skipped_and_disabled_apart(summarize):
    lines, status = summarize(unit=(0, PASSED + SKIPPED + DISABLED))
    assert lines[-1] == "1 passed, 0 failed, 2 skipped"
    assert status == 0


@pytest.mark.parametrize("cases", [None, "<not-closed>"], ids=["missing", "cut off"])
def test_suite_without_results_is_a_failure(summarize, cases):
    lines, status = summarize(lit=(0, PASSED), unit=(139, cases))
    assert lines[-1] == "1 passed, 1 failed"
    assert any("unit: no results (exit status 139)" in line for line in lines)
    assert status == 1


def test_suite_without_tests_is_a_failure(summarize):
    lines, status = summarize(lit=(0, PASSED), unit=(0, ""))
    assert lines[-1] == "1 passed, 1 failed"
    assert status == 1


def test_runner_that_fails_without_a_failed_test_is_a_failure(summarize):
    lines, status = summarize(lit=(2, PASSED))
    assert lines[-1] == "1 passed, 1 failed"
    assert status == 1


def test_nothing_but_skipped_tests_is_no_success(summarize):
    lines, status = summarize(lit=(0, SKIPPED))
    assert lines[-1] == "0 passed, 0 failed, 1 skipped"
    assert status == 1


def test_no_suite_is_no_success(summarize):
    lines, status = summarize()
    assert lines[-1] == "0 passed, 0 failed"
    assert status == 1

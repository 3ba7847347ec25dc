#!/usr/bin/env python3
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Sums up the test results of a folder; `utils/test.sh` ends with it.

Every suite has left NAME.status there, the exit status of its runner, and
NAME.xml, its results in JUnit's format. The last line of the output is
`N passed, N failed`, with `, N skipped` where tests were skipped. A suite
without results, or whose runner failed although no test did, is one failure.
The exit status is 0 if nothing failed and something passed.
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Counts:
    """Numbers of tests; `failures` names those that failed."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """The number of failures."""
        return len(self.failures)

    def add(self, other: "Counts") -> None:
        """Adds the numbers of another suite."""
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count_results(path: Path) -> Counts:
    """The results of one JUnit file; OSError or ParseError when it is unusable."""
    counts = Counts()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcomes = {child.tag for child in case}
        # GoogleTest marks disabled tests by an attribute.
        not_run = case.get("status") == "notrun"
        if outcomes & {"failure", "error"}:
            counts.failures.append(f"{case.get('classname', '')}.{case.get('name', '')}")
        elif "skipped" in outcomes or not_run:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def summarize_suite(status_file: Path) -> Counts:
    """The results of the suite whose runner left `status_file`."""
    name = status_file.stem
    status = status_file.read_text(encoding="utf-8").strip()
    try:
        counts = count_results(status_file.with_suffix(".xml"))
    except (OSError, ElementTree.ParseError) as error:
        return Counts(failures=[f"{name}: no results (exit status {status}): {error}"])
    if counts.passed + counts.failed + counts.skipped == 0:
        counts.failures.append(f"{name}: expects tests, but found none (exit status {status})")
    elif status != "0" and counts.failed == 0:
        counts.failures.append(f"{name}: the runner ended with exit status {status}")
    return counts


def main(arguments: Sequence[str]) -> int:
    """Prints the summary of a folder and returns the exit status."""
    if len(arguments) != 1:
        print("usage: summarize_tests.py FOLDER", file=sys.stderr)
        return 2
    status_files = sorted(Path(arguments[0]).glob("*.status"))
    total = Counts()
    for status_file in status_files:
        counts = summarize_suite(status_file)
        print(f"{status_file.stem}: {counts}")
        total.add(counts)
    for failure in total.failures:
        print(f"FAILED {failure}")
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

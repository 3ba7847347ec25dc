# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The diagnostics that the README quotes are ones that a test provokes."""

import re

import pytest

from documents import REPOSITORY

_QUOTED = re.compile(r"`(expects [^`]+)`")


def _tests() -> str:
    folder = REPOSITORY / "test"
    files = [path for suffix in ("mlir", "test", "py") for path in folder.rglob(f"*.{suffix}")
             if not {"Inputs", "Docs"} & set(path.parts)]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))


@pytest.mark.parametrize("quoted", sorted(set(_QUOTED.findall(
    (REPOSITORY / "README.md").read_text(encoding="utf-8")))))
def test_quoted_diagnostic_is_tested(quoted):
    assert quoted in _tests()

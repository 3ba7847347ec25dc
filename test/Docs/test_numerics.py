# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The errors that docs/for-researchers.md states for the goldens are those that one gets."""

import re

import pytest

from documents import REPOSITORY
from mta import check

_DTYPES = ("f64", "f32", "f16", "bf16")
#: Sums have another order on other processors; what is stated has two digits.
_SLACK = 1.5
# The emulator takes longer; one type stands for the others.
_CASES = [("cpu", dtype) for dtype in _DTYPES] + [("ptx", "bf16")]


def _stated(target: str) -> dict[str, float]:
    """The row of a target, by element type."""
    text = (REPOSITORY / "docs" / "for-researchers.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{target}` \|((?: ?[\d.e-]* \|){{4}})$", text, re.MULTILINE)
    numbers = [word.strip() for word in row[1].split("|")[:-1]]
    return {dtype: float(number) for dtype, number in zip(_DTYPES, numbers) if number}


@pytest.mark.parametrize("target,dtype", _CASES)
def test_stated_error_is_measured(target, dtype):
    goldens = check.load_folder(REPOSITORY / "test" / "goldens")
    rows = list(check.run_check(goldens, target, dtype))
    assert all(row.error is not None for row in rows)
    worst, stated = max(row.error.relative for row in rows), _stated(target)[dtype]
    assert stated / _SLACK <= worst <= stated * _SLACK, f"expects {stated}, but got {worst}"

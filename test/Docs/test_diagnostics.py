# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Diagnostics that documents quote are ones that a test provokes, and none is left out."""

import re
from functools import cache

import pytest

from documents import REPOSITORY

_SUPPORTED = REPOSITORY / "docs" / "supported.md"
_QUOTED = re.compile(r"`(expects [^`]+)`")

# Where programs, options and files of users are refused. What verifiers of
# levels, layouts and contracts say concerns who changes the compiler.
_SOURCES = (
    "lib/Conversion/MTAToGPU/*.cpp",
    "lib/Dialect/MTA/IR/AttentionOp.cpp",
    "lib/Dialect/MTA/IR/KernelSchedule.cpp",
    "lib/Dialect/MTA/IR/OutputOps.cpp",
    "lib/Dialect/MTA/IR/Schedule.cpp",
    "lib/Dialect/MTA/IR/ScoreOps.cpp",
    "lib/Dialect/MTA/Transforms/ChooseSchedule.cpp",
    "lib/Dialect/MTA/Transforms/LaunchContractBuilder.cpp",
    "lib/Dialect/MTA/Transforms/NameSizes.cpp",
    "lib/Dialect/MTA/Transforms/TileAttention.cpp",
    "lib/Dialect/MTA/Transforms/TilePlan.cpp",
    "lib/Pipelines/*.cpp",
    "lib/Target/**/*.cpp",
)

# Checks of what the compiler itself made, which no input is known to reach.
_INTERNAL = (
    "expects a kernel that is a gpu.func, for its launch contract",
    "expects a module in the LLVM dialect",
    "expects a processor with",
    "expects allocations in functions and loops",
    "expects an intrinsic of every target",
    "expects one GPU binary",
)

_EMITTED = re.compile(r'emit(?:Op)?Error\((?:(?:[^"();]|\([^()]*\))*?)\)?\s*(?:<<\s*)?'
                      r'((?:"(?:[^"\\]|\\.)*"\s*)+)')
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
# What comes after the condition: the value, or the place.
_GOT = re.compile(r"(,? but( got| there|,|$).*|, such as .*|[ ',#]+)$")


def _quoted(path) -> set[str]:
    return set(_QUOTED.findall(path.read_text(encoding="utf-8")))


@cache
def _tests() -> str:
    folder = REPOSITORY / "test"
    files = [path for suffix in ("mlir", "test", "py") for path in folder.rglob(f"*.{suffix}")
             if not {"Inputs", "Docs"} & set(path.parts)]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(files))


def _emitted() -> dict[str, str]:
    """The conditions that sources emit errors for, each with its file."""
    found = {}
    for pattern in _SOURCES:
        for path in sorted(REPOSITORY.glob(pattern)):
            for match in _EMITTED.finditer(path.read_text(encoding="utf-8")):
                text = _GOT.sub("", "".join(_LITERAL.findall(match[1])))
                # Shorter ones end where their words are computed.
                if text.startswith("expects ") and len(text.split()) > 3:
                    found[text] = path.name
    return found


@pytest.mark.parametrize("quoted", sorted(
    _quoted(REPOSITORY / "README.md") | _quoted(_SUPPORTED)))
def test_quoted_diagnostic_is_tested(quoted):
    assert quoted in _tests()


@pytest.mark.parametrize("text,source", sorted(_emitted().items()))
def test_diagnostic_is_in_the_list(text, source):
    known = [*_quoted(_SUPPORTED), *_INTERNAL]
    assert any(text.startswith(quoted) or quoted.startswith(text) for quoted in known), (
        f"{source}: expects a row in docs/supported.md")


def test_list_is_not_empty():
    assert len(_emitted()) > 70

# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The version is that of `mta._version` wherever one is shown, and has a place in the changes."""

import datetime
import importlib.metadata
import os
import re
import subprocess
from pathlib import Path

import pytest

import mta
from mta import compiler

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MTA_BUILD_DIR", REPOSITORY / "build" / "dev"))

#: The kinds of changes of keepachangelog.com, 1.1.0.
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def run(tool: str, *arguments: str) -> str:
    """What a tool of the build prints."""
    return subprocess.run([BUILD / "bin" / tool, *arguments], check=True, capture_output=True,
                          text=True, timeout=60).stdout


def test_python():
    assert importlib.metadata.version("mta") == mta.__version__
    assert compiler.library_version() == mta.__version__


@pytest.mark.parametrize("tool", ["mta-lsp-server", "mta-opt", "mta-translate"])
def test_tools_name_llvms_too(tool):
    assert re.fullmatch(rf"mta {mta.__version__}, LLVM 22\.\d+\.\d+\n", run(tool, "--version"))


def test_the_emulator():
    assert run("mta-ptx-run", "--version") == f"mta {mta.__version__}\n"


def test_what_the_compiler_writes():
    example = REPOSITORY / "examples" / "pre-conv.mlir"
    assert f'"compiler": "mta {mta.__version__}"' in run("mta-translate", "--mta-to-contract",
                                                         example)
    header = run("mta-translate", "--mta-to-header", REPOSITORY / "examples" / "kernel.mlir")
    assert f"Made by the MTA compiler {mta.__version__} for" in header


def test_a_cmake_package():
    text = (BUILD / "cmake" / "MTAConfigVersion.cmake").read_text(encoding="utf-8")
    assert f'set(PACKAGE_VERSION "{mta.__version__}")' in text


def test_changes():
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    versions = []
    for heading in headings:
        version, _, date = heading.partition(" - ")
        versions.append(tuple(map(int, re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\]", version).groups())))
        if date != "Unreleased":
            datetime.date.fromisoformat(date)
    # The version at hand is the newest, and the only one that may be unreleased.
    assert headings[0].startswith(f"[{mta.__version__}] - ")
    assert versions == sorted(set(versions), reverse=True)
    assert not any(heading.endswith("Unreleased") for heading in headings[1:])
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= KINDS

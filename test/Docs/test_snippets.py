# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the documents show is what happens: snippets are parsed and run."""

import re
import subprocess
import sys

import pytest

from documents import (BUILD, GENERATED, REPOSITORY, Snippet, markdown_files, read_snippets,
                       snippets, tool_environment)

# First words of commands that are shown but not run here: they install, build
# or prepare a shell, and utils/test.sh or another test does the same.
_NOT_RUN = ("git", "cmake", "utils/", "lit", "export", ". ", ".venv/bin/python -m pytest",
            "ASAN_OPTIONS=")
_TOOLS = ("mta-opt", "mta-translate", "mta-ptx-run", "mlir-opt", "python -m mta", "python -c", "sed",
          "grep", "clang-22", "LD_LIBRARY_PATH=build/dev/stand-in ")


def _named(found: list[Snippet]) -> dict:
    return {"argvalues": found, "ids": [str(snippet) for snippet in found]}


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like the repository's root but may be written to."""
    for name in ("examples", "test", "include"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "dev").symlink_to(BUILD)
    return tmp_path


def _run(command: str, folder) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, text=True,
                          env=tool_environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, check=False)


def _commands(lines: list[str]) -> list[str]:
    """The commands of a shell snippet, with continued lines joined, without comments."""
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("snippet", **_named(snippets("mlir")))
def test_mlir_snippet_parses(snippet, checkout):
    (checkout / "snippet.mlir").write_text(snippet.text, encoding="utf-8")
    # The printed form parses again.
    result = _run("mta-opt snippet.mlir | mta-opt", checkout)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("snippet", **_named(snippets("sh")))
def test_shell_snippet_runs(snippet, checkout):
    for command in _commands(snippet.text.splitlines()):
        if command.startswith(_NOT_RUN):
            continue
        assert command.startswith(_TOOLS), f"expects a known command, but got {command!r}"
        result = _run(command, checkout)
        assert result.returncode == 0, f"{command}\n{result.stdout}"


@pytest.mark.parametrize("snippet", **_named(snippets("console")))
def test_console_snippet_shows_the_output(snippet, checkout):
    """Lines after a command are in its output, in their order; `...` skips some.

    In a line, `...` stands for anything but the end of the line.
    """
    for block in ("\n" + snippet.text).split("\n$ ")[1:]:
        command, *shown = block.splitlines()
        assert command.startswith(_TOOLS), f"expects a known command, but got {command!r}"
        output = _run(command, checkout).stdout
        position = 0
        for line in filter(None, map(str.strip, shown)):
            if line == "...":
                continue
            pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
            found = pattern.search(output, position)
            assert found, f"{command}: expects {line!r} in the output, but got\n{output}"
            position = found.end()


@pytest.mark.parametrize("snippet", **_named(snippets("python")))
def test_python_snippet_runs(snippet, checkout):
    if "import torch" in snippet.text:
        pytest.importorskip("torch", reason="needs PyTorch: MTA_TORCH=1 utils/setup.sh")
    result = subprocess.run([sys.executable, "-c", snippet.text], cwd=checkout, text=True,
                            env=tool_environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=300, check=False)
    assert result.returncode == 0, result.stdout


def test_every_language_has_a_test():
    known = {"mlir", "sh", "console", "python"}
    found = {snippet.language for path in markdown_files() if path.parent != GENERATED
             for snippet in read_snippets(path)}
    assert found == known
